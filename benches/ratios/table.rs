// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table that comes out: a figure a row, and beside it the one that is wanted.

use super::turns::Spread;

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    /// Nobody has said; it is there to be compared with.
    Any,
    AtLeast(f64),
    AtMost(f64),
}

impl Wanted {
    fn text(self) -> String {
        match self {
            Self::Any => String::new(),
            Self::AtLeast(v) => format!("≥ {v}"),
            Self::AtMost(v) => format!("≤ {v}"),
        }
    }

    fn verdict(self, figure: f64) -> &'static str {
        let reached = match self {
            Self::Any => return "",
            Self::AtLeast(v) => figure >= v,
            Self::AtMost(v) => figure <= v,
        };
        if reached { "yes" } else { "**no**" }
    }
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    what: String,
    figure: f64,
    spread: Option<(f64, f64)>,
    unit: &'static str,
    wanted: Wanted,
    note: String,
}

impl Row {
    /// A ratio.
    pub(crate) fn ratio(what: impl Into<String>, ratio: Spread, wanted: Wanted) -> Self {
        Self {
            what: what.into(),
            figure: ratio.middle,
            spread: Some((ratio.low, ratio.high)),
            unit: "",
            wanted,
            note: String::new(),
        }
    }

    /// Something counted.
    pub(crate) fn count(
        what: impl Into<String>,
        figure: f64,
        unit: &'static str,
        wanted: Wanted,
    ) -> Self {
        Self {
            what: what.into(),
            figure,
            spread: None,
            unit,
            wanted,
            note: String::new(),
        }
    }

    /// What else there is to say.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn line(&self) -> String {
        let spread = self.spread.map_or_else(String::new, |(low, high)| {
            format!("{} to {}", number(low), number(high))
        });
        format!(
            "| {} | {}{} | {spread} | {} | {} | {} |",
            self.what,
            number(self.figure),
            self.unit,
            self.wanted.text(),
            self.wanted.verdict(self.figure),
            self.note
        )
    }
}

/// As many places as say something.
fn number(v: f64) -> String {
    match v.abs() {
        100.0.. => format!("{v:.0}"),
        10.0.. => format!("{v:.1}"),
        _ => format!("{v:.2}"),
    }
}

/// Prints the head of the table.
pub(crate) fn head() {
    println!("| what | figure | eight of ten rounds | wanted | reached | |");
    println!("|---|---|---|---|---|---|");
}

/// Prints a row as soon as it is known.
pub(crate) fn print(row: &Row) {
    println!("{}", row.line());
}

/// Prints why there is none.
pub(crate) fn skipped(what: &str, why: &str) {
    println!("| {what} | – | | | | skipped: {why} |");
}
