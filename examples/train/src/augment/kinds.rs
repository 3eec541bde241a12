// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which changes are made to examples: switches with names.

use std::fmt;
use std::str::FromStr;

/// What is changed, each by its own chance and range. Its text is that of `--augment`: names with commas between them, `all` or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Augment {
    /// Left and right change places.
    pub flip: bool,
    /// The head, or what shows it, is tilted.
    pub rotate: bool,
    /// The box is beside the face.
    pub shift: bool,
    /// The box is too large or too small.
    pub scale: bool,
    /// Each edge of the box is a little off.
    pub jitter: bool,
    /// Saturation, hue and white balance.
    pub color: bool,
    /// Brightness, contrast and gamma.
    pub light: bool,
    /// Out of focus.
    pub blur: bool,
    /// Moved while the shutter was open.
    pub motion: bool,
    /// Noise of the sensor.
    pub noise: bool,
    /// Compressed once more.
    pub jpeg: bool,
    /// Fewer pixels, as from further away.
    pub downscale: bool,
    /// A small part is hidden.
    pub erase: bool,
}

type Switch = (&'static str, fn(&mut Augment) -> &mut bool);

/// The names, in the order in which the changes are made.
const SWITCHES: [Switch; 13] = [
    ("flip", |a| &mut a.flip),
    ("rotate", |a| &mut a.rotate),
    ("shift", |a| &mut a.shift),
    ("scale", |a| &mut a.scale),
    ("jitter", |a| &mut a.jitter),
    ("color", |a| &mut a.color),
    ("light", |a| &mut a.light),
    ("blur", |a| &mut a.blur),
    ("motion", |a| &mut a.motion),
    ("downscale", |a| &mut a.downscale),
    ("noise", |a| &mut a.noise),
    ("jpeg", |a| &mut a.jpeg),
    ("erase", |a| &mut a.erase),
];

impl Augment {
    /// Everything is left as it is.
    pub const NONE: Self = Self::each(false);
    /// Everything is changed.
    pub const ALL: Self = Self::each(true);

    const fn each(on: bool) -> Self {
        Self {
            flip: on,
            rotate: on,
            shift: on,
            scale: on,
            jitter: on,
            color: on,
            light: on,
            blur: on,
            motion: on,
            noise: on,
            jpeg: on,
            downscale: on,
            erase: on,
        }
    }

    /// The names that can be given, in the order in which the changes are made.
    pub fn names() -> [&'static str; 13] {
        SWITCHES.map(|(name, _)| name)
    }

    /// Nothing but this one.
    pub fn only(name: &str) -> Option<Self> {
        let (_, of) = SWITCHES.iter().find(|(n, _)| *n == name)?;
        let mut one = Self::NONE;
        *of(&mut one) = true;
        Some(one)
    }
}

impl FromStr for Augment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "all" => return Ok(Self::ALL),
            "none" => return Ok(Self::NONE),
            _ => {}
        }
        let mut all = Self::NONE;
        for name in text.split(',').map(str::trim) {
            let switch = SWITCHES.iter().find(|(n, _)| *n == name);
            let (_, of) = switch.ok_or_else(|| {
                format!(
                    "{name:?} is no augmentation: all, none, or some of {}",
                    Self::names().join(",")
                )
            })?;
            *of(&mut all) = true;
        }
        Ok(all)
    }
}

impl fmt::Display for Augment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return f.pad("all");
        }
        let mut copy = *self;
        let on: Vec<&str> = SWITCHES
            .iter()
            .filter(|(_, of)| *of(&mut copy))
            .map(|(name, _)| *name)
            .collect();
        f.pad(&match on.is_empty() {
            true => "none".to_owned(),
            false => on.join(","),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_both_ways_and_a_wrong_name_is_told() {
        for text in ["all", "none", "flip", "flip,jpeg,erase"] {
            assert_eq!(text.parse::<Augment>().unwrap().to_string(), text);
        }
        assert_eq!(
            " flip , rotate".parse::<Augment>().unwrap().to_string(),
            "flip,rotate"
        );
        let names = Augment::names().join(",");
        assert_eq!(names.parse(), Ok(Augment::ALL));
        let told = "flop".parse::<Augment>().unwrap_err();
        assert!(told.contains("flop") && told.contains("flip"), "{told}");
        assert!("".parse::<Augment>().is_err());
        assert_eq!(
            Augment::only("blur").map(|a| a.to_string()).as_deref(),
            Some("blur")
        );
        assert_eq!(Augment::only("all"), None);
    }
}
