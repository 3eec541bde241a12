// SPDX-License-Identifier: MIT OR Apache-2.0
//! What people call live faces and attacks, and what is meant by it. Knows words only.

use std::fmt;

/// What a face is, as far as training is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A person before the camera; bona fide in ISO/IEC 30107-3.
    Live,
    /// Something that shows a person; an attack presentation.
    Spoof,
}

impl Class {
    /// `live` or `spoof`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Spoof => "spoof",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What an attack is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attack {
    /// A whole photo on paper, flat or bent.
    Print,
    /// A photo on paper that was cut: holes for the eyes, the outline of a face or body.
    Cut,
    /// A screen, whether it shows a film or a photo.
    Replay,
    /// A mask that has a shape of its own.
    Mask,
}

impl Attack {
    /// `print`, `cut`, `replay` or `mask`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Print => "print",
            Self::Cut => "cut",
            Self::Replay => "replay",
            Self::Mask => "mask",
        }
    }
}

impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a label means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// Live or spoof.
    pub class: Class,
    /// What the attack is made of, where the label says it; none for live.
    pub attack: Option<Attack>,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attack {
            Some(attack) => write!(f, "{} ({attack})", self.class),
            None => self.class.fmt(f),
        }
    }
}

/// Words that say live.
pub(super) const LIVE: &[&str] = &[
    "live", "alive", "real", "genuine", "bonafide", "client", "true",
];

/// Words that say spoof, and not by what means.
pub(super) const SPOOF: &[&str] = &[
    "spoof", "spoofing", "fake", "attack", "imposter", "impostor", "false",
];

/// Words that say by what means.
pub(super) const ATTACKS: &[(Attack, &[&str])] = &[
    (
        Attack::Print,
        &["print", "printed", "photo", "paper", "poster"],
    ),
    (Attack::Cut, &["cut", "cutout"]),
    (
        Attack::Replay,
        &[
            "replay", "video", "screen", "display", "monitor", "phone", "mobile", "iphone",
            "tablet", "ipad", "pad", "pc", "computer", "tv",
        ],
    ),
    (Attack::Mask, &["mask", "silicone", "latex", "resin"]),
];

/// Words that stand beside the others and change nothing.
const BESIDE: &[&str] = &[
    "raw",
    "face",
    "normalized",
    "image",
    "img",
    "picture",
    "frame",
    "crop",
    "cropped",
    "sample",
    "data",
    "dataset",
    "set",
    "class",
    "hand",
    "handheld",
    "fixed",
    "2d",
    "3d",
    "hd",
    "sd",
];

/// What a label means, whatever its case and whatever stands between its words: `real`, `Bona-Fide`, `attack_print`, `spoof hand`,
/// `ClientRaw`. None where it holds a word that is not known: `real_madrid` is no label.
pub fn understand(label: &str) -> Option<Label> {
    Some(Reading::of(label)?.label)
}

/// The words that are known, for messages.
pub fn known_words() -> String {
    let attacks = ATTACKS.iter().flat_map(|(_, words)| *words);
    let attacks: Vec<&str> = attacks.copied().collect();
    format!(
        "live: {}; spoof: {}; spoof by its kind: {}",
        LIVE.join(", "),
        SPOOF.join(", "),
        attacks.join(", ")
    )
}

/// A label, and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) label: Label,
    /// It says live or spoof. Otherwise it only names a thing, such as `phone`, which below a folder `live` is no attack.
    pub(super) says_class: bool,
}

impl Reading {
    pub(super) fn of(label: &str) -> Option<Self> {
        let mut words = words(label);
        // The only one that is written as two.
        if let Some(i) = words.windows(2).position(|w| w == ["bona", "fide"]) {
            words.splice(i..i + 2, ["bonafide".to_owned()]);
        }
        let numbered = words.iter().any(|w| w.bytes().all(|b| b.is_ascii_digit()));
        let (mut live, mut spoof, mut attack) = (false, false, None);
        for word in &words {
            let is = |list: &[&str]| is_one_of(word, list);
            if is(LIVE) {
                // client001 is somebody, not a class.
                if word.starts_with("client") && numbered {
                    return None;
                }
                live = true;
            } else if is(SPOOF) {
                spoof = true;
            } else if let Some((kind, _)) = ATTACKS.iter().find(|(_, list)| is(list)) {
                // The later ones of the list are the narrower ones: a cut photo is cut, a photo on a phone is a screen.
                attack = attack.max(Some(*kind));
            } else if !is(BESIDE) && !word.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
        }
        if live && spoof || !live && !spoof && attack.is_none() {
            return None;
        }
        let class = if live { Class::Live } else { Class::Spoof };
        Some(Self {
            label: Label {
                class,
                // `real_video` is a film of a live face.
                attack: if live { None } else { attack },
            },
            says_class: live || spoof,
        })
    }
}

/// Whether all words of a label stand beside others and mean nothing by themselves: `images`, `hand`.
pub(super) fn says_nothing(label: &str) -> bool {
    words(label).iter().all(|word| is_one_of(word, BESIDE))
}

/// Whether a word is one of a list, in the singular or the plural.
fn is_one_of(word: &str, list: &[&str]) -> bool {
    list.contains(&word) || word.strip_suffix('s').is_some_and(|w| list.contains(&w))
}

/// The words of a label in lower case: `ClientRaw`, `3DMask` and `print1` have two each.
fn words(label: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut last: Option<char> = None;
    let mut chars = label.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_alphanumeric() {
            let before_lower = chars.peek().is_some_and(|n| n.is_lowercase());
            let starts = last.is_none_or(|l| {
                let upper =
                    c.is_uppercase() && (l.is_lowercase() || l.is_uppercase() && before_lower);
                upper || l.is_alphabetic() && c.is_ascii_digit()
            });
            match all.last_mut() {
                Some(word) if !starts => word.extend(c.to_lowercase()),
                _ => all.push(c.to_lowercase().collect()),
            }
        }
        last = c.is_alphanumeric().then_some(c);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn means(label: &str) -> Option<(Class, Option<Attack>)> {
        understand(label).map(|l| (l.class, l.attack))
    }

    #[test]
    fn live_has_many_names() {
        for word in [
            "real",
            "live",
            "LIVE",
            "Genuine",
            "bonafide",
            "bona_fide",
            "bona-fide",
            "Bona Fide",
            "client",
            "true",
            "ClientRaw",
            "ClientFace",
            "client_normalized",
            "live faces",
            "real_01",
            "reals",
            "real_video",
        ] {
            assert_eq!(means(word), Some((Class::Live, None)), "{word}");
        }
    }

    #[test]
    fn spoof_has_many_names_and_may_say_by_what_means() {
        for word in [
            "fake",
            "spoof",
            "SPOOF",
            "attack",
            "attacks",
            "imposter",
            "impostor",
            "false",
            "spoof_hand",
            "spoof_fixed",
            "ImposterRaw",
        ] {
            assert_eq!(means(word), Some((Class::Spoof, None)), "{word}");
        }
        let kinds = [
            (
                Attack::Print,
                "print photo paper printed attack_print printed_photo Print1 AttackPrint",
            ),
            (Attack::Cut, "cut cut_photo cut-print paper_cut attack_cut"),
            (
                Attack::Replay,
                "replay video screen phone tablet pc display monitor attack-replay video_replay mobile_photo iphone_video",
            ),
            (Attack::Mask, "mask 3d_mask masks attack_mask 3DMask"),
        ];
        for (kind, words) in kinds {
            for word in words.split(' ') {
                assert_eq!(means(word), Some((Class::Spoof, Some(kind))), "{word}");
            }
        }
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        for word in [
            "",
            "  ",
            "train",
            "alice",
            "real_madrid",
            "not_real",
            "without_mask",
            "real_vs_fake",
            "live-spoof",
            "client001",
            "client_12",
            "Clients 3",
            "face",
            "raw",
            "1",
            "hand",
            "celeba_spoof",
            "wahr",
            "живой",
        ] {
            assert_eq!(means(word), None, "{word}");
        }
    }

    #[test]
    fn some_words_say_nothing() {
        for (word, nothing) in [("images", true), ("Raw-Faces", true), ("alice", false)] {
            assert_eq!(says_nothing(word), nothing, "{word}");
        }
    }

    #[test]
    fn every_word_that_messages_name_is_understood() {
        for (class, words) in [(Class::Live, LIVE), (Class::Spoof, SPOOF)] {
            for word in words {
                assert_eq!(means(word), Some((class, None)), "{word}");
                assert!(known_words().contains(word));
            }
        }
        for (attack, words) in ATTACKS {
            for word in *words {
                assert_eq!(means(word), Some((Class::Spoof, Some(*attack))), "{word}");
                assert!(known_words().contains(word));
            }
        }
    }

    #[test]
    fn the_docs_name_all_words() {
        let docs = include_str!("../../docs/dataset.md");
        let attacks = ATTACKS.iter().flat_map(|(_, words)| *words);
        for word in [LIVE, SPOOF, BESIDE].into_iter().flatten().chain(attacks) {
            assert!(docs.contains(&format!("`{word}`")), "{word}");
        }
    }

    proptest! {
        #[test]
        fn anything_may_be_asked(label: String) {
            understand(&label);
        }

        #[test]
        fn case_and_separators_do_not_matter(
            i in 0..SPOOF.len(), (k, _) in (0..ATTACKS.len(), 0..1), sep in "[-_ .]{1,3}", upper: bool
        ) {
            let label = format!("{}{sep}{}", SPOOF[i], ATTACKS[k].1[0]);
            let label = if upper { label.to_uppercase() } else { label };
            prop_assert_eq!(means(&label), Some((Class::Spoof, Some(ATTACKS[k].0))));
        }
    }
}
