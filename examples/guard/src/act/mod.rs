// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is done about decisions: each action in a thread of its own with a short queue before it, so that none holds up another, or the picture.

pub(crate) mod child;
pub(crate) mod command;
pub(crate) mod crew;
pub(crate) mod lock;
pub(crate) mod mail;
pub(crate) mod voice;
pub(crate) mod webhook;

use crate::facts::Facts;
use crate::policy::Kind;
use crate::stop::Stop;

/// How an action went that went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Went {
    /// It is done.
    Done,
    /// It is on the disk, and will be.
    Queued,
}

impl Went {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Queued => "queued",
        }
    }
}

/// One of them.
pub(crate) trait Action: Send + 'static {
    /// What it is called in the log.
    fn name(&self) -> &str;

    /// On which decisions it is done.
    fn on(&self) -> &[Kind];

    /// Does it, within its own time limit and that of `stop`.
    ///
    /// # Errors
    /// Why it was not done.
    fn run(&mut self, facts: &Facts, stop: &Stop) -> Result<Went, String>;
}
