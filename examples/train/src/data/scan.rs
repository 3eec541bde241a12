// SPDX-License-Identifier: MIT OR Apache-2.0
//! The folders that the user names, read: which pictures there are and whether they are enough. Opens no picture.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use data_encoding::HEXLOWER_PERMISSIVE;
use liveness::dataset::label::{Attack, Class};
use liveness::dataset::record::RenderedRecord;
use liveness::dataset::sample::{Layout, LeftOut, Media, Sample};

use super::table::{columns, counted};

/// Fewest pictures of a class to train with. Far too few for a good model; with fewer not even a fault can be seen.
pub const FEWEST_PICTURES: usize = 10;

/// What a folder is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// To train on; part of it is held out.
    Train,
    /// To measure on; nothing of it is trained on.
    Test,
    /// To render spoofs from: only what is live counts.
    Render,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Train => "train",
            Self::Test => "test",
            Self::Render => "render",
        })
    }
}

/// One folder that was read.
#[derive(Clone, Debug)]
pub struct Folder {
    /// As it was given.
    pub root: PathBuf,
    /// What it is there for.
    pub role: Role,
    /// How it was recognised.
    pub layout: Layout,
    /// One sentence: what was recognised, and how the sessions were found.
    pub guess: String,
    /// Its pictures, sorted by path.
    pub samples: Vec<Sample>,
    /// What was left out, with the reasons.
    pub left_out: Vec<LeftOut>,
}

/// One picture with the folder that it came from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Index of its folder in [`Scan::folders`].
    pub folder: usize,
    /// How that folder was recognised.
    pub layout: Layout,
    /// What is known about the picture.
    pub sample: Sample,
}

impl Source {
    /// What stays on one side of a split. Folders of the same layout share the names: two folders of one data set may show the same
    /// person, and to keep strangers of one name together costs less than to tear a person apart. What was rendered belongs to the
    /// person that it was rendered from.
    pub fn group(&self) -> String {
        match self.rendered() {
            Some(rendered) if !rendered.group.is_empty() => rendered.group.clone(),
            _ => format!("{}/{}", self.layout, self.sample.group()),
        }
    }

    /// SHA-256 of the picture that it was rendered from, where the manifest says one.
    pub(super) fn rendered_of(&self) -> Option<[u8; 32]> {
        let of = HEXLOWER_PERMISSIVE.decode(self.rendered()?.of.as_bytes());
        of.ok()?.try_into().ok()
    }

    fn rendered(&self) -> Option<&RenderedRecord> {
        self.sample.record.as_ref()?.rendered.as_ref()
    }
}

/// All folders that were read. Its [`fmt::Display`] is the table for the user.
#[derive(Clone, Debug)]
pub struct Scan {
    /// In the order in which they were given, those to train on first.
    pub folders: Vec<Folder>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Reads the folders. Films are left out: the trainer takes pictures.
///
/// # Errors
/// Where a folder cannot be read or holds no picture; where the folders to train on together have only one class, or fewer than
/// [`FEWEST_PICTURES`] pictures of one.
pub fn scan(train: &[PathBuf], test: &[PathBuf]) -> Result<Scan> {
    if train.is_empty() && test.is_empty() {
        bail!("no folder is named: give at least one with --train DIR");
    }
    let mut scan = Scan {
        folders: Vec::new(),
        notes: Vec::new(),
    };
    // Test folders first: what is named as both is held out.
    let mut seen = HashSet::new();
    let mut tests = Vec::new();
    for root in test {
        tests.push(scan.read(root, Role::Test, &mut seen)?);
    }
    for root in train {
        let folder = scan.read(root, Role::Train, &mut seen)?;
        scan.folders.push(folder);
    }
    scan.folders.extend(tests);
    scan.check(!train.is_empty())?;
    Ok(scan)
}

/// Reads the folders to render spoofs from.
///
/// # Errors
/// Where a folder cannot be read, or none of them holds a live picture.
pub fn lives(roots: &[PathBuf]) -> Result<Scan> {
    let mut scan = Scan {
        folders: Vec::new(),
        notes: Vec::new(),
    };
    let mut seen = HashSet::new();
    for root in roots {
        let folder = scan.read(root, Role::Render, &mut seen)?;
        scan.folders.push(folder);
    }
    let mut samples = scan.folders.iter().flat_map(|f| &f.samples);
    if !samples.any(|s| s.class == Class::Live) {
        bail!(
            "no live picture was found to render spoofs from. {} See docs/dataset.md for the words that name a class",
            scan.guesses()
        );
    }
    Ok(scan)
}

impl Scan {
    fn read(&mut self, root: &Path, role: Role, seen: &mut HashSet<PathBuf>) -> Result<Folder> {
        let set = liveness::dataset::read(root).with_context(|| match role {
            Role::Train | Role::Test => format!("the folder to {role} on cannot be used"),
            Role::Render => "the folder to render from cannot be used".to_owned(),
        })?;
        let (mut samples, films): (Vec<_>, Vec<_>) = set
            .samples
            .into_iter()
            .partition(|s| s.media == Media::Picture);
        let advice = "film: run liveness-extract on it first, the trainer takes pictures";
        if samples.is_empty() {
            bail!(
                "{} holds {} films and no picture that can be used. Run liveness-extract on it first: it writes the faces of films as pictures",
                root.display(),
                films.len()
            );
        }
        let mut left_out = set.left_out;
        left_out.extend(films.into_iter().map(|film| LeftOut {
            path: film.path,
            reason: advice.to_owned(),
        }));
        let before = samples.len();
        samples.retain(|s| {
            let path = s.path.canonicalize().unwrap_or_else(|_| s.path.clone());
            seen.insert(path)
        });
        let twice = before - samples.len();
        if twice > 0 {
            self.notes.push(format!(
                "{twice} pictures of {} were read already from another folder, and count there only",
                root.display()
            ));
        }
        Ok(Folder {
            root: root.to_owned(),
            role,
            layout: set.layout,
            guess: set.guess,
            samples,
            left_out,
        })
    }

    fn check(&mut self, trains: bool) -> Result<()> {
        let count = |role: Role, class: Class| {
            let folders = self.folders.iter().filter(|f| f.role == role);
            let samples = folders.flat_map(|f| &f.samples);
            samples.filter(|s| s.class == class).count()
        };
        let classes = [Class::Live, Class::Spoof];
        if trains {
            let [live, spoof] = classes.map(|c| count(Role::Train, c));
            let told = format!("{live} live and {spoof} spoof pictures were found to train on");
            if live == 0 || spoof == 0 {
                bail!(
                    "{told}: both classes are needed. {} See docs/dataset.md for the words that name a class",
                    self.guesses()
                );
            }
            if live.min(spoof) < FEWEST_PICTURES {
                bail!(
                    "{told}: at least {FEWEST_PICTURES} of each class are needed, and some thousand from dozens of people for a useful model"
                );
            }
        }
        let has_tests = self.folders.iter().any(|f| f.role == Role::Test);
        if has_tests {
            for (class, other) in [(Class::Live, "BPCER"), (Class::Spoof, "APCER")] {
                if count(Role::Test, class) == 0 {
                    self.notes.push(format!(
                        "the folders to test on hold no {class} picture: no {other}, AUC or EER can be measured on them"
                    ));
                }
            }
        }
        Ok(())
    }

    fn guesses(&self) -> String {
        let told = self.folders.iter();
        let told = told.map(|f| format!("{}: {}.", f.root.display(), f.guess));
        told.collect::<Vec<_>>().join(" ")
    }

    /// The pictures of the folders with this role, in the order of the folders and their paths.
    pub fn sources(&self, role: Role) -> Vec<Source> {
        let folders = self.folders.iter().enumerate();
        let folders = folders.filter(|(_, f)| f.role == role);
        let sources = folders.flat_map(|(folder, f)| {
            f.samples.iter().map(move |sample| Source {
                folder,
                layout: f.layout,
                sample: sample.clone(),
            })
        });
        sources.collect()
    }
}

impl Folder {
    fn row(&self) -> Vec<String> {
        let class = |class| self.samples.iter().filter(|s| s.class == class).count();
        let different = |names: BTreeSet<&str>| match names.len() {
            0 => "?".to_owned(),
            n => n.to_string(),
        };
        let clients = self.samples.iter().filter_map(|s| s.client.as_deref());
        let sessions = self.samples.iter().map(|s| s.session.as_str());
        vec![
            self.role.to_string(),
            self.root.display().to_string(),
            self.layout.to_string(),
            self.attacks(),
            class(Class::Live).to_string(),
            class(Class::Spoof).to_string(),
            different(sessions.collect()),
            different(clients.collect()),
            self.left_out.len().to_string(),
        ]
    }

    /// `print 100, replay 50`.
    fn attacks(&self) -> String {
        let mut counts = std::collections::BTreeMap::<Option<Attack>, usize>::new();
        for s in self.samples.iter().filter(|s| s.class == Class::Spoof) {
            *counts.entry(s.attack).or_default() += 1;
        }
        let name = |a: &Option<Attack>| a.map_or("not named", Attack::as_str);
        let parts: Vec<String> = counts
            .iter()
            .map(|(a, n)| format!("{} {n}", name(a)))
            .collect();
        match parts.is_empty() {
            true => "-".to_owned(),
            false => parts.join(", "),
        }
    }
}

impl fmt::Display for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = [
            "for", "folder", "layout", "attacks", "live", "spoof", "sessions", "clients",
            "left out",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(self.folders.iter().map(Folder::row));
        f.write_str(&columns(&rows, 4))?;
        for folder in &self.folders {
            writeln!(f, "{}: {}", folder.root.display(), folder.guess)?;
            if !folder.left_out.is_empty() {
                let reasons = folder.left_out.iter().map(|l| l.reason.as_str());
                writeln!(f, "  left out: {}", counted(reasons))?;
            }
        }
        self.notes
            .iter()
            .try_for_each(|note| writeln!(f, "note: {note}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with empty files: scanning reads names only.
    fn tree(files: &[(&str, usize)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for &(pattern, n) in files {
            for i in 0..n {
                let path = dir.path().join(pattern.replace('#', &format!("{i:03}")));
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, b"x").unwrap();
            }
        }
        dir
    }

    fn roots(dirs: &[&Path]) -> Vec<PathBuf> {
        dirs.iter().map(|d| d.to_path_buf()).collect()
    }

    fn refused(train: &[&Path], test: &[&Path]) -> String {
        format!("{:#}", scan(&roots(train), &roots(test)).unwrap_err())
    }

    #[test]
    fn two_folders_are_counted_and_shown() {
        let train = tree(&[
            ("real/ann_#.jpg", 12),
            ("print/bob_#.jpg", 11),
            ("replay/cid_#.mp4", 2),
        ]);
        let test = tree(&[("live/eve_#.png", 3)]);
        let scan = scan(&roots(&[train.path()]), &roots(&[test.path()])).unwrap();
        assert_eq!(scan.sources(Role::Train).len(), 23);
        assert_eq!(scan.sources(Role::Test).len(), 3);
        let text = scan.to_string();
        for part in [
            "print 11",
            "run liveness-extract",
            "no spoof picture",
            "2 × film",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn what_cannot_be_trained_on_is_refused_with_what_is_needed() {
        let empty = tree(&[]);
        assert!(refused(&[empty.path()], &[]).contains("no picture"));
        let one = tree(&[("real/ann_#.jpg", 20)]);
        let text = refused(&[one.path()], &[]);
        assert!(
            text.contains("0 spoof") && text.contains("both classes"),
            "{text}"
        );
        let few = tree(&[("real/ann_#.jpg", 20), ("fake/bob_#.jpg", 9)]);
        let text = refused(&[few.path()], &[]);
        assert!(
            text.contains("9 spoof") && text.contains("at least 10"),
            "{text}"
        );
        let films = tree(&[("real/ann_#.mp4", 20), ("fake/bob_#.mp4", 9)]);
        let text = refused(&[films.path()], &[]);
        assert!(
            text.contains("29 films") && text.contains("liveness-extract"),
            "{text}"
        );
        let gone = refused(&[Path::new("/nowhere/at/all")], &[]);
        assert!(gone.contains("/nowhere/at/all"), "{gone}");
        assert!(refused(&[], &[]).contains("--train"));
    }

    #[test]
    fn two_folders_may_hold_a_class_each_and_one_named_twice_counts_once() {
        let live = tree(&[("real/ann_#.jpg", 12)]);
        let spoof = tree(&[("fake/bob_#.jpg", 12)]);
        let given = roots(&[live.path(), spoof.path(), live.path()]);
        let scan = scan(&given, &[]).unwrap();
        assert_eq!(scan.sources(Role::Train).len(), 24);
        assert!(scan.to_string().contains("read already"));
    }

    #[test]
    fn a_folder_to_train_and_test_on_is_held_out() {
        let both = tree(&[("real/ann_#.jpg", 12), ("fake/bob_#.jpg", 12)]);
        let text = refused(&[both.path()], &[both.path()]);
        assert!(text.contains("0 live and 0 spoof"), "{text}");
    }

    #[test]
    fn spoofs_are_rendered_from_live_pictures_alone() {
        let some = tree(&[("real/ann_#.jpg", 2), ("fake/bob_#.jpg", 3)]);
        let none = tree(&[("fake/bob_#.jpg", 3)]);
        let scan = lives(&roots(&[none.path(), some.path()])).unwrap();
        assert_eq!(scan.sources(Role::Render).len(), 8);
        let refused = format!("{:#}", lives(&roots(&[none.path()])).unwrap_err());
        assert!(refused.contains("no live picture"), "{refused}");
        let gone = format!("{:#}", lives(&roots(&[Path::new("/nowhere")])).unwrap_err());
        assert!(gone.contains("to render from") && gone.contains("/nowhere"));
    }

    #[test]
    fn what_was_rendered_belongs_to_its_live_picture() {
        let docs = include_str!("../../../../docs/dataset.md");
        let line = docs
            .lines()
            .find(|l| l.starts_with("{\"version\""))
            .unwrap();
        let group = |rendered: serde_json::Value| {
            let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
            record["file"] = "1.jpg".into();
            record["session"] = "0001".into();
            record["rendered"] = rendered;
            let dir = tree(&[]);
            std::fs::write(dir.path().join("1.jpg"), "x").unwrap();
            std::fs::write(dir.path().join("manifest.jsonl"), format!("{record}\n")).unwrap();
            let scan = scan(&[], &roots(&[dir.path()])).unwrap();
            let source = &scan.sources(Role::Test)[0];
            (source.group(), source.rendered_of())
        };
        let rendered = |of: &str| serde_json::json!({"of": of, "group": "NUAA/0001", "scene": "s", "effects": ["tone"]});
        let named = "NUAA/0001".to_owned();
        assert_eq!(
            group(rendered(&"0f".repeat(32))),
            (named.clone(), Some([15; 32]))
        );
        assert_eq!(group(rendered("nonsense")), (named, None));
        let plain = "manifest.jsonl/0001".to_owned();
        assert_eq!(group(serde_json::Value::Null), (plain, None));
    }
}
