// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the name of one file tells, and how names are taken apart. Knows no data set.

use super::walk::Found;
use crate::dataset::label::{Attack, Class};
use crate::dataset::sample::Subset;

/// What a file's name says. What it leaves open, the folders tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    pub(super) class: Option<Class>,
    /// Holds if the file is an attack.
    pub(super) attack: Option<Attack>,
    pub(super) species: Option<String>,
    pub(super) session: String,
    pub(super) client: String,
    pub(super) subset: Option<Subset>,
}

/// A name's parts, in lower case, without what stands between them.
pub(super) fn parts(name: &str) -> Vec<String> {
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric());
    let parts = parts.filter(|p| !p.is_empty());
    parts.map(str::to_ascii_lowercase).collect()
}

/// Whether a part is a word with a number glued to it: `client001`.
pub(super) fn is_numbered(part: &str, word: &str) -> bool {
    part.strip_prefix(word).is_some_and(is_number)
}

/// Whether a part is a number.
pub(super) fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())
}

/// The file's own name, then the folders from the innermost: frames may lie in a folder that is named like their film.
pub(super) fn names(file: &Found) -> impl Iterator<Item = &str> {
    let dirs = file.dirs.iter().rev().map(String::as_str);
    std::iter::once(file.stem.as_str()).chain(dirs)
}
