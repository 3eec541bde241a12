// SPDX-License-Identifier: MIT OR Apache-2.0
//! Public data sets, recognised by the names that their authors gave the files. Knows what they have in common.

use std::path::Path;

use super::folders::{self, Place};
use super::told::Told;
use super::walk::Found;
use super::{casia_fasd, celeba_spoof, counted, msu_mfsd, nuaa, replay_attack};
use crate::dataset::label::Class;
use crate::dataset::sample::{DataSet, Layout, LeftOut, Sample};
use crate::error::Result;

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
