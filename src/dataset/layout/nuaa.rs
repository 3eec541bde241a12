// SPDX-License-Identifier: MIT OR Apache-2.0
//! NUAA (Tan, Li, Liu, Jiang: *Face Liveness Detection from a Single Image with Sparse Low Rank Bilinear Discriminative Model*, 2010):
//! `ClientRaw/0001/0001_00_00_01_0.jpg`, `ImposterRaw/…`; the parts are subject, glasses, position, session, frame.

use super::told::Told;
use super::walk::Found;
use crate::dataset::label::Attack;

/// Digits of the parts before the frame's number.
const DIGITS: [usize; 4] = [4, 2, 2, 2];

pub(super) fn told(file: &Found) -> Option<Told> {
    let parts: Vec<&str> = file.stem.split('_').collect();
    let [subject, glasses, position, session, frame] = parts[..] else {
        return None;
    };
    let digits = |part: &&str| part.bytes().all(|b| b.is_ascii_digit());
    let widths = [subject, glasses, position, session].map(str::len);
    if !parts.iter().all(digits) || widths != DIGITS || frame.is_empty() {
        return None;
    }
    Some(Told {
        class: None,
        // All of its attacks are photos on paper, bent and moved.
        attack: Some(Attack::Print),
        species: None,
        // With and without glasses on the same day: the same light and clothes.
        session: format!("{subject}_{session}"),
        client: subject.to_owned(),
        subset: None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::*;
    use crate::dataset::label::Class;
    use crate::dataset::sample::Layout;

    #[test]
    fn as_it_is_published_and_in_plain_folders() {
        let set = Tree::new(&[
            "raw/ClientRaw/0001/0001_00_00_01_0.jpg",
            "raw/ClientRaw/0001/0001_01_00_01_224.jpg",
            "raw/ImposterRaw/0002/0002_00_08_03_12.jpg",
            "Detectedface/ImposterFace/0002/0002_00_08_03_12.jpg",
            "live/0003_00_00_02_5.jpg",
            "print/0003_00_00_02_5.jpg",
            "raw/ClientRaw/0001/Thumbs.jpg",
            "elsewhere/0004_00_00_02_5.jpg",
        ])
        .read();
        assert_eq!(set.layout, Layout::Nuaa);
        assert_eq!(
            (set.samples.len(), set.sessions(), set.clients()),
            (6, 3, 3)
        );
        let live = set.told("0001_01_00_01_224.jpg");
        assert_eq!(live, (Class::Live, None, "0001_01", Some("0001")));
        let print = (Class::Spoof, Some(Attack::Print), "0002_03", Some("0002"));
        assert_eq!(set.told("ImposterFace/0002/0002_00_08_03_12.jpg"), print);
        assert_eq!(set.reason("Thumbs.jpg"), "is not named as in NUAA");
        let no_class = "none of its folders is named by a class";
        assert_eq!(set.reason("0004_00_00_02_5.jpg"), no_class);
        assert!(
            set.guess.contains("3 sessions of 3 clients"),
            "{}",
            set.guess
        );
    }
}
