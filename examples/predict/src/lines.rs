// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lines of JSON and where they go.

use std::path::PathBuf;

use anyhow::{Context, Result};
use liveness_app::files;
use liveness_app::lines::{self, round};
use serde::Serialize;

use crate::cli::Output;
use crate::judge::Answer;

/// What is said of a picture.
#[derive(Debug, Serialize)]
pub(crate) struct Line<'a> {
    image: &'a str,
    live: Option<f64>,
    label: &'static str,
    #[serde(rename = "box")]
    rect: Option<[f64; 4]>,
}

impl<'a> Line<'a> {
    pub(crate) fn new(image: &'a str, answer: &Answer) -> Self {
        let Answer { rect, verdict } = answer;
        Self {
            image,
            live: verdict.live.map(|p| round(p, 6)),
            label: verdict.label.as_str(),
            rect: rect.map(|r| [r.x, r.y, r.w, r.h].map(|v| round(v, 2))),
        }
    }
}

/// Takes lines.
pub(crate) enum Lines {
    /// Each is seen as soon as it is there.
    Standard,
    /// Kept until all are there: a file with some of them looks like one with all.
    File(PathBuf, Vec<u8>),
}

impl Lines {
    /// # Errors
    /// Where the file could not be written.
    pub(crate) fn open(output: &Output) -> Result<Self> {
        Ok(match output {
            Output::Standard => Self::Standard,
            Output::File(path) => {
                let place = files::check_place(path);
                place.with_context(|| format!("cannot write {}", path.display()))?;
                Self::File(path.clone(), Vec::new())
            }
        })
    }

    /// # Errors
    /// Where nobody reads standard output any more.
    pub(crate) fn add(&mut self, line: &Line) -> Result<()> {
        let mut text = lines::json(line)?;
        match self {
            Self::Standard => lines::print(&text),
            Self::File(_, all) => {
                all.append(&mut text);
                Ok(())
            }
        }
    }

    /// Lets the file appear.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn finish(self) -> Result<()> {
        let Self::File(path, all) = self else {
            return Ok(());
        };
        files::replace(&path, &all).with_context(|| format!("cannot write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use liveness::face::{Label, Verdict};
    use liveness::geometry::Rect;

    use super::*;

    #[test]
    fn lines_say_all_that_is_known_and_what_is_not() {
        let text = |answer: &Answer| serde_json::to_string(&Line::new("a/b.jpg", answer)).unwrap();
        let found = Answer {
            rect: Some(Rect::new(-1.23456, 0.0, 10.0 / 3.0, 100.0)),
            verdict: Verdict {
                label: Label::Spoof,
                live: Some(1.0 / 3.0),
                ..Verdict::default()
            },
        };
        let wanted =
            r#"{"image":"a/b.jpg","live":0.333333,"label":"spoof","box":[-1.23,0.0,3.33,100.0]}"#;
        assert_eq!(text(&found), wanted);
        let none = r#"{"image":"a/b.jpg","live":null,"label":"unchecked","box":null}"#;
        assert_eq!(text(&Answer::default()), none);
    }
}
