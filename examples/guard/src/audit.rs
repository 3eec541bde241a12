// SPDX-License-Identifier: MIT OR Apache-2.0
//! The log of what was decided and done: lines of JSON that are only ever added to, each safe on the disk before anybody acts on it. `docs/guard.md` and
//! `docs/guard.schema.json` describe them.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use liveness_app::files;
use serde::Serialize;

use crate::facts::{Facts, now};

/// One line.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum Line<'a> {
    /// The guard begins.
    Start {
        version: &'a str,
        source: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        config: Option<String>,
    },
    /// The source gives pictures, gives none, cannot be read, or was read to its end.
    Source {
        at: f64,
        state: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        away: Option<f64>,
    },
    /// Something was decided.
    Decision {
        announced: bool,
        #[serde(flatten)]
        facts: &'a Facts,
    },
    /// What an action has done about it.
    Action {
        id: &'a str,
        action: &'a str,
        state: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    },
    /// So many lines could not be written, and no decision to grant was made for want of them.
    Gap { lost: u64, withheld: u64 },
    /// The guard ends.
    Stop {
        reason: &'a str,
        frames: u64,
        dropped: u64,
    },
}

#[derive(Serialize)]
struct Dated<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(flatten)]
    line: &'a Line<'a>,
}

/// Where lines go.
#[derive(Debug)]
enum Place {
    File(File, PathBuf),
    Out,
}

/// Writes them.
#[derive(Debug)]
pub(crate) struct Audit {
    place: Place,
    /// The last line has no end: the disk was full, or the power failed.
    torn: bool,
    lost: u64,
    withheld: u64,
}

impl Audit {
    /// Adds to this file; to standard output where there is none, or it is called `-`.
    ///
    /// # Errors
    /// Where it cannot be written to.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, String> {
        let (place, torn) = match path.filter(|p| p.as_os_str() != "-") {
            None => (Place::Out, false),
            Some(path) => {
                let said = |e: io::Error| {
                    format!("cannot write {}: {}", path.display(), files::reason(&e))
                };
                let mut options = OpenOptions::new();
                let file = options
                    .read(true)
                    .append(true)
                    .create(true)
                    .mode(0o600)
                    .open(path);
                let mut file = file.map_err(said)?;
                let torn = is_torn(&mut file).map_err(said)?;
                (Place::File(file, path.to_owned()), torn)
            }
        };
        Ok(Self {
            place,
            torn,
            lost: 0,
            withheld: 0,
        })
    }

    /// Writes a line, and before it how many could not be written.
    ///
    /// # Errors
    /// Why it could not be: it is lost, and counted.
    pub(crate) fn add(&mut self, line: &Line) -> Result<(), String> {
        let written = self.tell_gap().and_then(|()| self.write(line));
        written.map_err(|e| {
            self.lost += 1;
            let place = match &self.place {
                Place::File(_, path) => path.display().to_string(),
                Place::Out => "standard output".into(),
            };
            format!("cannot write {place}: {}", files::reason(&e))
        })
    }

    /// A decision to grant was not made, since it could not be written down.
    pub(crate) fn withhold(&mut self) {
        self.withheld += 1;
    }

    fn tell_gap(&mut self) -> io::Result<()> {
        if self.lost > 0 {
            self.write(&Line::Gap {
                lost: self.lost,
                withheld: self.withheld,
            })?;
            (self.lost, self.withheld) = (0, 0);
        }
        Ok(())
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        // Facts have their own.
        let time = (!matches!(line, Line::Decision { .. })).then(now);
        let mut text = Vec::new();
        if self.torn {
            text.push(b'\n');
        }
        serde_json::to_writer(&mut text, &Dated { time, line })?;
        text.push(b'\n');
        match &mut self.place {
            Place::File(file, _) => {
                // In one go, so that lines of two programs cannot mix.
                let written = file.write(&text)?;
                self.torn = written < text.len() && (written > 0 || self.torn);
                if written < text.len() {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                file.sync_data().or_else(|e| match e.kind() {
                    // A pipe or a device, which has no disk to be safe on.
                    io::ErrorKind::InvalidInput => Ok(()),
                    _ => Err(e),
                })
            }
            Place::Out => {
                let mut out = io::stdout().lock();
                out.write_all(&text)?;
                out.flush()
            }
        }
    }
}

/// Whether the last line has no end.
fn is_torn(file: &mut File) -> io::Result<bool> {
    if !file.metadata()?.is_file() || file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::facts::example;
    use crate::policy::Kind;

    fn source(reason: &str) -> Line<'_> {
        Line::Source {
            at: 0.0,
            state: "lost",
            reason: Some(reason),
            away: None,
        }
    }

    #[test]
    fn lines_are_added_and_a_torn_one_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        for _ in 0..2 {
            Audit::open(Some(&path)).unwrap().add(&source("a")).unwrap();
        }
        let whole = fs::read_to_string(&path).unwrap();
        assert_eq!(whole.lines().count(), 2);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        // The power failed.
        fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        Audit::open(Some(&path)).unwrap().add(&source("b")).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let parsed = text
            .lines()
            .map(|l| serde_json::from_str::<serde_json::Value>(l).is_ok());
        assert_eq!(parsed.collect::<Vec<_>>(), [true, false, true]);
    }

    #[test]
    fn a_decision_has_its_own_time_and_no_picture() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let facts = example("1-1", Kind::Intruder);
        let line = Line::Decision {
            announced: true,
            facts: &facts,
        };
        Audit::open(Some(&path)).unwrap().add(&line).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["time"], facts.time);
        assert_eq!(
            (&value["event"], &value["decision"]),
            (&"decision".into(), &"intruder".into())
        );
        assert!(!text.contains("snapshot"), "{text}");
    }

    #[test]
    fn what_cannot_be_written_is_an_error_and_counted() {
        let full = Path::new("/dev/full");
        if !full.exists() {
            return;
        }
        let mut audit = Audit::open(Some(full)).unwrap();
        let error = audit.add(&source("a")).unwrap_err();
        assert!(error.contains("/dev/full: No space left"), "{error}");
        assert!(audit.add(&source("b")).is_err());
        assert_eq!(audit.lost, 2);
        audit.withhold();
        // There is room again.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        audit.place = Audit::open(Some(&path)).unwrap().place;
        audit.add(&source("c")).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.contains(r#""event":"gap","lost":2,"withheld":1"#),
            "{text}"
        );
        assert_eq!(text.lines().count(), 2);
        assert!(Audit::open(Some(Path::new("/no/where"))).is_err());
    }
}
