// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long to wait before the next try. Pure arithmetic.

use std::time::Duration;

/// Before the second try.
const FIRST: Duration = Duration::from_millis(250);

/// Before any of them: with the time that it takes to connect and the wait for a whole picture, a source that is back is seen within five seconds.
const MOST: Duration = Duration::from_secs(2);

/// A source that plays for as long has come back to stay.
const STAYS: Duration = Duration::from_secs(10);

/// Waits twice as long each time.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(FIRST, MOST)
    }
}

impl Backoff {
    /// Waits so long before the second try, and so long at the most.
    pub fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            next: first,
        }
    }

    /// How long to wait after a try that went well for so long.
    pub fn after(&mut self, played: Duration) -> Duration {
        if played >= STAYS {
            self.next = self.first;
        }
        let wait = self.next;
        self.next = (2 * wait).min(self.most);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_until_it_plays() {
        let mut backoff = Backoff::default();
        let mut waits = |played| backoff.after(Duration::from_secs(played)).as_millis();
        let first: Vec<_> = (0..6).map(|_| waits(0)).collect();
        assert_eq!(first, [250, 500, 1000, 2000, 2000, 2000]);
        assert_eq!(
            waits(1),
            2000,
            "one that comes and goes is not hurried after"
        );
        assert_eq!(waits(60), 250);
        assert_eq!(waits(0), 500);
    }
}
