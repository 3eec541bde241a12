// SPDX-License-Identifier: MIT OR Apache-2.0
//! A picture file as pixels, with what training wants to know of the file: its fingerprint, and how strongly it was compressed.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use image::RgbImage;
use liveness::image::View;
use liveness_app::picture::{self, Coded};
use sha2::{Digest, Sha256};

use super::coding;

/// Pixels from which on pictures are decoded one at a time, so that many cores do not need many times the memory (about
/// 10 bytes a pixel while it is turned the right way up).
const LARGE: u64 = 16_000_000;

/// Shortest side of a picture in pixels: below this there is no face to see.
const LEAST_SIDE: usize = 16;

/// A decoded picture.
pub(crate) struct Picture<'a> {
    pixels: picture::Picture,
    /// SHA-256 of the file.
    pub(crate) sha256: [u8; 32],
    /// Quality of a JPEG file, see [`coding::quality`]; none for PNG.
    pub(crate) jpeg: Option<u8>,
    /// Held while a large picture is in memory.
    _turn: Option<MutexGuard<'a, ()>>,
}

impl Picture<'_> {
    /// Width and height in pixels.
    pub(crate) fn size(&self) -> (usize, usize) {
        self.pixels.size()
    }

    /// Its pixels, 8-bit RGB.
    pub(crate) fn rgb(&self) -> &RgbImage {
        self.pixels.rgb()
    }

    /// Its pixels for the library.
    pub(crate) fn view(&self) -> Result<View<'_>, String> {
        self.pixels.view()
    }
}

/// Reads and decodes a file. `large` lets one large picture through at a time.
pub(crate) fn decode<'a>(path: &Path, large: &'a Mutex<()>) -> Result<Picture<'a>, String> {
    let bytes = picture::bytes(path)?;
    let coded = Coded::open(&bytes)?;
    let is_large = coded.pixels() > LARGE;
    let turn = is_large.then(|| large.lock().unwrap_or_else(PoisonError::into_inner));
    let pixels = coded.decode()?;
    let (width, height) = pixels.size();
    if width.min(height) < LEAST_SIDE {
        return Err(format!(
            "is too small: its shorter side is below {LEAST_SIDE} pixels"
        ));
    }
    Ok(Picture {
        pixels,
        sha256: Sha256::digest(&bytes).into(),
        jpeg: coding::quality(&bytes),
        _turn: turn,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    use image::ImageFormat;

    fn read(width: u32, height: u32, format: ImageFormat) -> Result<Option<u8>, String> {
        let mut bytes = Cursor::new(Vec::new());
        let picture = RgbImage::from_pixel(width, height, image::Rgb([90, 120, 60]));
        picture.write_to(&mut bytes, format).unwrap();
        let bytes = bytes.into_inner();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        let large = Mutex::new(());
        let read = decode(file.path(), &large)?;
        assert_eq!(read.size(), (width as usize, height as usize));
        assert_eq!(read.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
        Ok(read.jpeg)
    }

    #[test]
    fn a_jpeg_tells_its_quality_and_what_is_too_small_is_said() {
        assert!(read(60, 40, ImageFormat::Jpeg).unwrap().is_some());
        assert_eq!(read(60, 40, ImageFormat::Png), Ok(None));
        let small = read(15, 40, ImageFormat::Png);
        assert!(small.is_err_and(|e| e.contains("too small")));
    }

    #[test]
    fn a_photo_of_forty_megapixels_is_read() {
        assert!(read(7300, 5500, ImageFormat::Jpeg).is_ok());
    }
}
