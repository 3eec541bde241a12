// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report as Markdown, with its pictures beside it.

use std::fmt::Write;

use super::document::{Block, Table};

pub(super) fn write(title: &str, blocks: &[Block], mistakes: &str) -> String {
    let mut text = format!("# {}\n", plain(title));
    for block in blocks {
        let _ = match block {
            Block::Section(name) => writeln!(text, "\n## {}", plain(name)),
            Block::Text(words) => writeln!(text, "\n{}", plain(words)),
            Block::Warning(words) => writeln!(text, "\n> **Mind:** {}", plain(words)),
            Block::Command(line) => {
                writeln!(text, "\n```sh\n{}\n```", line.replace("```", "` ` `"))
            }
            Block::Cards(cards) => {
                let mut table = Table::new(&["", "", ""], 1);
                table.rows.extend(cards.iter().map(|c| c.to_vec()));
                writeln!(text, "\n{}", rows(&table))
            }
            Block::Table(table) => writeln!(text, "\n{}", rows(table)),
            Block::Figures(figures) => figures
                .iter()
                .try_for_each(|f| writeln!(text, "\n![{}](plots/{}.png)", plain(&f.alt), f.name)),
            Block::Mistakes => writeln!(text, "\n![{}](mistakes.png)", plain(mistakes)),
        };
    }
    text
}

fn rows(table: &Table) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|c| plain(c)).collect();
        format!("| {} |", cells.join(" | "))
    };
    let rule = (0..table.head.len()).map(|i| if i < table.words { ":--" } else { "--:" });
    let rule: Vec<&str> = rule.collect();
    let mut lines = vec![line(&table.head), format!("|{}|", rule.join("|"))];
    lines.extend(table.rows.iter().map(|r| line(r)));
    lines.join("\n")
}

/// Words of the user's, which must not be taken for marks.
fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' => {
                safe.push('\\');
                safe.push(letter);
            }
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
