// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose picture is looked at next: as many at once as there are cores, and who has waited longest comes first. Nobody waits with more than
//! one, so all get as many.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The turns of all sessions.
#[derive(Debug)]
pub(crate) struct Turns {
    /// Tokio's semaphore hands out its permits in the order in which they were asked for.
    places: Arc<Semaphore>,
    runtime: Handle,
}

/// A turn; it is over when this is dropped. None where nobody takes turns any more.
pub(crate) type Turn = OwnedSemaphorePermit;

impl Turns {
    /// So many at once.
    pub(crate) fn new(places: usize, runtime: Handle) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places.max(1))),
            runtime,
        }
    }

    /// Waits for a turn.
    pub(crate) async fn wait(&self) -> Option<Turn> {
        // It is never closed.
        self.places.clone().acquire_owned().await.ok()
    }

    /// The same in a thread that may stand still.
    pub(crate) fn wait_blocking(&self) -> Option<Turn> {
        self.runtime.block_on(self.wait())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_are_taken_in_the_order_of_asking() {
        let turns = Arc::new(Turns::new(1, Handle::current()));
        let first = turns.wait().await;
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut waiting = Vec::new();
        for name in 0..5 {
            let (turns, order) = (turns.clone(), order.clone());
            waiting.push(tokio::spawn(async move {
                for _ in 0..3 {
                    let turn = turns.wait().await;
                    order.lock().unwrap().push(name);
                    drop(turn);
                }
            }));
            // So that they ask one after the other.
            tokio::task::yield_now().await;
        }
        drop(first);
        for task in waiting {
            task.await.unwrap();
        }
        let order = order.lock().unwrap().clone();
        for round in order.chunks(5) {
            assert_eq!(round, [0, 1, 2, 3, 4], "{order:?}");
        }
    }
}
