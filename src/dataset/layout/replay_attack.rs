// SPDX-License-Identifier: MIT OR Apache-2.0
//! Replay-Attack (Chingovska, Anjos, Marcel: *On the Effectiveness of Local Binary Patterns in Face Anti-spoofing*, 2012), its films or
//! frames out of them: `train/real/client001_session01_webcam_authenticate_adverse_1.mov`,
//! `devel/attack/hand/attack_print_client003_session01_highdef_photo_controlled.mov`.

use std::collections::HashMap;
use std::path::Path;

use super::folders;
use super::told::{Told, is_number, is_numbered, names, parts};
use super::walk::Found;
use crate::dataset::label::{Attack, Class};
use crate::dataset::sample::Subset;
use crate::error::Result;

pub(super) fn told(file: &Found) -> Option<Told> {
    let mut told = names(file).find_map(film)?;
    if told.class == Some(Class::Spoof) {
        // The same name stands for two films: the attack held by hand, and fixed.
        let mut words = names(file).flat_map(parts);
        let held = words.find(|w| w == "hand" || w == "fixed");
        if let Some(held) = held {
            told.session = format!("{held}/{}", told.session);
            told.species = told.species.map(|s| format!("{held} {s}"));
        }
    }
    Some(told)
}

fn film(name: &str) -> Option<Told> {
    let parts = parts(name);
    let at = parts.iter().position(|p| is_numbered(p, "client"))?;
    if !is_numbered(parts.get(at + 1)?, "session") {
        return None;
    }
    let part = |i: usize| parts.get(i).map_or("", String::as_str);
    let (device, content, light) = (part(at + 2), part(at + 3), part(at + 4));
    if !["adverse", "controlled"].contains(&light) {
        return None;
    }
    let (mut from, mut to) = (at, at + 4);
    let (class, attack, species) = match (device, content) {
        ("webcam", "authenticate") => {
            // One of two takes. The number of a frame comes after it.
            if is_number(part(at + 5)) {
                to += 1;
            }
            (Class::Live, None, None)
        }
        ("webcam", "enroll") => (Class::Live, None, None),
        (_, "photo" | "video") => {
            from = at.checked_sub(2)?;
            let shown_on = part(at - 1);
            let attack = match shown_on {
                "print" => Attack::Print,
                "mobile" | "highdef" => Attack::Replay,
                _ => return None,
            };
            if part(from) != "attack" {
                return None;
            }
            (Class::Spoof, Some(attack), Some(shown_on.to_owned()))
        }
        _ => return None,
    };
    Some(Told {
        class: Some(class),
        attack,
        species,
        session: parts[from..=to].join("_"),
        client: parts[at].clone(),
        subset: parts[..from].iter().rev().find_map(|p| Subset::named(p)),
    })
}

/// All of a client is in one subset, so the names that tell it tell it for the others.
pub(super) fn complete_subsets(_: &Path, all: &mut [(Found, Told)]) -> Result<()> {
    let subset = |(file, told): &(Found, Told)| {
        let subset = told.subset.or_else(|| folders::subset(&file.dirs))?;
        Some((told.client.clone(), subset))
    };
    let clients: HashMap<String, Subset> = all.iter().filter_map(subset).collect();
    for (file, told) in all {
        let own = told.subset.or_else(|| folders::subset(&file.dirs));
        told.subset = own.or_else(|| clients.get(&told.client).copied());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::*;
    use crate::dataset::sample::{Layout, Media};

    #[test]
    fn films_as_they_are_published() {
        let set = Tree::new(&[
            "train/real/client001_session01_webcam_authenticate_adverse_1.mov",
            "train/real/client001_session01_webcam_authenticate_adverse_2.mov",
            "devel/attack/hand/attack_print_client003_session01_highdef_photo_controlled.mov",
            "devel/attack/fixed/attack_print_client003_session01_highdef_photo_controlled.mov",
            "test/attack/fixed/attack_mobile_client009_session01_mobile_video_adverse.mov",
            "test/attack/hand/attack_highdef_client009_session01_highdef_photo_adverse.mov",
            "test/enroll/client009_session01_webcam_enroll_controlled.mov",
            "face-locations/train/real/client001_session01_webcam_authenticate_adverse_1.face",
        ])
        .read();
        assert_eq!(set.layout, Layout::ReplayAttack);
        assert!(set.samples.iter().all(|s| s.media == Media::Video));
        assert_eq!(
            (set.samples.len(), set.sessions(), set.clients()),
            (7, 7, 3)
        );
        let session = "client001_session01_webcam_authenticate_adverse_1";
        let real = set.told("client001_session01_webcam_authenticate_adverse_1.mov");
        assert_eq!(real, (Class::Live, None, session, Some("client001")));
        let hand = set.sample("hand/attack_print_client003_session01_highdef_photo_controlled.mov");
        assert_eq!(hand.attack, Some(Attack::Print));
        assert_eq!(hand.species.as_deref(), Some("hand print"));
        assert_eq!(hand.subset, Some(Subset::Devel));
        let mobile = set.sample("attack_mobile_client009_session01_mobile_video_adverse.mov");
        assert_eq!(mobile.attack, Some(Attack::Replay));
        assert_eq!(mobile.species.as_deref(), Some("fixed mobile"));
        let enrolled = set.sample("client009_session01_webcam_enroll_controlled.mov");
        assert_eq!(
            (enrolled.class, enrolled.subset),
            (Class::Live, Some(Subset::Test))
        );
    }

    #[test]
    fn frames_under_any_of_the_names_in_use() {
        let set = Tree::new(&[
            "live/client001_session01_webcam_authenticate_adverse_1_frame_00079.jpg",
            "live/client001_session01_webcam_authenticate_adverse_1_frame_00177.jpg",
            "live/train_client001_session01_webcam_authenticate_adverse_1.jpg",
            "live/client001_session01_webcam_authenticate_adverse_1/frame_125.0.jpg",
            "spoof_hand/attack_mobile_client009_session01_mobile_video_adverse.mov_34.jpg",
            "spoof_fixed/devel_attack_highdef_client003_session01_highdef_photo_adverse.jpg",
            "fake/fixed_attack_highdef_client003_session01_highdef_photo_adverse_frame0.png",
            "spoof_hand/attack_what.jpg",
        ])
        .read();
        assert_eq!(set.layout, Layout::ReplayAttack);
        assert_eq!(
            (set.samples.len(), set.sessions(), set.clients()),
            (7, 3, 3)
        );
        let devel = "devel_attack_highdef_client003_session01_highdef_photo_adverse.jpg";
        assert_eq!(set.sample(devel).subset, Some(Subset::Devel));
        let session = "fixed/attack_highdef_client003_session01_highdef_photo_adverse";
        assert_eq!(set.sample(devel).session, session);
        assert_eq!(
            set.reason("attack_what.jpg"),
            "is not named as in Replay-Attack"
        );
    }

    #[test]
    fn an_attack_in_a_live_folder_is_left_out() {
        let set = Tree::new(&[
            "live/attack_print_client003_session01_highdef_photo_adverse.jpg",
            "live/client003_session01_webcam_authenticate_adverse_1.jpg",
        ])
        .read();
        assert_eq!(set.samples.len(), 1);
        let end = "attack_print_client003_session01_highdef_photo_adverse.jpg";
        assert!(set.reason(end).contains("another class"));
    }
}
