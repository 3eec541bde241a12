// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading data sets, on the public ones in the assets: the counts are those of their file names.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use liveness::dataset::label::{Attack, Class};
use liveness::dataset::sample::{DataSet, Layout, Media, Sample, Subset};
use liveness::dataset::{self, label};

/// Reads one of the sets, if the assets are there.
fn read(name: &str) -> Option<DataSet> {
    let set = dataset::read(&common::assets()?.join(name)).unwrap_or_else(|e| panic!("{e}"));
    assert!(set.left_out.is_empty(), "{set}");
    assert!(set.samples.iter().all(|s| s.media == Media::Picture));
    assert!(set.samples.iter().all(|s| s.path.is_file()));
    assert!(set.samples.iter().all(|s| !s.session.is_empty()));
    Some(set)
}

/// Pictures, sessions and clients of those that fit.
fn count(set: &DataSet, fits: impl Fn(&Sample) -> bool) -> (usize, usize, usize) {
    let fit: Vec<&Sample> = set.samples.iter().filter(|s| fits(s)).collect();
    let sessions: BTreeSet<&str> = fit.iter().map(|s| &*s.session).collect();
    let clients: BTreeSet<&str> = fit.iter().filter_map(|s| s.client.as_deref()).collect();
    (fit.len(), sessions.len(), clients.len())
}

fn live(s: &Sample) -> bool {
    s.class == Class::Live
}

fn spoof(s: &Sample) -> bool {
    s.class == Class::Spoof
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn nuaa() {
    let Some(set) = read("fas_nuaa") else { return };
    assert_eq!(set.layout, Layout::Nuaa);
    assert_eq!(count(&set, live), (168, 24, 15));
    assert_eq!(count(&set, spoof), (231, 33, 15));
    assert_eq!(count(&set, |_| true), (399, 34, 16));
    for s in &set.samples {
        assert_eq!(s.attack.is_some(), spoof(s));
        let file = name(&s.path);
        assert_eq!(Some(s.group()), file.split('_').next());
    }
}

#[test]
fn replay_attack() {
    let Some(set) = read("fas_replay") else {
        return;
    };
    assert_eq!(set.layout, Layout::ReplayAttack);
    // Four films of each client; three frames and one more of each, under different names.
    assert_eq!(count(&set, live), (480, 120, 30));
    assert_eq!(count(&set, spoof), (600, 600, 30));
    for (species, attack, pictures) in [
        ("hand print", Attack::Print, 60),
        ("fixed print", Attack::Print, 60),
        ("hand mobile", Attack::Replay, 120),
        ("fixed mobile", Attack::Replay, 120),
        ("hand highdef", Attack::Replay, 120),
        ("fixed highdef", Attack::Replay, 120),
    ] {
        let fits = |s: &Sample| s.species.as_deref() == Some(species) && s.attack == Some(attack);
        assert_eq!(count(&set, fits), (pictures, pictures, 30), "{species}");
    }
    for subset in [Subset::Train, Subset::Devel] {
        let fits = |s: &Sample| s.subset == Some(subset);
        assert_eq!(count(&set, fits), (540, 360, 15));
    }
    for s in &set.samples {
        assert!(name(&s.path).contains(s.group()), "{s:?}");
    }
}

#[test]
fn casia_fasd() {
    let Some(set) = read("fas_casia") else { return };
    assert_eq!(set.layout, Layout::CasiaFasd);
    assert_eq!(count(&set, live), (161, 90, 30));
    for attack in [Attack::Print, Attack::Cut, Attack::Replay] {
        let fits = |s: &Sample| s.attack == Some(attack);
        assert_eq!(count(&set, fits), (90, 90, 30), "{attack}");
    }
    assert_eq!(count(&set, |_| true), (431, 360, 30));
}

#[test]
fn celeba_spoof_crops() {
    let Some(set) = read("fas_celebaspoof_crop") else {
        return;
    };
    assert_eq!(set.layout, Layout::CelebaSpoof);
    assert_eq!(count(&set, live), (550, 344, 344));
    assert_eq!(count(&set, spoof), (550, 345, 345));
    assert_eq!(count(&set, |_| true), (1100, 430, 430));
}

#[test]
fn celeba_spoof_in_full_has_names_that_tell_nothing() {
    let Some(set) = read("fas_celebaspoof_full") else {
        return;
    };
    assert_eq!(set.layout, Layout::Folders);
    assert_eq!(count(&set, live), (80, 1, 0));
    assert_eq!(count(&set, spoof), (80, 1, 0));
    let plain = "the file names tell nothing: each folder counts as one session";
    assert!(set.guess.contains(plain), "{}", set.guess);
}

#[test]
fn webcams() {
    let Some(set) = read("fas_webcams") else {
        return;
    };
    assert_eq!(set.layout, Layout::Folders);
    assert_eq!(count(&set, live), (84, 7, 6));
    assert_eq!(
        count(&set, |s| s.attack == Some(Attack::Replay)),
        (84, 7, 6)
    );
    // The names of one webcam's pictures tell two recordings.
    assert_eq!(count(&set, |s| s.group() == "ydf"), (28, 2, 1));
    assert_eq!(set.sessions(), 7);
}

#[test]
fn pictures_without_folders_are_refused_with_the_words_that_are_known() {
    let Some(assets) = common::assets() else {
        return;
    };
    let folder = assets.join("fas_minivision_samples");
    let error = dataset::read(&folder).unwrap_err().to_string();
    assert!(error.contains("3 pictures"), "{error}");
    assert!(error.contains(&label::known_words()), "{error}");
}
