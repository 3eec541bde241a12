// SPDX-License-Identifier: MIT OR Apache-2.0
//! The end, as the threads that act see it: something to wait for besides their work.

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use liveness::sync::lock;

/// Set once.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    state: Mutex<State>,
    rings: Condvar,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    deadline: Option<Instant>,
    /// How often there was something new to look at.
    rung: u64,
}

impl Stop {
    /// What is being done has to be over by then.
    pub(crate) fn by(&self, deadline: Instant) {
        lock(&self.state).deadline = Some(deadline);
        self.rings.notify_all();
    }

    /// By when all has to be over, if it has to.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        lock(&self.state).deadline
    }

    pub(crate) fn is_set(&self) -> bool {
        self.deadline().is_some()
    }

    /// Wakes whoever waits for a bell.
    pub(crate) fn ring(&self) {
        lock(&self.state).rung += 1;
        self.rings.notify_all();
    }

    /// How often it has rung.
    pub(crate) fn rung(&self) -> u64 {
        lock(&self.state).rung
    }

    /// Waits until it has rung more often than that, or for the end.
    pub(crate) fn wait(&self, rung: u64) {
        let state = lock(&self.state);
        drop(
            self.rings
                .wait_while(state, |s| s.deadline.is_none() && s.rung <= rung),
        );
    }

    /// Waits for so long, or for the end.
    pub(crate) fn pause(&self, time: Duration) {
        let state = lock(&self.state);
        drop(
            self.rings
                .wait_timeout_while(state, time, |s| s.deadline.is_none()),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn who_waits_is_woken() {
        let stop = Arc::new(Stop::default());
        stop.ring();
        stop.wait(0);
        assert!(!stop.is_set());
        let waits = {
            let stop = stop.clone();
            std::thread::spawn(move || {
                stop.wait(stop.rung());
                stop.pause(Duration::from_secs(3600));
                stop.deadline()
            })
        };
        let deadline = Instant::now();
        stop.by(deadline);
        assert_eq!(waits.join().unwrap(), Some(deadline));
    }
}
