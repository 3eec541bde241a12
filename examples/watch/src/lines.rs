// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines of JSON on standard output. Whoever reads them slowly, or not at all, must not hold up the picture.

use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, bail};
use liveness_app::lines::json;
use serde::Serialize;

/// Lines that wait to be read, at the most: hours of a busy door.
const WAITING: usize = 10_000;

/// How long the reader may take for the last of them.
const GRACE: Duration = Duration::from_secs(2);

/// Takes lines.
#[derive(Default)]
pub(crate) struct Lines {
    writer: Option<Writer>,
}

/// The thread that waits in our place.
struct Writer {
    lines: SyncSender<Vec<u8>>,
    thread: JoinHandle<std::io::Result<()>>,
    ended: Receiver<()>,
}

impl Lines {
    /// # Errors
    /// Where nobody reads standard output any more.
    pub(crate) fn add(&mut self, line: &impl Serialize) -> anyhow::Result<()> {
        let text = json(line)?;
        let writer = self.writer.get_or_insert_with(Writer::start);
        match writer.lines.try_send(text) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => {
                bail!("nobody reads standard output: {WAITING} lines wait")
            }
            Err(TrySendError::Disconnected(_)) => self.why(),
        }
    }

    /// Waits until all are written.
    ///
    /// # Errors
    /// Where nobody reads them.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        let Some(Writer {
            lines,
            thread,
            ended,
        }) = self.writer.take()
        else {
            return Ok(());
        };
        drop(lines);
        if ended.recv_timeout(GRACE) == Err(RecvTimeoutError::Timeout) {
            bail!("nobody reads standard output: the last lines are lost");
        }
        became(thread)
    }

    /// Why the writer takes no more.
    fn why(&mut self) -> anyhow::Result<()> {
        self.writer.take().map_or(Ok(()), |w| became(w.thread))?;
        bail!("standard output takes no more lines")
    }
}

/// How a writer has ended.
fn became(writer: JoinHandle<std::io::Result<()>>) -> anyhow::Result<()> {
    writer.join().unwrap_or(Ok(())).context("standard output")
}

impl Writer {
    fn start() -> Self {
        let (lines, wait) = sync_channel::<Vec<u8>>(WAITING);
        let (end, ended) = sync_channel::<()>(1);
        let thread = std::thread::spawn(move || {
            // Held until this is over, whichever way.
            let _end = end;
            wait.iter().try_for_each(|line| {
                let mut out = std::io::stdout().lock();
                out.write_all(&line).and_then(|()| out.flush())
            })
        });
        Self {
            lines,
            thread,
            ended,
        }
    }
}
