// SPDX-License-Identifier: MIT OR Apache-2.0
//! What ink and paper do to a picture that is printed, and how a sheet of paper is held.

use std::f32::consts::TAU;

use super::canvas::{Canvas, Colour, Smooth};
use super::effects::{Draw, Effect};
use super::scene::DENSITY;
use super::warp::Bend;

/// Saturation that is left: the gamut of office printers on plain paper is a third to half of sRGB's volume; photo paper reaches all of it.
const SATURATION: (f32, f32) = (0.35, 1.05);
/// Level of solid black: ink on plain paper reflects 4 to 6 % of the light (density 1.2 to 1.4), laser less, and exposure lifts it further.
const INK: (f32, f32) = (5.0, 65.0);
/// Level of bare paper where a camera exposes for a scene.
const WHITE: (f32, f32) = (165.0, 248.0);
/// Each colour of the paper against grey: from recycled yellow to the blue of brighteners.
const TINT: (f32, f32) = (0.9, 1.06);
/// Bare paper where no tone is wanted.
const PLAIN_WHITE: f32 = 235.0;

/// Six of ten: the rest is photo prints and dots too fine for the camera.
const HALFTONE: f32 = 0.6;
/// Pixels of the frame from dot to dot. 60 to 150 lines an inch, of a face as large as a hand in a frame of some hundred pixels;
/// with more pixels, the coarsest have more, too (see [`super::coarser`]).
const DOT_PERIOD: (f32, f32) = (1.8, 5.0);
/// How far dots darken and lighten the middle tones, in levels.
const DOT_DEPTH: (f32, f32) = (3.0, 18.0);
/// Angles of the screens of cyan, magenta and yellow in degrees, as offset printers turn them against moiré (black is at 45). A cyan dot takes
/// red away, a magenta one green, a yellow one blue.
const SCREENS: [f32; 3] = [15.0, 75.0, 0.0];

/// Stains and unevenness over the sheet, in levels, as a standard deviation at the most.
const STAINS: f32 = 9.0;
/// Fibres, from pixel to pixel: plain paper's surface varies by about a hundredth.
const FIBRES: f32 = 3.5;

/// Seven of ten prints were not cut at the edge of the picture.
const BORDER: f32 = 0.7;
/// Width of the white border over the longer side, at the most; each side has its own.
const BORDER_WIDTH: f32 = 0.12;

/// Half: the other half lies on something, or is glued to it.
const BEND: f32 = 0.5;
/// How far the sheet's middle moves against its sides, as a share of its height, at the most: more would be rolled up.
const BENT_BY: f32 = 0.06;
/// By how much a bent sheet is brighter on the side that is turned to the light.
const BEND_SHADE: f32 = 0.25;

/// What was drawn of the paper itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paper {
    /// Colour of bare paper.
    white: Colour,
}

/// Changes a picture to what ink can show of it.
pub(super) fn print(canvas: &mut Canvas, draw: &mut Draw) -> Paper {
    let Some(mut dice) = draw.roll(Effect::Tone, 1.0) else {
        return Paper {
            white: [PLAIN_WHITE; 3],
        };
    };
    let saturation = dice.between(SATURATION.0, SATURATION.1);
    let ink = dice.between(INK.0, INK.1);
    let white = dice.between(WHITE.0, WHITE.1);
    let tint = [(); 3].map(|()| dice.between(TINT.0, TINT.1));
    canvas.each(|_, _, pixel| {
        let grey = pixel.iter().sum::<f32>() / 3.0;
        for (v, tint) in pixel.iter_mut().zip(tint) {
            let colour = (grey + (*v - grey) * saturation).clamp(0.0, 255.0);
            *v = (ink + colour / 255.0 * (white - ink)) * tint;
        }
    });
    Paper {
        white: tint.map(|t| t * white),
    }
}

/// Dots of ink: deepest where half of the paper is covered, none on bare paper and in solid black.
pub(super) fn halftone(canvas: &mut Canvas, coarser: f32, draw: &mut Draw) {
    let Some(mut dice) = draw.roll(Effect::Halftone, HALFTONE) else {
        return;
    };
    let rate = TAU / (DENSITY * dice.factor(DOT_PERIOD.0, DOT_PERIOD.1 * coarser));
    let depth = dice.factor(DOT_DEPTH.0, DOT_DEPTH.1);
    let turned = dice.between(-3.0, 3.0);
    let phase = dice.unit() * TAU;
    let screens = SCREENS.map(|degrees| (degrees + turned).to_radians().sin_cos());
    canvas.each(|x, y, pixel| {
        for (v, (sin, cos)) in pixel.iter_mut().zip(screens) {
            let along = ((x * cos + y * sin) * rate + phase).sin();
            let across = ((y * cos - x * sin) * rate + phase).sin();
            let tone = (*v / 255.0).clamp(0.0, 1.0);
            *v += depth * 4.0 * tone * (1.0 - tone) * along * across;
        }
    });
}

/// Fibres and stains.
pub(super) fn texture(canvas: &mut Canvas, draw: &mut Draw) {
    let Some(mut dice) = draw.roll(Effect::Paper, 1.0) else {
        return;
    };
    let stains = Smooth::draw(6, &mut dice);
    let by = dice.unit() * STAINS;
    let fibre = dice.unit() * FIBRES;
    let (w, h) = (canvas.width as f32, canvas.height as f32);
    canvas.each(|x, y, pixel| {
        // Sums of four even numbers are near enough to normal ones; the deviation of one is 0.58.
        let even = (0..4).map(|_| dice.signed()).sum::<f32>() / 1.155;
        let add = by * stains.at(x / w, y / h) + fibre * even;
        for v in pixel {
            *v += add;
        }
    });
}

/// The picture with bare paper around it, and where the picture lies in it, in pixels.
pub(super) fn with_border(
    canvas: Canvas,
    paper: &Paper,
    draw: &mut Draw,
) -> (Canvas, (usize, usize)) {
    let Some(mut dice) = draw.roll(Effect::Edge, BORDER) else {
        return (canvas, (0, 0));
    };
    let long = canvas.width.max(canvas.height) as f32;
    let widths = [(); 4].map(|()| (dice.unit() * BORDER_WIDTH * long).round() as usize);
    (canvas.framed(widths, paper.white), (widths[0], widths[1]))
}

/// A sheet that is not flat: brighter and darker where it is turned, and how its points move.
pub(super) fn bend(canvas: &mut Canvas, draw: &mut Draw) -> Option<Bend> {
    let mut dice = draw.roll(Effect::Bend, BEND)?;
    let by = dice.signed() * BENT_BY * canvas.height as f32;
    let phase = dice.between(0.0, 3.0);
    let shade = dice.signed() * BEND_SHADE;
    let w = canvas.width as f32;
    canvas.each(|x, _, pixel| {
        let light = 1.0 + shade * (x / w * std::f32::consts::PI + phase).cos();
        for v in pixel {
            *v *= light;
        }
    });
    Some(Bend {
        by: by.into(),
        phase: phase.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::effects::Effects;
    use super::*;

    fn off(effect: Effect) -> Draw {
        Draw::new(3, Effects::ALL.without(effect))
    }

    fn ramp() -> Canvas {
        let mut canvas = Canvas::even(64, 32, [0.0; 3]);
        canvas.each(|x, y, p| *p = [4.0 * x, 8.0 * y, 128.0]);
        canvas
    }

    fn spread(canvas: &Canvas) -> f32 {
        let mean = canvas.mean();
        let off = |p: &Colour| p.iter().map(|v| (v - mean).powi(2)).sum::<f32>();
        let sum: f32 = canvas.pixels.iter().map(off).sum();
        (sum / (3 * canvas.pixels.len()) as f32).sqrt()
    }

    #[test]
    fn ink_has_less_contrast_and_its_white_is_that_of_the_border() {
        for seed in 0..40 {
            let mut draw = Draw::new(seed, Effects::ALL);
            let mut canvas = ramp();
            canvas.pixels[0] = [255.0; 3];
            let before = spread(&canvas);
            let paper = print(&mut canvas, &mut draw);
            assert!(spread(&canvas) < before);
            let off = |(a, b): (f32, f32)| (a - b).abs();
            let white = canvas.pixels[0].into_iter().zip(paper.white).map(off);
            assert!(white.fold(0.0, f32::max) < 1e-3);
            let darkest = canvas
                .pixels
                .iter()
                .flatten()
                .copied()
                .fold(f32::MAX, f32::min);
            assert!(darkest >= INK.0 * TINT.0 - 1e-3);
        }
        let mut canvas = ramp();
        print(&mut canvas, &mut off(Effect::Tone));
        assert_eq!(canvas, ramp());
    }

    #[test]
    fn dots_are_in_the_middle_tones_and_keep_the_mean() {
        let mut dotted = 0;
        for seed in 0..30 {
            let mut draw = Draw::new(seed, Effects::ALL);
            let of = |level: f32| Canvas::even(96, 96, [level; 3]);
            let (mut grey, mut white, mut black) = (of(128.0), of(255.0), of(0.0));
            halftone(&mut grey, 1.0, &mut draw);
            halftone(&mut white, 1.0, &mut draw);
            halftone(&mut black, 1.0, &mut draw);
            assert_eq!((white, black), (of(255.0), of(0.0)));
            assert!((grey.mean() - 128.0).abs() < 0.5, "{}", grey.mean());
            dotted += usize::from(spread(&grey) > 1.0);
        }
        assert!((10..28).contains(&dotted), "{dotted} of 30");
        let mut canvas = ramp();
        halftone(&mut canvas, 1.0, &mut off(Effect::Halftone));
        assert_eq!(canvas, ramp());
    }

    #[test]
    fn paper_is_uneven_and_of_one_colour() {
        let mut canvas = Canvas::even(64, 64, [150.0; 3]);
        texture(&mut canvas, &mut Draw::new(3, Effects::ALL));
        assert!(spread(&canvas) > 0.3 && spread(&canvas) < 20.0);
        assert!(canvas.pixels.iter().all(|p| p[0] == p[1] && p[1] == p[2]));
        let mut canvas = ramp();
        texture(&mut canvas, &mut off(Effect::Paper));
        assert_eq!(canvas, ramp());
    }

    #[test]
    fn a_border_is_bare_paper() {
        let paper = Paper {
            white: [200.0, 190.0, 180.0],
        };
        let mut bordered = 0;
        for seed in 0..40 {
            let mut draw = Draw::new(seed, Effects::ALL);
            let (with, (left, top)) = with_border(ramp(), &paper, &mut draw);
            assert_eq!(
                with.at(left as f32 + 0.5, top as f32 + 0.5),
                ramp().pixels[0]
            );
            bordered += usize::from(with.width > 64);
            if left > 0 {
                assert_eq!(with.at(0.5, 0.5), paper.white);
            }
        }
        assert!((20..38).contains(&bordered), "{bordered} of 40");
        let (same, at) = with_border(ramp(), &paper, &mut off(Effect::Edge));
        assert_eq!((same, at), (ramp(), (0, 0)));
    }

    #[test]
    fn a_bent_sheet_is_shaded_from_side_to_side() {
        let mut flat = 0;
        for seed in 0..40 {
            let mut canvas = Canvas::even(40, 20, [100.0; 3]);
            let bent = bend(&mut canvas, &mut Draw::new(seed, Effects::ALL));
            let even = canvas == Canvas::even(40, 20, [100.0; 3]);
            assert_eq!(bent.is_none(), even);
            flat += usize::from(even);
            // Upright lines are even, whatever lies along them.
            assert!((0..20).all(|y| canvas.pixels[y * 40 + 9] == canvas.pixels[9]));
        }
        assert!((8..32).contains(&flat), "{flat} of 40");
        assert_eq!(bend(&mut ramp(), &mut off(Effect::Bend)), None);
    }
}
