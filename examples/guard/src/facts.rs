// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the actions are told of a decision.

use std::sync::Arc;
use std::time::SystemTime;

use humantime::format_rfc3339_millis;
use liveness_app::lines::round;
use serde::Serialize;

use crate::policy::{Decision, Kind};

/// A decision, as it is told to others.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Facts {
    /// Never used again, by no run of the program.
    pub(crate) id: String,
    pub(crate) decision: Kind,
    /// What had been decided about the same face.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Kind>,
    /// In universal time.
    pub(crate) time: String,
    /// In seconds: of a live source since the start, of a film its place in it.
    pub(crate) at: f64,
    pub(crate) track: u64,
    /// The probability of live.
    pub(crate) live: Option<f64>,
    #[serde(rename = "box")]
    pub(crate) rect: [f64; 4],
    /// The frame that decided it, as a JPEG picture.
    #[serde(skip)]
    pub(crate) snapshot: Option<Arc<Vec<u8>>>,
}

impl Facts {
    pub(crate) fn new(id: String, decision: &Decision) -> Self {
        let seen = &decision.seen;
        Self {
            id,
            decision: decision.kind,
            before: decision.before,
            time: now(),
            at: round(decision.at.as_secs_f64(), 3),
            track: seen.track,
            live: seen.live.map(|p| round(p, 6)),
            rect: seen.rect.map(|v| round(v, 2)),
            snapshot: None,
        }
    }
}

/// The time of day, in universal time.
pub(crate) fn now() -> String {
    format_rfc3339_millis(SystemTime::now()).to_string()
}

#[cfg(test)]
pub(crate) fn example(id: &str, kind: Kind) -> Facts {
    Facts {
        id: id.into(),
        decision: kind,
        before: None,
        time: now(),
        at: 1.5,
        track: 7,
        live: Some(0.03),
        rect: [1.0, 2.0, 3.0, 4.0],
        snapshot: Some(Arc::new(vec![0xff, 0xd8, 0xff])),
    }
}
