// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a model said about one presentation, and what is true of it. Plain data.

use serde::{Deserialize, Serialize};

/// What a model said about one picture, and what is true of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The truth: whether this is a live face and no attack.
    pub bona_fide: bool,
    /// The kind of attack: the species of its instrument. Empty for live faces.
    #[serde(default)]
    pub species: String,
    /// The client or session. Answers of one group are not independent: intervals come from drawing whole groups.
    pub group: String,
    /// Probability that the face is live, 0..1. None: no answer (no face found, refused).
    pub live: Option<f32>,
}

impl Answer {
    /// About a live face.
    pub fn bona_fide(group: impl Into<String>, live: Option<f32>) -> Self {
        Self {
            bona_fide: true,
            species: String::new(),
            group: group.into(),
            live,
        }
    }

    /// About an attack of the kind `species`.
    pub fn attack(species: impl Into<String>, group: impl Into<String>, live: Option<f32>) -> Self {
        Self {
            bona_fide: false,
            species: species.into(),
            group: group.into(),
            live,
        }
    }

    /// The probability, where it is a finite number.
    pub fn probability(&self) -> Option<f64> {
        self.live.map(f64::from).filter(|p| p.is_finite())
    }

    /// Whether the face is taken for live: there is an answer, and it is `threshold` or more.
    pub fn accepted(&self, threshold: f64) -> bool {
        self.probability().is_some_and(|p| p >= threshold)
    }

    /// Whether the decision is right: live faces accepted, attacks not.
    pub fn right(&self, threshold: f64) -> bool {
        self.accepted(threshold) == self.bona_fide
    }
}
