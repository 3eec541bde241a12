// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rows of text with their columns one below the other.

/// One line a row, each indented by two spaces. The first `words` columns stand to the left, the numbers behind them to the right.
pub(crate) fn columns(rows: &[Vec<String>], words: usize) -> String {
    let width = |c: usize| {
        let cells = rows.iter().filter_map(|row| row.get(c));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(c, cell)| {
            let width = width(c);
            if c < words {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            }
        });
        format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// `3 × this; 1 × that`, in alphabetical order.
pub(crate) fn counted<'a>(reasons: impl IntoIterator<Item = &'a str>) -> String {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for reason in reasons {
        *counts.entry(reason).or_default() += 1;
    }
    let parts: Vec<String> = counts.iter().map(|(r, n)| format!("{n} × {r}")).collect();
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_left_and_numbers_right() {
        let rows = [["class", "n"], ["live", "100"]].map(|r| r.map(str::to_owned).to_vec());
        assert_eq!(columns(&rows, 1), "  class    n\n  live   100\n");
        assert_eq!(counted(["b", "a", "b"]), "1 × a; 2 × b");
    }
}
