// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the labels say. Pure text: knows faces, no pixels.

use std::collections::BTreeMap;

use liveness::face::{Face, Label};

/// Characters of a label that are ever laid out; a frame has no room for more.
const LONGEST: usize = 160;

/// Faces that a status line names one by one.
const NAMED: usize = 3;

/// What the user wants to read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Words {
    /// The words for the verdicts, in the order of [`Label::id`].
    pub(super) verdicts: [String; 4],
    /// Words for single tracks, each for as long as its verdict is this one.
    pub(super) tracks: BTreeMap<(u64, i32), String>,
    /// Confidence in the verdict.
    pub(super) scores: bool,
    /// Number of the track, else of the face in its frame.
    pub(super) ids: bool,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            verdicts: Label::ALL.map(|l| l.as_str().to_owned()),
            tracks: BTreeMap::new(),
            scores: true,
            ids: false,
        }
    }
}

impl Words {
    /// The word for a verdict.
    pub(super) fn word(&self, label: Label) -> &str {
        &self.verdicts[label.id() as usize % self.verdicts.len()]
    }

    /// Another word for a verdict.
    pub(super) fn set(&mut self, label: Label, word: String) {
        let n = self.verdicts.len();
        self.verdicts[label.id() as usize % n] = word;
    }

    /// The word for a face: its track's own, else the one for its verdict.
    fn of(&self, face: &Face) -> &str {
        let label = face.verdict.label;
        let own = face.track.and_then(|t| self.tracks.get(&(t, label.id())));
        own.map_or_else(|| self.word(label), String::as_str)
    }

    /// The label of a face: `#7 live 0.97`, `uncertain (too-small)`. Empty where the user wants to read nothing.
    pub(super) fn label(&self, face: &Face) -> String {
        let verdict = &face.verdict;
        let mut parts = Vec::new();
        if self.ids {
            parts.push(format!("#{}", face.track.unwrap_or(face.id.into())));
        }
        let word = self.of(face);
        if !word.is_empty() {
            parts.push(word.to_owned());
        }
        match verdict.label {
            // A number behind any other word would look like one of these.
            Label::Live | Label::Spoof if self.scores => {
                let confidence = verdict.live.map(|_| verdict.confidence());
                let known = confidence.filter(|c| !c.is_nan());
                parts.extend(known.map(|c| format!("{:.2}", c.clamp(0.0, 1.0))));
            }
            Label::Uncertain if !word.is_empty() => {
                parts.extend(verdict.reason.map(|r| format!("({r})")));
            }
            _ => (),
        }
        tidy(&parts.join(" "))
    }

    /// One line about faces that have no place: `2 faces, live 0.97, spoof 0.98 (position lost)`.
    pub(super) fn status(&self, lost: &[Face]) -> String {
        let n = lost.len();
        let mut line = format!("{n} face{}", if n == 1 { "" } else { "s" });
        for face in lost.iter().take(NAMED) {
            let label = self.label(face);
            if !label.is_empty() {
                line.push_str(", ");
                line.push_str(&label);
            }
        }
        if n > NAMED {
            line.push_str(", …");
        }
        line.push_str(" (position lost)");
        tidy(&line)
    }
}

/// The verdict that a line about several faces is coloured by: the one that asks for most attention.
pub(super) fn gravest(faces: &[Face]) -> Label {
    let gravity = |l: &Label| match l {
        Label::Live => 0,
        Label::Unchecked => 1,
        Label::Uncertain => 2,
        Label::Spoof => 3,
    };
    let labels = faces.iter().map(|f| f.verdict.label);
    labels.max_by_key(gravity).unwrap_or_default()
}

/// One line, of a length that can be laid out.
fn tidy(text: &str) -> String {
    let one_line = |c: char| if c.is_control() { ' ' } else { c };
    let mut line: String = text.chars().take(LONGEST).map(one_line).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use liveness::face::Reason;

    fn face(label: Label, live: Option<f32>) -> Face {
        let mut face = Face {
            id: 3,
            ..Face::default()
        };
        face.verdict.label = label;
        face.verdict.live = live;
        face
    }

    #[test]
    fn labels_say_verdict_and_confidence() {
        let words = Words::default();
        assert_eq!(words.label(&face(Label::Live, Some(0.973))), "live 0.97");
        assert_eq!(words.label(&face(Label::Spoof, Some(0.02))), "spoof 0.98");
        assert_eq!(words.label(&face(Label::Unchecked, Some(0.9))), "unchecked");
        let mut unsure = face(Label::Uncertain, Some(0.5));
        unsure.verdict.reason = Some(Reason::TooSmall);
        assert_eq!(words.label(&unsure), "uncertain (too-small)");
        for odd in [f32::NAN, f32::INFINITY, -3.0] {
            let text = words.label(&face(Label::Live, Some(odd)));
            assert!(["live", "live 0.00", "live 1.00"].contains(&text.as_str()));
        }
    }

    #[test]
    fn each_part_can_be_hidden() {
        let mut words = Words {
            scores: false,
            ids: true,
            ..Words::default()
        };
        let mut live = face(Label::Live, Some(0.9));
        assert_eq!(words.label(&live), "#3 live");
        live.track = Some(41);
        assert_eq!(words.label(&live), "#41 live");
        words.verdicts[Label::Live.id() as usize].clear();
        assert_eq!(words.label(&live), "#41");
        words.ids = false;
        assert_eq!(words.label(&live), "");
    }

    #[test]
    fn a_track_has_words_of_its_own_for_as_long_as_its_verdict_stands() {
        let mut words = Words::default();
        let key = (7, Label::Live.id());
        words.tracks.insert(key, "Authorized".into());
        let mut seen = face(Label::Live, Some(0.9));
        assert_eq!(words.label(&seen), "live 0.90", "nobody follows it");
        seen.track = Some(7);
        assert_eq!(words.label(&seen), "Authorized 0.90");
        seen.verdict.label = Label::Spoof;
        assert_eq!(words.label(&seen), "spoof 0.10");
        (seen.track, seen.verdict.label) = (Some(8), Label::Live);
        assert_eq!(words.label(&seen), "live 0.90");
    }

    #[test]
    fn hostile_words_become_one_short_line() {
        let mut words = Words::default();
        words.verdicts[1] = "a\0b\nc\u{7}".to_owned() + &"界".repeat(100_000);
        let text = words.label(&face(Label::Live, Some(1.0)));
        assert!(text.starts_with("a b c") && text.chars().count() <= LONGEST + 1);
    }

    #[test]
    fn a_status_line_counts_all_and_takes_the_gravest_colour() {
        let words = Words::default();
        let live = face(Label::Live, Some(0.97));
        let lost = std::slice::from_ref(&live);
        assert_eq!(words.status(lost), "1 face, live 0.97 (position lost)");
        let many = vec![live.clone(), face(Label::Spoof, None), live.clone(), live];
        let text = words.status(&many);
        assert_eq!(
            text,
            "4 faces, live 0.97, spoof, live 0.97, … (position lost)"
        );
        assert_eq!(gravest(&many), Label::Spoof);
    }
}
