// SPDX-License-Identifier: MIT OR Apache-2.0
//! Perceptual hashes: how alike two pictures look, as a count of bits.

use std::fmt;
use std::str::FromStr;

use image::GrayImage;
use image_hasher::{HashAlg, Hasher, HasherConfig};
use serde::{Deserialize, Serialize};

use crate::image::Pixels;
use crate::resize::{Border, Channels, Resizer, TensorFormat, Window};

/// Side of the grey picture that the library transforms; it keeps the lowest half of the frequencies of each axis.
const SIDE: usize = 16;

/// 64 bits that change little when a picture is scaled, compressed or lit otherwise: which of the lowest 8x8 frequencies of
/// its cosine transform are not below their median (known as pHash; Zauner, *Implementation and Benchmarking of Perceptual Image Hash
/// Functions*, 2010, §3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(u64);

impl Hash {
    /// Bits in it, and so the largest distance.
    pub const BITS: u32 = u64::BITS;

    /// In how many bits two hashes differ: a few for the next frame of a film, about half of them for another picture.
    pub fn distance(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Hash {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let digits = s.len() == 16 && s.bytes().all(|b| b.is_ascii_hexdigit());
        let bits = digits.then(|| u64::from_str_radix(s, 16).ok()).flatten();
        let bits = bits.ok_or_else(|| format!("{s:?} is no hash of 16 hexadecimal digits"))?;
        Ok(Self(bits))
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for Hash {
    type Error = String;

    fn try_from(s: String) -> Result<Self, String> {
        s.parse()
    }
}

/// Makes hashes; keeps its memory from one to the next.
pub struct PerceptualHasher {
    resizer: Resizer,
    format: TensorFormat,
    gray: Vec<f32>,
    picture: GrayImage,
    hasher: Hasher<[u8; 8]>,
}

impl fmt::Debug for PerceptualHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerceptualHasher").finish_non_exhaustive()
    }
}

impl Default for PerceptualHasher {
    fn default() -> Self {
        let format = TensorFormat::levels(SIDE, SIDE, Channels::Gray);
        Self {
            resizer: Resizer::new(),
            gray: vec![0.0; format.len()],
            picture: GrayImage::new(SIDE as u32, SIDE as u32),
            hasher: HasherConfig::with_bytes_type()
                .hash_size(8, 8)
                .hash_alg(HashAlg::Median)
                .preproc_dct()
                .to_hasher(),
            format,
        }
    }
}

impl PerceptualHasher {
    /// The hash of a part of a frame.
    pub fn hash(&mut self, frame: &dyn Pixels, window: Window) -> Hash {
        let gray = &mut self.gray;
        let resizer = &mut self.resizer;
        resizer.run(
            frame,
            window,
            Border::Replicate,
            &self.format,
            (SIDE, SIDE),
            gray,
        );
        for (to, from) in self.picture.iter_mut().zip(&self.gray) {
            *to = from.round() as u8;
        }
        Hash(u64::from_be_bytes(
            self.hasher.hash_image(&self.picture).into_inner(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Layout, Plane, View};
    use proptest::prelude::*;

    fn hash(w: usize, h: usize, pixel: impl Fn(f64, f64) -> f64) -> Hash {
        let layout = Layout::rgb8(w, h);
        let at = |i: usize, n: usize| (i as f64 + 0.5) / n as f64;
        let data: Vec<u8> = (0..w * h)
            .flat_map(|i| [pixel(at(i % w, w), at(i / w, h)) as u8; 3])
            .collect();
        let plane = Plane {
            data: &data,
            stride: w * 3,
        };
        let window = Window {
            x: 0,
            y: 0,
            w: w as i64,
            h: h as i64,
        };
        PerceptualHasher::default().hash(&View::new(&layout, &[plane]).unwrap(), window)
    }

    fn scene(x: f64, y: f64) -> f64 {
        120.0
            + 50.0 * (7.0 * x + 3.0 * y).sin()
            + 40.0 * (11.0 * y * y - 2.0 * x).cos()
            + 20.0 * (23.0 * x * y).sin()
    }

    #[test]
    fn the_same_scene_is_near_and_another_is_far() {
        let this = hash(320, 240, scene);
        let darker_and_smaller = hash(200, 150, |x, y| 0.7 * scene(x, y) + 5.0);
        assert!(this.distance(darker_and_smaller) <= 4);
        let mirrored = hash(320, 240, |x, y| scene(1.0 - x, y));
        assert!(this.distance(mirrored) > 16, "{}", this.distance(mirrored));
    }

    #[test]
    fn what_is_written_into_manifests_stays_the_same() {
        // Another number here means that data sets of before no longer know their duplicates.
        let then: Hash = "2d8773bacc259651".parse().unwrap();
        // A bit at the median may fall to either side on another processor.
        assert!(hash(320, 240, scene).distance(then) <= 2);
    }

    proptest! {
        #[test]
        fn text_goes_both_ways(bits: u64) {
            let hash = Hash(bits);
            prop_assert_eq!(hash.to_string().parse(), Ok(hash));
            prop_assert_eq!(hash.distance(Hash(!bits)), Hash::BITS);
        }

        #[test]
        fn other_text_is_refused(text in "[0-9a-f+ ]{0,15}|\\PC*") {
            if text.len() != 16 {
                prop_assert!(text.parse::<Hash>().is_err());
            }
        }
    }
}
