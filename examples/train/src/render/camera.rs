// SPDX-License-Identifier: MIT OR Apache-2.0
//! The camera that takes a picture again: its focus, its sensor, its file.

use liveness::dataset::picture::Rgb;

use super::canvas::Canvas;
use super::effects::{Draw, Effect};
use super::scene::DENSITY;
use crate::augment::blur::Blur;
use crate::augment::coding::Coder;
use crate::augment::grain;

/// Half: a fixed focus is set for arm's length, and a sheet that is held to fill the view is nearer.
const BLUR: f32 = 0.5;
/// Standard deviation in pixels of a frame where the face has [`super::USUAL`] of them: from just visible to what still passes for a face.
const BLUR_SIGMA: (f32, f32) = (0.4, 1.6);
/// A small face is blurred by no less than this share of it: the lens is the same.
const LEAST_BLUR: f32 = 0.6;

/// Two of five: the others have light enough.
const NOISE: f32 = 0.4;
/// Standard deviation in levels: a webcam in daylight to a telephone in the evening.
const NOISE_SIGMA: (f32, f32) = (1.0, 8.0);
/// Share of the noise's variance that grows with the light, at a middle level: most of it, as light comes in photons.
const SHOT: f32 = 0.7;

/// Three of five: webcams and telephones sharpen what they take, and so do screens. Without it every spoof would be softer than any live face, as
/// each was scaled and taken twice, and a net would learn no more than that.
const SHARPEN: f32 = 0.6;
/// By how much what a blur takes away is added once more (an unsharp mask): from hardly seen to the halos of cheap webcams.
const SHARPEN_BY: (f32, f32) = (0.4, 2.2);
/// Standard deviation of that blur, in pixels of the frame: cameras mend what one or two pixels of their sensor have lost.
const SHARPEN_SIGMA: (f32, f32) = (0.7, 1.4);

/// Three of four: what reaches a checker was a film or an upload.
const JPEG: f32 = 0.75;
/// Streams and messengers to cameras, as for live faces in [`crate::augment`].
const JPEG_QUALITY: (f32, f32) = (35.0, 97.0);
/// Most files share colours among four pixels.
const SHARED_COLOUR: f32 = 0.7;

/// Out of focus: the sheet with all that is on it.
pub(super) fn focus(sheet: Canvas, side: f32, draw: &mut Draw, blur: &mut Blur) -> Canvas {
    let Some(mut dice) = draw.roll(Effect::Blur, BLUR) else {
        return sheet;
    };
    let sigma = dice.factor(BLUR_SIGMA.0, BLUR_SIGMA.1);
    let mut rgb = sheet.rgb();
    blur.soften(
        &mut rgb,
        sigma * DENSITY * (side / super::USUAL).max(LEAST_BLUR),
    );
    Canvas::from(&rgb)
}

/// Noise, sharpening and compression.
pub(super) fn record(picture: &mut Rgb, draw: &mut Draw, blur: &mut Blur, coder: &mut Coder) {
    if let Some(mut dice) = draw.roll(Effect::Noise, NOISE) {
        let variance = dice.factor(NOISE_SIGMA.0, NOISE_SIGMA.1).powi(2);
        let (read, shot) = ((1.0 - SHOT) * variance, SHOT * variance / 128.0);
        grain::add(&mut picture.data, read, shot, &mut dice);
    }
    if let Some(mut dice) = draw.roll(Effect::Sharpen, SHARPEN) {
        let by = dice.between(SHARPEN_BY.0, SHARPEN_BY.1);
        let mut soft = picture.clone();
        blur.soften(&mut soft, dice.between(SHARPEN_SIGMA.0, SHARPEN_SIGMA.1));
        for (v, soft) in picture.data.iter_mut().zip(soft.data) {
            let (sharp, soft) = (f32::from(*v), f32::from(soft));
            *v = (sharp + by * (sharp - soft) + 0.5) as u8;
        }
    }
    if let Some(mut dice) = draw.roll(Effect::Jpeg, JPEG) {
        let quality = dice.between(JPEG_QUALITY.0, JPEG_QUALITY.1).round() as u8;
        coder.recode(picture, quality, dice.chance(SHARED_COLOUR));
    }
}

#[cfg(test)]
mod tests {
    use super::super::effects::Effects;
    use super::*;

    fn stripes() -> Canvas {
        let mut canvas = Canvas::even(64, 64, [0.0; 3]);
        let stripe = |x: f32| [60.0, 180.0][x as usize / 2 % 2];
        // Uneven, or the best files would lose nothing.
        canvas.each(|x, y, p| *p = [0.31, 0.47, 0.23].map(|by| stripe(x) + by * (x + y)));
        canvas
    }

    /// Mean difference of neighbours.
    fn detail(rgb: &Rgb) -> f32 {
        let rows = rgb.data.chunks_exact(3 * rgb.width);
        let off = |row: &[u8]| {
            row.windows(4)
                .map(|w| f32::from(w[0].abs_diff(w[3])))
                .sum::<f32>()
        };
        rows.map(off).sum::<f32>() / rgb.data.len() as f32
    }

    #[test]
    fn what_is_out_of_focus_has_less_detail() {
        let mut blurred = 0;
        for seed in 0..40 {
            let mut draw = Draw::new(seed, Effects::only(Effect::Blur));
            let after = focus(stripes(), 112.0, &mut draw, &mut Blur::default());
            let less = detail(&after.rgb()) < detail(&stripes().rgb()) - 0.5;
            assert_eq!(less, draw.drawn().has(Effect::Blur));
            blurred += usize::from(less);
        }
        assert!((8..32).contains(&blurred), "{blurred} of 40");
    }

    #[test]
    fn a_sensor_adds_noise_and_a_file_loses_some() {
        for effect in [Effect::Noise, Effect::Sharpen, Effect::Jpeg] {
            let mut changed = 0;
            for seed in 0..40 {
                let mut draw = Draw::new(seed, Effects::only(effect));
                let mut rgb = stripes().rgb();
                record(
                    &mut rgb,
                    &mut draw,
                    &mut Blur::default(),
                    &mut Coder::default(),
                );
                assert_eq!(rgb != stripes().rgb(), draw.drawn().has(effect));
                if draw.drawn().has(Effect::Sharpen) {
                    assert!(detail(&rgb) > 1.05 * detail(&stripes().rgb()));
                }
                changed += usize::from(draw.drawn().has(effect));
            }
            assert!((8..38).contains(&changed), "{effect:?}: {changed} of 40");
        }
    }
}
