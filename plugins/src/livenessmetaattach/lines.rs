// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which line of the file belongs to a frame.

use std::path::{Path, PathBuf};

use liveness::Result;
use liveness::json::{Frame, Lines};

use super::Match;

/// The file, read as far as the frames have come.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    lines: Lines,
    /// Read, and not yet anybody's.
    next: Option<(u64, Frame)>,
    /// The time of the line that was read last.
    last: u64,
    /// Lines that belonged to no frame.
    pub(super) left_out: u64,
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            lines: Lines::open(path)?,
            next: None,
            last: 0,
            left_out: 0,
        })
    }

    /// From the first line on again.
    pub(super) fn rewind(&mut self) -> Result<()> {
        let left_out = self.left_out;
        *self = Self::open(&self.path)?;
        self.left_out = left_out;
        Ok(())
    }

    /// What is wrong with the line that was read last.
    pub(super) fn error(&self, reason: impl std::fmt::Display) -> liveness::Error {
        self.lines.error(reason)
    }

    /// The line of the frame at `time`; `near` is how far its timestamp may be from that.
    pub(super) fn of(&mut self, how: Match, time: Option<u64>, near: u64) -> Result<Option<Frame>> {
        match (how, time) {
            (Match::Order, _) => self.lines.next_frame(),
            (Match::Timestamp, Some(time)) => self.at(time, near),
            // A frame without a time has no line.
            (Match::Timestamp, None) => Ok(None),
        }
    }

    fn at(&mut self, time: u64, near: u64) -> Result<Option<Frame>> {
        while let Some((when, frame)) = self.take()? {
            if when > time.saturating_add(near) {
                self.next = Some((when, frame));
                return Ok(None);
            }
            if when.saturating_add(near) < time {
                self.left_out += 1;
                continue;
            }
            // Of two that are near, the nearer one.
            let Some((then, other)) = self.take()? else {
                return Ok(Some(frame));
            };
            if then.abs_diff(time) < when.abs_diff(time) {
                self.left_out += 1;
                self.next = Some((then, other));
                continue;
            }
            self.next = Some((then, other));
            return Ok(Some(frame));
        }
        Ok(None)
    }

    fn take(&mut self) -> Result<Option<(u64, Frame)>> {
        if let Some(next) = self.next.take() {
            return Ok(Some(next));
        }
        let Some(frame) = self.lines.next_frame()? else {
            return Ok(None);
        };
        let Some(when) = frame.timestamp else {
            return Err(self.error(
                "has no timestamp: write one, or set match=order where each frame has its line",
            ));
        };
        if when < self.last {
            return Err(self.error(format_args!(
                "goes back in time, from {} to {when}: sort the lines, or set match=order where each frame has its line",
                self.last
            )));
        }
        self.last = when;
        Ok(Some((when, frame)))
    }
}
