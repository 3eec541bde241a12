// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table at the end: what became of each input. Knows no GStreamer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use console::{Alignment, measure_text_width, pad_str, style};
use indicatif::HumanCount;
use liveness_app::files::Kind;

use crate::journal::Totals;

/// How many reasons for not saving a face are told, the commonest first.
const REASONS: usize = 3;

/// What became of one input.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) path: PathBuf,
    /// Nothing, where it could not even be looked at.
    pub(crate) kind: Option<Kind>,
    pub(crate) source: String,
    pub(crate) session: String,
    pub(crate) totals: Totals,
    pub(crate) outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was read to its end.
    Done,
    /// An earlier run has read it to its end.
    DoneBefore,
    /// The user stopped it.
    Stopped,
    /// It could not be read, and why.
    Failed(String),
}

/// One line of the table.
struct Line {
    name: String,
    session: String,
    totals: Totals,
    note: Option<String>,
}

/// A number with the noun that goes with it.
pub(crate) fn count(n: usize, noun: &str) -> String {
    let n_text = HumanCount(n as u64);
    if n == 1 {
        format!("{n_text} {noun}")
    } else {
        format!("{n_text} {noun}s")
    }
}

/// The end of a text that is too wide: paths differ at their ends.
pub(crate) fn fit(text: &str, width: usize) -> String {
    if measure_text_width(text) <= width {
        return text.to_owned();
    }
    let mut from = text.char_indices().map(|(i, _)| i);
    let end = from.find(|&i| measure_text_width(&text[i..]) < width);
    format!("…{}", &text[end.unwrap_or(text.len())..])
}

/// What one input came to, in a line.
pub(crate) fn line(row: &Row) -> String {
    let path = row.path.display();
    match &row.outcome {
        Outcome::Failed(reason) => format!("{path}: {reason}"),
        Outcome::Stopped => format!("{path}: stopped, {}", sums(&row.totals)),
        Outcome::Done | Outcome::DoneBefore => format!("{path}: {}", sums(&row.totals)),
    }
}

fn sums(totals: &Totals) -> String {
    let Totals {
        frames,
        faces,
        saved,
        already_there,
        ..
    } = totals;
    let frames = count(*frames as usize, "frame");
    let faces = count(*faces as usize, "face");
    let mut text = format!("{frames}, {faces}, {saved} saved");
    if *already_there > 0 {
        let _ = write!(text, ", {already_there} already there");
    }
    text
}

/// The folder that all of these lie in, where it is worth to be said once and not in every line.
fn common_folder(rows: &[Row]) -> &Path {
    let mut folders = rows.iter().filter_map(|r| r.path.parent());
    let mut common = folders.next().unwrap_or(Path::new(""));
    for folder in folders {
        while !folder.starts_with(common) {
            common = common.parent().unwrap_or(Path::new(""));
        }
    }
    let worth = rows.len() > 1 && common.components().count() > 1;
    if worth { common } else { Path::new("") }
}

/// The table, with a row for each video and each folder of pictures, and their sum.
/// `columns` is how wide it may be.
pub(crate) fn table(rows: &[Row], columns: usize) -> String {
    let folder = common_folder(rows);
    let lines = lines(rows, folder);
    let mut sum = Totals::default();
    lines.iter().for_each(|l| add(&mut sum, &l.totals));
    let total = Line {
        name: count(rows.len(), "input"),
        session: String::new(),
        totals: sum,
        note: None,
    };
    let there = total.totals.already_there > 0;
    let mut head = vec!["input", "session", "frames", "faces", "saved"];
    head.extend(there.then_some("already there"));
    head.push("not saved");
    // The numbers and the reasons take about half of it.
    let widest = (columns / 3).max(16);
    let cells = |line: &Line| {
        let t = &line.totals;
        let mut cells = vec![fit(&line.name, widest), fit(&line.session, widest / 2)];
        let mut numbers = vec![t.frames, t.faces, t.saved];
        numbers.extend(there.then_some(t.already_there));
        // Of what could not be read at all, there is nothing to count.
        let empty = line.note.is_some() && t.frames == 0;
        let shown = |&n: &u64| {
            if empty {
                String::new()
            } else {
                HumanCount(n).to_string()
            }
        };
        cells.extend(numbers.iter().map(shown));
        cells.push(match &line.note {
            Some(note) => note.clone(),
            None => reasons(&t.refused),
        });
        cells
    };
    let all: Vec<_> = lines.iter().chain([&total]).map(cells).collect();
    let widths: Vec<usize> = (0..head.len())
        .map(|i| {
            let column = all.iter().map(|c| measure_text_width(&c[i]));
            column.chain([head[i].len()]).max().unwrap_or(0)
        })
        .collect();
    let row = |cells: &[String]| {
        let last = cells.len() - 1;
        let padded = cells.iter().enumerate().map(|(i, cell)| {
            let side = if (2..last).contains(&i) {
                Alignment::Right
            } else {
                Alignment::Left
            };
            if i == last {
                cell.clone()
            } else {
                pad_str(cell, widths[i], side, None).into_owned()
            }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head: Vec<String> = head.into_iter().map(str::to_owned).collect();
    let mut text = String::new();
    text.push('\n');
    if folder != Path::new("") {
        let _ = writeln!(text, "  {}\n", style(folder.join("").display()).dim());
    }
    let _ = writeln!(text, "  {}", style(row(&head)).dim());
    for (line, cells) in lines.iter().zip(&all) {
        let painted = if line.note.is_some() {
            style(row(cells)).yellow()
        } else {
            style(row(cells))
        };
        let _ = writeln!(text, "  {painted}");
    }
    let wide = widths.iter().sum::<usize>() + 2 * (widths.len() - 1);
    let wide = wide.min(columns.saturating_sub(2));
    let _ = writeln!(text, "  {}", style("─".repeat(wide)).dim());
    for cells in &all[lines.len()..] {
        let _ = writeln!(text, "  {}", style(row(cells)).bold());
    }
    text
}

/// One line for each video and for each input that failed, and one for the pictures of a folder.
fn lines(rows: &[Row], above: &Path) -> Vec<Line> {
    let below = |path: &Path| path.strip_prefix(above).unwrap_or(path).to_owned();
    let mut lines: Vec<Line> = Vec::new();
    // Where the line of a folder is, how many pictures it has, and their sessions.
    let mut folders: BTreeMap<(&Path, bool), (usize, usize, BTreeSet<&str>)> = BTreeMap::new();
    for row in rows {
        let before = row.outcome == Outcome::DoneBefore;
        let note = match &row.outcome {
            Outcome::Done => None,
            Outcome::DoneBefore => Some("already done".to_owned()),
            Outcome::Stopped => Some("stopped".to_owned()),
            Outcome::Failed(reason) => Some(reason.clone()),
        };
        let is_picture = matches!(row.kind, Some(Kind::Jpeg | Kind::Picture));
        let alone = matches!(row.outcome, Outcome::Failed(_) | Outcome::Stopped);
        let folder = row.path.parent().filter(|_| is_picture && !alone);
        if let Some(folder) = folder {
            let at = folders
                .entry((folder, before))
                .or_insert_with(|| (lines.len(), 0, BTreeSet::new()));
            at.1 += 1;
            at.2.insert(&row.session);
            if at.1 > 1 {
                let line = &mut lines[at.0];
                add(&mut line.totals, &row.totals);
                let pictures = count(at.1, "picture");
                let folder = below(folder).join("");
                line.name = match folder.as_os_str().is_empty() {
                    true => pictures,
                    false => format!("{} ({pictures})", folder.display()),
                };
                if at.2.len() > 1 {
                    line.session = count(at.2.len(), "session");
                }
                continue;
            }
        }
        lines.push(Line {
            name: below(&row.path).display().to_string(),
            session: row.session.clone(),
            totals: row.totals.clone(),
            note,
        });
    }
    lines
}

fn add(sum: &mut Totals, totals: &Totals) {
    sum.frames += totals.frames;
    sum.faces += totals.faces;
    sum.saved += totals.saved;
    sum.already_there += totals.already_there;
    for (reason, n) in &totals.refused {
        *sum.refused.entry(reason.clone()).or_default() += n;
    }
}

/// The commonest reasons.
fn reasons(refused: &BTreeMap<String, u64>) -> String {
    let mut all: Vec<_> = refused.iter().filter(|(_, n)| **n > 0).collect();
    all.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    let mut told: Vec<_> = all
        .iter()
        .take(REASONS)
        .map(|(reason, n)| format!("{} {reason}", HumanCount(**n)))
        .collect();
    let rest: u64 = all.iter().skip(REASONS).map(|(_, n)| **n).sum();
    if rest > 0 {
        told.push(format!("{} other", HumanCount(rest)));
    }
    told.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(path: &str, kind: Kind, saved: u64, outcome: Outcome) -> Row {
        let refused = [
            ("blurred", 12),
            ("too-small", 3),
            ("dark", 20),
            ("cut-off", 1),
            ("duplicate", 1),
        ];
        Row {
            path: path.into(),
            kind: Some(kind),
            source: path.into(),
            session: Path::new(path)
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .into(),
            totals: Totals {
                frames: 1200,
                faces: 50,
                saved,
                already_there: 0,
                refused: refused.map(|(r, n)| (r.to_owned(), n)).into(),
            },
            outcome,
        }
    }

    #[test]
    fn each_video_has_a_row_and_pictures_share_that_of_their_folder() {
        let failed = || Outcome::Failed("it is empty".into());
        let rows = [
            row("films/a.mp4", Kind::Video, 7, Outcome::Done),
            row("photos/b.jpg", Kind::Jpeg, 1, Outcome::Done),
            row("films/bad.mp4", Kind::Video, 0, failed()),
            row("photos/c.png", Kind::Picture, 1, Outcome::Done),
            row("photos/d.png", Kind::Picture, 0, failed()),
            row("films/old.mp4", Kind::Video, 5, Outcome::DoneBefore),
        ];
        let table = console::strip_ansi_codes(&table(&rows, 100)).into_owned();
        let lines: Vec<Vec<&str>> = table
            .lines()
            .map(|l| l.split_whitespace().collect())
            .collect();
        let find = |start: &str| {
            lines
                .iter()
                .find(|l| l.first() == Some(&start))
                .unwrap()
                .join(" ")
        };
        assert_eq!(
            find("films/a.mp4"),
            "films/a.mp4 a 1,200 50 7 20 dark · 12 blurred · 3 too-small · 2 other"
        );
        assert!(find("photos/").starts_with("photos/ (2 pictures) 2 sessions 2,400 100 2 40 dark"));
        assert!(find("films/bad.mp4").ends_with("it is empty"));
        assert!(find("photos/d.png").ends_with("it is empty"));
        assert!(find("films/old.mp4").ends_with("already done"));
        assert!(find("6").starts_with("6 inputs 7,200 300 14"));
    }

    #[test]
    fn the_folder_of_all_is_said_once() {
        let video = |path: &'static str| row(path, Kind::Video, 1, Outcome::Done);
        let folder = |paths: &[&'static str]| {
            let rows: Vec<Row> = paths.iter().copied().map(video).collect();
            common_folder(&rows).display().to_string()
        };
        assert_eq!(folder(&["/a/b/c/1.mp4", "/a/b/d/2.mp4"]), "/a/b");
        assert_eq!(folder(&["/a/b/1.mp4"]), "", "it is no shorter");
        assert_eq!(folder(&["/a/1.mp4", "/b/2.mp4"]), "");
        assert_eq!(folder(&["a/b/1.mp4", "a/b/2.mp4"]), "a/b");
        assert_eq!(folder(&["1.mp4", "/a/b/2.mp4"]), "");
        let table = table(&[video("/a/b/c/1.mp4"), video("/a/b/d/2.mp4")], 100);
        let table = console::strip_ansi_codes(&table);
        assert!(
            table.starts_with("\n  /a/b/\n\n") && table.contains("\n  c/1.mp4"),
            "{table}"
        );
    }

    #[test]
    fn a_name_that_is_too_wide_keeps_its_end() {
        assert_eq!(fit("short.mp4", 9), "short.mp4");
        assert_eq!(fit("folder/name.mp4", 9), "…name.mp4");
        assert_eq!(measure_text_width(&fit("日本語日本語.mp4", 9)), 9);
        assert_eq!(fit("abc", 0), "…");
    }
}
