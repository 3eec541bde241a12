// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is told about a model: the facts in its `metadata_props`, here a line each, and the sidecar file.

use std::collections::BTreeMap;

use liveness::model::Card;

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let facts: BTreeMap<String, String> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.to_owned()))
        .collect();
    if let Ok(card) = Card::from_facts(&facts, "fuzz") {
        check(&card);
    }
    if let Ok(card) = Card::from_toml(data, "fuzz") {
        check(&card);
    }
}

/// What was understood is sound, and is understood again.
fn check(card: &Card) {
    assert!(card.threshold.is_none_or(|t| (0.0..=1.0).contains(&t)));
    assert!(card.crop_scale.is_none_or(|s| (0.5..=10.0).contains(&s)));
    let numbers = [card.mean, card.scale].into_iter().flatten().flatten();
    assert!(numbers.into_iter().all(f32::is_finite));
    assert!(card.classes.iter().all(|c| c.iter().any(|c| c == "live")));
    let again = Card::from_facts(&card.facts(), "fuzz");
    assert_eq!(again.ok().as_ref(), Some(card));
}
