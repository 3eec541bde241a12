// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stands both in the folders to train on and in those to test on.

use std::collections::{BTreeSet, HashSet};

use liveness::dataset::sample::Layout;

use super::near::Index;
use super::patch::Patch;

/// Distance of two perceptual hashes up to which pictures of one class and size are taken for the same: coded anew they differ in 0
/// to 2 bits of 64.
const SAME: u32 = 2;

/// Pictures to train on that must go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leaks {
    /// Their indices, in ascending order.
    pub drop: Vec<usize>,
    /// Of them, files that are the same byte by byte.
    pub files: usize,
    /// Pictures that look the same: same class and size.
    pub alike: usize,
    /// Pictures of people or recordings that are tested on, as the names tell.
    pub groups: usize,
}

impl Leaks {
    /// One sentence for the user; none where nothing was found.
    pub fn note(&self) -> Option<String> {
        let n = self.drop.len();
        (n > 0).then(|| {
            format!(
                "{n} pictures to train on were dropped because they are tested on, too: {} the same file, {} look the same, {} show the same \
                 person or recording by their names",
                self.files, self.alike, self.groups
            )
        })
    }
}

/// Finds what of `train` is also in `test`.
pub fn leaks(train: &[Patch], test: &[Patch]) -> Leaks {
    let files: HashSet<[u8; 32]> = test.iter().map(|p| p.about.sha256).collect();
    let groups: BTreeSet<&str> = test.iter().filter_map(named).collect();
    // A face and what was rendered from it are of one person, whatever the folders are called.
    let origins: HashSet<[u8; 32]> = test.iter().map(origin).collect();
    let index = Index::new(test.iter().map(|p| p.about.hash), SAME);
    let mut leaks = Leaks::default();
    for (i, patch) in train.iter().enumerate() {
        let about = &patch.about;
        let mut alike = false;
        index.near(about.hash, |other| {
            let other = &test[other].about;
            alike |= (other.class, other.size) == (about.class, about.size);
        });
        let count = if files.contains(&about.sha256) {
            &mut leaks.files
        } else if alike {
            &mut leaks.alike
        } else if origins.contains(&origin(patch))
            || named(patch).is_some_and(|name| groups.contains(name))
        {
            &mut leaks.groups
        } else {
            continue;
        };
        *count += 1;
        leaks.drop.push(i);
    }
    leaks
}

/// The file of the face: of what was rendered, the live one.
fn origin(patch: &Patch) -> [u8; 32] {
    patch.about.rendered_of.unwrap_or(patch.about.sha256)
}

/// The group, where its name means the same in two folders: plain folders call anything `1` or `real`.
fn named(patch: &Patch) -> Option<&str> {
    let about = &patch.about;
    (about.layout != Layout::Folders).then_some(&about.group_name)
}

#[cfg(test)]
mod tests {
    use super::super::near::hash;
    use super::super::testing::patch;
    use super::*;
    use liveness::dataset::label::Class;

    fn with(file: u8, bits: u64, layout: Layout, group: &str) -> Patch {
        let mut patch = patch(Class::Live, 0);
        patch.about.sha256 = [file; 32];
        patch.about.hash = hash(bits);
        patch.about.layout = layout;
        patch.about.group_name = group.to_owned();
        patch
    }

    #[test]
    fn what_is_tested_on_is_not_trained_on() {
        let test = [
            with(1, 0, Layout::Folders, "1"),
            with(2, !0, Layout::Nuaa, "0002"),
        ];
        let mut other_class = with(9, 1, Layout::Folders, "2");
        other_class.about.class = Class::Spoof;
        let mut other_size = with(8, 1, Layout::Folders, "2");
        other_size.about.size = (1, 1);
        let train = [
            with(1, 0xf0f0, Layout::Folders, "2"),
            with(3, 0b11, Layout::Folders, "2"),
            with(4, 0b111, Layout::Folders, "1"),
            with(5, 0xff, Layout::Nuaa, "0002"),
            with(6, 0xff, Layout::Nuaa, "0003"),
            other_class,
            other_size,
        ];
        // Rendered from a face that is tested on, or the face of a spoof that is.
        let mut of_test = with(6, 0xff00, Layout::Manifest, "3");
        of_test.about.rendered_of = Some([1; 32]);
        let only = leaks(&[of_test.clone()], &test);
        assert_eq!((only.drop, only.groups), (vec![0], 1));
        let only = leaks(&test[..1], &[of_test]);
        assert_eq!((only.drop, only.groups), (vec![0], 1));
        let found = leaks(&train, &test);
        assert_eq!(found.drop, [0, 1, 3]);
        assert_eq!((found.files, found.alike, found.groups), (1, 1, 1));
        assert!(found.note().is_some_and(|n| n.contains("3 pictures")));
        assert_eq!(leaks(&train, &[]), Leaks::default());
        assert_eq!(Leaks::default().note(), None);
    }
}
