// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens to a picture on its way: fewer pixels, and compression.

use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::jpeg::JpegDecoder;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use liveness::dataset::picture::{Renderer, Rgb};
use liveness::image::{Layout, Plane, View};
use liveness::resize::Window;

use super::dice::Dice;
use super::equalise::Plan;
use super::kinds::Augment;

/// A quarter: most faces are larger than the model's input.
const DOWNSCALE: f32 = 0.25;
/// To this share of the model's input at the least: half is a face at twice the distance.
const DOWNSCALE_TO: f32 = 0.5;
/// Shortest side that is left, in pixels; with fewer nobody can tell.
const LEAST_SIDE: f32 = 12.0;

/// Half: what users upload and what cameras stream was compressed at least once.
const JPEG: f32 = 0.5;
/// Messengers send 30 to 75, cameras write 90 to 95.
const JPEG_QUALITY: (f32, f32) = (30.0, 95.0);
/// Most files share colours among four pixels.
const SHARED_COLOUR: f32 = 0.7;

/// Scales and compresses; keeps its memory.
#[derive(Debug, Default)]
pub(crate) struct Coder {
    renderer: Renderer,
    other: Rgb,
    bytes: Vec<u8>,
}

impl Coder {
    /// Takes pixels away. `input` is the width and height of the model's input.
    pub(super) fn downscale(
        &mut self,
        rgb: &mut Rgb,
        kinds: &Augment,
        plan: Option<&Plan>,
        input: (usize, usize),
        seed: u64,
        strength: f32,
    ) {
        let mut dice = Dice::new(seed, 11);
        let mut share = plan.map_or(f32::INFINITY, |p| p.resolution);
        if kinds.downscale && dice.chance(DOWNSCALE) {
            let least = (1.0 - (1.0 - DOWNSCALE_TO) * strength).max(0.1);
            share = share.min(dice.between(least, 1.0));
        }
        let side = |have: usize, input: usize| {
            let wanted = (share * input as f32).max(LEAST_SIDE);
            (wanted.min(have as f32).round() as usize).max(1)
        };
        let size = (side(rgb.width, input.0), side(rgb.height, input.1));
        if size == (rgb.width, rgb.height) {
            return;
        }
        let layout = Layout::rgb8(rgb.width, rgb.height);
        let plane = Plane {
            data: &rgb.data,
            stride: 3 * rgb.width,
        };
        let Ok(view) = View::new(&layout, &[plane]) else {
            return;
        };
        let window = Window {
            x: 0,
            y: 0,
            w: rgb.width as i64,
            h: rgb.height as i64,
        };
        self.renderer.render(&view, window, size, &mut self.other);
        std::mem::swap(rgb, &mut self.other);
    }

    /// Compresses and decompresses.
    pub(super) fn compress(
        &mut self,
        rgb: &mut Rgb,
        kinds: &Augment,
        plan: Option<&Plan>,
        seed: u64,
        strength: f32,
    ) {
        let mut dice = Dice::new(seed, 12);
        let mut quality = plan.map(|p| p.quality);
        if kinds.jpeg && dice.chance(JPEG) {
            let (least, most) = JPEG_QUALITY;
            let least = (most - (most - least) * strength).max(10.0);
            let drawn = dice.between(least, most);
            quality = Some(quality.map_or(drawn, |q| q.min(drawn)));
        }
        if let Some(quality) = quality {
            let shared = dice.chance(SHARED_COLOUR);
            self.recode(rgb, quality.round() as u8, shared);
        }
    }

    /// What JPEG of this quality leaves; `shared`: four pixels share their colour.
    pub(crate) fn recode(&mut self, rgb: &mut Rgb, quality: u8, shared: bool) {
        let (Ok(width), Ok(height)) = (u16::try_from(rgb.width), u16::try_from(rgb.height)) else {
            return;
        };
        self.bytes.clear();
        let mut encoder = Encoder::new(&mut self.bytes, quality.clamp(1, 100));
        encoder.set_sampling_factor(match shared {
            true => SamplingFactor::F_2_2,
            false => SamplingFactor::F_1_1,
        });
        // The size fits, and memory takes whatever is written: what cannot fail leaves the picture as it is.
        if encoder
            .encode(&rgb.data, width, height, ColorType::Rgb)
            .is_err()
        {
            return;
        }
        if let Ok(decoder) = JpegDecoder::new(Cursor::new(&self.bytes))
            && decoder.total_bytes() == rgb.data.len() as u64
        {
            self.other.data.resize(rgb.data.len(), 0);
            if decoder.read_image(&mut self.other.data).is_ok() {
                std::mem::swap(&mut rgb.data, &mut self.other.data);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture() -> Rgb {
        let (width, height) = (50, 40);
        let value = |i: usize| (120.0 + 80.0 * (i as f32 * 0.05).sin()) as u8;
        Rgb {
            width,
            height,
            data: (0..3 * width * height).map(value).collect(),
        }
    }

    fn off(a: &Rgb, b: &Rgb) -> f32 {
        let off = a
            .data
            .iter()
            .zip(&b.data)
            .map(|(a, b)| f32::from(a.abs_diff(*b)));
        off.sum::<f32>() / a.data.len() as f32
    }

    #[test]
    fn lower_quality_changes_more() {
        let mut coder = Coder::default();
        let mut at = |quality, shared| {
            let mut rgb = picture();
            coder.recode(&mut rgb, quality, shared);
            assert_eq!((rgb.width, rgb.height), (50, 40));
            off(&rgb, &picture())
        };
        assert!(at(95, false) < at(30, false));
        assert!(at(95, false) < 3.0 && at(95, false) > 0.0);
        assert!(at(80, false) < at(80, true));
    }

    #[test]
    fn pixels_are_only_taken_away() {
        let mut coder = Coder::default();
        let mut smaller = 0;
        for seed in 0..100 {
            let mut rgb = picture();
            coder.downscale(&mut rgb, &Augment::ALL, None, (32, 32), seed, 1.0);
            assert_eq!(rgb.data.len(), 3 * rgb.width * rgb.height);
            assert!((15..=50).contains(&rgb.width) && (15..=40).contains(&rgb.height));
            smaller += usize::from(rgb.width < 50);
            coder.downscale(&mut rgb, &Augment::NONE, None, (32, 32), seed, 1.0);
        }
        assert!((10..45).contains(&smaller), "{smaller}");
    }
}
