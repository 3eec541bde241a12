// SPDX-License-Identifier: MIT OR Apache-2.0
//! The frame of a figure: where numbers lie on the sheet, grid lines with their numbers, the key.

use super::font;
use super::scene::{Anchor, Colour, Place, Scene, Style};

/// A number at which a grid line stands, and what is written there.
pub(crate) type Tick = (f64, String);

/// A rectangle of the sheet and the numbers at its edges.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axes {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
    pub(crate) x: (f64, f64),
    pub(crate) y: (f64, f64),
}

impl Axes {
    /// Where a number along lies.
    pub(crate) fn across(&self, x: f64) -> f64 {
        self.left + (self.right - self.left) * (x - self.x.0) / (self.x.1 - self.x.0)
    }

    /// Where a number upwards lies.
    pub(crate) fn up(&self, y: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * (y - self.y.0) / (self.y.1 - self.y.0)
    }

    /// Where a pair lies, held within the frame.
    pub(crate) fn at(&self, x: f64, y: f64) -> Place {
        (
            self.across(x).clamp(self.left, self.right),
            self.up(y).clamp(self.top, self.bottom),
        )
    }

    /// Grid lines with their numbers; what they are of, along the bottom and above the left edge.
    pub(crate) fn draw(&self, scene: &mut Scene, x: &[Tick], y: &[Tick], names: (&str, &str)) {
        for (value, text) in y {
            let at = self.up(*value);
            scene.line(vec![(self.left, at), (self.right, at)], Colour::Grid, 1.0);
            scene.words((self.left - 8.0, at), text, Style::TICK, Anchor::End);
        }
        for (value, text) in x {
            let at = self.across(*value);
            scene.line(vec![(at, self.top), (at, self.bottom)], Colour::Grid, 1.0);
            scene.words((at, self.bottom + 14.0), text, Style::TICK, Anchor::Middle);
        }
        let ends = [self.left, self.right].map(|x| (x, self.bottom));
        scene.line(ends.to_vec(), Colour::Muted, 1.0);
        let middle = (self.left + self.right) / 2.0;
        scene.words(
            (middle, self.bottom + 36.0),
            names.0,
            Style::LABEL,
            Anchor::Middle,
        );
        scene.words(
            (self.left, self.top - 14.0),
            names.1,
            Style::LABEL,
            Anchor::Start,
        );
    }
}

/// Round numbers from `low` to `high`, about `count` of them: steps of 1, 2 or 5 times a power of ten.
pub(crate) fn round_steps(low: f64, high: f64, count: usize) -> Vec<f64> {
    let wanted = (high - low) / count.max(1) as f64;
    if !wanted.is_finite() || wanted <= 0.0 {
        return vec![low];
    }
    let power = 10f64.powf(wanted.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|s| *s >= wanted * 0.999)
        .unwrap_or(10.0 * power);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// Ticks at round numbers, written short.
pub(crate) fn plain_ticks(low: f64, high: f64, count: usize) -> Vec<Tick> {
    let steps = round_steps(low, high, count);
    let text = |v: f64| crate::report::words::short((v * 1e9).round() / 1e9);
    steps.into_iter().map(|v| (v, text(v))).collect()
}

/// Ticks at round shares, written in percent.
pub(crate) fn percent_ticks(low: f64, high: f64, count: usize) -> Vec<Tick> {
    let steps = round_steps(100.0 * low, 100.0 * high, count);
    let text = |v: f64| format!("{} %", crate::report::words::short((v * 1e9).round() / 1e9));
    steps.into_iter().map(|v| (v / 100.0, text(v))).collect()
}

/// An entry of a key: how its line looks, and what it is.
pub(crate) struct Entry {
    pub(crate) colour: Colour,
    pub(crate) dashed: bool,
    pub(crate) text: String,
}

impl Entry {
    pub(crate) fn solid(colour: Colour, text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            colour,
            dashed: false,
            text,
        }
    }
}

/// How far apart the lines of a key are.
pub(crate) const KEY_STEP: f64 = 20.0;

/// A key, its first entry at `at`, one below the other, each no wider than `room`.
pub(crate) fn key(scene: &mut Scene, at: Place, entries: &[Entry], room: f64) {
    for (i, entry) in entries.iter().enumerate() {
        let y = at.1 + i as f64 * KEY_STEP;
        swatch(scene, (at.0, y), entry);
        let text = font::fitted(&entry.text, Style::LABEL, room - 30.0);
        scene.words((at.0 + 30.0, y), text, Style::LABEL, Anchor::Start);
    }
}

/// A key in one line, which ends at `right`.
pub(crate) fn key_in_line(scene: &mut Scene, right: f64, y: f64, entries: &[Entry]) {
    let mut x = right;
    for entry in entries.iter().rev() {
        let width = font::width(&entry.text, Style::LABEL);
        scene.words((x - width, y), &entry.text, Style::LABEL, Anchor::Start);
        swatch(scene, (x - width - 30.0, y), entry);
        x -= width + 30.0 + 22.0;
    }
}

fn swatch(scene: &mut Scene, (x, y): Place, entry: &Entry) {
    let points = vec![(x, y), (x + 22.0, y)];
    if entry.dashed {
        scene.dashed(points, entry.colour, 2.5);
    } else {
        scene.line(points, entry.colour, 2.5);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_cover_the_range() {
        assert_eq!(
            round_steps(0.0, 1.0, 5),
            [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]
        );
        assert_eq!(round_steps(0.0, 100.0, 4), [0.0, 50.0, 100.0]);
        assert_eq!(round_steps(3.0, 27.0, 5), [5.0, 10.0, 15.0, 20.0, 25.0]);
        assert_eq!(round_steps(1.0, 1.0, 5), [1.0]);
        assert_eq!(round_steps(0.0, f64::NAN, 5), [0.0]);
        let texts: Vec<String> = percent_ticks(0.0, 1.0, 5)
            .into_iter()
            .map(|t| t.1)
            .collect();
        assert_eq!(texts, ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]);
    }

    #[test]
    fn numbers_lie_where_they_should() {
        let axes = Axes {
            left: 10.0,
            top: 10.0,
            right: 110.0,
            bottom: 60.0,
            x: (0.0, 2.0),
            y: (-1.0, 1.0),
        };
        assert_eq!(axes.at(1.0, 0.0), (60.0, 35.0));
        assert_eq!(axes.at(9.0, -9.0), (110.0, 60.0));
    }
}
