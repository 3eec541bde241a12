// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much time passes from frame to frame, and what is a break. Knows no faces.

use std::time::Duration;

use super::KEPT;

/// A break is also longer than this many times the frame before, so that one frame every two seconds is no series of breaks.
const BREAK: f64 = 2.0;
/// Length of a frame in seconds where a stream tells no times: at 30 frames a second.
pub(crate) const FRAME: f64 = 1.0 / 30.0;

/// The time between frames.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    /// Of the frame before.
    time: Option<Duration>,
    /// Length of the frame before in seconds.
    step: Option<f64>,
}

impl Clock {
    /// Seconds since the frame before, above 0, and whether they were a break.
    pub(crate) fn step(&mut self, time: Option<Duration>) -> (f64, bool) {
        let before = std::mem::replace(&mut self.time, time);
        let (Some(before), Some(now)) = (before, time) else {
            return (FRAME, false);
        };
        if before == now {
            return (FRAME, false);
        }
        let passed = before.abs_diff(now).as_secs_f64();
        let usual = self.step.replace(passed).unwrap_or(passed);
        (passed, passed > KEPT.max(BREAK * usual))
    }
}
