// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a session is throttled: its pictures wait for those of others. Plain arithmetic.

use std::time::Duration;

/// Mean wait from which on a session is throttled …
const FROM: f32 = 0.1;
/// … and that below which it is no more: what is told should not flicker.
const UNTIL: f32 = 0.05;

/// How much the last picture counts.
const WEIGHT: f32 = 0.25;

/// The waits of a session.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Busy {
    /// Mean of the last waits, in seconds.
    mean: f32,
    throttled: bool,
}

impl Busy {
    /// One more picture waited for so long. Whether the session is throttled.
    pub(crate) fn waited(&mut self, wait: Duration) -> bool {
        self.mean += WEIGHT * (wait.as_secs_f32() - self.mean);
        let limit = if self.throttled { UNTIL } else { FROM };
        self.throttled = self.mean >= limit;
        self.throttled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_waits_throttle_and_one_does_not() {
        let mut busy = Busy::default();
        let mut wait = |ms, times| {
            let waits = (0..times).map(|_| busy.waited(Duration::from_millis(ms)));
            waits.last().unwrap_or_default()
        };
        assert!(!wait(300, 1));
        assert!(!wait(5, 10));
        assert!(wait(300, 5));
        assert!(wait(80, 30), "between the limits it stays as it was");
        assert!(!wait(20, 30));
        assert!(!wait(80, 30));
    }
}
