// SPDX-License-Identifier: MIT OR Apache-2.0
//! Data sets that have a manifest: what it says is believed, what it does not name is left out.

use std::collections::{BTreeMap, HashSet};
use std::path::{Component, Path, PathBuf};

use super::counted;
use super::walk::Found;
use crate::dataset::label::{Class, Label, understand};
use crate::dataset::manifest;
use crate::dataset::name::session_from_name;
use crate::dataset::record::Record;
use crate::dataset::sample::{DataSet, Layout, LeftOut, Media, Sample};
use crate::error::Result;

/// # Errors
/// [`crate::Error::DataSet`] where a manifest cannot be read.
pub(super) fn read(root: &Path, manifests: &[PathBuf], found: &[Found]) -> Result<DataSet> {
    let mut set = DataSet {
        root: root.to_owned(),
        layout: Layout::Manifest,
        samples: Vec::new(),
        left_out: Vec::new(),
        guess: String::new(),
    };
    let mut named: HashSet<PathBuf> = HashSet::new();
    let mut words: BTreeMap<String, Label> = BTreeMap::new();
    for folder in manifests {
        for record in manifest::read(folder)? {
            let path = path(folder, &record.file);
            let sample = match &path {
                Some(path) if !named.insert(path.clone()) => {
                    Err("the manifest names it twice".to_owned())
                }
                Some(path) => sample(path, record),
                None => Err("the manifest names it, but it lies outside of the folder".to_owned()),
            };
            match sample {
                Ok((sample, word, label)) => {
                    words.insert(word, label);
                    set.samples.push(sample);
                }
                Err(reason) => {
                    let path = path.unwrap_or_else(|| folder.join(manifest::NAME));
                    set.left_out.push(LeftOut { path, reason });
                }
            }
        }
    }
    for file in found {
        if file.media == Media::Picture && !named.contains(&file.path) {
            set.left_out.push(LeftOut {
                path: file.path.clone(),
                reason: "the manifest does not name it".to_owned(),
            });
        }
    }
    set.guess = guess(&set, manifests.len(), &words);
    Ok(set)
}

/// Where a record's file lies; none where that is not below the folder.
fn path(folder: &Path, file: &str) -> Option<PathBuf> {
    let parts = Path::new(file).components();
    let inside = !file.is_empty() && parts.clone().all(|c| matches!(c, Component::Normal(_)));
    // Put together anew, so that `a//b` is the same as `a/b`.
    inside.then(|| folder.join(parts.collect::<PathBuf>()))
}

/// The sample with its label as it is written, or why there is none.
fn sample(path: &Path, record: Record) -> std::result::Result<(Sample, String, Label), String> {
    if !path.is_file() {
        return Err("deleted".to_owned());
    }
    let word = record.label.trim().to_owned();
    if word.is_empty() {
        return Err("has no label".to_owned());
    }
    let Some(label) = understand(&word) else {
        return Err(format!("its label {word:?} is not known"));
    };
    let session = match record.session.trim() {
        "" => from_source(&record),
        said => said.to_owned(),
    };
    let sample = Sample {
        path: path.to_owned(),
        media: Media::Picture,
        class: label.class,
        attack: label.attack,
        species: (label.class == Class::Spoof).then(|| word.clone()),
        session,
        client: None,
        subset: None,
        record: Some(record),
    };
    Ok((sample, word, label))
}

/// Where nobody said a session, all of one source is one.
fn from_source(record: &Record) -> String {
    let source = record.source.trim();
    if source.is_empty() {
        let file = Path::new(&record.file).file_stem().unwrap_or_default();
        return session_from_name(&file.to_string_lossy());
    }
    source.to_owned()
}

fn guess(set: &DataSet, manifests: usize, words: &BTreeMap<String, Label>) -> String {
    let labels: Vec<String> = words
        .iter()
        .map(|(w, l)| format!("`{w}` means {l}"))
        .collect();
    let many = match manifests {
        1 => set.layout.to_string(),
        n => format!("{n} files {}", set.layout),
    };
    let example = set.samples.first().map_or_else(String::new, |s| {
        let file = s.record.as_ref().map_or("", |r| &r.file);
        format!(": `{file}` → `{}`", s.session)
    });
    format!(
        "{many}: {}; sessions are those that were recorded{example}; {} found",
        labels.join(", "),
        counted(set.sessions(), "session")
    )
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::*;
    use crate::dataset::label::Attack;
    use serde_json::{Value, json};

    const DOCS: &str = include_str!("../../../docs/dataset.md");

    /// The example of the docs.
    fn example() -> Value {
        let mut lines = DOCS.lines().filter(|l| l.starts_with("{\"version\""));
        let line = lines.next().expect("the docs have an example");
        assert!(lines.next().is_none(), "one example is enough");
        serde_json::from_str(line).unwrap()
    }

    fn line(file: &str, label: &str, session: &str) -> String {
        let mut line = example();
        line["file"] = json!(file);
        line["label"] = json!(label);
        line["session"] = json!(session);
        format!("{line}\n")
    }

    fn tree(lines: &[String], files: &[&str]) -> Tree {
        let tree = Tree::new(files);
        tree.write(manifest::NAME, &lines.concat());
        tree
    }

    #[test]
    fn the_example_in_the_docs_is_a_record_and_the_table_has_all_its_fields() {
        let value = example();
        let record: Record = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(record.version, crate::dataset::record::VERSION);
        let rewritten = serde_json::to_value(&record).unwrap();
        let keys = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let face = |v: &Value| v["faces"][0].clone();
        let verdict = |v: &Value| face(v)["verdict"].clone();
        for part in [&|v: &Value| v.clone(), &face, &verdict] as [&dyn Fn(&Value) -> Value; 3] {
            // Written anew it has the same fields: the example leaves nothing out and adds nothing.
            assert_eq!(keys(&part(&value)), keys(&part(&rewritten)));
            for key in keys(&part(&value)) {
                assert!(DOCS.contains(&format!("| `{key}` |")), "no row for {key}");
            }
        }
        assert!(understand(&record.label).is_some());
    }

    #[test]
    fn what_was_rendered_says_of_what_and_others_say_nothing_of_it() {
        let plain: Record = serde_json::from_value(example()).unwrap();
        let bare = serde_json::to_value(&plain).unwrap();
        assert!(plain.rendered.is_none() && bare.get("rendered").is_none());
        let mut value = example();
        value["rendered"] =
            json!({"of": "00", "group": "NUAA/0001", "scene": "a.jpg", "effects": ["tone"]});
        let record: Record = serde_json::from_value(value.clone()).unwrap();
        let again = serde_json::to_value(&record).unwrap();
        assert_eq!(again["rendered"], value["rendered"]);
        for key in value["rendered"].as_object().unwrap().keys() {
            assert!(DOCS.contains(&format!("| `{key}` |")), "no row for {key}");
        }
    }

    #[test]
    fn what_was_recorded_is_believed() {
        let lines = [
            line("real/000001.jpg", "real", "alice"),
            line("attack/000002.jpg", "print", "bob"),
            line("attack/000003.jpg", "Spoof-Phone", ""),
        ];
        let files = ["real/000001.jpg", "attack/000002.jpg", "attack/000003.jpg"];
        let set = tree(&lines, &files).read();
        assert_eq!(set.layout, Layout::Manifest);
        assert_eq!((set.samples.len(), set.left_out.len()), (3, 0), "{set}");
        assert_eq!(set.told("000001.jpg"), (Class::Live, None, "alice", None));
        let print = (Class::Spoof, Some(Attack::Print), "bob", None);
        assert_eq!(set.told("000002.jpg"), print);
        let source = example()["source"].as_str().unwrap().to_owned();
        assert_eq!(set.told("000003.jpg").2, source);
        let record = set.sample("000001.jpg").record.as_ref().unwrap();
        assert_eq!(record.file, "real/000001.jpg");
        for part in ["`print` means spoof (print)", "→ `alice`", "3 sessions"] {
            assert!(set.guess.contains(part), "{part} in {}", set.guess);
        }
    }

    #[test]
    fn what_cannot_be_used_is_left_out_with_its_reason() {
        let lines = [
            line("a.jpg", "real", "s"),
            line("a.jpg", "fake", "s"),
            line("gone.jpg", "real", "s"),
            line("cat.jpg", "cat", "s"),
            line("mute.jpg", " ", "s"),
            line("../b.jpg", "real", "s"),
            line("/etc/c.jpg", "real", "s"),
        ];
        let files = ["a.jpg", "cat.jpg", "mute.jpg", "extra.jpg", "source.mp4"];
        let set = tree(&lines, &files).read();
        assert_eq!(set.samples.len(), 1, "{set}");
        assert_eq!(set.told("a.jpg").0, Class::Live);
        for (end, reason) in [
            ("a.jpg", "the manifest names it twice"),
            ("gone.jpg", "deleted"),
            ("cat.jpg", "its label \"cat\" is not known"),
            ("mute.jpg", "has no label"),
            ("extra.jpg", "the manifest does not name it"),
        ] {
            assert_eq!(set.reason(end), reason);
        }
        assert_eq!(set.left_out.len(), 7, "{set}");
        let outside = "2 × the manifest names it, but it lies outside of the folder";
        assert!(set.summary().contains(outside), "{set}");
    }

    #[test]
    fn several_folders_with_a_manifest_each_are_one_set() {
        let tree = Tree::new(&["day1/a.jpg", "day2/a.jpg"]);
        tree.write("day1/manifest.jsonl", &line("a.jpg", "real", "s"));
        tree.write("day2/manifest.jsonl", &line("a.jpg", "fake", "s"));
        let set = tree.read();
        assert_eq!((set.samples.len(), set.sessions()), (2, 1));
        assert!(
            set.guess.starts_with("2 files manifest.jsonl"),
            "{}",
            set.guess
        );
    }

    #[test]
    fn nothing_usable_is_an_error_that_says_why() {
        let tree = tree(&[line("gone.jpg", "real", "s")], &[]);
        let error = super::super::read(tree.path()).expect_err("all is gone");
        assert!(error.to_string().contains("1 × deleted"), "{error}");
    }

    #[test]
    fn a_broken_manifest_is_named_with_its_line() {
        let tree = tree(&["{}\n".to_owned()], &["real/1.jpg"]);
        let error = super::super::read(tree.path()).expect_err("it is broken");
        assert!(error.to_string().contains("line 1"), "{error}");
    }
}
