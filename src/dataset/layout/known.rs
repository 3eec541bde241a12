// SPDX-License-Identifier: MIT OR Apache-2.0
//! Public data sets, recognised by the names that their authors gave the files. Knows what they have in common.

use std::path::Path;

use super::folders::{self, Place};
use super::walk::Found;
use super::{casia_fasd, celeba_spoof, counted, msu_mfsd, nuaa, replay_attack};
use crate::dataset::label::{Attack, Class};
use crate::dataset::sample::{DataSet, Layout, LeftOut, Sample, Subset};
use crate::error::Result;

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

/// Adds what the set's own lists in its folder say, and what its files tell about each other.
type Refine = fn(&Path, &mut [(Found, Told)]) -> Result<()>;

/// A public data set.
pub(super) struct Known {
    layout: Layout,
    /// What the name of one file says; none where it is not named as this set's files are.
    told: fn(&Found) -> Option<Told>,
    refine: Refine,
    /// What a session is.
    session: &'static str,
}

fn nothing(_: &Path, _: &mut [(Found, Told)]) -> Result<()> {
    Ok(())
}

const KNOWN: &[Known] = &[
    Known {
        layout: Layout::MsuMfsd,
        told: msu_mfsd::told,
        refine: msu_mfsd::read_lists,
        session: "one film",
    },
    Known {
        layout: Layout::ReplayAttack,
        told: replay_attack::told,
        refine: replay_attack::complete_subsets,
        session: "one film",
    },
    Known {
        layout: Layout::Nuaa,
        told: nuaa::told,
        refine: nothing,
        session: "one subject in one of its sessions",
    },
    Known {
        layout: Layout::CasiaFasd,
        told: casia_fasd::told,
        refine: nothing,
        session: "one film",
    },
    Known {
        layout: Layout::CelebaSpoof,
        told: celeba_spoof::told,
        refine: celeba_spoof::read_metas,
        session: "one subject",
    },
];

/// The set that most of the files are named like.
pub(super) fn recognise(found: &[Found]) -> Option<&'static Known> {
    KNOWN.iter().find(|known| {
        let like = found.iter().filter(|f| (known.told)(f).is_some());
        like.count() * 2 > found.len()
    })
}

impl Known {
    /// # Errors
    /// [`crate::Error::DataSet`] where one of the set's own lists cannot be understood.
    pub(super) fn read(&self, root: &Path, found: Vec<Found>) -> Result<DataSet> {
        let mut left_out = Vec::new();
        let mut leave = |file: &Found, reason: &str| {
            left_out.push(LeftOut {
                path: file.path.clone(),
                reason: reason.to_owned(),
            });
        };
        let mut all = Vec::new();
        for file in found {
            match (self.told)(&file) {
                Some(told) => all.push((file, told)),
                None => leave(&file, &format!("is not named as in {}", self.layout)),
            }
        }
        (self.refine)(root, &mut all)?;
        let mut samples = Vec::new();
        let mut example = None;
        for (file, told) in all {
            let place = Place::of(&file.dirs);
            let by_folder = place.as_ref().map(|p| p.label);
            let class = match (told.class, by_folder.map(|l| l.class)) {
                (Some(a), Some(b)) if a != b => {
                    leave(&file, "its name or list says another class than its folder");
                    continue;
                }
                (None, None) => {
                    leave(&file, "none of its folders is named by a class");
                    continue;
                }
                (Some(class), _) | (None, Some(class)) => class,
            };
            let spoof = class == Class::Spoof;
            let attack = told.attack.or(by_folder.and_then(|l| l.attack));
            let species = told.species.or(place.map(|p| p.word().to_owned()));
            example.get_or_insert_with(|| {
                let file = file.relative();
                format!("`{file}` → `{}` of client `{}`", told.session, told.client)
            });
            samples.push(Sample {
                media: file.media,
                class,
                attack: attack.filter(|_| spoof),
                species: species.filter(|_| spoof),
                session: told.session,
                client: Some(told.client),
                subset: told.subset.or_else(|| folders::subset(&file.dirs)),
                record: None,
                path: file.path,
            });
        }
        let mut set = DataSet {
            root: root.to_owned(),
            layout: self.layout,
            samples,
            left_out,
            guess: String::new(),
        };
        set.guess = format!(
            "{}, recognised by its file names: a session is {}: {}; {} of {} found",
            self.layout,
            self.session,
            example.unwrap_or_default(),
            counted(set.sessions(), "session"),
            counted(set.clients(), "client"),
        );
        Ok(set)
    }
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
