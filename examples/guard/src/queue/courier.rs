// SPDX-License-Identifier: MIT OR Apache-2.0
//! Takes what waits in a folder to where it belongs, in a thread of its own; tries again where that fails, later and later.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use liveness::sync::lock;
use liveness_app::live::Backoff;

use super::spool::{Head, Spool};
use crate::record::Record;
use crate::stop::Stop;

/// Before the second try, and before any of them at the most.
const FIRST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(300);

/// What could not be delivered for so long never will be. As mail servers do it.
const GIVE_UP: Duration = Duration::from_secs(5 * 24 * 3600);

/// Why something was not delivered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing can be delivered now.
    Away(String),
    /// This one cannot be delivered now.
    Later(String),
    /// This one will never be.
    Never(String),
}

/// Delivers one thing.
pub(crate) trait Deliver: Send + 'static {
    /// # Errors
    /// Where it was not, or nobody knows.
    fn deliver(&mut self, head: &Head, body: &[u8]) -> Result<(), Trouble>;
}

/// The thread.
#[derive(Debug)]
pub(crate) struct Courier {
    pub(crate) thread: JoinHandle<()>,
}

impl Courier {
    /// For the action of this name. Rings `stop` when there is something new.
    pub(crate) fn start(
        action: &'static str,
        spool: Arc<Mutex<Spool>>,
        deliver: impl Deliver,
        record: Arc<Record>,
        stop: Arc<Stop>,
    ) -> Self {
        let mut round = Round {
            action,
            spool,
            deliver,
            record,
            said: None,
            stuck: BTreeSet::new(),
        };
        let thread = std::thread::spawn(move || {
            let fresh = || Backoff::new(FIRST, MOST);
            let mut backoff = fresh();
            loop {
                // What comes while it ends gets its one try, too.
                let (is_last, rung) = (stop.is_set(), stop.rung());
                match round.go() {
                    End::Delivered if is_last => return,
                    End::Delivered => {
                        backoff = fresh();
                        stop.wait(rung);
                    }
                    End::Waiting if is_last => return,
                    End::Waiting => stop.pause(backoff.after(Duration::ZERO)),
                }
            }
        });
        Self { thread }
    }
}

/// How a round ended.
enum End {
    /// Nothing waits.
    Delivered,
    Waiting,
}

struct Round<D> {
    action: &'static str,
    spool: Arc<Mutex<Spool>>,
    deliver: D,
    record: Arc<Record>,
    /// What was said last, of what: it is not repeated with every try.
    said: Option<(String, String)>,
    /// Files that are done with and cannot be taken away.
    stuck: BTreeSet<PathBuf>,
}

impl<D: Deliver> Round<D> {
    /// Tries all that wait.
    fn go(&mut self) -> End {
        let waiting = lock(&self.spool).list();
        let mut end = End::Delivered;
        for path in waiting
            .into_iter()
            .filter(|p| !self.stuck.contains(p))
            .collect::<Vec<_>>()
        {
            let read = lock(&self.spool).read(&path);
            let (head, body) = match read {
                Ok(read) => read,
                // It had to make room.
                Err(_) if !path.exists() => continue,
                Err(reason) => {
                    self.damaged(&path, &reason);
                    continue;
                }
            };
            // Not while it is delivered: others must be able to add.
            match self.deliver.deliver(&head, &body) {
                Ok(()) => {
                    self.said = None;
                    self.record.action(&head.id, self.action, "sent", None);
                    let done = lock(&self.spool).done(&path);
                    self.or_say(&path, done);
                }
                Err(Trouble::Never(reason)) => self.refused(&path, &head, &reason),
                Err(Trouble::Later(reason)) if head.age() > GIVE_UP => {
                    self.refused(&path, &head, &format!("given up after five days: {reason}"));
                }
                Err(Trouble::Later(reason)) => {
                    self.delayed(&head, reason);
                    end = End::Waiting;
                }
                Err(Trouble::Away(reason)) => {
                    self.delayed(&head, reason);
                    return End::Waiting;
                }
            }
        }
        end
    }

    fn damaged(&mut self, path: &Path, reason: &str) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.record
            .action(&name, self.action, "damaged", Some(reason));
        let aside = lock(&self.spool).damaged(path);
        self.or_say(path, aside);
    }

    fn refused(&mut self, path: &Path, head: &Head, reason: &str) {
        self.record
            .action(&head.id, self.action, "refused", Some(reason));
        let aside = lock(&self.spool).refuse(path);
        self.or_say(path, aside);
    }

    fn delayed(&mut self, head: &Head, reason: String) {
        let now = Some((head.id.clone(), reason));
        if self.said != now {
            let reason = now.as_ref().map(|(_, reason)| reason.as_str());
            self.record.action(&head.id, self.action, "delayed", reason);
            self.said = now;
        }
    }

    fn or_say(&mut self, path: &Path, done: Result<(), String>) {
        if let Err(reason) = done {
            self.stuck.insert(path.to_owned());
            self.record.say(format!("{}: {reason}", self.action));
        }
    }
}
