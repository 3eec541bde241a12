// SPDX-License-Identifier: MIT OR Apache-2.0
//! Folders that are named by a class, wherever they stand: `real`, `train/fake`, `camera/live`, `spoof/print`.

use std::collections::BTreeMap;
use std::path::Path;

use super::counted;
use super::walk::Found;
use crate::dataset::label::{Class, Label, Reading, says_nothing};
use crate::dataset::name::told_by_name;
use crate::dataset::sample::{DataSet, Layout, LeftOut, Media, Sample, Subset};

/// What a file's folders say.
pub(super) struct Place<'a> {
    pub(super) label: Label,
    /// The folder that says so.
    word: &'a str,
    /// The folders that say something else, outermost first.
    others: Vec<&'a str>,
}

impl<'a> Place<'a> {
    /// The folder that tells the class, as it is written.
    pub(super) fn word(&self) -> &'a str {
        self.word
    }

    /// The deepest folder that is a known word tells the class. One that only names a thing refines a class above it: `spoof/print` is
    /// a print, and `live/phone` is live, as the phone is then what took the picture.
    pub(super) fn of(dirs: &'a [String]) -> Option<Self> {
        let read = |i: usize| Some((i, Reading::of(&dirs[i])?));
        let known: Vec<_> = (0..dirs.len()).filter_map(read).collect();
        let class = known.iter().rfind(|(_, r)| r.says_class);
        let (mut at, mut label) = known.last().map(|(i, r)| (*i, r.label))?;
        let mut word = at;
        if let Some((i, class)) = class {
            (at, word, label) = (*i, *i, class.label);
            let thing = known.iter().find(|(k, _)| *k > at);
            if let (Class::Spoof, None, Some((k, thing))) = (label.class, label.attack, thing) {
                (word, label.attack) = (*k, thing.label.attack);
            }
        }
        let says_more = |dir: &&str| Subset::named(dir).is_none() && !says_nothing(dir);
        let is_class = |dir: &&str| Reading::of(dir).is_some_and(|r| r.says_class);
        // A thing below a class is what was attacked with or what took the picture, not whose picture it is.
        let is_thing = |i: usize| i >= at && Reading::of(&dirs[i]).is_some();
        let others = dirs.iter().enumerate().filter(|(i, _)| !is_thing(*i));
        let others = others.map(|(_, dir)| dir.as_str());
        Some(Self {
            label,
            word: &dirs[word],
            others: others.filter(says_more).filter(|d| !is_class(d)).collect(),
        })
    }
}

/// The part of a split that a file's folders name.
pub(super) fn subset(dirs: &[String]) -> Option<Subset> {
    dirs.iter().rev().find_map(|dir| Subset::named(dir))
}

/// None where no folder says anything.
pub(super) fn read(root: &Path, found: &[Found]) -> Option<DataSet> {
    let mut left_out = Vec::new();
    let mut placed = Vec::new();
    for file in found {
        match Place::of(&file.dirs) {
            Some(place) => placed.push((file, place)),
            None => left_out.push(LeftOut {
                path: file.path.clone(),
                reason: "none of its folders is named by a class".to_owned(),
            }),
        }
    }
    if placed.is_empty() {
        return None;
    }
    // What is the same everywhere tells nothing.
    let common = common(placed.iter().map(|(_, p)| &*p.others));
    let mut words: BTreeMap<&str, Label> = BTreeMap::new();
    let mut told = Told::default();
    let mut samples = Vec::new();
    for (file, place) in &placed {
        let name = match file.media {
            Media::Picture => told_by_name(&file.stem),
            Media::Video => Some(file.stem.clone()),
        };
        let by_name = name.is_some();
        let mut parts = place.others[common..].to_vec();
        let client = parts.first().map(|s| (*s).to_owned());
        parts.extend(name.as_deref());
        if parts.is_empty() {
            parts = file.dirs.iter().map(String::as_str).collect();
        }
        let session = parts.join("/");
        told.add(file, by_name, &session);
        words.insert(place.word, place.label);
        let spoof = place.label.class == Class::Spoof;
        samples.push(Sample {
            path: file.path.clone(),
            media: file.media,
            class: place.label.class,
            attack: place.label.attack,
            species: spoof.then(|| place.word.to_owned()),
            session,
            client,
            subset: subset(&file.dirs),
            record: None,
        });
    }
    let mut set = DataSet {
        root: root.to_owned(),
        layout: Layout::Folders,
        samples,
        left_out,
        guess: String::new(),
    };
    set.guess = told.guess(&words, &set);
    Some(set)
}

/// How many parts from the start all have in common.
fn common<'a>(mut all: impl Iterator<Item = &'a [&'a str]>) -> usize {
    let Some(first) = all.next() else { return 0 };
    all.fold(first.len(), |n, other| {
        let same = first[..n].iter().zip(other).take_while(|(a, b)| a == b);
        same.count()
    })
}

/// The first file, and its session, of those whose names tell one and of those whose names do not.
#[derive(Default)]
struct Told {
    by_name: Option<(String, String)>,
    by_folder: Option<(String, String)>,
}

impl Told {
    fn add(&mut self, file: &Found, by_name: bool, session: &str) {
        let example = match by_name {
            true => &mut self.by_name,
            false => &mut self.by_folder,
        };
        if example.is_none() {
            *example = Some((file.relative(), session.to_owned()));
        }
    }

    fn guess(&self, words: &BTreeMap<&str, Label>, set: &DataSet) -> String {
        const NAMED: usize = 12;
        let known = words.iter().take(NAMED);
        let mut known: Vec<String> = known.map(|(w, l)| format!("`{w}` means {l}")).collect();
        if words.len() > NAMED {
            known.push("…".to_owned());
        }
        let mut how = Vec::new();
        if let Some((file, session)) = &self.by_name {
            how.push(format!(
                "sessions are taken from the file names up to the frame number, with the folders that are not a class: `{file}` → `{session}`"
            ));
        }
        if let Some((file, session)) = &self.by_folder {
            let which = match how.is_empty() {
                true => "the file names tell nothing",
                false => "some file names tell nothing",
            };
            how.push(format!(
                "{which}: each folder counts as one session: `{file}` → `{session}`"
            ));
        }
        let sessions = set.sessions();
        let mut found = counted(sessions, "session");
        if set.clients() > 0 {
            let example = set.samples.iter().find_map(|s| s.client.as_deref());
            found += &format!(
                ", {} (the outermost folders that are no class, such as `{}`, each kept together)",
                counted(set.clients(), "client"),
                example.unwrap_or_default()
            );
        }
        let mut text = format!(
            "{}: {}; {}; {found} found",
            set.layout,
            known.join(", "),
            how.join("; ")
        );
        let pictures = set.samples.iter().filter(|s| s.media == Media::Picture);
        let pictures = pictures.count();
        if pictures > 1 && sessions == set.samples.len() {
            text += "; no two files share a session: if they are frames of films, put those of each film into a folder of its own";
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::*;
    use crate::dataset::label::Attack;

    const LIVE: Class = Class::Live;
    const SPOOF: Class = Class::Spoof;

    #[test]
    fn the_two_folders_that_everybody_begins_with() {
        let set = Tree::new(&[
            "mine/real/alice_office_0001.jpg",
            "mine/real/alice_office_0002.jpg",
            "mine/fake/alice_office_0001.png",
            "mine/fake/bob_0001.jpg",
            "mine/readme.txt",
            "lonely.jpg",
        ])
        .read();
        assert_eq!(set.layout, Layout::Folders);
        assert_eq!(
            set.told("real/alice_office_0002.jpg"),
            (LIVE, None, "alice_office", None)
        );
        assert_eq!(
            set.told("fake/alice_office_0001.png"),
            (SPOOF, None, "alice_office", None)
        );
        assert_eq!(set.told("fake/bob_0001.jpg"), (SPOOF, None, "bob", None));
        assert_eq!(
            set.sample("fake/bob_0001.jpg").species.as_deref(),
            Some("fake")
        );
        assert_eq!((set.samples.len(), set.left_out.len()), (4, 1));
        assert!(set.reason("lonely.jpg").contains("class"));
        for part in [
            "class folders",
            "`real` means live",
            "`fake` means spoof",
            "`mine/fake/alice_office_0001.png` → `alice_office`",
            "2 sessions found",
        ] {
            assert!(set.guess.contains(part), "{part} in {}", set.guess);
        }
    }

    #[test]
    fn names_that_are_only_numbers_make_each_folder_a_session() {
        let set = Tree::new(&["real/1.jpg", "real/2.jpg", "fake/1.jpg"]).read();
        assert_eq!(set.told("real/2.jpg"), (LIVE, None, "real", None));
        assert_eq!(set.told("fake/1.jpg"), (SPOOF, None, "fake", None));
        let plain = "the file names tell nothing: each folder counts as one session: `fake/1.jpg` → `fake`; 2 sessions found";
        assert!(set.guess.contains(plain), "{}", set.guess);

        let set = Tree::new(&["real/ann/1.jpg", "real/bob/1.jpg", "fake/ann/1.jpg"]).read();
        assert_eq!(set.told("real/ann/1.jpg").2, "ann");
        let fake = (SPOOF, None, "ann", Some("ann"));
        assert_eq!(set.told("fake/ann/1.jpg"), fake);
        assert_eq!(set.sessions(), 2);
    }

    #[test]
    fn classes_may_lie_at_any_depth_and_in_any_case() {
        let set = Tree::new(&[
            "Train/Real/ann_1.JPG",
            "Train/ATTACK/Print/ann_1.jpeg",
            "test/real/bob_1.jpg",
            "test/attack_replay/bob_1.jpg",
            "val/deep/down/live/below/eve_1.jpg",
        ])
        .read();
        let sample = |end| set.sample(end);
        assert_eq!(sample("Real/ann_1.JPG").subset, Some(Subset::Train));
        assert_eq!(set.told("Print/ann_1.jpeg").1, Some(Attack::Print));
        assert_eq!(sample("Print/ann_1.jpeg").species.as_deref(), Some("Print"));
        assert_eq!(set.told("Print/ann_1.jpeg").2, "ann");
        assert_eq!(set.told("attack_replay/bob_1.jpg").1, Some(Attack::Replay));
        assert_eq!(sample("attack_replay/bob_1.jpg").subset, Some(Subset::Test));
        assert_eq!(sample("below/eve_1.jpg").subset, Some(Subset::Devel));
        assert_eq!(set.told("eve_1.jpg").2, "deep/down/below/eve");
    }

    #[test]
    fn a_thing_below_live_is_no_attack_and_below_spoof_it_is_one() {
        let set = Tree::new(&[
            "live/phone/a_1.jpg",
            "live/laptop/a_1.jpg",
            "spoof/phone/a_1.jpg",
            "spoof/print/phone/b_1.jpg",
            "attack_print/phone/c_1.jpg",
            "phone/live/d_1.jpg",
            "mask/e_1.jpg",
        ])
        .read();
        assert_eq!(set.told("live/phone/a_1.jpg"), (LIVE, None, "a", None));
        let laptop = (LIVE, None, "laptop/a", Some("laptop"));
        assert_eq!(set.told("live/laptop/a_1.jpg"), laptop);
        assert_eq!(set.told("phone/live/d_1.jpg").2, "phone/d");
        assert_eq!(set.told("mask/e_1.jpg").2, "e");
        assert_eq!(set.told("spoof/phone/a_1.jpg").1, Some(Attack::Replay));
        assert_eq!(set.told("spoof/print/phone/b_1.jpg").1, Some(Attack::Print));
        assert_eq!(
            set.told("attack_print/phone/c_1.jpg").1,
            Some(Attack::Print)
        );
        assert_eq!(set.told("phone/live/d_1.jpg").0, LIVE);
        assert_eq!(set.told("mask/e_1.jpg").1, Some(Attack::Mask));
        assert_eq!(set.told("mask/e_1.jpg").0, SPOOF);
    }

    #[test]
    fn other_folders_are_kept_together() {
        let set = Tree::new(&[
            "set/cam1/live/0.jpg",
            "set/cam1/replay/1.jpg",
            "set/cam2/live/clip_a_1.jpg",
            "set/cam2/replay/clip_a_2.jpg",
            "set/live/cam3/images/b_2.jpg",
        ])
        .read();
        assert_eq!(
            set.told("cam1/live/0.jpg"),
            (LIVE, None, "cam1", Some("cam1"))
        );
        let replay = Some(Attack::Replay);
        assert_eq!(
            set.told("cam1/replay/1.jpg"),
            (SPOOF, replay, "cam1", Some("cam1"))
        );
        assert_eq!(set.told("cam2/live/clip_a_1.jpg").2, "cam2/clip_a");
        assert_eq!(set.sample("cam2/replay/clip_a_2.jpg").group(), "cam2");
        assert_eq!(
            set.told("images/b_2.jpg"),
            (LIVE, None, "cam3/b", Some("cam3"))
        );
        assert!(set.guess.contains("3 clients"), "{}", set.guess);
        assert!(
            set.guess.contains("some file names tell nothing"),
            "{}",
            set.guess
        );
    }

    #[test]
    fn films_are_sessions() {
        let set = Tree::new(&["real/a_1.mp4", "real/a_2.MOV", "fake/3.avi"]).read();
        assert_eq!(set.told("real/a_1.mp4").2, "a_1");
        assert_eq!(set.told("real/a_2.MOV").2, "a_2");
        assert_eq!(set.told("fake/3.avi").2, "3");
        assert!(set.samples.iter().all(|s| s.media == Media::Video));
    }

    #[test]
    fn pictures_that_share_nothing_are_said_to() {
        let set = Tree::new(&["real/ab.jpg", "real/cd.jpg", "fake/ef.jpg"]).read();
        assert!(set.guess.contains("no two files share"), "{}", set.guess);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn names_need_not_be_unicode() {
        use std::os::unix::ffi::OsStrExt;
        let tree = Tree::new(&["real/a_1.jpg"]);
        let folder = tree
            .path()
            .join("fake")
            .join(std::ffi::OsStr::from_bytes(b"b\xff"));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(std::ffi::OsStr::from_bytes(b"c\xfe_0001.jpg"));
        std::fs::write(&file, "").unwrap();
        let set = tree.read();
        let odd = set.samples.iter().find(|s| s.path == file).unwrap();
        assert_eq!((odd.class, odd.session.as_str()), (SPOOF, "b\u{fffd}/c"));
    }
}
