// SPDX-License-Identifier: MIT OR Apache-2.0
//! The figures as a table for a terminal.

use super::document::{Table, about_split, errors, side_by_side};
use super::input::Split;
use super::measured::Measured;
use super::words;

/// What is wrong with the split, for each set of the first model a table, then all models side by side.
pub(super) fn write(measured: &[Measured], split: &Split) -> String {
    let mut text = String::new();
    for warning in about_split(split) {
        text += &format!("warning: {warning}\n");
    }
    if let Some(first) = measured.first() {
        for set in &first.sets {
            let name = &first.model.name;
            let threshold = words::threshold(set.summary.threshold);
            text += &format!(
                "{name} on {}: {}, accepted from {threshold}\n",
                set.set.name,
                set.what()
            );
            text += &columns(&errors(set));
            for caution in set.cautions().into_iter().chain(set.silence()) {
                text += &format!("  ! {caution}\n");
            }
            text.push('\n');
        }
    }
    if measured.len() > 1 {
        text += "Models side by side\n";
        text += &columns(&side_by_side(measured));
    }
    text
}

/// Columns one below the other: words to the left, figures to the right.
fn columns(table: &Table) -> String {
    let lines = || std::iter::once(&table.head).chain(&table.rows);
    let width = |column: usize| {
        let cells = lines().filter_map(|l| l.get(column));
        cells.map(|c| c.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table.head.len()).map(width).collect();
    let mut text = String::new();
    for line in lines() {
        let cells = line
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(i, (cell, width))| {
                if i < table.words {
                    format!("{cell:<width$}")
                } else {
                    format!("{cell:>width$}")
                }
            });
        let cells: Vec<String> = cells.collect();
        text += &format!("  {}\n", cells.join("  ").trim_end());
    }
    text
}
