// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the user named: files with the names that their lines get. Knows file systems alone.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::bail;
use liveness_app::files::{self, Kind};
use liveness_app::inputs;

/// What is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Picture,
    Clip,
}

/// A file to judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    /// What its lines call it.
    pub(crate) key: String,
    pub(crate) path: PathBuf,
    pub(crate) content: Content,
}

/// All that there is to judge.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) inputs: Vec<Input>,
    /// What cannot be taken, with the reason.
    pub(crate) refused: Vec<(PathBuf, String)>,
}

/// Lists the files that `named` stands for, those of a folder in the order of their names.
///
/// # Errors
/// Where there are none, or two would get the same name.
pub(crate) fn find(named: &[PathBuf]) -> anyhow::Result<Found> {
    let found = inputs::find(named, files::is_film_or_picture, |_| false);
    if found.is_empty() {
        bail!("no picture and no clip in the folders that were named");
    }
    let inputs: Vec<Input> = found.inputs.into_iter().map(Input::of).collect();
    let mut seen = BTreeSet::new();
    if let Some(twice) = inputs.iter().find(|i| !seen.insert(&i.key)) {
        bail!(
            "two files would be called {}: name folders of different names, or run it for each",
            twice.key
        );
    }
    Ok(Found {
        inputs,
        refused: found.refused,
    })
}

impl Input {
    fn of(input: inputs::Input) -> Self {
        Self {
            key: input.key(),
            content: match input.kind {
                Kind::Jpeg | Kind::Picture => Content::Picture,
                // Whoever decodes pictures says best what is wrong with it.
                Kind::Video if files::is_picture(&input.path) => Content::Picture,
                Kind::Video => Content::Clip,
            },
            path: input.path,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

    fn tree(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (file, content) in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        folder
    }

    fn keys(found: &Found) -> Vec<(&str, Content)> {
        let all = found.inputs.iter();
        all.map(|i| (i.key.as_str(), i.content)).collect()
    }

    #[test]
    fn a_folder_gives_its_own_name_and_a_file_is_called_as_it_was_typed() {
        let tree = tree(&[
            ("in/set/b.png", PNG),
            ("in/set/a/z.JPG", b"\xff\xd8\xff"),
            ("in/set/a/text.jpg", b"words"),
            ("in/set/c.mp4", b"film"),
            ("in/set/.hidden.png", PNG),
            ("in/set/notes.txt", b"words"),
            ("odd", PNG),
        ]);
        symlink(
            tree.path().join("in/set/b.png"),
            tree.path().join("in/set/d.png"),
        )
        .unwrap();
        let odd = tree.path().join("odd");
        let found = find(&[tree.path().join("in/set/"), odd.clone()]).unwrap();
        let wanted = [
            ("set/a/text.jpg", Content::Picture),
            ("set/a/z.JPG", Content::Picture),
            ("set/b.png", Content::Picture),
            ("set/c.mp4", Content::Clip),
            ("set/d.png", Content::Picture),
            (odd.to_str().unwrap(), Content::Picture),
        ];
        assert_eq!(keys(&found), wanted);
        let above = find(&[tree.path().join("in/set/a/..")]).unwrap();
        assert_eq!(keys(&above), wanted[..5]);
    }

    #[test]
    fn what_cannot_be_taken_is_named() {
        let tree = tree(&[
            ("set/a.png", PNG),
            ("set/empty.png", b""),
            ("none/x.txt", b"x"),
        ]);
        let path = |name| tree.path().join(name);
        symlink(path("set"), path("set/loop")).unwrap();
        let found = find(&[path("set"), path("gone.png")]).unwrap();
        assert_eq!(found.inputs.len(), 1);
        let reasons: Vec<&str> = found.refused.iter().map(|r| r.1.as_str()).collect();
        assert_eq!(reasons.len(), 3);
        for word in ["it is empty", "leads back", "No such file"] {
            assert!(
                reasons.iter().any(|r| r.contains(word)),
                "{word}: {reasons:?}"
            );
        }
        assert!(find(&[path("none")]).is_err());
    }

    #[test]
    fn no_two_lines_get_the_same_name() {
        let tree = tree(&[("a/set/x.png", PNG), ("b/set/x.png", PNG)]);
        let both = [tree.path().join("a/set"), tree.path().join("b/set")];
        let error = find(&both).unwrap_err().to_string();
        assert!(error.contains("set/x.png"), "{error}");
    }
}
