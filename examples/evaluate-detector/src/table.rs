// SPDX-License-Identifier: MIT OR Apache-2.0
//! A table as text, in Markdown's form: it reads well here and anywhere else. And numbers in a few signs.

use liveness::metrics::Estimate;

/// Rows of cells under a head.
#[derive(Debug)]
pub(crate) struct Table(Vec<Vec<String>>);

impl Table {
    /// With these columns.
    pub(crate) fn new<T: Into<String>>(head: impl IntoIterator<Item = T>) -> Self {
        Self(vec![head.into_iter().map(Into::into).collect()])
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.0.push(cells);
    }

    /// Its lines.
    pub(crate) fn text(&self) -> String {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or(0);
        let width = |c: usize| {
            let cells = self.0.iter().filter_map(|row| row.get(c));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for (i, row) in self.0.iter().enumerate() {
            for (c, width) in widths.iter().enumerate() {
                let cell = row.get(c).map_or("", String::as_str);
                text.push_str(&format!("| {cell:width$} "));
            }
            text.push_str("|\n");
            if i == 0 {
                let lines = widths.iter().map(|w| format!("|{}", "-".repeat(w + 2)));
                text.extend(lines);
                text.push_str("|\n");
            }
        }
        text
    }
}

/// Three digits of a share: `.815`, or a dash where there is none.
pub(crate) fn share(value: Option<f64>) -> String {
    value.map_or_else(dash, |v| {
        let text = format!("{v:.3}");
        text.strip_prefix('0').map(str::to_owned).unwrap_or(text)
    })
}

/// A share with its interval: `.815 [.790, .838]`.
pub(crate) fn estimate(estimate: Option<Estimate>) -> String {
    let interval = estimate.and_then(|e| e.interval);
    let bounds = interval.map(|i| format!(" [{}, {}]", share(Some(i.low)), share(Some(i.high))));
    share(estimate.map(|e| e.value)) + &bounds.unwrap_or_default()
}

/// A difference of shares with its interval: `+.031 [+.004, +.060]`.
pub(crate) fn difference(estimate: Estimate) -> String {
    let signed = |v: f64| {
        let sign = if v < 0.0 { "-" } else { "+" };
        format!("{sign}{}", share(Some(v.abs())))
    };
    let interval = estimate.interval;
    let bounds = interval.map(|i| format!(" [{}, {}]", signed(i.low), signed(i.high)));
    signed(estimate.value) + &bounds.unwrap_or_default()
}

/// A rate per picture, as of a hundred pictures: `0.6 [0.1, 1.3]`.
pub(crate) fn of_hundred(estimate: Option<Estimate>) -> String {
    let Some(estimate) = estimate else {
        return dash();
    };
    let hundred = |v: f64| format!("{:.1}", 100.0 * v);
    let bounds = estimate.interval;
    let bounds = bounds.map(|i| format!(" [{}, {}]", hundred(i.low), hundred(i.high)));
    hundred(estimate.value) + &bounds.unwrap_or_default()
}

fn dash() -> String {
    "–".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let mut table = Table::new(["a", "bc"]);
        table.row(vec!["–x".into(), "1".into()]);
        assert_eq!(table.text(), "| a  | bc |\n|----|----|\n| –x | 1  |\n");
    }

    #[test]
    fn shares_are_short() {
        assert_eq!(share(Some(0.8154)), ".815");
        assert_eq!(share(Some(1.0)), "1.000");
        assert_eq!(share(None), "–");
        let less = Estimate {
            value: -0.0312,
            interval: None,
            n: 1,
            groups: 1,
        };
        assert_eq!(difference(less), "-.031");
    }
}
