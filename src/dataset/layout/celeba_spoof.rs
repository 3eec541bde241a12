// SPDX-License-Identifier: MIT OR Apache-2.0
//! CelebA-Spoof (Zhang, Yin, Li, Yin, Yan, Shao, Liu: *CelebA-Spoof: Large-Scale Face Anti-Spoofing Dataset with Rich Annotations*, 2020):
//! `Data/train/1/live/000184.png` with the kinds of attack in `metas/intra_test/train_label.json`, or plain folders of
//! `celeba_1_000184.jpg`.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};

use super::told::{Told, is_number};
use super::walk::Found;
use crate::dataset::label::{Attack, Class};
use crate::dataset::sample::Subset;
use crate::error::{Error, Result};

/// The folder of the pictures, in which the lists' paths begin.
const DATA: &str = "Data";

/// The lists, beside that folder. Those of the other protocols name the same pictures.
const LISTS: [&str; 2] = [
    "metas/intra_test/train_label.json",
    "metas/intra_test/test_label.json",
];

/// Which of a picture's numbers is the kind of attack.
const KIND: usize = 40;

/// The kinds of attack by their number; 0 is live.
const KINDS: [(Attack, &str); 10] = [
    (Attack::Print, "photo"),
    (Attack::Print, "poster"),
    (Attack::Print, "a4"),
    (Attack::Cut, "face mask"),
    (Attack::Cut, "upper body mask"),
    (Attack::Cut, "region mask"),
    (Attack::Replay, "pc"),
    (Attack::Replay, "pad"),
    (Attack::Replay, "phone"),
    (Attack::Mask, "3d mask"),
];

pub(super) fn told(file: &Found) -> Option<Told> {
    let subject = published(file).map(|(_, dirs)| dirs[2].as_str());
    let subject = subject.or_else(|| flat(&file.stem))?;
    Some(Told {
        session: format!("celeba_{subject}"),
        client: subject.to_owned(),
        ..Told::default()
    })
}

/// `celeba_SUBJECT_NUMBER`.
fn flat(stem: &str) -> Option<&str> {
    let (set, rest) = stem.split_once('_')?;
    let (subject, number) = rest.split_once('_')?;
    let named = set.eq_ignore_ascii_case("celeba") && is_number(subject) && is_number(number);
    named.then_some(subject)
}

/// How many folders stand above `Data/train/SUBJECT/live`, and these four.
fn published(file: &Found) -> Option<(usize, &[String])> {
    let above = file.dirs.len().checked_sub(4)?;
    let dirs = &file.dirs[above..];
    let class = ["live", "spoof"].contains(&dirs[3].as_str());
    let named = dirs[0] == DATA && Subset::named(&dirs[1]).is_some() && is_number(&dirs[2]);
    (named && class).then_some((above, dirs))
}

/// Adds the kinds of attack. Where there are no lists, the folders tell live from spoof and that is all.
pub(super) fn read_metas(root: &Path, all: &mut [(Found, Told)]) -> Result<()> {
    let mut lists: HashMap<PathBuf, HashMap<String, Numbers>> = HashMap::new();
    for (file, told) in all {
        let Some((above, dirs)) = published(file) else {
            continue;
        };
        let folder: PathBuf = file.dirs[..above].iter().collect();
        if !lists.contains_key(&folder) {
            lists.insert(folder.clone(), read_lists(&root.join(&folder))?);
        }
        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
        let key = format!("{}/{name}", dirs.join("/"));
        match lists.get(&folder).and_then(|l| l.get(&key)) {
            Some(Numbers { kind: Some(0) }) => told.class = Some(Class::Live),
            Some(Numbers { kind: Some(n) }) => {
                told.class = Some(Class::Spoof);
                if let Some((attack, species)) = KINDS.get(*n as usize - 1) {
                    told.attack = Some(*attack);
                    told.species = Some((*species).to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn read_lists(folder: &Path) -> Result<HashMap<String, Numbers>> {
    let mut all = HashMap::new();
    for list in LISTS {
        let path = folder.join(list);
        if !path.exists() {
            continue;
        }
        let text = std::fs::read(&path).map_err(|e| Error::data_set_io(&path, "read", &e))?;
        let list: HashMap<String, Numbers> = serde_json::from_slice(&text).map_err(|e| {
            let reason = format!("is not the list of CelebA-Spoof that it is named as: {e}");
            Error::data_set(&path, reason)
        })?;
        all.extend(list);
    }
    Ok(all)
}

/// What is wanted of a picture's numbers. Half a million pictures have 44 each: the others are not kept.
#[derive(Debug)]
struct Numbers {
    kind: Option<u32>,
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Sequence;

        impl<'de> Visitor<'de> for Sequence {
            type Value = Numbers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the numbers of a picture")
            }

            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut numbers: A,
            ) -> std::result::Result<Numbers, A::Error> {
                for _ in 0..KIND {
                    if numbers.next_element::<IgnoredAny>()?.is_none() {
                        return Ok(Numbers { kind: None });
                    }
                }
                let kind = numbers.next_element()?;
                while numbers.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Numbers { kind })
            }
        }

        deserializer.deserialize_seq(Sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::*;
    use crate::dataset::sample::Layout;

    fn numbers(kind: u32) -> String {
        let mut all = vec![0; 44];
        all[40] = kind;
        all[43] = u32::from(kind > 0);
        serde_json::to_string(&all).unwrap()
    }

    /// A tree with one attack of each kind and their list.
    fn published() -> Tree {
        let tree = Tree::new(&[
            "CelebA_Spoof/Data/train/1/live/000001.png",
            "CelebA_Spoof/Data/train/1/live/000001_BB.txt",
            "CelebA_Spoof/Data/test/2/spoof/unlisted.jpg",
        ]);
        let mut list = vec![format!(r#""Data/train/1/live/000001.png":{}"#, numbers(0))];
        for kind in 1..=10 {
            let file = format!("Data/train/1/spoof/{kind:06}.png");
            tree.write(&format!("CelebA_Spoof/{file}"), "");
            list.push(format!(r#""{file}":{}"#, numbers(kind)));
        }
        let list = format!("{{{}}}", list.join(","));
        tree.write("CelebA_Spoof/metas/intra_test/train_label.json", &list);
        tree
    }

    #[test]
    fn as_it_is_published() {
        let set = published().read();
        assert_eq!(set.layout, Layout::CelebaSpoof);
        assert_eq!((set.samples.len(), set.left_out.len()), (12, 0), "{set}");
        let live = set.told("live/000001.png");
        assert_eq!(live, (Class::Live, None, "celeba_1", Some("1")));
        assert_eq!(set.sample("live/000001.png").subset, Some(Subset::Train));
        for (kind, (attack, species)) in KINDS.iter().enumerate() {
            let sample = set.sample(&format!("spoof/{:06}.png", kind + 1));
            assert_eq!(sample.class, Class::Spoof);
            assert_eq!(sample.attack, Some(*attack));
            assert_eq!(sample.species.as_deref(), Some(*species));
        }
        let unlisted = set.sample("unlisted.jpg");
        assert_eq!((unlisted.class, unlisted.attack), (Class::Spoof, None));
        assert_eq!(unlisted.subset, Some(Subset::Test));
    }

    #[test]
    fn a_list_that_contradicts_the_folder_loses_the_picture() {
        let tree = published();
        tree.write("CelebA_Spoof/Data/train/1/live/9.png", "");
        let list = format!(r#"{{"Data/train/1/live/9.png":{}}}"#, numbers(7));
        tree.write("CelebA_Spoof/metas/intra_test/test_label.json", &list);
        assert!(tree.read().reason("live/9.png").contains("another class"));
    }

    #[test]
    fn short_and_odd_lists_are_taken_as_far_as_they_go() {
        let tree = published();
        let list = format!(
            r#"{{"Data/test/2/spoof/unlisted.jpg":[1,2],"Data/x":{}}}"#,
            numbers(99)
        );
        tree.write("CelebA_Spoof/metas/intra_test/test_label.json", &list);
        assert_eq!(tree.read().told("unlisted.jpg").1, None);
    }

    #[test]
    fn a_broken_list_is_named() {
        let tree = published();
        tree.write("CelebA_Spoof/metas/intra_test/test_label.json", "{\"Data");
        let error = super::super::read(tree.path()).expect_err("it is broken");
        assert!(error.to_string().contains("test_label.json"), "{error}");
    }

    #[test]
    fn flat_folders() {
        let set = Tree::new(&[
            "live/celeba_1074_071162.jpg",
            "spoof/celeba_1074_255820.jpg",
        ]);
        let set = set.read();
        assert_eq!(set.layout, Layout::CelebaSpoof);
        let spoof = (Class::Spoof, None, "celeba_1074", Some("1074"));
        assert_eq!(set.told("celeba_1074_255820.jpg"), spoof);
        assert_eq!((set.sessions(), set.clients()), (1, 1));
    }
}
