// SPDX-License-Identifier: MIT OR Apache-2.0
//! What all threads tell: lines for the log, and words for the user. A log that cannot be written is told of in words.

use std::sync::Mutex;
use std::sync::mpsc::Sender;

use liveness::sync::lock;

use crate::audit::{Audit, Line};

/// Hears them.
#[derive(Debug)]
pub(crate) struct Record {
    audit: Mutex<Audit>,
    say: Sender<String>,
}

impl Record {
    /// Words go to `say`.
    pub(crate) fn new(audit: Audit, say: Sender<String>) -> Self {
        Self {
            audit: Mutex::new(audit),
            say,
        }
    }

    /// Says something to the user.
    pub(crate) fn say(&self, text: impl Into<String>) {
        // Nobody listens any more when all is over.
        let _ = self.say.send(text.into());
    }

    /// Writes a line down. Whether that could be done: if not, the user has been told.
    pub(crate) fn write(&self, line: &Line) -> bool {
        let written = lock(&self.audit).add(line);
        if let Err(reason) = &written {
            self.say(format!(
                "THE AUDIT LOG FAILS: {reason}. Nobody is granted until it can be written"
            ));
        }
        written.is_ok()
    }

    /// A decision to grant was not made, since it could not be written down.
    pub(crate) fn withhold(&self) {
        lock(&self.audit).withhold();
    }

    /// Writes down what an action did, and says what went wrong.
    pub(crate) fn action(&self, id: &str, action: &str, state: &str, reason: Option<&str>) {
        if let Some(reason) = reason {
            self.say(format!("{action}: {state}: {reason}"));
        }
        self.write(&Line::Action {
            id,
            action,
            state,
            reason,
        });
    }
}
