// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading data sets as they lie on the disk: which layout it is, and each file's class, session and person. Opens lists, no pictures.

mod casia_fasd;
mod celeba_spoof;
mod folders;
mod known;
mod msu_mfsd;
mod nuaa;
mod recorded;
mod replay_attack;
mod told;
mod walk;

#[cfg(test)]
mod tree;

use std::path::Path;

use super::label::known_words;
use super::sample::{DataSet, LeftOut};
use crate::error::{Error, Result};
use walk::Found;

/// Reads the data set in `folder`: by its `manifest.jsonl` if there is one, by the file names of a public data set if most files are
/// named so, and else by folders that are named by a class. `docs/dataset.md` describes them all. What lies behind links is read, too;
/// hidden files are not.
///
/// # Errors
/// [`Error::DataSet`] where `folder` is not a folder, or nothing in it can be used; it says what was found and what is expected.
pub fn read(folder: &Path) -> Result<DataSet> {
    let about = std::fs::metadata(folder).map_err(|e| Error::data_set_io(folder, "read", &e))?;
    if !about.is_dir() {
        let reason = "this is a file; the folder of a data set is needed";
        return Err(Error::data_set(folder, reason));
    }
    let walk = walk::walk(folder);
    let mut set = if !walk.manifests.is_empty() {
        recorded::read(folder, &walk.manifests, &walk.found)?
    } else if walk.found.is_empty() {
        return Err(no_media(folder, &walk.left_out));
    } else if let Some(known) = known::recognise(&walk.found) {
        known.read(folder, walk.found)?
    } else {
        let set = folders::read(folder, &walk.found);
        set.ok_or_else(|| no_class(folder, &walk.found))?
    };
    set.left_out.extend(walk.left_out);
    set.left_out.sort_by(|a, b| a.path.cmp(&b.path));
    set.samples.sort_by(|a, b| a.path.cmp(&b.path));
    if set.samples.is_empty() {
        let (layout, reasons) = (set.layout, set.reasons());
        let reason = format!("holds nothing that can be used ({layout}). Left out: {reasons}");
        return Err(Error::data_set(folder, reason));
    }
    Ok(set)
}

fn no_media(folder: &Path, left_out: &[LeftOut]) -> Error {
    let why = left_out.first().map_or_else(String::new, |left| {
        let path = left.path.display();
        format!(
            " ({} files were left out, such as {path}: {})",
            left_out.len(),
            left.reason
        )
    });
    let reason = format!(
        "holds no picture (jpg, png) and no film{why}. A data set has a {} or a folder for each class, such as real and fake",
        super::manifest::NAME
    );
    Error::data_set(folder, reason)
}

fn no_class(folder: &Path, found: &[Found]) -> Error {
    const NAMED: usize = 8;
    let mut names: Vec<String> = Vec::new();
    for dir in found.iter().flat_map(|f| &f.dirs) {
        if !names.contains(dir) {
            names.push(dir.clone());
        }
    }
    let more = if names.len() > NAMED { ", …" } else { "" };
    names.truncate(NAMED);
    let there = if names.is_empty() {
        "they lie in no folder".to_owned()
    } else {
        format!("their folders are called {}{more}", names.join(", "))
    };
    let reason = format!(
        "{} pictures or films were found, but nothing tells live from spoof: {there}. There is no {}, and a folder for each class is named \
         by one of these words ({})",
        found.len(),
        super::manifest::NAME,
        known_words()
    );
    Error::data_set(folder, reason)
}

/// `1 session`, `2 sessions`.
fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::tree::Tree;
    use super::*;

    fn refused(tree: &Tree) -> String {
        let error = read(tree.path()).expect_err("it is no data set");
        assert!(matches!(error, Error::DataSet { .. }), "{error:?}");
        error.to_string()
    }

    #[test]
    fn what_is_no_data_set_is_refused_with_what_is_there_and_what_is_needed() {
        let empty = refused(&Tree::new(&[]));
        assert!(empty.contains("no picture"), "{empty}");
        let texts = refused(&Tree::new(&["real/readme.txt", "fake/list.csv"]));
        assert!(texts.contains("no picture"), "{texts}");
        let bmp = refused(&Tree::new(&["real/1.bmp"]));
        assert!(bmp.contains("1.bmp") && bmp.contains("PNG"), "{bmp}");
        let cats = refused(&Tree::new(&["cats/1.jpg", "dogs/1.jpg"]));
        for word in ["cats, dogs", "2 pictures", "real", "fake", "manifest.jsonl"] {
            assert!(cats.contains(word), "{word} in {cats}");
        }
        let flat = refused(&Tree::new(&["1.jpg", "2.jpg"]));
        assert!(flat.contains("in no folder"), "{flat}");
    }

    #[test]
    fn a_file_or_nothing_instead_of_a_folder_is_refused() {
        let tree = Tree::new(&["real/1.jpg"]);
        let file = read(&tree.path().join("real/1.jpg")).expect_err("a file");
        assert!(file.to_string().contains("is a file"), "{file}");
        let gone = read(&tree.path().join("gone")).expect_err("nothing");
        let kind = Some(std::io::ErrorKind::NotFound);
        assert!(
            matches!(gone, Error::DataSet { kind: k, .. } if k == kind),
            "{gone:?}"
        );
    }

    #[test]
    fn reading_twice_gives_the_same() {
        let tree = Tree::new(&["real/b_1.jpg", "fake/c_1.jpg", "real/a_1.jpg", "x.jpg"]);
        let (a, b) = (tree.read(), tree.read());
        assert_eq!(a, b);
        assert!(a.samples.is_sorted_by(|a, b| a.path < b.path));
    }

    #[test]
    fn hidden_things_and_loops_are_passed_over() {
        let tree = Tree::new(&[
            "real/a_1.jpg",
            "real/.b_1.jpg",
            ".fake/c_1.jpg",
            "fake/d_1.JPG",
        ]);
        #[cfg(unix)]
        std::os::unix::fs::symlink(tree.path(), tree.path().join("real/again")).unwrap();
        let set = tree.read();
        assert_eq!(set.samples.len(), 2, "{set}");
        assert!(set.left_out.is_empty(), "{set}");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_broken_ones_mentioned() {
        let tree = Tree::new(&["real/a_1.jpg", "fake/d_1.jpg"]);
        let other = Tree::new(&["e_1.jpg"]);
        std::os::unix::fs::symlink(other.path(), tree.path().join("fake/other")).unwrap();
        std::os::unix::fs::symlink("nowhere.jpg", tree.path().join("fake/z.jpg")).unwrap();
        let set = tree.read();
        assert_eq!(set.samples.len(), 3, "{set}");
        assert_eq!(set.left_out.len(), 1, "{set}");
        assert!(set.left_out[0].path.ends_with("fake/z.jpg"));
    }
}
