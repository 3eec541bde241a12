// SPDX-License-Identifier: MIT OR Apache-2.0
//! The part of the file that says how it is decided.

use std::time::Duration;

use serde::Deserialize;

use super::parts::Seconds;
use crate::policy::{Each, Rule, Rules};

/// `[policy]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Evidence {
    granted: Wanted,
    intruder: Wanted,
    cool_down: CoolDown,
    gap: Seconds,
    alone: bool,
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            granted: Wanted(Rule {
                frames: 8,
                of: 10,
                spread: Duration::from_secs(1),
            }),
            // A warning may come sooner than a welcome.
            intruder: Wanted(Rule {
                frames: 6,
                of: 10,
                spread: Duration::from_millis(500),
            }),
            cool_down: CoolDown::default(),
            gap: Seconds::of(2.0),
            alone: true,
        }
    }
}

impl Evidence {
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            evidence: Each {
                granted: self.granted.0,
                intruder: self.intruder.0,
            },
            cool_down: Each {
                granted: self.cool_down.granted.time(),
                intruder: self.cool_down.intruder.time(),
            },
            gap: self.gap.time(),
            alone: self.alone,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CoolDown {
    granted: Seconds,
    intruder: Seconds,
}

impl Default for CoolDown {
    fn default() -> Self {
        Self {
            granted: Seconds::of(30.0),
            intruder: Seconds::of(10.0),
        }
    }
}

/// So many of so many frames.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Plain")]
struct Wanted(Rule);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    frames: usize,
    of: usize,
    seconds: f64,
}

impl TryFrom<Plain> for Wanted {
    type Error = String;

    fn try_from(plain: Plain) -> Result<Self, String> {
        let Plain {
            frames,
            of,
            seconds,
        } = plain;
        if frames < 2 {
            return Err("`frames` must be 2 or more: nothing is decided on a single frame".into());
        }
        if frames > of {
            return Err("`frames` cannot be more than `of`".into());
        }
        if of > 1000 {
            return Err("`of` must be 1000 or less".into());
        }
        if 2 * frames <= of {
            return Err(
                "`frames` must be more than half of `of`, or live and spoof could both be right"
                    .into(),
            );
        }
        if !(0.0..=60.0).contains(&seconds) {
            return Err("`seconds` must be from 0 to 60".into());
        }
        Ok(Self(Rule {
            frames,
            of,
            spread: Duration::from_secs_f64(seconds),
        }))
    }
}
