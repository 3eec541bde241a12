// SPDX-License-Identifier: MIT OR Apache-2.0
//! Draws figures: as pictures, as SVG files, and as SVG for a page that has a light and a dark look.

use anyhow::{Context, Result, anyhow};
use image::{DynamicImage, RgbImage};
use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor, ShapeStyle, TextStyle};

use super::font;
use super::scene::{Anchor, Colour, Mark, PALETTE, Place, Scene, Style};

/// Pixels per point of a picture, for screens that have two per point.
pub(crate) const DENSITY: u32 = 2;

/// Figures are drawn this much larger than they are: plotters knows whole pixels only, and its lines have steps.
const FINE: u32 = 3;

/// Parts of a dashed line, in points.
const DASH: f64 = 5.0;
const GAP: f64 = 4.0;

/// The figure as a picture.
pub(crate) fn picture(scene: &Scene) -> Result<RgbImage> {
    let (width, height) = size(scene, DENSITY * FINE);
    let mut pixels = vec![u8::MAX; width as usize * height as usize * 3];
    {
        let mut backend = BitMapBackend::with_buffer(&mut pixels, (width, height));
        let scale = f64::from(DENSITY * FINE);
        Painter::bitmap(&mut backend, scale).paint(scene)?;
    }
    let fine = RgbImage::from_raw(width, height, pixels).context("a figure has a size")?;
    let (width, height) = size(scene, DENSITY);
    // The mean of the pixels that fall together: a filter costs more and looks the same.
    let small = DynamicImage::ImageRgb8(fine).thumbnail_exact(width, height);
    Ok(small.into_rgb8())
}

/// The figure as an SVG file on white paper. `alt` says in words what it shows.
pub(crate) fn svg(scene: &Scene, alt: &str) -> Result<String> {
    let head = format!(
        r#"width="{}" height="{}" xmlns="http://www.w3.org/2000/svg""#,
        scene.width, scene.height
    );
    Ok(format!("{}\n", drawn(scene, &head, alt)?))
}

/// The figure as a part of a page: as wide as there is room, in the colours that the page's style sheet gives ([`style_sheet`]).
pub(crate) fn inline_svg(scene: &Scene, alt: &str) -> Result<String> {
    let mut text = drawn(scene, r#"class="figure""#, alt)?;
    for (name, [r, g, b], _) in PALETTE {
        let fixed = format!("\"#{r:02X}{g:02X}{b:02X}\"");
        text = text.replace(&fixed, &format!("\"var(--{name})\""));
    }
    Ok(text)
}

/// The colours for a page, light and dark.
pub(crate) fn style_sheet() -> String {
    let look = |dark: bool| -> String {
        let one = |(name, light, night): &(&str, [u8; 3], [u8; 3])| {
            let [r, g, b] = if dark { night } else { light };
            format!("--{name}:#{r:02x}{g:02x}{b:02x};")
        };
        PALETTE.iter().map(one).collect()
    };
    format!(
        ":root{{color-scheme:light dark;{}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{}}}}}\n",
        look(false),
        look(true)
    )
}

/// What an attribute or a text must not hold as it is.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            // Not allowed in XML at all.
            c if c.is_control() && !matches!(c, '\n' | '\t') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// SVG whose first tag has these attributes, and what a reader for the blind says.
fn drawn(scene: &Scene, head: &str, alt: &str) -> Result<String> {
    let mut text = String::new();
    let (width, height) = size(scene, FINE);
    {
        let mut backend = SVGBackend::with_string(&mut text, (width, height));
        Painter::vector(&mut backend, f64::from(FINE)).paint(scene)?;
    }
    let body = text
        .split_once('>')
        .context("plotters begins with a tag")?
        .1;
    // Whole units are a third of a point: fine enough for curves.
    Ok(format!(
        r#"<svg {head} viewBox="0 0 {width} {height}" role="img" aria-label="{}" stroke-linejoin="round" stroke-linecap="round">{}"#,
        escaped(alt),
        body.trim_end()
    ))
}

fn size(scene: &Scene, scale: u32) -> (u32, u32) {
    let scaled = |v: f64| (v * f64::from(scale)).round() as u32;
    (scaled(scene.width), scaled(scene.height))
}

fn colour(of: Colour) -> RGBColor {
    let [r, g, b] = of.rgb();
    RGBColor(r, g, b)
}

/// One drawing of one figure.
struct Painter<'a, B> {
    backend: &'a mut B,
    scale: f64,
    /// How far, in sizes of the letters, words must go down so that capitals stand in the middle.
    sink: f64,
    /// Whether lines must be rounded by hand where they bend.
    joints: bool,
}

impl<'a, B: DrawingBackend> Painter<'a, B> {
    fn bitmap(backend: &'a mut B, scale: f64) -> Self {
        Self {
            backend,
            scale,
            sink: 0.26,
            joints: true,
        }
    }

    fn vector(backend: &'a mut B, scale: f64) -> Self {
        Self {
            backend,
            scale,
            sink: 0.09,
            joints: false,
        }
    }

    fn paint(mut self, scene: &Scene) -> Result<()> {
        font::load();
        let corner = (scene.width, scene.height);
        self.rect((0.0, 0.0), corner, Colour::Paper, 1.0)?;
        for mark in &scene.marks {
            match mark {
                Mark::Line {
                    points,
                    colour,
                    width,
                    dashed: false,
                } => self.line(points, *colour, *width)?,
                Mark::Line {
                    points,
                    colour,
                    width,
                    dashed: true,
                } => {
                    for dash in dashes(points) {
                        self.line(&dash, *colour, *width)?;
                    }
                }
                Mark::Rect {
                    a,
                    b,
                    colour,
                    opacity,
                } => self.rect(*a, *b, *colour, *opacity)?,
                Mark::Dot { at, radius, colour } => self.dot(*at, *radius, *colour)?,
                Mark::Words {
                    at,
                    text,
                    style,
                    anchor,
                } => self.words(*at, text, *style, *anchor)?,
            }
        }
        self.done(|b| b.present())
    }

    /// Plotters' errors carry a type of the backend, which the caller need not know.
    fn done<E: std::fmt::Display>(
        &mut self,
        f: impl FnOnce(&mut B) -> Result<(), E>,
    ) -> Result<()> {
        f(self.backend).map_err(|e| anyhow!("a figure cannot be drawn: {e}"))
    }

    fn place(&self, (x, y): Place) -> (i32, i32) {
        let whole = |v: f64| (v * self.scale).round() as i32;
        (whole(x), whole(y))
    }

    fn places(&self, points: &[Place]) -> Vec<(i32, i32)> {
        let mut places: Vec<_> = points.iter().map(|p| self.place(*p)).collect();
        // Thousands of points of a curve fall onto few pixels.
        places.dedup();
        places
    }

    fn line(&mut self, points: &[Place], of: Colour, width: f64) -> Result<()> {
        let places = self.places(points);
        let width = (width * self.scale).round().max(1.0) as u32;
        let style = ShapeStyle {
            color: colour(of).to_rgba(),
            filled: true,
            stroke_width: width,
        };
        if !self.joints {
            return self.done(|b| b.draw_path(places, &style));
        }
        for (from, to) in places.iter().zip(places.iter().skip(1)) {
            self.done(|b| b.draw_line(*from, *to, &style))?;
        }
        let bends = places.len().saturating_sub(2);
        for at in places.iter().skip(1).take(bends) {
            self.done(|b| b.draw_circle(*at, width / 2, &style, true))?;
        }
        Ok(())
    }

    fn rect(&mut self, a: Place, b: Place, of: Colour, opacity: f64) -> Result<()> {
        let ((ax, ay), (bx, by)) = (self.place(a), self.place(b));
        // In SVG a size below nothing is nothing.
        let ends = ((ax.min(bx), ay.min(by)), (ax.max(bx), ay.max(by)));
        let style = colour(of).mix(opacity).filled();
        self.done(|b| b.draw_rect(ends.0, ends.1, &style, true))
    }

    fn dot(&mut self, at: Place, radius: f64, of: Colour) -> Result<()> {
        let place = self.place(at);
        let radius = (radius * self.scale).round() as u32;
        let style = colour(of).filled();
        self.done(|b| b.draw_circle(place, radius, &style, true))
    }

    fn words(&mut self, (x, y): Place, text: &str, style: Style, anchor: Anchor) -> Result<()> {
        let place = self.place((x, y + self.sink * style.size));
        let pos = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let font = font::desc(style, self.scale);
        let ink = colour(style.colour);
        let style = TextStyle::from(font).color(&ink);
        let style = style.pos(Pos::new(pos, VPos::Center));
        self.done(|b| b.draw_text(text, &style, place))
    }
}

/// A line cut into dashes.
fn dashes(points: &[Place]) -> Vec<Vec<Place>> {
    let mut all = Vec::new();
    let mut dash: Vec<Place> = Vec::new();
    // How far into the pattern the pen is.
    let mut along = 0.0;
    for (from, to) in points.iter().zip(points.iter().skip(1)) {
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let at = |d: f64| {
            let share = if length > 0.0 { d / length } else { 0.0 };
            (
                from.0 + (to.0 - from.0) * share,
                from.1 + (to.1 - from.1) * share,
            )
        };
        let mut done = 0.0;
        while done < length {
            let drawing = along < DASH;
            let until = if drawing { DASH } else { DASH + GAP };
            let step = (until - along).min(length - done);
            if drawing {
                if dash.is_empty() {
                    dash.push(at(done));
                }
                dash.push(at(done + step));
            }
            done += step;
            along += step;
            if along >= until - 1e-9 {
                if drawing {
                    all.push(std::mem::take(&mut dash));
                } else {
                    along = 0.0;
                }
            }
        }
    }
    if dash.len() > 1 {
        all.push(dash);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_follow_the_line_and_leave_gaps() {
        let all = dashes(&[(0.0, 0.0), (7.0, 0.0), (7.0, 5.0)]);
        // 0..5 drawn, 5..9 left, 9..12 drawn: the second begins on the second leg.
        assert_eq!(all.len(), 2);
        assert_eq!(all[0], [(0.0, 0.0), (5.0, 0.0)]);
        assert_eq!(all[1], [(7.0, 2.0), (7.0, 5.0)]);
        assert!(dashes(&[]).is_empty());
        assert!(dashes(&[(1.0, 1.0), (1.0, 1.0)]).is_empty());
    }

    #[test]
    fn no_two_colours_are_the_same() {
        for (i, a) in PALETTE.iter().enumerate() {
            assert!(PALETTE.iter().skip(i + 1).all(|b| a.1 != b.1 && a.0 != b.0));
        }
    }

    #[test]
    fn a_figure_is_drawn_both_ways() {
        let mut scene = Scene::new(120.0, 60.0);
        scene.words((60.0, 30.0), "a < b & \"c\"", Style::TITLE, Anchor::Middle);
        scene.rect((0.0, 20.0), (20.0, 0.0), Colour::Spoof, 1.0);
        let picture = picture(&scene).unwrap();
        assert_eq!(picture.dimensions(), (240, 120));
        assert_eq!(picture.get_pixel(10, 10).0, Colour::Spoof.rgb());
        assert_eq!(picture.get_pixel(239, 119).0, Colour::Paper.rgb());
        let dark = picture.pixels().filter(|p| p.0[0] < 80).count();
        assert!(dark > 100, "the words are missing: {dark}");
        let file = svg(&scene, "what <it> shows").unwrap();
        assert!(file.contains("a &lt; b &amp; &quot;c&quot;"), "{file}");
        assert!(
            file.contains(r#"aria-label="what &lt;it&gt; shows""#),
            "{file}"
        );
        assert!(file.contains(r##""#D55E00""##), "{file}");
        assert!(!file.contains("\"-"), "{file}");
        let inline = inline_svg(&scene, "x").unwrap();
        assert!(
            inline.contains("var(--spoof)") && !inline.contains('#'),
            "{inline}"
        );
    }
}
