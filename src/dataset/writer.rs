// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pictures on their way into a data set: drawn and coded by several threads, put in in their order.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::picture::{Coding, Renderer, Rgb, encode};
use super::record::Record;
use super::store::{Aside, Work};
use crate::error::{Error, Result};
use crate::image::Held;
use crate::resize::Window;
use crate::sync::lock;

/// What becomes a file.
pub(super) enum Picture {
    /// A window of a frame, drawn by a worker.
    Of(Arc<dyn Held>, Window),
    /// A picture that is drawn already.
    Drawn(Rgb),
}

/// A picture to save, and what its owner wants back with it.
pub(super) struct Job<T> {
    pub(super) record: Record,
    pub(super) picture: Picture,
    /// See [`super::rules::Rules::dedup`].
    pub(super) dedup: u32,
    pub(super) tag: T,
}

/// A picture that is written aside.
pub(super) struct Coded<T> {
    pub(super) aside: Aside,
    pub(super) record: Record,
    pub(super) dedup: u32,
    pub(super) tag: T,
}

/// Puts a coded picture into the data set and tells whoever wants to know. Called for one picture at a time, in their order.
pub(super) type Put<T> = Box<dyn FnMut(Result<Coded<T>>) -> bool + Send>;

/// Why there is no room for another picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Somebody wants the thread back.
    Interrupted,
    /// Saving failed, which was told.
    Failed,
}

/// Threads that code, and the queue before them.
pub(super) struct Writer<T> {
    shared: Arc<Shared<T>>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared<T> {
    queue: Mutex<Queue<T>>,
    changed: Condvar,
    /// Pictures between being handed in and being put in: these bound the memory.
    most: usize,
    work: Arc<Work>,
    coding: Coding,
    put: Mutex<Put<T>>,
}

struct Queue<T> {
    waiting: VecDeque<(u64, Job<T>)>,
    /// Coded, by number, for those before them to be put in.
    coded: BTreeMap<u64, Result<Coded<T>>>,
    /// How many were handed in, and how many of these were put in.
    handed_in: u64,
    put_in: u64,
    /// Whether a thread is putting in.
    putting: bool,
    failed: bool,
    interrupted: bool,
    closed: bool,
}

impl<T: Send + 'static> Writer<T> {
    /// Starts `workers` threads.
    ///
    /// # Errors
    /// [`Error::Option`] where the system gives no threads.
    pub(super) fn start(
        work: Arc<Work>,
        coding: Coding,
        workers: usize,
        put: Put<T>,
    ) -> Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue {
                waiting: VecDeque::new(),
                coded: BTreeMap::new(),
                handed_in: 0,
                put_in: 0,
                putting: false,
                failed: false,
                interrupted: false,
                closed: false,
            }),
            changed: Condvar::new(),
            most: 2 * workers + 2,
            work,
            coding,
            put: Mutex::new(put),
        });
        let mut writer = Self {
            shared,
            threads: Vec::new(),
        };
        for i in 0..workers {
            let shared = writer.shared.clone();
            let thread = std::thread::Builder::new()
                .name(format!("picture-{i}"))
                .spawn(move || shared.run())
                .map_err(|e| Error::Option(format!("no thread for a worker: {e}")))?;
            writer.threads.push(thread);
        }
        Ok(writer)
    }

    /// Whether there is room for another picture; with `wait`, when there is.
    pub(super) fn room(&self, wait: bool) -> Result<bool, Stop> {
        let mut queue = lock(&self.shared.queue);
        loop {
            if queue.failed {
                return Err(Stop::Failed);
            }
            if queue.handed_in - queue.put_in < self.shared.most as u64 {
                return Ok(true);
            }
            if !wait {
                return Ok(false);
            }
            if queue.interrupted {
                return Err(Stop::Interrupted);
            }
            queue = self.shared.wait(queue);
        }
    }

    /// Frames that are held at most.
    pub(super) fn most(&self) -> usize {
        self.shared.most
    }

    /// Hands a picture in. The one thread that does so has asked for room before.
    pub(super) fn hand_in(&self, job: Job<T>) {
        let mut queue = lock(&self.shared.queue);
        let number = queue.handed_in;
        queue.handed_in += 1;
        queue.waiting.push_back((number, job));
        self.shared.changed.notify_all();
    }

    /// Waits until all that was handed in is put in.
    ///
    /// # Errors
    /// [`Stop::Failed`] where something could not be.
    pub(super) fn drain(&self) -> Result<(), Stop> {
        let mut queue = lock(&self.shared.queue);
        while queue.put_in < queue.handed_in {
            queue = self.shared.wait(queue);
        }
        if queue.failed {
            return Err(Stop::Failed);
        }
        Ok(())
    }

    /// What lets another thread interrupt one that waits for room.
    pub(super) fn interrupt(&self, on: bool) {
        lock(&self.shared.queue).interrupted = on;
        self.shared.changed.notify_all();
    }
}

impl<T> Drop for Writer<T> {
    /// Ends when all that was handed in is put in.
    fn drop(&mut self) {
        lock(&self.shared.queue).closed = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            // Its panics are caught within.
            let _ = thread.join();
        }
    }
}

impl<T: Send + 'static> Shared<T> {
    fn wait<'a>(&self, queue: MutexGuard<'a, Queue<T>>) -> MutexGuard<'a, Queue<T>> {
        let queue = self.changed.wait(queue);
        queue.unwrap_or_else(PoisonError::into_inner)
    }

    /// One worker: its memory is kept from picture to picture.
    fn run(&self) {
        let (mut renderer, mut rgb, mut bytes) = (Renderer::default(), Rgb::default(), Vec::new());
        while let Some((number, job, wanted)) = self.next() {
            let Job {
                record,
                picture,
                dedup,
                tag,
            } = job;
            // A panic in a coder would let the pipeline wait for ever.
            let coded = catch_unwind(AssertUnwindSafe(|| {
                if !wanted {
                    return Err(Error::Option(
                        "a picture before this one could not be saved".into(),
                    ));
                }
                let size = (record.size[0] as usize, record.size[1] as usize);
                let drawn = match &picture {
                    Picture::Drawn(drawn) => drawn,
                    Picture::Of(frame, window) => {
                        frame
                            .read(&mut |pixels| renderer.render(pixels, *window, size, &mut rgb))?;
                        &rgb
                    }
                };
                encode(drawn, self.coding, &mut bytes)?;
                self.work.aside(&bytes, self.coding.extension())
            }));
            // The frame is somebody's memory: it goes back before the picture waits for its turn.
            drop(picture);
            let coded = coded
                .unwrap_or_else(|_| Err(Error::Frame("a picture's coder panicked".into())))
                .map(|aside| Coded {
                    aside,
                    record,
                    dedup,
                    tag,
                });
            self.put_in(number, coded);
        }
    }

    /// The next picture to code, and whether it will be put in; `None` at the end.
    fn next(&self) -> Option<(u64, Job<T>, bool)> {
        let mut queue = lock(&self.queue);
        loop {
            if let Some((number, job)) = queue.waiting.pop_front() {
                return Some((number, job, !queue.failed));
            }
            if queue.closed {
                return None;
            }
            queue = self.wait(queue);
        }
    }

    /// Puts in all whose turn it is, unless another thread is at it.
    fn put_in(&self, number: u64, coded: Result<Coded<T>>) {
        let mut queue = lock(&self.queue);
        queue.coded.insert(number, coded);
        if queue.putting {
            return;
        }
        queue.putting = true;
        loop {
            let turn = queue.put_in;
            let Some(coded) = queue.coded.remove(&turn) else {
                break;
            };
            let mut good = !queue.failed;
            drop(queue);
            if good {
                let put = catch_unwind(AssertUnwindSafe(|| (lock(&self.put))(coded)));
                good = put.unwrap_or(false);
            }
            queue = lock(&self.queue);
            queue.failed |= !good;
            queue.put_in += 1;
            self.changed.notify_all();
        }
        queue.putting = false;
    }
}
