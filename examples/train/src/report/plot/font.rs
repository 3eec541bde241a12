// SPDX-License-Identifier: MIT OR Apache-2.0
//! The font, which comes with the program: figures look the same on a machine that has none.

use std::sync::Once;

use plotters::style::{FontDesc, FontFamily, FontStyle};

use super::scene::Style;

/// The family's name, to plotters and in SVG files; a browser takes its own of that kind.
pub(super) const FAMILY: &str = "sans-serif";

/// Makes the font known. Without it plotters finds no font and says so when it draws.
pub(super) fn load() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        use plotters::style::register_font;
        // These bytes are a font: that they are taken is seen by the tests.
        let _ = register_font(FAMILY, FontStyle::Normal, dejavu::sans::regular());
        let _ = register_font(FAMILY, FontStyle::Bold, dejavu::sans::bold());
    });
}

/// The font for a style, `scale` times as large.
pub(super) fn desc(style: Style, scale: f64) -> FontDesc<'static> {
    let weight = if style.bold {
        FontStyle::Bold
    } else {
        FontStyle::Normal
    };
    FontDesc::new(FontFamily::SansSerif, style.size * SIZE * scale, weight)
}

/// What plotters calls the size is the height of a line: this much of the size that typographers mean.
const SIZE: f64 = 1.2;

/// How wide words are, in points. Measured large, since plotters gives whole numbers.
pub(crate) fn width(text: &str, style: Style) -> f64 {
    const FINE: f64 = 8.0;
    load();
    let size = desc(style, FINE).box_size(text);
    size.map_or(0.0, |(w, _)| f64::from(w) / FINE)
}

/// The words, or as much of their beginning and end as fits.
pub(crate) fn fitted(text: &str, style: Style, room: f64) -> String {
    if width(text, style) <= room {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    // The end of a file's name tells more than its beginning.
    for kept in (1..letters.len()).rev() {
        let (head, tail) = (kept / 3, kept - kept / 3);
        let short: String = letters
            .iter()
            .take(head)
            .chain(&['…'])
            .chain(letters.iter().skip(letters.len() - tail))
            .collect();
        if width(&short, style) <= room {
            return short;
        }
    }
    "…".to_owned()
}
