// SPDX-License-Identifier: MIT OR Apache-2.0
//! What all visitors share: the models, the limits, the accounts, who takes turns, and whether the server goes on.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use crate::account::{Desk, Limiter};
use crate::cli::Cli;
use crate::live::Turns;
use crate::look::{self, Models};
use crate::visitor::Visitors;

/// Longest clip that is taken.
const CLIP: Duration = Duration::from_secs(20);

/// Longest time that a file is looked at: a clip takes a part of what it lasts, unless all cores are busy.
const WORK: Duration = Duration::from_secs(120);

/// Most pixels of an uploaded frame: those of the cameras of telephones.
const PIXELS: u64 = 50_000_000;

/// Files that are received or looked at at once.
const UPLOADS: usize = 2;

/// Sessions and uploads that one address may begin in a minute.
const SESSIONS_A_MINUTE: u32 = 120;
const UPLOADS_A_MINUTE: u32 = 20;
const MINUTE: Duration = Duration::from_secs(60);

/// What all visitors share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) models: Models,
    /// Names under which it is reached.
    pub(crate) hosts: Vec<String>,
    pub(crate) behind_proxy: bool,
    pub(crate) max_sessions: usize,
    /// Places for cameras.
    pub(crate) sessions: Arc<Semaphore>,
    pub(crate) session_time: Duration,
    pub(crate) challenge_time: Duration,
    /// Places for files.
    pub(crate) uploads: Arc<Semaphore>,
    pub(crate) upload_bytes: u64,
    pub(crate) file: look::Limits,
    pub(crate) turns: Arc<Turns>,
    pub(crate) visitors: Visitors,
    /// None where the log-in demo is off.
    pub(crate) desk: Option<Desk>,
    pub(crate) session_limiter: Limiter,
    pub(crate) upload_limiter: Limiter,
    /// True when the server ends.
    pub(crate) stop: watch::Receiver<bool>,
}

impl App {
    /// As the user wants it.
    ///
    /// # Errors
    /// Where the model that compares faces, or the database, cannot be used.
    pub(crate) fn new(
        cli: Cli,
        models: Models,
        stop: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let open = |embedding| Desk::open(embedding, cli.match_threshold, &cli.database);
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let max_sessions = cli.max_sessions.get().min(Semaphore::MAX_PERMITS);
        Ok(Self {
            models,
            desk: cli.embedding.as_deref().map(open).transpose()?,
            hosts: cli.host,
            behind_proxy: cli.behind_proxy,
            max_sessions,
            sessions: Arc::new(Semaphore::new(max_sessions)),
            session_time: cli.session_seconds,
            challenge_time: cli.challenge_seconds,
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            upload_bytes: u64::from(cli.max_upload) << 20,
            file: look::Limits {
                pixels: PIXELS,
                clip: CLIP,
                work: WORK,
            },
            turns: Arc::new(Turns::new(cores, Handle::current())),
            visitors: Visitors::new()?,
            session_limiter: Limiter::new(SESSIONS_A_MINUTE, MINUTE),
            upload_limiter: Limiter::new(UPLOADS_A_MINUTE, MINUTE),
            stop,
        })
    }

    /// Cameras that are looked at now.
    pub(crate) fn running(&self) -> usize {
        self.max_sessions - self.sessions.available_permits()
    }
}

/// Waits until the server ends.
pub(crate) async fn ended(stop: &mut watch::Receiver<bool>) {
    // Where nobody could tell any more, it has ended, too.
    let _ = stop.wait_for(|stop| *stop).await;
}
