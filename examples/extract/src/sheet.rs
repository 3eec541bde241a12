// SPDX-License-Identifier: MIT OR Apache-2.0
//! The contact sheet: a picture of the pictures of a data set, to see at a glance what is in it. Knows cairo and pango, no
//! GStreamer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use image::imageops::FilterType;
use indicatif::HumanCount;
use liveness::dataset::manifest;
use liveness::dataset::record::Record;

use crate::report::count;

/// Its name in the data set, where the user chose no other place.
pub(crate) const NAME: &str = "contact-sheet.png";

/// Most thumbnails on a sheet.
const THUMBNAILS: usize = 400;

/// Most rows with a caption of their own: beyond, the sessions of a label share one.
const ROWS: usize = 40;

/// Most thumbnails side by side.
const COLUMNS: usize = 12;

/// Fewest, so that the captions have room.
const FEWEST: usize = 6;

/// Side of a thumbnail, the gap between two, and the sheet's margin, in pixels.
const CELL: f64 = 112.0;
const GAP: f64 = 6.0;
const MARGIN: f64 = 28.0;

/// Heights of the title and of a caption, with the space before and after.
const TITLE: f64 = 64.0;
const CAPTION: f64 = 40.0;
const FOOT: f64 = 14.0;

/// Most that a small picture is enlarged: beyond, there is nothing more to see.
const ENLARGED: f64 = 2.0;

/// Red, green and blue of the ground, of a thumbnail's ground, and of the writing.
const GROUND: Color = [0.098, 0.106, 0.118];
const WELL: Color = [0.149, 0.161, 0.180];
const BRIGHT: Color = [0.93, 0.94, 0.95];
const DIM: Color = [0.60, 0.63, 0.67];

/// The labels' colours, in turn; far apart for those who see no red and green, too.
const LABELS: [Color; 6] = [
    [0.34, 0.71, 0.91],
    [0.90, 0.62, 0.13],
    [0.20, 0.74, 0.58],
    [0.84, 0.45, 0.65],
    [0.94, 0.89, 0.36],
    [0.62, 0.60, 0.94],
];

type Color = [f64; 3];

/// What was drawn.
#[derive(Debug)]
pub(crate) struct Sheet {
    path: PathBuf,
    shown: usize,
    all: usize,
    unreadable: usize,
}

impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        let (shown, all) = (HumanCount(self.shown as u64), count(self.all, "picture"));
        write!(f, "  contact sheet: {path} ({shown} of {all}")?;
        if self.unreadable > 0 {
            write!(f, ", {} unreadable", self.unreadable)?;
        }
        write!(f, ")")
    }
}

/// Pictures that stand together under a caption.
#[derive(Debug, PartialEq)]
struct Row<'a> {
    label: &'a str,
    sessions: BTreeSet<&'a str>,
    /// All of them.
    count: usize,
    /// Those that are shown.
    shown: Vec<&'a Record>,
}

/// Draws the data set in `folder`, or what came from these sources of it, to a PNG file that appears as a whole.
///
/// # Errors
/// Where the manifest cannot be read, it has no pictures, or the file cannot be written.
pub(crate) fn write(
    folder: &Path,
    place: &Path,
    sources: Option<&BTreeSet<String>>,
) -> anyhow::Result<Sheet> {
    let mut records = manifest::read(folder)?;
    records.retain(|r| sources.is_none_or(|s| s.contains(&r.source)));
    let rows = rows(&records);
    if rows.is_empty() {
        bail!("there is no picture to show");
    }
    let shown: Vec<&Record> = rows.iter().flat_map(|r| r.shown.iter().copied()).collect();
    let thumbnails = thumbnails(folder, &shown);
    let unreadable = thumbnails.iter().filter(|t| t.is_none()).count();
    let surface = draw(folder, &rows, &thumbnails, records.len())?;

    // Beside its place and not in the system's own folder, so that it can be moved there.
    let mut aside = place.as_os_str().to_owned();
    aside.push(format!(".{}.part", std::process::id()));
    let aside = PathBuf::from(aside);
    let mut png = Vec::new();
    surface.write_to_png(&mut png)?;
    let written = fs::write(&aside, png)
        .and_then(|()| fs::rename(&aside, place))
        .with_context(|| format!("{} cannot be written", place.display()));
    if let Err(error) = written {
        // Where it was never made, there is nothing to take away.
        let _ = fs::remove_file(&aside);
        return Err(error);
    }
    Ok(Sheet {
        path: place.to_owned(),
        shown: shown.len() - unreadable,
        all: records.len(),
        unreadable,
    })
}

/// A row for each session of a label; for each label where there are too many.
fn rows(records: &[Record]) -> Vec<Row<'_>> {
    let mut groups: BTreeMap<(&str, &str), Vec<&Record>> = BTreeMap::new();
    for record in records {
        let key = (record.label.as_str(), record.session.as_str());
        groups.entry(key).or_default().push(record);
    }
    if groups.len() > ROWS {
        let mut labels: BTreeMap<(&str, &str), Vec<&Record>> = BTreeMap::new();
        for ((label, _), records) in groups {
            labels.entry((label, "")).or_default().extend(records);
        }
        groups = labels;
    }
    let counts: Vec<usize> = groups.values().map(Vec::len).collect();
    let most = level(&counts, THUMBNAILS);
    groups
        .into_iter()
        .map(|((label, _), records)| Row {
            label,
            sessions: records.iter().map(|r| r.session.as_str()).collect(),
            count: records.len(),
            shown: thin(&records, most),
        })
        .collect()
}

/// The largest number that, as a limit to each of these, keeps their sum within `most`. At least 1.
fn level(counts: &[usize], most: usize) -> usize {
    let fits = |limit: usize| counts.iter().map(|&n| n.min(limit)).sum::<usize>() <= most;
    let highest = counts.iter().copied().max().unwrap_or(1).max(1);
    // The sum grows with the limit: halve the range in which it passes `most`.
    let (mut low, mut high) = (1, highest + 1);
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        if fits(middle) {
            low = middle
        } else {
            high = middle
        }
    }
    low
}

/// So many of them, at even distances from the first to the last.
fn thin<'a>(records: &[&'a Record], most: usize) -> Vec<&'a Record> {
    let n = records.len();
    if n <= most {
        return records.to_vec();
    }
    let last = most.saturating_sub(1).max(1);
    (0..most)
        .filter_map(|i| records.get(i * (n - 1) / last).copied())
        .collect()
}

/// A picture that fits into a cell, in cairo's order of bytes.
struct Thumbnail {
    width: i32,
    height: i32,
    bgrx: Vec<u8>,
}

/// The pictures in small, in their order, read by all cores. `None` for those that cannot be read.
fn thumbnails(folder: &Path, records: &[&Record]) -> Vec<Option<Thumbnail>> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let part = records.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let parts = records.chunks(part);
        let readers: Vec<_> = parts
            .map(|part| {
                scope.spawn(move || {
                    part.iter()
                        .map(|r| thumbnail(folder, r))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        readers
            .into_iter()
            .flat_map(|r| r.join().unwrap_or_default())
            .collect()
    })
}

fn thumbnail(folder: &Path, record: &Record) -> Option<Thumbnail> {
    let path = folder.join(&record.file);
    let picture = image::ImageReader::open(path).ok()?;
    let picture = picture
        .with_guessed_format()
        .ok()?
        .decode()
        .ok()?
        .into_rgb8();
    let (w, h) = (f64::from(picture.width()), f64::from(picture.height()));
    let scale = (CELL / w.max(h)).min(ENLARGED);
    let side = |s: f64| (s * scale).round().clamp(1.0, CELL) as u32;
    let (width, height) = (side(w), side(h));
    let small = image::imageops::resize(&picture, width, height, FilterType::Triangle);
    // Four bytes a pixel: a row is never padded.
    let bgrx = small.pixels().flat_map(|p| {
        let [r, g, b] = p.0;
        u32::from_be_bytes([0, r, g, b]).to_ne_bytes()
    });
    Some(Thumbnail {
        width: width as i32,
        height: height as i32,
        bgrx: bgrx.collect(),
    })
}

fn draw(
    folder: &Path,
    rows: &[Row],
    thumbnails: &[Option<Thumbnail>],
    all: usize,
) -> anyhow::Result<cairo::ImageSurface> {
    let widest = rows.iter().map(|r| r.shown.len()).max().unwrap_or(0);
    let columns = widest.clamp(FEWEST, COLUMNS);
    let lines = |row: &Row| row.shown.len().div_ceil(columns) as f64;
    let height = |row: &Row| CAPTION + lines(row) * (CELL + GAP) + FOOT;
    let width = 2.0 * MARGIN + columns as f64 * (CELL + GAP) - GAP;
    let total = TITLE + MARGIN + rows.iter().map(height).sum::<f64>();
    let surface =
        cairo::ImageSurface::create(cairo::Format::Rgb24, width as i32, total.ceil() as i32)?;
    let cr = cairo::Context::new(&surface)?;
    fill(&cr, GROUND);
    cr.paint()?;
    let pen = Pen::new(&cr);

    let name = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = name
        .file_name()
        .unwrap_or(folder.as_os_str())
        .to_string_lossy();
    pen.write(&name, (MARGIN, 22.0), 20.0, BRIGHT, width / 2.0);
    pen.write_left_of(
        &summary(rows, thumbnails.len(), all),
        (width - MARGIN, 28.0),
        11.5,
        DIM,
    );

    let mut next = thumbnails.iter();
    let mut y = TITLE;
    let labels: BTreeSet<&str> = rows.iter().map(|r| r.label).collect();
    for row in rows {
        let color = labels.iter().position(|l| *l == row.label).unwrap_or(0);
        caption(&pen, row, LABELS[color % LABELS.len()], y, width)?;
        for (i, thumbnail) in next.by_ref().take(row.shown.len()).enumerate() {
            let x = MARGIN + (i % columns) as f64 * (CELL + GAP);
            let y = y + CAPTION + (i / columns) as f64 * (CELL + GAP);
            cell(&cr, thumbnail.as_ref(), x, y)?;
        }
        y += height(row);
    }
    drop(cr);
    Ok(surface)
}

/// What the sheet says about itself, above all rows.
fn summary(rows: &[Row], shown: usize, all: usize) -> String {
    let labels: BTreeSet<&str> = rows.iter().map(|r| r.label).collect();
    let sessions: BTreeSet<&str> = rows
        .iter()
        .flat_map(|r| r.sessions.iter().copied())
        .collect();
    let (labels, sessions) = (
        count(labels.len(), "label"),
        count(sessions.len(), "session"),
    );
    let pictures = count(all, "picture");
    let thinned = if shown < all {
        format!(" · {shown} shown, at even distances")
    } else {
        String::new()
    };
    format!("{pictures} · {labels} · {sessions}{thinned}")
}

/// The line above the thumbnails of a row: the label in its colour, the session, how many there are.
fn caption(pen: &Pen, row: &Row, color: Color, y: f64, width: f64) -> anyhow::Result<()> {
    let cr = pen.cr;
    fill(cr, color);
    cr.rectangle(MARGIN, y + 12.0, 4.0, 17.0);
    cr.fill()?;
    let label = if row.label.is_empty() {
        "no label"
    } else {
        row.label
    };
    let x = MARGIN + 14.0;
    let x = x + pen.write(label, (x, y + 10.0), 13.5, color, width / 4.0) + 14.0;
    let session = match row.sessions.first() {
        Some(session) if row.sessions.len() == 1 => (*session).to_owned(),
        _ => count(row.sessions.len(), "session"),
    };
    let x = x + pen.write(&session, (x, y + 10.0), 13.5, BRIGHT, width / 2.5) + 14.0;
    let mut text = count(row.count, "picture");
    if row.shown.len() < row.count {
        text += &format!(", {} shown", row.shown.len());
    }
    pen.write(&text, (x, y + 11.5), 11.5, DIM, width - MARGIN - x);
    Ok(())
}

/// A thumbnail in the middle of its cell; a cross where the picture could not be read.
fn cell(cr: &cairo::Context, thumbnail: Option<&Thumbnail>, x: f64, y: f64) -> anyhow::Result<()> {
    fill(cr, WELL);
    cr.rectangle(x, y, CELL, CELL);
    cr.fill()?;
    let Some(thumbnail) = thumbnail else {
        fill(cr, DIM);
        let (a, b) = (CELL * 0.42, CELL * 0.58);
        cr.move_to(x + a, y + a);
        cr.line_to(x + b, y + b);
        cr.move_to(x + b, y + a);
        cr.line_to(x + a, y + b);
        return Ok(cr.stroke()?);
    };
    let Thumbnail {
        width,
        height,
        bgrx,
    } = thumbnail;
    let format = cairo::Format::Rgb24;
    let picture =
        cairo::ImageSurface::create_for_data(bgrx.clone(), format, *width, *height, width * 4)?;
    let middle = |side: i32| ((CELL - f64::from(side)) / 2.0).floor();
    cr.set_source_surface(&picture, x + middle(*width), y + middle(*height))?;
    Ok(cr.paint()?)
}

fn fill(cr: &cairo::Context, [r, g, b]: Color) {
    cr.set_source_rgb(r, g, b);
}

/// Writes text.
struct Pen<'a> {
    cr: &'a cairo::Context,
    layout: pango::Layout,
}

impl<'a> Pen<'a> {
    fn new(cr: &'a cairo::Context) -> Self {
        let layout = pangocairo::functions::create_layout(cr);
        layout.set_ellipsize(pango::EllipsizeMode::Middle);
        layout.set_single_paragraph_mode(true);
        Self { cr, layout }
    }

    fn lay(&self, text: &str, size: f64) -> f64 {
        let mut font = pango::FontDescription::from_string("sans");
        font.set_absolute_size(size * f64::from(pango::SCALE));
        self.layout.set_font_description(Some(&font));
        self.layout.set_width(-1);
        // Pango's text ends at a zero byte.
        self.layout.set_text(&text.replace('\0', "\u{fffd}"));
        f64::from(self.layout.pixel_size().0)
    }

    /// Writes from this corner on, and gives the width.
    fn write(&self, text: &str, (x, y): (f64, f64), size: f64, color: Color, most: f64) -> f64 {
        let width = self.lay(text, size);
        if width > most {
            self.layout
                .set_width((most.max(0.0) * f64::from(pango::SCALE)) as i32);
        }
        fill(self.cr, color);
        self.cr.move_to(x, y);
        pangocairo::functions::show_layout(self.cr, &self.layout);
        width.min(most)
    }

    /// Writes up to this corner.
    fn write_left_of(&self, text: &str, (x, y): (f64, f64), size: f64, color: Color) {
        let width = self.lay(text, size);
        self.write(text, (x - width, y), size, color, width);
    }
}

#[cfg(test)]
mod tests {
    use liveness::dataset::hash::Hash;
    use liveness::dataset::record::{Kind, VERSION};

    use super::*;

    fn record(label: &str, session: &str, number: usize) -> Record {
        Record {
            version: VERSION,
            file: format!("{label}/{number:06}.png"),
            sha256: String::new(),
            kind: Kind::Face,
            label: label.into(),
            session: session.into(),
            source: format!("{session}.mp4"),
            frame: number as u64,
            stream_time: None,
            frame_size: [640, 480],
            window: [0, 0, 64, 64],
            size: [64, 64],
            margin: Some(1.5),
            faces: Vec::new(),
            hash: Hash::default(),
            tool: String::new(),
            rendered: None,
        }
    }

    fn color(number: u8) -> [u8; 3] {
        [number * 10, 250 - number * 9, 90]
    }

    /// A data set with pictures of these sessions; each its own size and colour.
    fn data_set(sessions: &[(&str, &str, usize)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut lines = String::new();
        let mut number = 0;
        for (label, session, n) in sessions {
            fs::create_dir_all(folder.path().join(label)).unwrap();
            for _ in 0..*n {
                number += 1;
                let record = record(label, session, number);
                let side = 40 + (number as u32 * 37) % 200;
                let color = color(number as u8);
                let picture = image::RgbImage::from_pixel(side, side * 3 / 4, image::Rgb(color));
                picture.save(folder.path().join(&record.file)).unwrap();
                lines += &serde_json::to_string(&record).unwrap();
                lines.push('\n');
            }
        }
        fs::write(folder.path().join(manifest::NAME), lines).unwrap();
        folder
    }

    #[test]
    fn a_row_for_each_session_and_no_more_thumbnails_than_fit() {
        let mut records = Vec::new();
        for (session, n) in [("a", 900), ("b", 5), ("c", 900)] {
            records.extend((0..n).map(|i| record("real", session, i)));
        }
        let rows = rows(&records);
        let shown: Vec<usize> = rows.iter().map(|r| r.shown.len()).collect();
        assert_eq!(shown, [197, 5, 197]);
        let first = &rows[0].shown;
        assert_eq!(
            (first[0].frame, first[196].frame),
            (0, 899),
            "both ends are there"
        );
        let steps = first.windows(2).map(|w| w[1].frame - w[0].frame);
        assert!(
            steps.clone().all(|s| s == 4 || s == 5),
            "{:?}",
            steps.collect::<Vec<_>>()
        );
    }

    #[test]
    fn many_sessions_share_the_row_of_their_label() {
        let of = |label| (0..30).map(move |i| record(label, &format!("{label} {i}"), i));
        let records: Vec<_> = of("real").chain(of("print")).collect();
        let rows = rows(&records);
        let labels: Vec<_> = rows
            .iter()
            .map(|r| (r.label, r.sessions.len(), r.count))
            .collect();
        assert_eq!(labels, [("print", 30, 30), ("real", 30, 30)]);
    }

    #[test]
    fn a_limit_keeps_the_sum_within_bounds() {
        assert_eq!(level(&[10, 10], 20), 10);
        assert_eq!(level(&[10, 10], 19), 9);
        assert_eq!(level(&[1000], 400), 400);
        assert_eq!(level(&[1; 500], 400), 1);
        assert_eq!(level(&[], 400), 1);
    }

    #[test]
    fn the_sheet_shows_each_picture_in_its_cell() {
        let folder = data_set(&[("real", "kitchen", 14), ("print", "hall", 3)]);
        let place = folder.path().join("sheet.png");
        // One that cannot be read is left empty.
        fs::write(folder.path().join("print/000016.png"), "broken").unwrap();
        let sheet = write(folder.path(), &place, None).unwrap();
        assert!(
            sheet
                .to_string()
                .ends_with("(16 of 17 pictures, 1 unreadable)"),
            "{sheet}"
        );
        let picture = image::open(&place).unwrap().into_rgb8();
        let width = 2.0 * MARGIN + 12.0 * (CELL + GAP) - GAP;
        assert_eq!(picture.width(), width as u32);
        let at = |column: f64, y: f64| {
            let x = MARGIN + column * (CELL + GAP) + CELL / 2.0;
            picture
                .get_pixel(x as u32, (y + CAPTION + CELL / 2.0) as u32)
                .0
        };
        // "print" comes first, in the order of the labels: numbers 15 to 17.
        let well = WELL.map(|c| (c * 255.0).round() as u8);
        let row = TITLE + CAPTION + CELL + GAP + FOOT;
        assert_eq!(at(0.0, TITLE), color(15));
        assert_ne!(at(1.0, TITLE), well, "the cross");
        assert_eq!(at(0.0, row), color(1));
        assert_eq!(at(4.0, row), color(5));
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 4, "nothing is left beside it");
    }

    #[test]
    fn only_this_runs_sources_and_an_empty_sheet_is_an_error() {
        let folder = data_set(&[("real", "a", 2), ("real", "b", 1)]);
        let place = folder.path().join("sheet.png");
        let only = |source: &str| {
            let sources = [source.to_owned()].into();
            write(folder.path(), &place, Some(&sources))
        };
        assert!(
            only("b.mp4")
                .unwrap()
                .to_string()
                .ends_with("(1 of 1 picture)")
        );
        let error = only("c.mp4").unwrap_err().to_string();
        assert!(error.contains("no picture to show"), "{error}");
        let gone = write(folder.path(), Path::new("/nowhere/sheet.png"), None).unwrap_err();
        assert!(gone.to_string().contains("/nowhere/sheet.png"), "{gone}");
    }
}
