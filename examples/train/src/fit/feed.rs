// SPDX-License-Identifier: MIT OR Apache-2.0
//! Filling batches on threads of their own, so that reading and augmenting run beside training.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use anyhow::{Context, Result, bail};

use super::Examples;
use super::draw::Item;

/// Batches that wait to be used, per thread. Two hide the jitter of reading.
const AHEAD: usize = 2;

/// A filled batch.
#[derive(Debug)]
pub(super) struct Batch {
    /// The pictures, one after the other.
    pub(super) input: Vec<f32>,
    /// Which of them are live.
    pub(super) live: Vec<bool>,
    /// Their weights in the loss.
    pub(super) weight: Vec<f32>,
}

/// Filled batches in their order, whatever the order in which the threads finish.
pub(super) struct Feed {
    receiver: Receiver<(usize, Batch)>,
    early: BTreeMap<usize, Batch>,
    next: usize,
}

impl Feed {
    /// The next batch.
    pub(super) fn next(&mut self) -> Result<Batch> {
        loop {
            if let Some(batch) = self.early.remove(&self.next) {
                self.next += 1;
                return Ok(batch);
            }
            let (k, batch) = self.receiver.recv().context("no more batches come")?;
            self.early.insert(k, batch);
        }
    }
}

/// Lets `work` take the batches of `plan` one after the other while `threads` threads fill them; pictures have `length` numbers. It need not
/// take all.
pub(super) fn feed<R>(
    examples: &dyn Examples,
    plan: &[Vec<Item>],
    length: usize,
    threads: usize,
    work: impl FnOnce(&mut Feed) -> Result<R>,
) -> Result<R> {
    let threads = threads.max(1);
    let (sender, receiver) = sync_channel(threads * AHEAD);
    let taken = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let (sender, taken) = (sender.clone(), &taken);
                scope.spawn(move || {
                    loop {
                        let k = taken.fetch_add(1, Ordering::Relaxed);
                        let Some(items) = plan.get(k) else { break };
                        // The other side is gone: it was told to stop.
                        if sender.send((k, fill(examples, items, length))).is_err() {
                            break;
                        }
                    }
                })
            })
            .collect();
        drop(sender);
        let mut feed = Feed {
            receiver,
            early: BTreeMap::new(),
            next: 0,
        };
        let result = work(&mut feed);
        drop(feed);
        let whole = workers
            .into_iter()
            .map(|w| w.join())
            .fold(true, |all, w| all & w.is_ok());
        if !whole {
            bail!("reading the examples failed: the message stands above");
        }
        result
    })
}

fn fill(examples: &dyn Examples, items: &[Item], length: usize) -> Batch {
    let mut input = vec![0.0; items.len() * length];
    for (item, out) in items.iter().zip(input.chunks_exact_mut(length)) {
        examples.fill(item.index, item.seed, out);
    }
    Batch {
        input,
        live: items.iter().map(|i| examples.is_live(i.index)).collect(),
        weight: items.iter().map(|i| i.weight).collect(),
    }
}
