// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a picture's name tells about where it came from. Knows text only.

use super::label::{LIVE, SPOOF};

/// Endings of films.
pub(super) const VIDEOS: &[&str] = &[
    "mov", "mp4", "avi", "mkv", "webm", "m4v", "mpg", "mpeg", "wmv", "3gp",
];

/// Endings of pictures that can be read.
pub(super) const PICTURES: &[&str] = &["jpg", "jpeg", "png"];

/// Words before the number of a frame.
const FRAME: &[&str] = &[
    "frame", "frames", "frm", "fr", "f", "img", "image", "pic", "picture", "counter",
];

/// Words before the number of a part of a frame; the number of the frame stands before them.
const PART: &[&str] = &["face", "crop"];

/// Words that go with anything and so tell nothing when they stand alone.
const EMPTY: &[&str] = &["photo", "sample", "output", "dsc"];

/// Words that make a number glued to them a name: `person07` is not the seventh frame of somebody called `person`.
const SOMEBODY: &[&str] = &[
    "client", "subject", "subj", "person", "user", "id", "session", "sess", "scene",
];

/// What the pictures of one film have in common, from a file's name without its ending: the name without the number of the frame,
/// leftover endings of pictures and words for the class. `clip_frame_00079`, `clip-000123` and `clip (12)` give `clip`. Where a film's
/// ending stands in it, the film's name: `10_1.avi_100_real` gives `10_1.avi`.
///
/// Never empty. A name that is only a number is given as it is: it tells no session, and who knows the folder takes that instead.
pub fn session_from_name(stem: &str) -> String {
    if let Some(told) = told_by_name(stem) {
        return told;
    }
    [without_digits(trimmed(stem)).0, stem.trim()]
        .into_iter()
        .find(|s| !s.is_empty())
        .unwrap_or("unnamed")
        .to_owned()
}

/// The same, or none where the name tells nothing: `101`, `frame_7`, `real (3)`.
pub(super) fn told_by_name(stem: &str) -> Option<String> {
    if let Some(film) = film(stem) {
        return Some(film.to_owned());
    }
    let (mut rest, mut numbered) = (without_class(stem), false);
    // A class may stand before the number or behind it.
    loop {
        let before = rest.len();
        if !numbered {
            (rest, numbered) = without_number(rest);
        }
        rest = without_class(without_ending(rest));
        if rest.len() == before {
            break;
        }
    }
    let tells = |word: &str| {
        let word = word.to_lowercase();
        let nothing = [FRAME, PART, EMPTY];
        !word.is_empty() && !nothing.iter().any(|list| list.contains(&word.as_str()))
    };
    rest.split(|c: char| !c.is_alphanumeric())
        .any(tells)
        .then(|| rest.to_owned())
}

/// Whether a word is a class and nothing else. `client` and `true` are names, too.
fn is_class(word: &str) -> bool {
    let word = word.to_lowercase();
    let unclear = ["client", "true", "false"];
    let lists = [LIVE, SPOOF];
    !unclear.contains(&word.as_str()) && lists.iter().any(|list| list.contains(&word.as_str()))
}

/// Up to and with the ending of a film, where there is one and something before it.
fn film(stem: &str) -> Option<&str> {
    // Bytes keep their places: only ASCII letters change.
    let lower = stem.to_ascii_lowercase();
    let mut ends = lower.match_indices('.').filter_map(|(dot, _)| {
        let after = &lower[dot + 1..];
        let ending = VIDEOS.iter().find(|e| {
            let rest = after.strip_prefix(**e);
            rest.is_some_and(|r| !r.starts_with(char::is_alphanumeric))
        })?;
        Some((dot, dot + 1 + ending.len()))
    });
    let (_, end) = ends.rfind(|(dot, _)| stem[..*dot].contains(char::is_alphanumeric))?;
    Some(stem[..end].trim_start())
}

fn trimmed(s: &str) -> &str {
    s.trim_matches(|c: char| !c.is_alphanumeric())
}

/// Without words for the class at both ends.
fn without_class(s: &str) -> &str {
    let mut rest = trimmed(s);
    loop {
        let separator = |c: char| !c.is_alphanumeric();
        let first = rest.find(separator).unwrap_or(rest.len());
        let last = rest
            .char_indices()
            .rev()
            .find(|(_, c)| separator(*c))
            .map_or(0, |(i, c)| i + c.len_utf8());
        if rest.is_empty() {
            return rest;
        } else if is_class(&rest[..first]) {
            rest = trimmed(&rest[first..]);
        } else if is_class(&rest[last..]) {
            rest = trimmed(&rest[..last]);
        } else {
            return rest;
        }
    }
}

/// Without the ending of a picture that was left in the name.
fn without_ending(s: &str) -> &str {
    let rest = s.rsplit_once('.').filter(|(_, ending)| {
        let is = |e: &&str| e.eq_ignore_ascii_case(ending);
        PICTURES.iter().any(is)
    });
    rest.map_or(s, |(rest, _)| trimmed(rest))
}

/// Without the number at the end, and whether a letter stood right before it.
fn without_digits(s: &str) -> (&str, bool) {
    let without = |s: &str| s.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let mut rest = &s[..without(s)];
    // A number such as 125.0.
    if let Some(whole) = rest.strip_suffix('.').filter(|_| rest.len() < s.len()) {
        rest = &whole[..without(whole)];
    }
    (trimmed(rest), rest.ends_with(char::is_alphabetic))
}

/// Without the number of the frame, and whether there was a number.
fn without_number(s: &str) -> (&str, bool) {
    let s = trimmed(s);
    if !s.ends_with(|c: char| c.is_ascii_digit()) {
        return (s, false);
    }
    let (rest, glued) = without_digits(s);
    let start = rest
        .char_indices()
        .rev()
        .find(|(_, c)| !c.is_alphabetic())
        .map_or(0, |(i, c)| i + c.len_utf8());
    let word = rest[start..].to_lowercase();
    let word = word.as_str();
    if glued && SOMEBODY.contains(&word) {
        (s, true)
    } else if FRAME.contains(&word) {
        (trimmed(&rest[..start]), true)
    } else if PART.contains(&word) {
        let (rest, _) = without_number(&rest[..start]);
        (rest, true)
    } else {
        (rest, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_number_of_the_frame_goes_and_the_clip_stays() {
        for (stem, session) in [
            ("clip_frame_00079", "clip"),
            ("clip-000123", "clip"),
            ("clip (12)", "clip"),
            ("clip#000010", "clip"),
            ("clip12", "clip"),
            ("clip_frame_125.0", "clip"),
            ("clip_0001_face_2", "clip"),
            ("clip_frame12_face0", "clip"),
            ("clip_f12", "clip"),
            ("alice_office_0001", "alice_office"),
            ("alice_office_0001_real", "alice_office"),
            ("FAKE_alice_office_0001", "alice_office"),
            ("alice_office_real_0001", "alice_office"),
            ("walk.jpeg_0004", "walk"),
            ("walk.PNG", "walk"),
            ("10_1.avi_100_real", "10_1.avi"),
            ("Clip.MOV_frame_3", "Clip.MOV"),
            ("celeba_1074_071162", "celeba_1074"),
            (
                "client001_session01_webcam_authenticate_adverse_1_frame_00079",
                "client001_session01_webcam_authenticate_adverse_1",
            ),
            ("person07", "person07"),
            ("subject12_session03", "subject12_session03"),
            ("subject12_session03_0044", "subject12_session03"),
            ("Zoë_büro_0001", "Zoë_büro"),
            ("10_1", "10"),
        ] {
            assert_eq!(session_from_name(stem), session, "{stem}");
        }
    }

    #[test]
    fn names_without_a_clip_tell_nothing() {
        for stem in [
            "101",
            "frame_7",
            "frame7",
            "img-0001",
            "face_3",
            "real_12",
            "fake",
            "(12)",
            "000.5",
            "",
            " ",
            "_",
            "spoof_face_9",
        ] {
            assert_eq!(told_by_name(stem), None, "{stem:?}");
        }
        assert_eq!(session_from_name("101"), "101");
        assert_eq!(session_from_name("frame_7"), "frame");
        assert_eq!(session_from_name("real_7"), "real");
        assert_eq!(session_from_name(" "), "unnamed");
    }

    proptest! {
        #[test]
        fn any_name_gives_a_session(stem in ".*") {
            let session = session_from_name(&stem);
            prop_assert!(!session.trim().is_empty());
        }

        #[test]
        fn names_of_many_parts_give_a_session(stem in "((real|fake|frame|face|avi|jpg|[0-9]{1,3}|é|İ|client|session)[-_ .()]{0,2}){0,7}") {
            let session = session_from_name(&stem);
            prop_assert!(!session.trim().is_empty());
        }

        #[test]
        fn frames_of_a_clip_share_its_session(clip in "[a-zA-Z][a-zA-Z0-9 _.-]{0,12}", a in 0..10_000_u32, b in 0..10_000_u32) {
            for form in ["_", "-", "_frame_", " (", "_frame"] {
                let name = |n: u32| session_from_name(&format!("{clip}{form}{n:04}"));
                prop_assert_eq!(name(a), name(b), "{}", form);
            }
        }
    }
}
