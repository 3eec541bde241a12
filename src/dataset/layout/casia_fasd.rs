// SPDX-License-Identifier: MIT OR Apache-2.0
//! CASIA-FASD (Zhang, Yan, Liu, Lei, Yi, Li: *A Face Antispoofing Database with Diverse Attacks*, 2012): films
//! `train_release/1/HR_1.avi`, and frames out of them called `1_HR_1.avi_100_real.jpg`. The number of the film tells what it shows.

use super::folders::subset;
use super::told::{Told, is_number};
use super::walk::Found;
use crate::dataset::label::{Attack, Class};

pub(super) fn told(file: &Found) -> Option<Told> {
    let (client, film) = frame(&file.stem).or_else(|| published(file))?;
    let (class, attack, species) = match film.as_str() {
        "1" | "2" | "hr_1" => (Class::Live, None, None),
        "3" | "4" | "hr_2" => (Class::Spoof, Some(Attack::Print), Some("warped print")),
        "5" | "6" | "hr_3" => (Class::Spoof, Some(Attack::Cut), Some("cut print")),
        "7" | "8" | "hr_4" => (Class::Spoof, Some(Attack::Replay), Some("video")),
        _ => return None,
    };
    let subset = subset(&file.dirs);
    // Both parts count their clients from 1.
    let client = subset.map_or_else(|| client.to_owned(), |s| format!("{s} {client}"));
    Some(Told {
        class: Some(class),
        attack,
        species: species.map(str::to_owned),
        session: format!("{client}_{film}"),
        client,
        subset,
    })
}

/// `CLIENT_FILM.avi` and more.
fn frame(stem: &str) -> Option<(&str, String)> {
    let lower = stem.to_ascii_lowercase();
    let end = lower.find(".avi")?;
    let (client, film) = stem.get(..end)?.split_once('_')?;
    is_number(client).then(|| (client, film.to_ascii_lowercase()))
}

/// `CLIENT/FILM.avi`, or frames in a folder called like the film, in one of the two published folders.
fn published(file: &Found) -> Option<(&str, String)> {
    let published = |dir: &String| {
        let dir = dir.to_ascii_lowercase();
        dir == "train_release" || dir == "test_release"
    };
    let at = file.dirs.iter().position(published)?;
    let client = file.dirs.get(at + 1).filter(|c| is_number(c))?;
    let film = file.dirs.get(at + 2).unwrap_or(&file.stem);
    let film = film.to_ascii_lowercase();
    Some((client, film.trim_end_matches(".avi").to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::*;
    use crate::dataset::sample::{Layout, Subset};

    #[test]
    fn films_as_they_are_published() {
        let set = Tree::new(&[
            "train_release/1/1.avi",
            "train_release/1/HR_3.avi",
            "test_release/1/HR_1.avi",
            "test_release/1/8.avi",
            "test_release/1/4/00001.jpg",
        ])
        .read();
        assert_eq!(set.layout, Layout::CasiaFasd);
        assert_eq!(
            (set.samples.len(), set.sessions(), set.clients()),
            (5, 5, 2)
        );
        let live = set.told("train_release/1/1.avi");
        assert_eq!(live, (Class::Live, None, "train 1_1", Some("train 1")));
        let cut = set.sample("HR_3.avi");
        assert_eq!(
            (cut.attack, cut.subset),
            (Some(Attack::Cut), Some(Subset::Train))
        );
        assert_eq!(set.told("8.avi").1, Some(Attack::Replay));
        assert_eq!(set.told("4/00001.jpg").2, "test 1_4");
    }

    #[test]
    fn frames_in_class_folders() {
        let set = Tree::new(&[
            "live/10_1.avi_100_real.jpg",
            "live/10_1.avi_125_real.jpg",
            "spoof/10_HR_2.avi_100_fake.jpg",
            "live/10_5.avi_100_fake.jpg",
        ])
        .read();
        assert_eq!(set.layout, Layout::CasiaFasd);
        assert_eq!(set.told("10_1.avi_125_real.jpg").2, "10_1");
        let warped = (Class::Spoof, Some(Attack::Print), "10_hr_2", Some("10"));
        assert_eq!(set.told("10_HR_2.avi_100_fake.jpg"), warped);
        assert!(
            set.reason("10_5.avi_100_fake.jpg")
                .contains("another class")
        );
    }
}
