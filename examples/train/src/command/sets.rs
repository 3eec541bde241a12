// SPDX-License-Identifier: MIT OR Apache-2.0
//! Faces and what was answered about them, as the report takes it.

use std::collections::{BTreeMap, BTreeSet};

use liveness::dataset::label::{Attack, Class};
use liveness::dataset::sample::Layout;
use liveness::metrics::Answer;

use crate::data::patch::Patch;
use crate::report::{DataRow, EvaluationSet};

/// The answers about `faces`, one probability of live for each; none where the model gave none.
pub(super) fn set<'a>(
    name: &str,
    role: &str,
    faces: impl Iterator<Item = (&'a Patch, Option<f32>)>,
) -> EvaluationSet {
    let mut set = EvaluationSet {
        name: name.to_owned(),
        role: role.to_owned(),
        ..EvaluationSet::default()
    };
    let mut words = BTreeSet::new();
    for (face, live) in faces {
        let about = &face.about;
        words.insert(groups_are(face));
        let group = about.group_name.clone();
        set.paths.push(about.path.clone());
        set.answers.push(match about.class {
            Class::Live => Answer::bona_fide(group, live),
            Class::Spoof => Answer::attack(species(face), group, live),
        });
    }
    set.groups_are = match words.len() {
        1 => words.pop_first().unwrap_or_default().to_owned(),
        _ => "people and sessions".to_owned(),
    };
    set
}

/// What a group of this face stands for, in plural.
fn groups_are(face: &Patch) -> &'static str {
    match face.about.layout {
        _ if face.about.group_name.starts_with("alike/") => "groups of look-alikes",
        Layout::Manifest | Layout::Folders => "sessions",
        Layout::CelebaSpoof
        | Layout::MsuMfsd
        | Layout::ReplayAttack
        | Layout::Nuaa
        | Layout::CasiaFasd => "clients",
    }
}

/// The kind of attack: as the data set calls it, else by its class.
fn species(face: &Patch) -> String {
    let about = &face.about;
    let known = about.attack.map(|a: Attack| a.as_str().to_owned());
    about.species.clone().or(known).unwrap_or_default()
}

/// What there is of each kind in one part.
pub(super) fn rows<'a>(
    part: &str,
    faces: impl Iterator<Item = &'a Patch>,
    name: impl Fn(&Patch) -> String,
) -> Vec<DataRow> {
    let mut kinds: BTreeMap<(String, Class, String), Kind> = BTreeMap::new();
    for face in faces {
        let about = &face.about;
        let attack = match about.class {
            Class::Live => String::new(),
            Class::Spoof => species(face),
        };
        let kind = kinds.entry((name(face), about.class, attack)).or_default();
        kind.pictures += 1;
        kind.sessions.insert(&about.session);
        if groups_are(face) == "clients" {
            kind.clients.insert(&about.group_name);
        }
    }
    let row = |((set, class, attack), kind): ((_, Class, _), Kind)| DataRow {
        set,
        part: part.to_owned(),
        class: class.as_str().to_owned(),
        attack,
        pictures: kind.pictures,
        sessions: kind.sessions.len(),
        clients: (!kind.clients.is_empty()).then_some(kind.clients.len()),
    };
    kinds.into_iter().map(row).collect()
}

/// What there is of one kind.
#[derive(Default)]
struct Kind<'a> {
    pictures: usize,
    sessions: BTreeSet<&'a str>,
    clients: BTreeSet<&'a str>,
}
