// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is said of the pictures: rows of a table or lines of JSON on standard output, the rest on standard error.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use liveness::face::{Face, Label};
use liveness_app::files;
use liveness_app::lines::{self, round};
use liveness_app::terminal;
use serde::Serialize;

/// A picture that was judged.
#[derive(Debug, Serialize)]
struct Line<'a> {
    path: String,
    width: usize,
    height: usize,
    faces: Vec<Subject<'a>>,
    annotated: Option<String>,
}

/// A face of it.
#[derive(Debug, Serialize)]
struct Subject<'a> {
    #[serde(rename = "box")]
    rect: [f64; 4],
    score: f64,
    landmarks: Option<[[f64; 2]; 5]>,
    label: &'a str,
    live: Option<f64>,
    reason: Option<&'a str>,
}

/// A file that was not.
#[derive(Debug, Serialize)]
struct Refusal<'a> {
    path: String,
    error: &'a str,
}

impl From<&Face> for Subject<'_> {
    fn from(face: &Face) -> Self {
        let (r, verdict) = (&face.rect, &face.verdict);
        let place = |v: f32| round(v, 2);
        Self {
            rect: [r.x, r.y, r.w, r.h].map(place),
            score: round(face.score, 4),
            landmarks: face.landmarks.map(|all| all.map(|p| [p.x, p.y].map(place))),
            label: verdict.label.as_str(),
            live: verdict.live.map(|p| round(p, 6)),
            reason: verdict.reason.map(|r| r.as_str()),
        }
    }
}

/// A row of the table.
fn row(cells: [&str; 4], picture: &str) -> String {
    let [label, live, score, face] = cells;
    format!("{label:<9}  {live:<11}  {score:<5}  {face:<22}  {picture}\n")
}

/// The rows of a picture: one for each face.
fn rows(picture: &str, faces: &[Face]) -> String {
    if faces.is_empty() {
        return row(["no face", "-", "-", "-"], picture);
    }
    let one = |face: &Face| {
        let (r, verdict) = (&face.rect, &face.verdict);
        let live = match (verdict.live, verdict.reason) {
            (_, Some(reason)) => reason.to_string(),
            (Some(live), None) => format!("{live:.3}"),
            (None, None) => "-".into(),
        };
        let score = format!("{:.2}", face.score);
        let place = format!("{:.0}x{:.0} at {:.0},{:.0}", r.w, r.h, r.x, r.y);
        row([verdict.label.as_str(), &live, &score, &place], picture)
    };
    faces.iter().map(one).collect()
}

/// Tells what was found, and counts it.
#[derive(Debug)]
pub(crate) struct Report {
    json: bool,
    start: Instant,
    pictures: usize,
    /// How many faces have each label, by its number.
    faces: [usize; Label::ALL.len()],
    /// Files that were not read, or of which there is no copy.
    failed: usize,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            start: Instant::now(),
            pictures: 0,
            faces: Default::default(),
            failed: 0,
        }
    }

    /// Tells of a picture of this width and height, and where its copy lies.
    ///
    /// # Errors
    /// Where nobody reads standard output any more.
    pub(crate) fn judged(
        &mut self,
        path: &Path,
        (width, height): (usize, usize),
        faces: &[Face],
        copy: Option<&Path>,
    ) -> Result<()> {
        let first = self.pictures == 0;
        self.pictures += 1;
        for face in faces {
            self.faces[face.verdict.label.id() as usize] += 1;
        }
        if self.json {
            let line = Line {
                path: files::address(path),
                width,
                height,
                faces: faces.iter().map(Subject::from).collect(),
                annotated: copy.map(files::address),
            };
            return lines::print(&lines::json(&line)?);
        }
        let head = first.then(|| row(["label", "live", "score", "face"], "picture"));
        let rows = rows(&terminal::path(path), faces);
        lines::print((head.unwrap_or_default() + &rows).as_bytes())
    }

    /// Tells of a file that cannot be read.
    ///
    /// # Errors
    /// Where nobody reads standard output any more.
    pub(crate) fn refused(&mut self, path: &Path, reason: &str) -> Result<()> {
        self.fails(path, reason);
        if !self.json {
            return Ok(());
        }
        let refusal = Refusal {
            path: files::address(path),
            error: reason,
        };
        lines::print(&lines::json(&refusal)?)
    }

    /// Tells of a picture of which there is no copy.
    pub(crate) fn not_copied(&mut self, path: &Path, reason: &str) {
        self.fails(path, &format!("no annotated copy: {reason}"));
    }

    fn fails(&mut self, path: &Path, reason: &str) {
        self.failed += 1;
        let path = terminal::path(path);
        eprintln!("liveness-picture: {path}: {}", terminal::plain(reason));
    }

    /// Tells what it all came to; how many files failed.
    pub(crate) fn finish(self) -> usize {
        eprintln!("liveness-picture: {}", self.summary(self.start.elapsed()));
        self.failed
    }

    fn summary(&self, took: Duration) -> String {
        let count = |label: &Label| self.faces[label.id() as usize];
        let faces: usize = self.faces.iter().sum();
        let labels = [
            Label::Live,
            Label::Spoof,
            Label::Uncertain,
            Label::Unchecked,
        ];
        let labels = labels.map(|l| format!("{l}: {}", count(&l))).join(", ");
        let failed = match self.failed {
            0 => String::new(),
            n => format!("; failed: {n}"),
        };
        let each = took.as_secs_f64() * 1e3 / self.pictures.max(1) as f64;
        format!(
            "pictures: {}, faces: {faces} ({labels}){failed}; {each:.1} ms per picture",
            self.pictures
        )
    }
}

#[cfg(test)]
mod tests {
    use liveness::face::{Reason, Verdict};
    use liveness::geometry::{Point, Rect};

    use super::*;

    fn face(label: Label, live: Option<f32>, reason: Option<Reason>) -> Face {
        Face {
            rect: Rect::new(-1.23456, 20.0, 100.0 / 3.0, 40.0),
            score: 0.9876,
            verdict: Verdict {
                label,
                live,
                reason,
                ..Verdict::default()
            },
            ..Face::default()
        }
    }

    #[test]
    fn lines_say_all_that_is_known_and_what_is_not() {
        let mut known = face(Label::Spoof, Some(1.0 / 3.0), None);
        known.landmarks = Some([Point { x: 1.0, y: 2.5 }; 5]);
        let text = |face: &Face| serde_json::to_string(&Subject::from(face)).unwrap();
        assert_eq!(
            text(&known),
            r#"{"box":[-1.23,20.0,33.33,40.0],"score":0.9876,"landmarks":[[1.0,2.5],[1.0,2.5],[1.0,2.5],[1.0,2.5],[1.0,2.5]],"label":"spoof","live":0.333333,"reason":null}"#
        );
        let small = face(Label::Uncertain, None, Some(Reason::TooSmall));
        assert_eq!(
            text(&small),
            r#"{"box":[-1.23,20.0,33.33,40.0],"score":0.9876,"landmarks":null,"label":"uncertain","live":null,"reason":"too-small"}"#
        );
    }

    #[test]
    fn each_face_has_a_row_and_none_has_one_too() {
        let faces = [
            face(Label::Live, Some(0.9), None),
            face(Label::Uncertain, None, Some(Reason::TooSmall)),
            face(Label::Unchecked, None, None),
        ];
        assert_eq!(
            rows("a b.jpg", &faces),
            "live       0.900        0.99   33x40 at -1,20          a b.jpg\n\
             uncertain  too-small    0.99   33x40 at -1,20          a b.jpg\n\
             unchecked  -            0.99   33x40 at -1,20          a b.jpg\n"
        );
        assert_eq!(
            rows("a.jpg", &[]),
            "no face    -            -      -                       a.jpg\n"
        );
    }

    #[test]
    fn all_that_was_seen_is_counted() {
        let mut report = Report::new(true);
        report.pictures = 4;
        report.faces = [1, 2, 3, 0];
        let told = report.summary(Duration::from_millis(100));
        let wanted = "pictures: 4, faces: 6 (live: 2, spoof: 3, uncertain: 0, unchecked: 1); 25.0 ms per picture";
        assert_eq!(told, wanted);
        report.failed = 2;
        assert!(report.summary(Duration::ZERO).contains("; failed: 2;"));
    }
}
