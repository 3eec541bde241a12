// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is said at the end: how many pictures, and what became of them.

use std::path::Path;
use std::time::Duration;

use liveness::face::Label;

use crate::judge::Answer;

/// Counts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pictures: usize,
    /// Of them, those with a face, and what the face was called.
    faces: usize,
    live: usize,
    spoof: usize,
    /// Files that could not be read, or not to their ends.
    pub(crate) broken: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, answer: &Answer) {
        self.pictures += 1;
        self.faces += usize::from(answer.rect.is_some());
        self.live += usize::from(answer.verdict.label == Label::Live);
        self.spoof += usize::from(answer.verdict.label == Label::Spoof);
    }

    /// Tells the user so.
    pub(crate) fn cannot_read(&mut self, path: &Path, reason: &str) {
        self.broken += 1;
        eprintln!("liveness-predict: {}: {reason}", path.display());
    }

    /// All counts, after this time.
    pub(crate) fn text(&self, took: Duration) -> String {
        let Self {
            pictures,
            faces,
            live,
            spoof,
            broken,
        } = self;
        let none = pictures - live - spoof;
        let each = took.as_secs_f64() * 1e3 / (*pictures).max(1) as f64;
        let broken = match broken {
            0 => String::new(),
            n => format!("; files that could not be read: {n}"),
        };
        format!(
            "pictures: {pictures}, with a face: {faces}; live: {live}, spoof: {spoof}, without an answer: {none}{broken}; {each:.1} ms per picture"
        )
    }
}

#[cfg(test)]
mod tests {
    use liveness::face::Verdict;
    use liveness::geometry::Rect;

    use super::*;

    #[test]
    fn all_that_was_seen_is_counted() {
        let mut tally = Tally::default();
        let seen = |label| Answer {
            rect: Some(Rect::default()),
            verdict: Verdict {
                label,
                ..Verdict::default()
            },
        };
        for label in [Label::Live, Label::Spoof, Label::Spoof, Label::Unchecked] {
            tally.add(&seen(label));
        }
        tally.add(&Answer::default());
        let told = tally.text(Duration::from_millis(100));
        let wanted = "pictures: 5, with a face: 4; live: 1, spoof: 2, without an answer: 2; 20.0 ms per picture";
        assert_eq!(told, wanted);
        tally.cannot_read(Path::new("a.jpg"), "is empty");
        assert!(tally.text(Duration::ZERO).contains("could not be read: 1;"));
    }
}
