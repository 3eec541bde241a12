// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames out of a file of lines, one by one, so that a file of any length takes the memory of one line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::{Frame, read};
use crate::error::{Error, Result};

/// Longest line that is read, in bytes. A frame with 200 faces takes a tenth of it.
pub const LONGEST: u64 = 1 << 20;

/// A file of lines.
#[derive(Debug)]
pub struct Lines<R = BufReader<File>> {
    path: PathBuf,
    input: R,
    number: usize,
    line: Vec<u8>,
}

impl Lines {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::DataSet`] where it cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| Error::data_set_io(path, "read", &e))?;
        Ok(Self::new(path, BufReader::new(file)))
    }
}

impl<R: BufRead> Lines<R> {
    /// Lines of `input`, which errors call `path`.
    pub fn new(path: &Path, input: R) -> Self {
        Self {
            path: path.to_owned(),
            input,
            number: 0,
            line: Vec::new(),
        }
    }

    /// Number of the line that was read last, from 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// What is wrong with the line that was read last.
    pub fn error(&self, reason: impl std::fmt::Display) -> Error {
        Error::data_set(&self.path, format!("line {} {reason}", self.number))
    }

    /// The next frame; `None` at the end. Empty lines are passed over.
    ///
    /// # Errors
    /// [`Error::DataSet`] where the file cannot be read, or a line is too long or no frame.
    pub fn next_frame(&mut self) -> Result<Option<Frame>> {
        loop {
            self.line.clear();
            let mut input = self.input.by_ref().take(LONGEST + 1);
            let got = input
                .read_until(b'\n', &mut self.line)
                .map_err(|e| Error::data_set_io(&self.path, "read", &e))?;
            if got == 0 {
                return Ok(None);
            }
            self.number += 1;
            if got as u64 > LONGEST {
                return Err(self.error(format_args!(
                    "is longer than {LONGEST} bytes: no frame has so many faces"
                )));
            }
            // Without its end: a line that was cut off ends there, and not in a strange character.
            let line = self.line.trim_ascii();
            if !line.is_empty() {
                let frame = read(line).map_err(|reason| self.error(reason))?;
                return Ok(Some(frame));
            }
        }
    }
}
