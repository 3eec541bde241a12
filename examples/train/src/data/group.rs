// SPDX-License-Identifier: MIT OR Apache-2.0
//! What belongs together where the names of the files tell nothing: pictures that look alike.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use liveness::dataset::hash::Hash;
use liveness::dataset::label::Class;
use liveness::dataset::sample::Layout;

use super::near::clusters;
use super::patch::Patch;

/// Distance of two perceptual hashes up to which pictures are taken for one recording. Frames of one film mostly differ in 0 to 8 bits
/// of 64, two random pictures in 10 or fewer once in a hundred million.
pub const ALIKE: u32 = 10;

/// Gives pictures new groups where all of a folder's class is one group because plain folders name no recordings. Returns what the user
/// should know, one sentence for each such folder.
///
/// Sessions that somebody recorded in a manifest, and those of public data sets, are believed even if there is only one.
pub fn regroup(patches: &mut [Patch]) -> Vec<String> {
    let mut groups: BTreeMap<(usize, Class), BTreeSet<u32>> = BTreeMap::new();
    for patch in patches.iter() {
        let about = &patch.about;
        if about.layout == Layout::Folders {
            let key = (about.folder, about.class);
            groups.entry(key).or_default().insert(about.group);
        }
    }
    let mute: BTreeSet<_> = groups
        .into_iter()
        .filter(|(_, groups)| groups.len() == 1)
        .map(|(key, _)| key)
        .collect();
    let folders: BTreeSet<usize> = mute.iter().map(|(folder, _)| *folder).collect();
    let mut next = patches.iter().map(|p| p.about.group + 1).max().unwrap_or(0);
    let mut notes = Vec::new();
    for folder in folders {
        let of = |p: &Patch| (p.about.folder, p.about.class);
        let indices: Vec<usize> = (0..patches.len())
            .filter(|&i| of(&patches[i]).0 == folder && mute.contains(&of(&patches[i])))
            .collect();
        let hashes: Vec<Hash> = indices.iter().map(|&i| patches[i].about.hash).collect();
        let mut numbers: HashMap<usize, u32> = HashMap::new();
        for (&i, cluster) in indices.iter().zip(clusters(&hashes, ALIKE)) {
            let number = *numbers.entry(cluster).or_insert_with(|| {
                next += 1;
                next - 1
            });
            patches[i].about.group = number;
            patches[i].about.group_name = format!("alike/{number}");
        }
        let file = indices.first().map(|&i| patches[i].about.path.clone());
        notes.push(format!(
            "the names in the folder of {} tell no recordings: its {} pictures were put into {} groups by their looks. Pictures of one \
             person that look different can stand on both sides of a split, so what is measured on it is too good. Put the pictures of \
             each recording into a folder of its own",
            file.unwrap_or_default().display(),
            indices.len(),
            numbers.len()
        ));
    }
    notes
}

/// Puts what was rendered from a picture that is here, too, into that one's group. By the names alone it is there already, unless
/// [`regroup`] knew better.
pub fn follow(patches: &mut [Patch]) {
    let mut groups: HashMap<[u8; 32], (u32, String)> = HashMap::new();
    for about in patches.iter().map(|p| &p.about) {
        if about.rendered_of.is_none() {
            groups.insert(about.sha256, (about.group, about.group_name.clone()));
        }
    }
    for about in patches.iter_mut().map(|p| &mut p.about) {
        let of = about.rendered_of.and_then(|of| groups.get(&of));
        if let Some((group, name)) = of {
            about.group = *group;
            about.group_name.clone_from(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::near::hash;
    use super::super::testing::patch;
    use super::*;

    fn with(layout: Layout, folder: usize, class: Class, group: u32, bits: u64) -> Patch {
        let mut patch = patch(class, group);
        patch.about.layout = layout;
        patch.about.folder = folder;
        patch.about.hash = hash(bits);
        patch
    }

    fn groups(patches: &[Patch]) -> Vec<u32> {
        patches.iter().map(|p| p.about.group).collect()
    }

    #[test]
    fn one_group_for_a_class_is_split_by_looks_and_told() {
        let all = |layout| {
            let one = |class, bits| with(layout, 0, class, class as u32, bits);
            vec![
                one(Class::Live, 0),
                one(Class::Live, 0b111),
                one(Class::Live, !0),
                one(Class::Spoof, !0 << 4),
                one(Class::Spoof, 0xffff_0000),
            ]
        };
        let mut plain = all(Layout::Folders);
        let notes = regroup(&mut plain);
        assert_eq!(notes.len(), 1);
        assert!(
            notes[0].contains("5 pictures") && notes[0].contains("3 groups"),
            "{notes:?}"
        );
        // A spoof that looks like a live picture may be its print: they stay together.
        assert_eq!(groups(&plain), [2, 2, 3, 3, 4]);
        let mut recorded = all(Layout::Manifest);
        assert!(regroup(&mut recorded).is_empty());
        assert_eq!(groups(&recorded), [0, 0, 0, 1, 1]);
    }

    #[test]
    fn names_that_tell_recordings_are_believed() {
        let mut patches: Vec<_> = (0..4)
            .map(|i| with(Layout::Folders, 0, Class::Live, i, 0))
            .collect();
        assert!(regroup(&mut patches).is_empty());
        assert_eq!(groups(&patches), [0, 1, 2, 3]);
    }

    #[test]
    fn what_was_rendered_goes_where_its_live_picture_went() {
        let mut live: Vec<Patch> = (0..3)
            .map(|i| with(Layout::Folders, 0, Class::Live, 0, 0xffff << (20 * i)))
            .collect();
        let of = |i: u8, group: u32| {
            let mut patch = with(Layout::Manifest, 1, Class::Spoof, group, 77);
            patch.about.rendered_of = Some([i; 32]);
            patch
        };
        for (i, patch) in live.iter_mut().enumerate() {
            patch.about.sha256 = [i as u8; 32];
        }
        let mut all = [live, vec![of(2, 8), of(0, 8), of(9, 8)]].concat();
        regroup(&mut all);
        follow(&mut all);
        let about = |i: usize| (all[i].about.group, all[i].about.group_name.as_str());
        assert_ne!(about(0), about(2));
        assert_eq!((about(3), about(4)), (about(2), about(0)));
        assert_eq!(about(5), (8, "g8"), "what is not here is not followed");
    }
}
