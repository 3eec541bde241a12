// SPDX-License-Identifier: MIT OR Apache-2.0
//! The worst mistakes of a model as one sheet of pictures: what to look at before believing any figure.

use std::path::Path;

use anyhow::Result;
use image::imageops::FilterType;
use image::{DynamicImage, Rgb, RgbImage};
use liveness::metrics::Answer;

use super::measured::{Measured, MeasuredSet};
use super::plot::font::fitted;
use super::plot::paint::{DENSITY, picture};
use super::plot::scene::{Anchor, Colour, Place, Scene, Style};
use super::words;

/// Pictures in a row, and rows for each kind of mistake.
const COLUMNS: usize = 6;
const ROWS: usize = 2;

/// The sizes on the sheet, in points.
const EDGE: f64 = 24.0;
const TILE: f64 = 156.0;
const STEP: f64 = TILE + 11.2;
const CAPTION: f64 = 70.0;
const HEAD: f64 = 44.0;

/// Reads a picture. Films' frames and crops can be shown by those who know how to get them.
pub type Load<'a> = &'a dyn Fn(&Path) -> Result<RgbImage>;

/// A wrong decision.
#[derive(Clone, Copy, Debug)]
struct Mistake<'a> {
    answer: &'a Answer,
    path: &'a Path,
    set: &'a str,
    /// How far the answer is from the threshold, of how far it could be: 0..1.
    how_wrong: f64,
}

/// The sheet, with words for those who do not see it. None where there is no mistake, or no mistake has a picture.
pub(super) fn sheet(measured: &Measured, load: Load) -> Result<Option<(RgbImage, String)>> {
    let accepted = worst(measured, false);
    let refused = worst(measured, true);
    let sections = [
        ("Attacks taken for live", Colour::Spoof, accepted),
        ("Live faces refused", Colour::Live, refused),
    ];
    if sections.iter().all(|s| s.2.is_empty()) {
        return Ok(None);
    }
    let mut scene = Scene::new(2.0 * EDGE + COLUMNS as f64 * STEP - (STEP - TILE), 0.0);
    let threshold = words::threshold(measured.model.threshold.value);
    let about = format!(
        "{}: probability of live, accepted from {threshold}; below it the truth, the set and the file",
        measured.model.name
    );
    let mut y = scene.title("Worst mistakes", &about);
    let mut pictures: Vec<(Place, RgbImage)> = Vec::new();
    let mut told = Vec::new();
    for (title, colour, mistakes) in &sections {
        let shown = mistakes.len().min(COLUMNS * ROWS);
        let headline = match mistakes.len() {
            0 => format!("{title}: none"),
            n if n == shown => format!("{title}: all {n}"),
            n => format!("{title}: the {shown} worst of {}", words::whole(n as u64)),
        };
        let style = Style::new(15.0, true, *colour);
        scene.words((EDGE, y + HEAD / 2.0), &headline, style, Anchor::Start);
        told.push(headline);
        y += HEAD;
        for (i, mistake) in mistakes.iter().take(shown).enumerate() {
            let column = (i % COLUMNS) as f64;
            let place = (
                EDGE + column * STEP,
                y + (i / COLUMNS) as f64 * (TILE + CAPTION),
            );
            scene.rect(place, (place.0 + TILE, place.1 + TILE), Colour::Shade, 1.0);
            match load(mistake.path) {
                Ok(picture) => pictures.push((place, picture)),
                Err(_) => placeholder(&mut scene, place, mistake),
            }
            caption(&mut scene, (place.0, place.1 + TILE), mistake);
        }
        y += shown.div_ceil(COLUMNS) as f64 * (TILE + CAPTION);
    }
    scene.height = (y + EDGE / 2.0).ceil();
    let mut sheet = picture(&scene)?;
    for (place, picture) in pictures {
        overlay(&mut sheet, picture, place);
    }
    Ok(Some((sheet, format!("{}.", told.join(". ")))))
}

/// Wrong decisions about one class, the worst first.
fn worst<'a>(measured: &Measured<'a>, bona_fide: bool) -> Vec<Mistake<'a>> {
    let threshold = measured.model.threshold.value;
    let of_set = |set: &MeasuredSet<'a>| {
        let set = set.set;
        set.answers
            .iter()
            .zip(&set.paths)
            .map(|(answer, path)| Mistake {
                answer,
                path,
                set: &set.name,
                how_wrong: how_wrong(answer, threshold),
            })
    };
    let mut all: Vec<Mistake> = measured.sets.iter().flat_map(of_set).collect();
    all.retain(|m| m.answer.bona_fide == bona_fide && !m.answer.right(threshold));
    all.sort_by(|a, b| b.how_wrong.total_cmp(&a.how_wrong).then(a.path.cmp(b.path)));
    all
}

/// No answer comes last: it does not show what the model takes for what.
fn how_wrong(answer: &Answer, threshold: f64) -> f64 {
    let Some(p) = answer.probability() else {
        return 0.0;
    };
    let room = if answer.bona_fide {
        threshold
    } else {
        1.0 - threshold
    };
    (p - threshold).abs() / room.max(1e-9)
}

fn caption(scene: &mut Scene, at: Place, mistake: &Mistake) {
    let live = mistake.answer.probability();
    let live = live.map_or_else(|| "no answer".to_owned(), |p| format!("{p:.3}"));
    let truth = if mistake.answer.bona_fide {
        "live"
    } else {
        words::species(&mistake.answer.species)
    };
    let first = fitted(&format!("{live}  {truth}"), Style::STRONG, TILE);
    scene.words((at.0, at.1 + 14.0), first, Style::STRONG, Anchor::Start);
    let small = Style::new(11.0, false, Colour::Muted);
    for (i, text) in [mistake.set.to_owned(), file_name(mistake)]
        .iter()
        .enumerate()
    {
        let y = at.1 + 32.0 + 16.0 * i as f64;
        scene.words((at.0, y), fitted(text, small, TILE), small, Anchor::Start);
    }
}

/// Where the picture should be, its name, so that it can be looked for.
fn placeholder(scene: &mut Scene, at: Place, mistake: &Mistake) {
    let (x, y) = (at.0 + TILE / 2.0, at.1 + TILE / 2.0);
    scene.words(
        (x, y - 12.0),
        "cannot be read",
        Style::LABEL,
        Anchor::Middle,
    );
    let name = fitted(&file_name(mistake), Style::TICK, TILE - 12.0);
    scene.words((x, y + 10.0), name, Style::TICK, Anchor::Middle);
}

fn file_name(mistake: &Mistake) -> String {
    let name = mistake.path.file_name().unwrap_or(mistake.path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// Puts a picture into its tile, whole, in its own shape.
fn overlay(sheet: &mut RgbImage, picture: RgbImage, at: Place) {
    let density = f64::from(DENSITY);
    let tile = TILE * density;
    let (width, height) = picture.dimensions();
    if width == 0 || height == 0 {
        return;
    }
    let scale = (tile / f64::from(width)).min(tile / f64::from(height));
    let sized = |v: u32| (f64::from(v) * scale).round().max(1.0) as u32;
    let (width, height) = (sized(width), sized(height));
    let picture = DynamicImage::ImageRgb8(picture);
    let sized = picture.resize_exact(width, height, FilterType::CatmullRom);
    let sized = sized.into_rgb8();
    let place = |at: f64, size: u32| (at * density + (tile - f64::from(size)) / 2.0).round() as i64;
    let (x, y) = (place(at.0, width), place(at.1, height));
    image::imageops::overlay(sheet, &sized, x, y);
}

/// Reads a picture from its file.
pub(super) fn from_file(path: &Path) -> Result<RgbImage> {
    let decoded = image::ImageReader::open(path)?
        .with_guessed_format()?
        .decode()?;
    // Transparent is as good as white.
    let mut picture = RgbImage::from_pixel(decoded.width(), decoded.height(), Rgb([255; 3]));
    for (to, from) in picture.pixels_mut().zip(decoded.to_rgba8().pixels()) {
        let [r, g, b, a] = from.0.map(u16::from);
        let mix = |v: u16| ((v * a + 255 * (255 - a)) / 255) as u8;
        *to = Rgb([mix(r), mix(g), mix(b)]);
    }
    Ok(picture)
}
