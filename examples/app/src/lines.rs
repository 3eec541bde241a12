// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers as lines of JSON, and lines on standard output.

use std::io::Write;

use anyhow::{Context, Result};
use serde::Serialize;

/// A number with so many digits after the point.
pub fn round(value: impl Into<f64>, digits: i32) -> f64 {
    let by = 10f64.powi(digits);
    (value.into() * by).round() / by
}

/// A line with its end.
///
/// # Errors
/// Where the answer cannot be written as JSON.
pub fn json(answer: &impl Serialize) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    Ok(line)
}

/// Writes whole lines to standard output.
///
/// # Errors
/// Where nobody reads it any more.
pub fn print(lines: &[u8]) -> Result<()> {
    let mut out = std::io::stdout();
    let written = out.write_all(lines).and_then(|()| out.flush());
    written.context("standard output")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            (round(-1.23456_f32, 2), round(1.0_f64 / 3.0, 6)),
            (-1.23, 0.333333)
        );
        let line = json(&[Some(round(0.1, 6)), None]).unwrap();
        assert_eq!(line, b"[0.1,null]\n");
    }
}
