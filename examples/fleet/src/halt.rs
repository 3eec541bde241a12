// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why work ends before its end, told to all who wait for something. Knows time alone.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::report::Status;

/// How often the flag that a signal sets is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The program is to end.
    Stop,
    /// The item is concluded, by others.
    Concluded(Status),
}

/// Says it.
#[derive(Clone, Debug)]
pub(crate) struct Halter(Arc<watch::Sender<Option<Why>>>);

/// Hears it.
#[derive(Clone, Debug)]
pub(crate) struct Halt(watch::Receiver<Option<Why>>);

/// The two ends.
pub(crate) fn halt() -> (Halter, Halt) {
    let (sender, receiver) = watch::channel(None);
    (Halter(Arc::new(sender)), Halt(receiver))
}

impl Halter {
    /// Says it. What was said first stands.
    pub(crate) fn say(&self, why: Why) {
        self.0.send_if_modified(|said| {
            let is_first = said.is_none();
            said.get_or_insert(why);
            is_first
        });
    }

    /// Says it when a signal has come.
    pub(crate) async fn when(self, stop: Arc<AtomicBool>) {
        let mut tick = tokio::time::interval(LOOK);
        while !stop.load(Ordering::Relaxed) {
            tick.tick().await;
        }
        self.say(Why::Stop);
    }
}

impl Halt {
    /// What was said.
    pub(crate) fn why(&self) -> Option<Why> {
        *self.0.borrow()
    }

    /// Waits until something is said.
    pub(crate) async fn said(&mut self) -> Why {
        loop {
            if let Some(why) = self.why() {
                return why;
            }
            if self.0.changed().await.is_err() {
                // Nobody is left who could say it.
                return pending().await;
            }
        }
    }

    /// Waits for so long, or until something is said.
    pub(crate) async fn rest(&mut self, time: Duration) {
        // Either way, the wait is over.
        let _ = tokio::time::timeout(time, self.said()).await;
    }
}
