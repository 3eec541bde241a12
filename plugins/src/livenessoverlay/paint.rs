// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bitmaps that boxes, landmarks and labels are made of, painted once each. Knows cairo and pango, no frames.

use cairo::{Context, Format, ImageSurface};
use liveness::face::Label;

use super::draw::{Look, stretched};
use super::ink::{DARK, Rgb, color, text_color};

/// Pixels as [`super::ink::Ink::Painted`] has them.
#[derive(Debug)]
pub(super) struct Bitmap {
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) data: Vec<u8>,
}

/// How much of the frame's light the dark rim takes.
const RIM: f64 = 0.6;

fn paint(
    width: i32,
    height: i32,
    draw: impl FnOnce(&Context) -> Result<(), cairo::Error>,
) -> Result<Bitmap, String> {
    let failed = |what: &dyn std::fmt::Display| format!("cannot paint {width}x{height}: {what}");
    let surface = ImageSurface::create(Format::ARgb32, width, height).map_err(|e| failed(&e))?;
    {
        let cr = Context::new(&surface).map_err(|e| failed(&e))?;
        draw(&cr).map_err(|e| failed(&e))?;
    }
    let stride = surface.stride();
    if stride != 4 * width {
        return Err(failed(&format_args!("rows of {stride} bytes")));
    }
    let data = surface.take_data().map_err(|e| failed(&e))?.to_vec();
    Ok(Bitmap {
        width,
        height,
        data,
    })
}

fn set_color(cr: &Context, rgb: Rgb, alpha: f64) {
    let [r, g, b] = rgb.map(|v| f64::from(v) / 255.0);
    cr.set_source_rgba(r, g, b, alpha);
}

/// Adds a rectangle with round corners, `inset` columns and rows inside `size`, to the path.
fn rounded(
    cr: &Context,
    size: (i32, i32),
    inset: (i32, i32),
    radius: (i32, i32),
) -> Result<(), cairo::Error> {
    use std::f64::consts::FRAC_PI_2;
    let (x, y) = (f64::from(inset.0), f64::from(inset.1));
    let (w, h) = (f64::from(size.0) - 2.0 * x, f64::from(size.1) - 2.0 * y);
    if w <= 0.0 || h <= 0.0 {
        return Ok(());
    }
    let rx = f64::from(radius.0 - inset.0).min(w / 2.0).max(0.0);
    let ry = f64::from(radius.1 - inset.1).min(h / 2.0).max(0.0);
    cr.new_sub_path();
    let corners = [
        (x + w - rx, y + ry),
        (x + w - rx, y + h - ry),
        (x + rx, y + h - ry),
        (x + rx, y + ry),
    ];
    for (i, (cx, cy)) in corners.into_iter().enumerate() {
        if rx > 0.0 && ry > 0.0 {
            cr.save()?;
            cr.translate(cx, cy);
            cr.scale(rx, ry);
            let from = (i as f64 - 1.0) * FRAC_PI_2;
            cr.arc(0.0, 0.0, 1.0, from, from + FRAC_PI_2);
            cr.restore()?;
        } else {
            cr.line_to(cx, cy);
        }
    }
    cr.close_path();
    Ok(())
}

/// A box of `width` x `height` pixels, to be stretched in its middle.
pub(super) fn outline(look: &Look, label: Label, size: (i32, i32)) -> Result<Bitmap, String> {
    let (line, rim, stroke) = (look.line, look.rim, look.stroke());
    paint(size.0, size.1, |cr| {
        let ring = |outer, inner| {
            rounded(cr, size, outer, look.radius)?;
            rounded(cr, size, inner, look.radius)
        };
        cr.set_fill_rule(cairo::FillRule::EvenOdd);
        ring((0, 0), stroke)?;
        set_color(cr, DARK, RIM);
        cr.fill()?;
        ring(rim, (rim.0 + line.0, rim.1 + line.1))?;
        set_color(cr, color(label), 1.0);
        cr.fill()
    })
}

/// A rectangle of `pattern` stretched to `length` columns and rows whose ends of `keep` pixels stay as they are: the part
/// from `from` on, `size` large.
pub(super) fn cut(
    pattern: &Bitmap,
    length: (i32, i32),
    keep: (i32, i32),
    from: (i32, i32),
    size: (i32, i32),
) -> Bitmap {
    let mut data = Vec::with_capacity(4 * size.0.max(0) as usize * size.1.max(0) as usize);
    let pixels = pattern.data.as_chunks::<4>().0;
    for y in from.1..from.1 + size.1 {
        let y = stretched(y, length.1, pattern.height, keep.1);
        let row = &pixels[(y * pattern.width) as usize..][..pattern.width as usize];
        for x in from.0..from.0 + size.0 {
            data.extend(row[stretched(x, length.0, pattern.width, keep.0) as usize]);
        }
    }
    Bitmap {
        width: size.0,
        height: size.1,
        data,
    }
}

/// A landmark.
pub(super) fn dot(look: &Look, label: Label) -> Result<Bitmap, String> {
    let size = (2 * look.dot.0, 2 * look.dot.1);
    paint(size.0, size.1, |cr| {
        rounded(cr, size, (0, 0), look.dot)?;
        set_color(cr, DARK, RIM);
        cr.fill()?;
        rounded(cr, size, look.rim, look.dot)?;
        set_color(cr, color(label), 1.0);
        cr.fill()
    })
}

/// Letters stand where the font wants them, not on whole pixels, which would be uneven in small and in stretched text.
fn even_spacing(context: &pango::Context) -> Result<(), cairo::Error> {
    let mut options = cairo::FontOptions::new()?;
    options.set_antialias(cairo::Antialias::Gray);
    options.set_hint_style(cairo::HintStyle::Slight);
    options.set_hint_metrics(cairo::HintMetrics::Off);
    pangocairo::functions::context_set_font_options(context, Some(&options));
    context.set_round_glyph_positions(false);
    Ok(())
}

/// A label: text on a filled, rounded ground. At most as large as the frame; text that is longer ends in an ellipsis.
pub(super) fn label(look: &Look, label: Label, text: &str) -> Result<Bitmap, String> {
    // Text is laid out for square pixels and stretched to others when it is painted: pango spaces letters badly where it knows
    // that they are stretched.
    let pad = (0.5 * look.em, 0.2 * look.em);
    let columns = |v: f64| v * look.across;
    let probe = ImageSurface::create(Format::ARgb32, 1, 1)
        .and_then(|s| Context::new(&s))
        .map_err(|e| format!("cannot lay out text: {e}"))?;
    let layout = pangocairo::functions::create_layout(&probe);
    even_spacing(&layout.context()).map_err(|e| format!("cannot lay out text: {e}"))?;
    let scale = f64::from(pango::SCALE);
    let mut font = pango::FontDescription::from_string(&look.font);
    font.set_absolute_size(look.em * scale);
    layout.set_font_description(Some(&font));
    layout.set_single_paragraph_mode(true);
    layout.set_ellipsize(pango::EllipsizeMode::End);
    let room = f64::from(look.frame.0) / look.across - 2.0 * pad.0;
    layout.set_width((room.max(1.0) * scale) as i32);
    layout.set_text(text);
    let logical = layout.extents().1;
    let (w, h) = (
        f64::from(logical.width()) / scale,
        f64::from(logical.height()) / scale,
    );
    let size = (
        (columns(w + 2.0 * pad.0).ceil() as i32).clamp(1, look.frame.0),
        ((h + 2.0 * pad.1).ceil() as i32).clamp(1, look.frame.1),
    );
    let radius = 0.35 * look.em;
    let radius = (columns(radius).round() as i32, radius.round() as i32);
    let ground = color(label);
    paint(size.0, size.1, |cr| {
        rounded(cr, size, (0, 0), radius)?;
        set_color(cr, ground, 1.0);
        cr.fill()?;
        cr.scale(look.across, 1.0);
        let x = f64::from(logical.x()) / scale;
        cr.move_to(pad.0 - x, (f64::from(size.1) - h) / 2.0);
        set_color(cr, text_color(ground), 1.0);
        pangocairo::functions::show_layout(cr, &layout);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(width: i32, height: i32, par: f64) -> Look {
        Look::new((width, height), par, 1.0, "Sans Bold")
    }

    #[test]
    fn a_label_is_never_larger_than_the_frame() {
        for (w, h) in [(16, 16), (320, 240), (2000, 16), (16, 2000)] {
            for text in ["", "live", "مرحبا", "合格 ✓ 🙂", &"wide ".repeat(99)] {
                for scale in [0.2, 1.0, 5.0] {
                    let look = Look::new((w, h), 1.0, scale, "Sans");
                    let b = label(&look, Label::Live, text).unwrap();
                    assert!(b.width <= w && b.height <= h, "{w}x{h} {text}");
                    assert_eq!(b.data.len(), (4 * b.width * b.height) as usize);
                }
            }
        }
    }

    #[test]
    fn markup_is_text() {
        let look = look(1920, 1080, 1.0);
        let (plain, markup) = (
            label(&look, Label::Live, "live").unwrap(),
            label(&look, Label::Live, "<i>live</i>").unwrap(),
        );
        assert!(markup.width > plain.width + 20);
    }

    #[test]
    fn wide_pixels_make_narrow_labels() {
        let (square, wide) = (look(1920, 1080, 1.0), look(960, 1080, 2.0));
        let (a, b) = (
            label(&square, Label::Live, "live 0.97").unwrap(),
            label(&wide, Label::Live, "live 0.97").unwrap(),
        );
        let sizes = ((a.width, a.height), (b.width, b.height));
        assert!(
            (a.width - 2 * b.width).abs() <= 2 && a.height == b.height,
            "{sizes:?}"
        );
    }

    #[test]
    fn fonts_that_do_not_exist_are_no_trouble() {
        for font in ["", "No Such Font 900", "\u{1}", "Sans 4000", ",,,"] {
            let look = Look::new((320, 240), 1.0, 1.0, font);
            let b = label(&look, Label::Spoof, "spoof").unwrap();
            // Smaller where no font is installed at all.
            assert!((1..60).contains(&b.height), "{font}: {}", b.height);
        }
    }
}
