// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be done to a face that is shown on paper or a screen: switches with names.

use std::fmt;
use std::str::FromStr;

use crate::augment::dice::Dice;

/// One thing that paper, screens or cameras do to a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// What ink or a backlight can show: contrast, saturation, tint.
    Tone,
    /// Dots of ink; on paper alone.
    Halftone,
    /// Fibres and stains; on paper alone.
    Paper,
    /// White border of paper, or bezel of a screen.
    Edge,
    /// The sheet is not flat; paper alone.
    Bend,
    /// Turned, and seen from the side.
    Tilt,
    /// Out of focus when it was taken again.
    Blur,
    /// The lamp of the scene on it; on paper alone.
    Shade,
    /// The pixels of a screen.
    Grid,
    /// What the pixels of a screen and those of the camera make together.
    Moire,
    /// Stripes of a screen that is refreshed while the shutter runs down.
    Bands,
    /// Lamps and windows that gloss.
    Glare,
    /// The room in the glass of a screen.
    Mirror,
    /// Noise of the camera that takes it again.
    Noise,
    /// Sharpened by the camera that takes it again.
    Sharpen,
    /// Compressed once more.
    Jpeg,
}

/// In the order in which they are done.
const ALL: [(Effect, &str); 16] = [
    (Effect::Tone, "tone"),
    (Effect::Halftone, "halftone"),
    (Effect::Paper, "paper"),
    (Effect::Edge, "edge"),
    (Effect::Bend, "bend"),
    (Effect::Tilt, "tilt"),
    (Effect::Blur, "blur"),
    (Effect::Shade, "shade"),
    (Effect::Grid, "grid"),
    (Effect::Moire, "moire"),
    (Effect::Bands, "bands"),
    (Effect::Glare, "glare"),
    (Effect::Mirror, "mirror"),
    (Effect::Noise, "noise"),
    (Effect::Sharpen, "sharpen"),
    (Effect::Jpeg, "jpeg"),
];

/// A set of effects. Its text is that of `--effects`: names with commas between them, `all` or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effects(u16);

impl Effects {
    /// The picture is only laid before the scene.
    pub const NONE: Self = Self(0);
    /// Everything.
    pub const ALL: Self = Self(u16::MAX >> (16 - ALL.len()));

    /// Nothing but this one.
    pub fn only(effect: Effect) -> Self {
        Self(1 << effect as u16)
    }

    /// These and one more.
    #[must_use]
    pub fn with(self, effect: Effect) -> Self {
        Self(self.0 | Self::only(effect).0)
    }

    /// All but one of these.
    #[must_use]
    pub fn without(self, effect: Effect) -> Self {
        Self(self.0 & !Self::only(effect).0)
    }

    /// Whether it is one of them.
    pub fn has(self, effect: Effect) -> bool {
        self.0 & Self::only(effect).0 != 0
    }

    /// The effects, in the order in which they are done.
    pub fn list(self) -> impl Iterator<Item = Effect> {
        let all = ALL.iter().map(|(effect, _)| *effect);
        all.filter(move |effect| self.has(*effect))
    }

    /// Their names, in the same order.
    pub fn names(self) -> Vec<&'static str> {
        let on = ALL.iter().filter(|(effect, _)| self.has(*effect));
        on.map(|(_, name)| *name).collect()
    }
}

impl FromStr for Effects {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "all" => return Ok(Self::ALL),
            "none" => return Ok(Self::NONE),
            _ => {}
        }
        text.split(',')
            .map(str::trim)
            .try_fold(Self::NONE, |all, name| {
                let known = ALL.iter().find(|(_, n)| *n == name);
                let (effect, _) = known.ok_or_else(|| {
                    format!(
                        "{name:?} is no effect: all, none, or some of {}",
                        Self::ALL.names().join(",")
                    )
                })?;
                Ok(all.with(*effect))
            })
    }
}

impl fmt::Display for Effects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ALL => f.pad("all"),
            Self::NONE => f.pad("none"),
            _ => f.pad(&self.names().join(",")),
        }
    }
}

/// Chance for one picture: what is wanted, and what came of it.
#[derive(Debug)]
pub(super) struct Draw {
    seed: u64,
    wanted: Effects,
    drawn: Effects,
}

/// Purposes beside the effects, each with numbers of its own.
const BESIDE: u64 = 100;

impl Draw {
    pub(super) fn new(seed: u64, wanted: Effects) -> Self {
        Self {
            seed,
            wanted,
            drawn: Effects::NONE,
        }
    }

    /// The numbers of an effect, if it is wanted and its chance has come. Each has its own, so that switching one off leaves the others as they
    /// were.
    pub(super) fn roll(&mut self, effect: Effect, chance: f32) -> Option<Dice> {
        let mut dice = Dice::new(self.seed, effect as u64);
        let drawn = self.wanted.has(effect) && dice.chance(chance);
        if drawn {
            self.drawn = self.drawn.with(effect);
        }
        drawn.then_some(dice)
    }

    /// Numbers for what is no effect.
    pub(super) fn dice(&self, purpose: u64) -> Dice {
        Dice::new(self.seed, BESIDE + purpose)
    }

    /// What was done.
    pub(super) fn drawn(&self) -> Effects {
        self.drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_both_ways_and_a_wrong_name_is_told() {
        for text in ["all", "none", "tone", "tone,moire,jpeg"] {
            assert_eq!(text.parse::<Effects>().unwrap().to_string(), text);
        }
        let names = Effects::ALL.names().join(",");
        assert_eq!(names.parse(), Ok(Effects::ALL));
        let told = "moiree".parse::<Effects>().unwrap_err();
        assert!(
            told.contains("moiree") && told.contains("halftone"),
            "{told}"
        );
        assert!("".parse::<Effects>().is_err());
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        for (i, (effect, _)) in ALL.iter().enumerate() {
            assert_eq!(*effect as usize, i, "out of order");
            let one = Effects::only(*effect);
            assert_eq!(one.list().collect::<Vec<_>>(), [*effect]);
            assert!(!Effects::ALL.without(*effect).has(*effect));
            assert_eq!(Effects::ALL.without(*effect).with(*effect), Effects::ALL);
        }
    }

    #[test]
    fn what_is_off_is_not_drawn_and_what_is_drawn_is_noted() {
        for seed in 0..50 {
            let mut off = Draw::new(seed, Effects::ALL.without(Effect::Moire));
            assert!(off.roll(Effect::Moire, 1.0).is_none());
            let mut on = Draw::new(seed, Effects::ALL);
            let drawn = on.roll(Effect::Moire, 0.5).is_some();
            assert_eq!(on.drawn().has(Effect::Moire), drawn);
        }
    }
}
