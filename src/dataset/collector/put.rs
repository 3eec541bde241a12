// SPDX-License-Identifier: MIT OR Apache-2.0
//! The last step of a picture: into the data set, unless somebody else has put a like one there meanwhile.

use std::sync::{Arc, Mutex};

use super::Event;
use crate::dataset::hash::Hash;
use crate::dataset::index::Index;
use crate::dataset::record::Kind;
use crate::dataset::rules::{Refusal, Tally};
use crate::dataset::store::Store;
use crate::dataset::writer::{Coded, Put};
use crate::sync::lock;

/// What puts coded pictures into the data set.
pub(super) fn put<T: 'static>(
    mut store: Store,
    index: Arc<Mutex<Index>>,
    tally: Arc<Mutex<Tally>>,
    mut told: impl FnMut(Event<T>) + Send + 'static,
) -> Put<T> {
    // What others have put in since this store was opened. Looked through for each picture, as some were chosen before that came.
    let mut others = Vec::new();
    Box::new(move |coded| {
        let saved = coded.and_then(|coded| {
            let Coded {
                aside,
                record,
                dedup,
                tag,
            } = coded;
            let (kind, hash, label) = (record.kind, record.hash, record.label.clone());
            // Another element, maybe of another process, works on the same data set.
            let saved = store.put(aside, record, |news| {
                for other in news.iter().filter(|r| r.label == label) {
                    lock(&index).add(other);
                    others.push((other.kind, other.hash));
                }
                let near = |(k, h): &(Kind, Hash)| *k == kind && h.distance(hash) <= dedup;
                dedup == 0 || !others.iter().any(near)
            })?;
            Ok(saved.map(|s| (s, tag)))
        });
        match saved {
            Ok(Some((saved, tag))) => {
                lock(&tally).saved += 1;
                told(Event::Saved(Box::new(saved), tag));
                true
            }
            Ok(None) => {
                lock(&tally).refuse(Refusal::Duplicate, 1);
                true
            }
            Err(e) => {
                told(Event::Failed(e));
                false
            }
        }
    })
}
