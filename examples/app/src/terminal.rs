// SPDX-License-Identifier: MIT OR Apache-2.0
//! Words of others on a terminal: names of files, facts out of models.

use std::path::Path;

/// Text without what would steer a terminal or break a line.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() {
            true => plain.extend(c.escape_default()),
            false => plain.push(c),
        }
    }
    plain
}

/// A path for people to read.
pub fn path(path: &Path) -> String {
    plain(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown_and_not_done() {
        assert_eq!(plain("Größe 1.jpg"), "Größe 1.jpg");
        assert_eq!(plain("a\nb\x1b[2J\u{9b}"), "a\\nb\\u{1b}[2J\\u{9b}");
    }
}
