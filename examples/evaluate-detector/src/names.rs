// SPDX-License-Identifier: MIT OR Apache-2.0
//! Short names for paths, and pictures by their names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

/// The shortest tail of each path that none of the others has, with slashes between its parts.
pub(crate) fn tails(paths: &[&Path]) -> Vec<String> {
    let parts = |p: &&Path| -> Vec<String> {
        // `.` and `..` say nothing.
        let whole = p.canonicalize().unwrap_or_else(|_| (*p).to_owned());
        let named = whole.components().filter_map(|c| match c {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        });
        named.collect()
    };
    let all: Vec<Vec<String>> = paths.iter().map(parts).collect();
    let alone = |tail: &[String]| all.iter().filter(|p| p.ends_with(tail)).count() == 1;
    let shortest = |path: &Vec<String>| {
        let starts = (0..path.len()).rev();
        let mut candidates = starts.filter_map(|from| path.get(from..));
        let short = candidates.find(|tail| alone(tail));
        short.unwrap_or(path.as_slice()).join("/")
    };
    all.iter().map(shortest).collect()
}

/// The first name that comes twice.
pub(crate) fn twice<'a>(names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let mut seen = BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

/// Finds pictures by how others name them.
#[derive(Debug, Default)]
pub(crate) struct Index<T> {
    whole: BTreeMap<String, T>,
    /// Every shorter tail; none where several pictures have it.
    tails: BTreeMap<String, Option<T>>,
}

impl<T: Copy> Index<T> {
    /// Of names like `set/folder/picture.jpg`.
    pub(crate) fn of(names: impl Iterator<Item = (String, T)>) -> Self {
        let (mut whole, mut tails) = (BTreeMap::new(), BTreeMap::new());
        for (name, of) in names {
            for (slash, _) in name.match_indices('/') {
                let tail = name.get(slash + 1..).unwrap_or_default();
                let entry = tails.entry(tail.to_owned());
                entry.and_modify(|t| *t = None).or_insert(Some(of));
            }
            whole.insert(name, of);
        }
        Self { whole, tails }
    }

    /// The picture whose whole name the given one ends with, else the only one whose name ends with the given one. None where
    /// there is no such picture.
    ///
    /// # Errors
    /// Where it could be more than one.
    pub(crate) fn find(&self, image: &str) -> Result<Option<T>, String> {
        let clean = image.replace('\\', "/");
        let parts: Vec<&str> = clean
            .split('/')
            .filter(|p| !p.is_empty() && *p != ".")
            .collect();
        let tail = |from: usize| parts.get(from..).unwrap_or_default().join("/");
        let whole = (0..parts.len()).find_map(|from| self.whole.get(&tail(from)));
        match (whole, self.tails.get(&tail(0))) {
            (Some(found), _) | (None, Some(Some(found))) => Ok(Some(*found)),
            (None, Some(None)) => Err(format!(
                "{image} could be more than one picture of the sets: give more of its path"
            )),
            (None, None) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_long_as_they_must_be() {
        let of = |paths: &[&str]| {
            let paths: Vec<&Path> = paths.iter().map(Path::new).collect();
            tails(&paths)
        };
        assert_eq!(of(&["/no/a", "/no/b"]), ["a", "b"]);
        assert_eq!(of(&["/no/x/a", "/no/y/a"]), ["x/a", "y/a"]);
        assert_eq!(of(&["/no/a", "/no/a"]), ["no/a", "no/a"]);
    }

    #[test]
    fn pictures_are_found_by_as_much_of_their_path_as_tells_them_apart() {
        let names = ["one/a.jpg", "two/a.jpg", "two/sub/b.jpg"];
        let all = names.iter().enumerate();
        let index = Index::of(all.map(|(i, n)| ((*n).to_owned(), i)));
        assert_eq!(index.find("/home/x/one/a.jpg"), Ok(Some(0)));
        assert_eq!(index.find("two/./a.jpg"), Ok(Some(1)));
        assert_eq!(index.find("b.jpg"), Ok(Some(2)));
        assert_eq!(index.find("c.jpg"), Ok(None));
        assert_eq!(index.find("elsewhere/b.jpg"), Ok(None));
        assert!(index.find("a.jpg").is_err());
    }
}
