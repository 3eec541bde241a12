// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can be said of a picture without looking at the face: the numbers that data sets give their classes away by.

use super::tone::LUMA;

/// Quality that stands for a file that was not compressed with loss.
const LOSSLESS: f32 = 100.0;

/// Measured on what the model sees.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Mean luma, 0..255.
    pub brightness: f32,
    /// Standard deviation of luma, 0..127.5.
    pub contrast: f32,
    /// Mean over the pixels of the largest minus the smallest channel, 0..255.
    pub saturation: f32,
    /// Pixels of the original picture for one pixel of the model's input, along the axis with fewer.
    pub resolution: f32,
    /// Quality of the JPEG file, 1..100; 100 for files without loss.
    pub quality: f32,
}

impl Stats {
    /// Names of the numbers, in the order of [`Stats::values`].
    pub const NAMES: [&'static str; 5] = [
        "brightness",
        "contrast",
        "saturation",
        "pixels per input pixel",
        "JPEG quality",
    ];

    /// The numbers.
    pub fn values(&self) -> [f32; 5] {
        [
            self.brightness,
            self.contrast,
            self.saturation,
            self.resolution,
            self.quality,
        ]
    }

    /// Measures RGB pixels of 0..255, one after the other.
    pub fn measure(rgb: &[f32], resolution: f32, jpeg: Option<u8>) -> Self {
        let pixels = rgb.as_chunks::<3>().0;
        let n = pixels.len().max(1) as f64;
        let (mut sum, mut squares, mut colour) = (0f64, 0f64, 0f64);
        for &[r, g, b] in pixels {
            let luma = f64::from(LUMA[0] * r + LUMA[1] * g + LUMA[2] * b);
            sum += luma;
            squares += luma * luma;
            colour += f64::from(r.max(g).max(b) - r.min(g).min(b));
        }
        let mean = sum / n;
        Self {
            brightness: mean as f32,
            contrast: (squares / n - mean * mean).max(0.0).sqrt() as f32,
            saturation: (colour / n) as f32,
            resolution,
            quality: jpeg.map_or(LOSSLESS, f32::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_and_white_and_red() {
        let half = [0.0, 0.0, 0.0, 255.0, 255.0, 255.0];
        let stats = Stats::measure(&half, 2.0, Some(80));
        assert_eq!(stats.values(), [127.5, 127.5, 0.0, 2.0, 80.0]);
        let red = Stats::measure(&[255.0, 0.0, 0.0], 1.0, None);
        assert_eq!(
            (red.saturation, red.contrast, red.quality),
            (255.0, 0.0, 100.0)
        );
    }
}
