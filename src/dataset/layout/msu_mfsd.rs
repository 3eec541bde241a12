// SPDX-License-Identifier: MIT OR Apache-2.0
//! MSU-MFSD (Wen, Han, Jain: *Face Spoof Detection with Image Distortion Analysis*, 2015), its films or frames out of them:
//! `scene01/real/real_client001_android_SD_scene01.mp4`, `scene01/attack/attack_client001_laptop_SD_ipad_video_scene01.mov`.

use std::collections::HashMap;
use std::path::Path;

use super::told::{Told, is_number, is_numbered, names, parts};
use super::walk::Found;
use crate::dataset::label::{Attack, Class};
use crate::dataset::sample::Subset;
use crate::error::{Error, Result};

/// The numbers of the clients that the authors train and test with.
const LISTS: [(&str, Subset); 2] = [
    ("train_sub_list.txt", Subset::Train),
    ("test_sub_list.txt", Subset::Test),
];

pub(super) fn told(file: &Found) -> Option<Told> {
    names(file).find_map(film)
}

fn film(name: &str) -> Option<Told> {
    let parts = parts(name);
    let at = parts.iter().position(|p| is_numbered(p, "client"))?;
    let camera = parts.get(at + 1)?;
    let scene = parts.iter().position(|p| is_numbered(p, "scene"))?;
    if !["android", "laptop"].contains(&camera.as_str()) || scene < at + 2 {
        return None;
    }
    let class = match parts[..at].last()?.as_str() {
        "real" => Class::Live,
        "attack" => Class::Spoof,
        _ => return None,
    };
    // After the camera and its resolution.
    let shown = parts.get(at + 3..scene).unwrap_or_default().join(" ");
    let attack = match shown.as_str() {
        "printed photo" => Some(Attack::Print),
        "ipad video" | "iphone video" => Some(Attack::Replay),
        _ => None,
    };
    Some(Told {
        class: Some(class),
        attack,
        species: (!shown.is_empty()).then_some(shown),
        session: parts[at - 1..=scene].join("_"),
        client: parts[at].clone(),
        subset: None,
    })
}

pub(super) fn read_lists(root: &Path, all: &mut [(Found, Told)]) -> Result<()> {
    let mut subsets: HashMap<String, Subset> = HashMap::new();
    for (name, subset) in LISTS {
        let path = root.join(name);
        if !path.exists() {
            continue;
        }
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|e| Error::data_set_io(&path, "read", &e))?;
        let numbers = text.split_whitespace().filter(|n| is_number(n));
        subsets.extend(numbers.map(|n| (n.trim_start_matches('0').to_owned(), subset)));
    }
    for (_, told) in all {
        let number = told.client.trim_start_matches("client");
        told.subset = subsets.get(number.trim_start_matches('0')).copied();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::*;
    use crate::dataset::sample::{Layout, Media};

    #[test]
    fn films_with_their_lists() {
        let tree = Tree::new(&[
            "scene01/real/real_client001_android_SD_scene01.mp4",
            "scene01/real/real_client001_android_SD_scene01.face",
            "scene01/real/real_client002_laptop_SD_scene01.mov",
            "scene01/attack/attack_client001_android_SD_ipad_video_scene01.mp4",
            "scene01/attack/attack_client001_laptop_SD_iphone_video_scene01.mov",
            "scene01/attack/attack_client003_laptop_SD_printed_photo_scene01.mov",
        ]);
        tree.write("train_sub_list.txt", "02\n03\n");
        tree.write("test_sub_list.txt", "01\n");
        let set = tree.read();
        assert_eq!(set.layout, Layout::MsuMfsd);
        assert_eq!((set.samples.len(), set.left_out.len()), (5, 0));
        assert!(set.samples.iter().all(|s| s.media == Media::Video));
        let session = "real_client001_android_sd_scene01";
        let real = set.told("real_client001_android_SD_scene01.mp4");
        assert_eq!(real, (Class::Live, None, session, Some("client001")));
        let kinds = [
            (
                "attack_client001_android_SD_ipad_video_scene01.mp4",
                Attack::Replay,
                "ipad video",
                Subset::Test,
            ),
            (
                "attack_client001_laptop_SD_iphone_video_scene01.mov",
                Attack::Replay,
                "iphone video",
                Subset::Test,
            ),
            (
                "attack_client003_laptop_SD_printed_photo_scene01.mov",
                Attack::Print,
                "printed photo",
                Subset::Train,
            ),
        ];
        for (end, attack, species, subset) in kinds {
            let sample = set.sample(end);
            assert_eq!((sample.class, sample.attack), (Class::Spoof, Some(attack)));
            assert_eq!(sample.species.as_deref(), Some(species));
            assert_eq!(sample.subset, Some(subset));
        }
        assert_eq!((set.sessions(), set.clients()), (5, 3));
    }

    #[test]
    fn frames_share_the_session_of_their_film() {
        let set = Tree::new(&[
            "train/real/real_client001_android_SD_scene01_frame0.png",
            "train/real/real_client001_android_SD_scene01_frame1.png",
            "test/fake/attack_client001_android_SD_ipad_video_scene01_frame1.png",
            "test/fake/attack_client001_laptop_SD_ipad_video_scene01/00012.jpg",
        ])
        .read();
        assert_eq!(set.layout, Layout::MsuMfsd);
        assert_eq!(set.sessions(), 3);
        let sample = set.sample("00012.jpg");
        assert_eq!(
            sample.session,
            "attack_client001_laptop_sd_ipad_video_scene01"
        );
        assert_eq!(sample.subset, Some(Subset::Test));
    }
}
