// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ends runs that take too long: a model file is untrusted input, and a few bytes of it can ask for days of work. Between two operators
//! ONNX Runtime looks whether it is to stop.

use std::fmt;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use ort::session::RunOptions;

use crate::sync::lock;

/// How often is looked. Runs take milliseconds, and what is ended has taken minutes: nobody needs to be woken for less.
const TICK: Duration = Duration::from_secs(1);

/// What one look may count for at the most: a process that was stopped for an hour, or a machine that was, has not worked for it.
const MOST: Duration = Duration::from_secs(2);

/// All that may run, and whether somebody watches.
static WATCHED: Mutex<Watched> = Mutex::new(Watched {
    turns: Vec::new(),
    is_watching: false,
});

struct Watched {
    turns: Vec<Weak<Turn>>,
    is_watching: bool,
}

/// What one session needs to be stopped.
pub(super) struct Turn {
    options: RunOptions,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What is left of the time that the present run may take.
    left: Option<Duration>,
    was_ended: bool,
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Turn {
    /// For a new session.
    pub(super) fn new() -> Result<Arc<Self>, ort::Error> {
        let turn = Arc::new(Self {
            options: RunOptions::new()?,
            state: Mutex::default(),
        });
        let mut watched = lock(&WATCHED);
        watched.turns.push(Arc::downgrade(&turn));
        if !watched.is_watching {
            let thread = std::thread::Builder::new().name("liveness-watch".into());
            // Without the thread models run as they do without this file.
            watched.is_watching = thread.spawn(watch).is_ok();
        }
        Ok(turn)
    }

    /// Runs `run`, which gets the options that end it after `longest`; the second value says whether they did.
    pub(super) fn run<'a, R>(
        &'a self,
        longest: Duration,
        run: impl FnOnce(&'a RunOptions) -> R,
    ) -> (R, bool) {
        lock(&self.state).left = Some(longest);
        let result = run(&self.options);
        let mut state = lock(&self.state);
        state.left = None;
        let was_ended = std::mem::take(&mut state.was_ended);
        if was_ended {
            // It fails for no options that it could end.
            let _ = self.options.unterminate();
        }
        (result, was_ended)
    }

    /// So much time has passed.
    fn pass(&self, time: Duration) {
        let mut state = lock(&self.state);
        let Some(left) = &mut state.left else {
            return;
        };
        *left = left.saturating_sub(time);
        if left.is_zero() && !state.was_ended {
            state.was_ended = self.options.terminate().is_ok();
        }
    }
}

/// Watches until there is no session any more.
fn watch() {
    let mut before = Instant::now();
    loop {
        std::thread::sleep(TICK);
        let turns: Vec<_> = {
            let mut watched = lock(&WATCHED);
            watched.turns.retain(|turn| turn.strong_count() > 0);
            if watched.turns.is_empty() {
                watched.is_watching = false;
                return;
            }
            watched.turns.iter().filter_map(Weak::upgrade).collect()
        };
        let time = before.elapsed().min(MOST);
        before = Instant::now();
        for turn in turns {
            turn.pass(time);
        }
    }
}
