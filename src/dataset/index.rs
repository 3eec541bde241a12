// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a data set holds already, as far as that decides which pictures are still wanted.

use std::collections::HashMap;

use super::hash::Hash;
use super::record::{Kind, Record};
use crate::geometry::Rect;

/// Where a picture was taken: the same place twice means that a source is run again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    kind: Kind,
    session: String,
    source: String,
    frame: u64,
    stream_time: Option<u64>,
}

impl Place {
    fn of(record: &Record) -> Self {
        Self {
            kind: record.kind,
            session: record.session.clone(),
            source: record.source.clone(),
            frame: record.frame,
            stream_time: record.stream_time,
        }
    }
}

/// How much two boxes of the same face in the same frame overlap at least: the file rounds them.
const SAME_BOX: f32 = 0.99;

/// The pictures of one label.
#[derive(Debug, Default)]
pub(super) struct Index {
    faces: Vec<Hash>,
    frames: Vec<Hash>,
    places: HashMap<Place, Vec<(Hash, Rect)>>,
}

impl Index {
    fn hashes(&mut self, kind: Kind) -> &mut Vec<Hash> {
        match kind {
            Kind::Face => &mut self.faces,
            Kind::Frame => &mut self.frames,
        }
    }

    /// Notes a picture of the label.
    pub(super) fn add(&mut self, record: &Record) {
        self.hashes(record.kind).push(record.hash);
        let shown = (record.hash, main_box(record));
        self.places
            .entry(Place::of(record))
            .or_default()
            .push(shown);
    }

    /// Whether this very picture is there: from the same place, of the same face, looking the same.
    pub(super) fn holds(&self, record: &Record) -> bool {
        let face = main_box(record);
        let there = self.places.get(&Place::of(record)).into_iter().flatten();
        there
            .into_iter()
            .any(|(hash, rect)| *hash == record.hash && rect.iou(&face) >= SAME_BOX)
    }

    /// Whether some picture looks nearly the same: `most` bits of the hashes differ at most.
    pub(super) fn resembles(&self, kind: Kind, hash: Hash, most: u32) -> bool {
        let hashes = match kind {
            Kind::Face => &self.faces,
            Kind::Frame => &self.frames,
        };
        hashes.iter().any(|h| h.distance(hash) <= most)
    }
}

/// The box of the first face of a picture.
fn main_box(record: &Record) -> Rect {
    let first = record.faces.first();
    first.map_or(Rect::default(), |f| {
        let [x, y, w, h] = f.rect;
        Rect::new(x, y, w, h)
    })
}
