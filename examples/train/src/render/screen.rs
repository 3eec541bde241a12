// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a screen does to a picture that it shows, and what its pixels and its refreshing do to a camera that looks at it.

use std::f32::consts::{PI, TAU};

use liveness::geometry::Rect;

use super::canvas::{Canvas, Colour, Smooth};
use super::effects::{Draw, Effect};
use super::warp::{At, Homography, Spot};

/// Gamma of the screen over the 2.2 that the picture was made for: panels and their viewing angles differ by a third.
const GAMMA: (f32, f32) = (0.75, 1.5);
/// Backlight against what the camera's exposure expects.
const GAIN: (f32, f32) = (0.75, 1.15);
/// Levels that black has: the backlight shines through, and the room lights the glass. 28 of 255 is a contrast of about 40 to 1 after gamma, as
/// measured on notebooks in lit rooms.
const LIFT: (f32, f32) = (0.0, 28.0);
/// Red and blue against green. White LEDs are bluer (6500 to 9300 K) than the lamps that a camera is balanced for; warm ones are rarer.
const RED: (f32, f32) = (0.82, 1.05);
const BLUE: (f32, f32) = (0.98, 1.18);

/// Widths of the bezel over the longer side of what is shown: telephones have a hundredth, old monitors a seventh.
const BEZEL: (f32, f32) = (0.01, 0.14);
/// Most are black, some are white or silver.
const BLACK: f32 = 0.8;
const BLACK_LEVEL: (f32, f32) = (2.0, 60.0);
const WHITE_LEVEL: (f32, f32) = (180.0, 245.0);
/// How far from grey its plastic is, in levels.
const PLASTIC: f32 = 5.0;

/// A quarter: the camera is so near, or the screen so coarse, that its pixels are seen one by one.
const GRID: f32 = 0.25;
/// Pixels of the frame from one pixel of the screen to the next. Below 2.2 they cannot be told apart; a monitor of 96 dpi that fills a webcam's
/// view has up to 6.
const GRID_PERIOD: (f32, f32) = (2.2, 6.0);
/// How much darker it is between them, before the lens blurs it.
const GRID_DEPTH: (f32, f32) = (0.03, 0.22);

/// Seven of ten: hard to avoid with a telephone, and attackers defocus to hide it.
const MOIRE: f32 = 0.7;
/// Waves at once: columns, and rows.
const MOST_WAVES: usize = 2;
/// Pixels of the frame from one stripe to the next: from the finest that can be to broad ripples. The latter are as broad as shown where the face
/// has [`super::USUAL`] pixels, and broader by [`super::coarser`] where it has more.
const MOIRE_PERIOD: (f32, f32) = (2.2, 22.0);
/// By how much it brightens and darkens, as a share: from hardly seen to what Replay-Attack's nearest shots show.
const MOIRE_DEPTH: (f32, f32) = (0.015, 0.075);
/// Most have colours, since red, green and blue stripes of a pixel lie beside each other.
const MOIRE_COLOURED: f32 = 0.7;
/// Shift of the colours in radians at the most: a third of a period is where the next colour lies.
const MOIRE_SHIFT: f32 = 2.1;
/// How far the lens bends the pattern, in pixels of the frame, as a standard deviation at the most.
const MOIRE_BENT: f32 = 6.0;

/// Three of ten: backlights that are dimmed by switching, and shutters faster than a refresh.
const BANDS: f32 = 0.3;
/// Rows from one band to the next: 100 to 1000 Hz against the 30 µs that a row of a telephone's sensor takes.
const BANDS_PERIOD: (f32, f32) = (25.0, 250.0);
/// By how much they brighten and darken, as a share.
const BANDS_DEPTH: (f32, f32) = (0.02, 0.12);

/// Changes a picture to what a screen shows of it.
pub(super) fn show(canvas: &mut Canvas, draw: &mut Draw) {
    let Some(mut dice) = draw.roll(Effect::Tone, 1.0) else {
        return;
    };
    let gamma = dice.factor(GAMMA.0, GAMMA.1);
    let (gain, lift) = (dice.between(GAIN.0, GAIN.1), dice.between(LIFT.0, LIFT.1));
    let tint = [
        dice.between(RED.0, RED.1),
        1.0,
        dice.between(BLUE.0, BLUE.1),
    ];
    canvas.each(|_, _, pixel| {
        for (v, tint) in pixel.iter_mut().zip(tint) {
            *v = ((*v / 255.0).powf(gamma) * 255.0 * gain + lift) * tint;
        }
    });
}

/// The picture with a bezel around it, and where the picture lies in it, in pixels.
pub(super) fn with_bezel(canvas: Canvas, draw: &mut Draw) -> (Canvas, (usize, usize)) {
    let Some(mut dice) = draw.roll(Effect::Edge, 1.0) else {
        return (canvas, (0, 0));
    };
    let long = canvas.width.max(canvas.height) as f32;
    let widths = [(); 4].map(|()| (dice.between(BEZEL.0, BEZEL.1) * long).round() as usize);
    let (low, high) = match dice.chance(BLACK) {
        true => BLACK_LEVEL,
        false => WHITE_LEVEL,
    };
    let level = dice.between(low, high);
    let colour = [level, level, level + dice.signed() * PLASTIC];
    (canvas.framed(widths, colour), (widths[0], widths[1]))
}

/// What a camera sees of a screen beside the picture.
#[derive(Debug)]
pub(super) struct Raster {
    /// The part of the sheet that shines, in its pixels.
    lit: Rect,
    grid: Option<Grid>,
    waves: Vec<Wave>,
    bands: Option<Bands>,
}

#[derive(Debug)]
struct Grid {
    /// Cycles per pixel of the sheet.
    rate: f64,
    depth: f32,
}

/// A pattern of the screen's pixels that the camera's pixels turn into a coarser one.
#[derive(Debug)]
struct Wave {
    /// Cycles per pixel of the sheet: finer than the frame's pixels.
    rate: At,
    depth: f32,
    /// Of red, green and blue, in cycles.
    phases: [f32; 3],
    bent: Smooth,
    /// In cycles.
    bent_by: f32,
}

#[derive(Debug)]
struct Bands {
    period: f32,
    depth: f32,
    phase: f32,
}

impl Raster {
    /// For a screen whose picture lies at `lit` on the sheet and is seen through `to_frame`. See [`super::coarser`].
    pub(super) fn draw(lit: Rect, to_frame: &Homography, coarser: f32, draw: &mut Draw) -> Self {
        let middle = (f64::from(lit.center().x), f64::from(lit.center().y));
        // How a step on the sheet moves in the frame, where the middle is.
        let steps = to_frame.steps(middle).unwrap_or([(1.0, 0.0), (0.0, 1.0)]);
        let density = steps[0].0.hypot(steps[0].1);
        let grid = draw.roll(Effect::Grid, GRID).map(|mut dice| Grid {
            rate: density / f64::from(dice.factor(GRID_PERIOD.0, GRID_PERIOD.1)),
            depth: dice.between(GRID_DEPTH.0, GRID_DEPTH.1),
        });
        let mut waves = Vec::new();
        if let Some(mut dice) = draw.roll(Effect::Moire, MOIRE) {
            for axis in 0..1 + dice.below(MOST_WAVES) {
                // What is to be seen, in cycles per pixel of the frame …
                let period = dice.factor(MOIRE_PERIOD.0, MOIRE_PERIOD.1 * coarser);
                let (sin, cos) = (dice.unit() * PI).sin_cos();
                let mut rate = (f64::from(cos / period), f64::from(sin / period));
                // … is what the frame's pixels make of a pattern with one cycle more for each of them.
                match axis {
                    0 => rate.0 += 1.0,
                    _ => rate.1 += 1.0,
                }
                let along = |step: At| rate.0 * step.0 + rate.1 * step.1;
                let shift = match dice.chance(MOIRE_COLOURED) {
                    true => dice.unit() * MOIRE_SHIFT / TAU,
                    false => 0.0,
                };
                let start = dice.unit();
                waves.push(Wave {
                    rate: (along(steps[0]), along(steps[1])),
                    depth: dice.factor(MOIRE_DEPTH.0, MOIRE_DEPTH.1),
                    phases: [start, start + shift, start + 2.0 * shift],
                    bent: Smooth::draw(4, &mut dice),
                    bent_by: dice.unit() * MOIRE_BENT * coarser / period,
                });
            }
        }
        let bands = draw.roll(Effect::Bands, BANDS).map(|mut dice| Bands {
            period: dice.factor(BANDS_PERIOD.0, BANDS_PERIOD.1),
            depth: dice.factor(BANDS_DEPTH.0, BANDS_DEPTH.1),
            phase: dice.unit(),
        });
        Self {
            lit,
            grid,
            waves,
            bands,
        }
    }

    /// Changes the light that comes from a spot. Black stays black: it is the light that is modulated.
    pub(super) fn shine(&self, spot: &Spot, colour: &mut Colour) {
        let (u, v) = (
            spot.u - f64::from(self.lit.x),
            spot.v - f64::from(self.lit.y),
        );
        let share = (
            (u / f64::from(self.lit.w)) as f32,
            (v / f64::from(self.lit.h)) as f32,
        );
        let inside = |s: f32| (0.0..=1.0).contains(&s);
        if !inside(share.0) || !inside(share.1) {
            return;
        }
        if let Some(Grid { rate, depth }) = self.grid {
            // Dark lines: narrower than what lies between them.
            let line = |at: f64| (0.5 + 0.5 * ((at * rate).fract() as f32 * TAU).cos()).powi(2);
            let dark = line(u).max(line(v));
            for c in colour.iter_mut() {
                *c *= 1.0 - depth * dark;
            }
        }
        for wave in &self.waves {
            let cycles = (u * wave.rate.0 + v * wave.rate.1).fract() as f32
                + wave.bent.at(share.0, share.1) * wave.bent_by;
            for (c, phase) in colour.iter_mut().zip(wave.phases) {
                *c *= 1.0 + wave.depth * ((cycles + phase) * TAU).sin();
            }
        }
        if let Some(bands) = &self.bands {
            let wave = ((spot.y / bands.period + bands.phase) * TAU).sin();
            for c in colour.iter_mut() {
                *c *= 1.0 + bands.depth * wave;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::effects::Effects;
    use super::super::warp::Sheet;
    use super::*;

    fn straight(side: f64, scale: f64) -> Homography {
        let s = side * scale;
        Homography::new((side, side), [(0.0, 0.0), (s, 0.0), (s, s), (0.0, s)]).unwrap()
    }

    /// An even screen that fills the frame, with one effect.
    fn shot(effect: Effect, seed: u64) -> Option<Canvas> {
        let mut draw = Draw::new(seed, Effects::only(effect));
        let picture = Canvas::even(120, 120, [120.0; 3]);
        let to_frame = straight(120.0, 0.8);
        let raster = Raster::draw(Rect::new(0.0, 0.0, 120.0, 120.0), &to_frame, 1.0, &mut draw);
        let sheet = Sheet {
            picture: &picture,
            to_frame,
            bend: None,
            soft: 1.0,
        };
        let mut frame = Canvas::even(96, 96, [120.0; 3]);
        sheet.lay(&mut frame, |spot, colour| raster.shine(spot, colour));
        draw.drawn().has(effect).then_some(frame)
    }

    /// Cycles per pixel along x and y of the strongest wave in green.
    fn strongest(frame: &Canvas) -> (f32, f32) {
        const N: i32 = 48;
        let mut best = (0.0, (0, 0));
        for ky in -N / 2..=N / 2 {
            for kx in 0..=N / 2 {
                if (kx, ky) == (0, 0) {
                    continue;
                }
                let (mut re, mut im) = (0.0, 0.0);
                for y in 0..N {
                    for x in 0..N {
                        let v = frame.pixels[((y + 20) * 96 + x + 20) as usize][1] - 120.0;
                        let (s, c) = (TAU * (kx * x + ky * y) as f32 / N as f32).sin_cos();
                        re += v * c;
                        im += v * s;
                    }
                }
                let power = re * re + im * im;
                if power > best.0 {
                    best = (power, (kx, ky));
                }
            }
        }
        (best.1.0 as f32 / N as f32, best.1.1 as f32 / N as f32)
    }

    #[test]
    fn the_pattern_that_is_seen_has_the_period_that_was_drawn() {
        let mut seen = 0;
        for seed in 0..12 {
            let Some(frame) = shot(Effect::Moire, seed) else {
                continue;
            };
            let (x, y) = strongest(&frame);
            let rate = x.hypot(y);
            let (low, high) = (1.0 / (MOIRE_PERIOD.1 + 14.0), 1.0 / MOIRE_PERIOD.0 + 0.04);
            assert!((low..=high).contains(&rate), "{seed}: {rate}");
            let mean = frame.mean();
            assert!((mean - 120.0).abs() < 2.0, "light is added: {mean}");
            seen += 1;
        }
        assert!((5..12).contains(&seen), "{seen} of 12");
    }

    #[test]
    fn bands_lie_along_the_rows_of_the_camera() {
        let frame = (0..20).find_map(|seed| shot(Effect::Bands, seed)).unwrap();
        for row in frame.pixels.chunks_exact(96) {
            assert!(row[5..90].iter().all(|p| (p[0] - row[5][0]).abs() < 1e-3));
        }
        let column: Vec<f32> = (5..90).map(|y| frame.pixels[y * 96 + 40][0]).collect();
        let (low, high) = column
            .iter()
            .fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
        assert!(high - low > 1.0, "{low} {high}");
    }

    #[test]
    fn a_grid_darkens_and_leaves_what_does_not_shine() {
        let frame = (0..20).find_map(|seed| shot(Effect::Grid, seed)).unwrap();
        assert!(frame.pixels.iter().all(|p| p[0] <= 120.001));
        assert!(frame.mean() < 119.0);
        let mut draw = Draw::new(1, Effects::ALL);
        let raster = Raster::draw(
            Rect::new(10.0, 10.0, 20.0, 20.0),
            &straight(60.0, 0.8),
            1.0,
            &mut draw,
        );
        for (u, v) in [(5.0, 15.0), (15.0, 31.0), (40.0, 40.0)] {
            let mut colour = [50.0; 3];
            let spot = Spot {
                x: 1.0,
                y: 1.0,
                u,
                v,
            };
            raster.shine(&spot, &mut colour);
            assert_eq!(colour, [50.0; 3]);
        }
    }

    #[test]
    fn black_is_lifted_and_white_is_blue_rather_than_red() {
        let (mut lifted, mut bluer) = (0, 0);
        for seed in 0..60 {
            let mut canvas = Canvas::even(2, 1, [0.0; 3]);
            canvas.pixels[1] = [255.0; 3];
            show(&mut canvas, &mut Draw::new(seed, Effects::ALL));
            let (black, white) = (canvas.pixels[0], canvas.pixels[1]);
            assert!(black[1] <= LIFT.1 && black[1] < white[1]);
            lifted += usize::from(black[1] > 3.0);
            bluer += usize::from(white[2] > white[0]);
        }
        assert!(lifted > 40 && bluer > 45, "{lifted} {bluer}");
        let mut off = Canvas::even(2, 2, [77.0; 3]);
        show(&mut off, &mut Draw::new(1, Effects::NONE));
        assert_eq!(off, Canvas::even(2, 2, [77.0; 3]));
    }

    #[test]
    fn a_bezel_lies_around_the_picture() {
        let picture = Canvas::even(100, 60, [120.0; 3]);
        for seed in 0..20 {
            let mut draw = Draw::new(seed, Effects::ALL);
            let (with, (left, top)) = with_bezel(picture.clone(), &mut draw);
            assert!(with.width > 100 && with.height > 60 && with.width <= 128);
            let corner = with.at(left as f32 + 0.5, top as f32 + 0.5);
            assert_eq!(corner, [120.0; 3]);
            assert_ne!(with.at(0.5, 0.5), [120.0; 3]);
        }
        let mut off = Draw::new(1, Effects::ALL.without(Effect::Edge));
        assert_eq!(with_bezel(picture.clone(), &mut off), (picture, (0, 0)));
    }
}
