// SPDX-License-Identifier: MIT OR Apache-2.0
//! Things that are lent out one at a time. Who borrows often may go on for a while, which spares a switch of threads each time, but not for long: nobody
//! is left behind by others for more than a few milliseconds.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::sync::lock;

/// So many things at the most, made when they are needed and kept.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    most: usize,
    /// For how long others may come before who is first in the queue.
    patience: Duration,
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    idle: Vec<T>,
    made: usize,
    /// Who waits, in the order of asking.
    waiting: VecDeque<Waiter>,
    next: u64,
}

#[derive(Debug)]
struct Waiter {
    /// No two of them share it.
    number: u64,
    thread: Thread,
    since: Instant,
}

/// What was lent; it goes back when this is dropped. `None` is the right to make one.
#[derive(Debug)]
pub(crate) struct Lent<'a, T> {
    pool: &'a Pool<T>,
    pub(crate) thing: Option<T>,
}

impl<T> Pool<T> {
    /// `first`, and up to `most` of them.
    pub(crate) fn new(first: T, most: usize, patience: Duration) -> Self {
        Self {
            most,
            patience,
            state: Mutex::new(State {
                idle: vec![first],
                made: 1,
                waiting: VecDeque::new(),
                next: 0,
            }),
        }
    }

    /// Waits for its turn. Only counting happens under the lock.
    pub(crate) fn lend(&self) -> Lent<'_, T> {
        let mut state = lock(&self.state);
        let may_go_first = |w: &Waiter| w.since.elapsed() < self.patience;
        if !state.has_one(self.most) || !state.waiting.front().is_none_or(may_go_first) {
            let number = state.next;
            state.next += 1;
            state.waiting.push_back(Waiter {
                number,
                thread: thread::current(),
                since: Instant::now(),
            });
            while state.waiting.front().is_none_or(|w| w.number != number)
                || !state.has_one(self.most)
            {
                drop(state);
                // Who gives one back wakes who is first; a wake-up that comes before this line is not lost.
                thread::park();
                state = lock(&self.state);
            }
            state.waiting.pop_front();
        }
        let thing = state.idle.pop();
        if thing.is_none() {
            state.made += 1;
        }
        state.wake(self.most);
        Lent { pool: self, thing }
    }
}

impl<T> State<T> {
    fn has_one(&self, most: usize) -> bool {
        !self.idle.is_empty() || self.made < most
    }

    /// Tells who is first that there is something.
    fn wake(&self, most: usize) {
        if let (true, Some(first)) = (self.has_one(most), self.waiting.front()) {
            first.thread.unpark();
        }
    }
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        let mut state = lock(&self.pool.state);
        match self.thing.take() {
            Some(thing) => state.idle.push(thing),
            // None was made.
            None => state.made -= 1,
        }
        state.wake(self.pool.most);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Waits until so many wait.
    fn until_waiting<T>(pool: &Pool<T>, many: usize) {
        let begun = Instant::now();
        while lock(&pool.state).waiting.len() < many {
            assert!(begun.elapsed() < Duration::from_secs(20), "nobody comes");
            thread::yield_now();
        }
    }

    #[test]
    fn who_came_first_is_served_first_and_who_comes_back_waits_behind_all() {
        let pool = Arc::new(Pool::new((), 1, Duration::ZERO));
        let order = Arc::new(Mutex::new(Vec::new()));
        let held = pool.lend();
        let mut threads = Vec::new();
        for name in 0..6 {
            let (ours, order) = (pool.clone(), order.clone());
            threads.push(thread::spawn(move || {
                for round in 0..3 {
                    let lent = ours.lend();
                    lock(&order).push(name);
                    if round < 2 {
                        // Not before all others stand in the queue again.
                        until_waiting(&ours, 5);
                    }
                    drop(lent);
                }
            }));
            until_waiting(&pool, name + 1);
        }
        drop(held);
        for thread in threads {
            thread.join().unwrap();
        }
        let order = lock(&order);
        assert!(
            order.chunks(6).all(|round| round == [0, 1, 2, 3, 4, 5]),
            "{order:?}"
        );
    }

    #[test]
    fn who_has_waited_long_enough_is_not_passed_by_any_more() {
        let pool = Arc::new(Pool::new((), 1, Duration::from_millis(20)));
        let held = pool.lend();
        let (ours, begun) = (pool.clone(), Instant::now());
        let waits = thread::spawn(move || {
            drop(ours.lend());
        });
        until_waiting(&pool, 1);
        drop(held);
        // Borrows again and again, without a pause: comes first at the beginning, perhaps, and never after the time is up.
        while !waits.is_finished() {
            drop(pool.lend());
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "nobody else gets it"
            );
        }
        waits.join().unwrap();
    }

    #[test]
    fn no_more_than_so_many_are_made_and_none_is_lost() {
        let pool = Arc::new(Pool::new(0, 3, Duration::from_micros(50)));
        let (out, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let (pool, out, most) = (pool.clone(), out.clone(), most.clone());
                thread::spawn(move || {
                    for i in 0..500 {
                        let mut lent = pool.lend();
                        most.fetch_max(out.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        // Some fail to make one.
                        if lent.thing.is_none() && (n + i) % 3 != 0 {
                            lent.thing = Some(n);
                        }
                        out.fetch_sub(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert!((1..=3).contains(&most.load(Ordering::SeqCst)));
        let state = lock(&pool.state);
        assert_eq!(state.idle.len(), state.made);
        assert!(state.waiting.is_empty() && state.made <= 3);
    }
}
