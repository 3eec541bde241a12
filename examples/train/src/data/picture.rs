// SPDX-License-Identifier: MIT OR Apache-2.0
//! A picture file as pixels, the right way up. What cannot be used is told in words that can be counted.

use std::io::Cursor;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, RgbImage};
use liveness::image::{Layout, Plane, View};
use sha2::{Digest, Sha256};

use super::coding;

/// Largest file that is read, in bytes: a PNG of the largest picture that is taken, uncompressed.
const MOST_BYTES: u64 = 400 << 20;

/// Most pixels of a picture. Phones have up to 108 million; beyond this it is a mistake or an attack.
const MOST_PIXELS: u64 = 120_000_000;

/// Pixels from which on pictures are decoded one at a time, so that many cores do not need many times the memory (about
/// 10 bytes a pixel while it is turned the right way up).
const LARGE: u64 = 16_000_000;

/// Shortest side of a picture in pixels: below this there is no face to see.
const LEAST_SIDE: u32 = 16;

/// A decoded picture: 8-bit RGB.
pub(crate) struct Picture<'a> {
    pub(super) rgb: RgbImage,
    /// How the pixels lie.
    pub(super) layout: Layout,
    /// SHA-256 of the file.
    pub(super) sha256: [u8; 32],
    /// Quality of a JPEG file, see [`coding::Jpeg`]; none for PNG.
    pub(super) jpeg: Option<u8>,
    /// Held while a large picture is in memory.
    _turn: Option<MutexGuard<'a, ()>>,
}

impl Picture<'_> {
    /// Width and height in pixels.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.layout.width, self.layout.height)
    }

    /// Its pixels for the library.
    pub(crate) fn view(&self) -> Result<View<'_>, String> {
        let plane = Plane {
            data: self.rgb.as_raw(),
            stride: 3 * self.layout.width,
        };
        View::new(&self.layout, &[plane]).map_err(|e| e.to_string())
    }
}

/// Reads a file where nobody else reads large ones.
pub(crate) fn read(path: &Path) -> Result<Picture<'static>, String> {
    static LARGE: Mutex<()> = Mutex::new(());
    decode(path, &LARGE)
}

/// Reads and decodes a file and turns it as its EXIF orientation says. `large` lets one large picture through at a time.
pub(super) fn decode<'a>(path: &Path, large: &'a Mutex<()>) -> Result<Picture<'a>, String> {
    let about = std::fs::metadata(path).map_err(|e| format!("cannot be read ({})", e.kind()))?;
    if about.len() == 0 {
        return Err("is empty: it has 0 bytes".into());
    }
    if about.len() > MOST_BYTES {
        return Err("is larger than any picture that is taken".into());
    }
    let bytes = std::fs::read(path).map_err(|e| format!("cannot be read ({})", e.kind()))?;
    let mut reader = ImageReader::new(Cursor::new(&bytes));
    match image::guess_format(&bytes) {
        Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png)) => reader.set_format(format),
        _ => return Err("is no JPEG and no PNG, whatever its name says".into()),
    }
    let jpeg = coding::inspect(&bytes);
    if jpeg.is_some_and(|j| !j.whole) {
        return Err("is cut off: the end of the picture is missing".into());
    }
    let mut decoder = reader
        .into_decoder()
        .map_err(|_| "cannot be decoded: its head is damaged")?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if width.min(height) < LEAST_SIDE {
        return Err(format!(
            "is too small: its shorter side is below {LEAST_SIDE} pixels"
        ));
    }
    if pixels > MOST_PIXELS {
        return Err(format!(
            "is too large: more than {} megapixels",
            MOST_PIXELS / 1_000_000
        ));
    }
    let turn = (pixels > LARGE).then(|| large.lock().unwrap_or_else(PoisonError::into_inner));
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder)
        .map_err(|_| "cannot be decoded: its data are damaged")?;
    picture.apply_orientation(orientation);
    let rgb = picture.into_rgb8();
    Ok(Picture {
        layout: Layout::rgb8(rgb.width() as usize, rgb.height() as usize),
        rgb,
        sha256: Sha256::digest(&bytes).into(),
        jpeg: jpeg.and_then(|j| j.quality),
        _turn: turn,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([(x * 3) as u8, (y * 5) as u8, ((x + y) * 2) as u8])
        })
    }

    fn bytes(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        picture.write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    /// A JPEG file with an EXIF segment that says how it is turned.
    fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
        let mut out = jpeg[..2].to_vec();
        out.extend([0xff, 0xe1, 0, exif.len() as u8 + 2]);
        out.extend(exif);
        out.extend(&jpeg[2..]);
        out
    }

    fn read(bytes: &[u8]) -> Result<(RgbImage, Option<u8>), String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let large = Mutex::new(());
        decode(file.path(), &large).map(|p| (p.rgb, p.jpeg))
    }

    #[test]
    fn pictures_are_read_whatever_they_are_called_and_turned_upright() {
        let plain = picture(60, 40);
        let (png, quality) = read(&bytes(&plain, ImageFormat::Png)).unwrap();
        assert_eq!((png, quality), (plain.clone(), None));
        let jpeg = bytes(&plain, ImageFormat::Jpeg);
        let (upright, quality) = read(&jpeg).unwrap();
        assert_eq!(upright.dimensions(), (60, 40));
        assert!(quality.is_some());
        let (right, _) = read(&turned(&jpeg, 6)).unwrap();
        assert_eq!(right, image::imageops::rotate90(&upright));
        let (over, _) = read(&turned(&jpeg, 3)).unwrap();
        assert_eq!(over, image::imageops::rotate180(&upright));
    }

    #[test]
    fn what_is_no_picture_is_named_with_its_reason() {
        let jpeg = bytes(&picture(60, 40), ImageFormat::Jpeg);
        let png = bytes(&picture(60, 40), ImageFormat::Png);
        let mut bomb = png.clone();
        // Width and height in the head, and the checksum over it.
        bomb[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
        let checksum = crc(&bomb[12..29]).to_be_bytes();
        bomb[29..33].copy_from_slice(&checksum);
        let cases: [(&[u8], &str); 8] = [
            (b"", "0 bytes"),
            (b"this is a text", "no JPEG and no PNG"),
            (&jpeg[..jpeg.len() / 2], "cut off"),
            (&jpeg[..12], "cut off"),
            (&png[..png.len() / 2], "damaged"),
            (&png[..20], "damaged"),
            (&bytes(&picture(15, 40), ImageFormat::Png), "too small"),
            (&bomb, "too large"),
        ];
        for (bytes, reason) in cases {
            let told = read(bytes).unwrap_err();
            assert!(told.contains(reason), "{told} instead of {reason}");
        }
        let large = Mutex::new(());
        let gone = decode(Path::new("/nowhere.jpg"), &large);
        assert!(gone.is_err_and(|e| e.contains("cannot be read")));
    }

    /// The checksum of PNG (ISO/IEC 15948, annex D).
    fn crc(bytes: &[u8]) -> u32 {
        let step = |crc: u32, byte: &u8| {
            (0..8).fold(crc ^ u32::from(*byte), |c, _| {
                (c >> 1) ^ if c & 1 == 1 { 0xedb8_8320 } else { 0 }
            })
        };
        !bytes.iter().fold(!0, step)
    }

    #[test]
    fn a_photo_of_forty_megapixels_is_read() {
        let large = RgbImage::from_pixel(7300, 5500, image::Rgb([90, 120, 60]));
        let (back, _) = read(&bytes(&large, ImageFormat::Jpeg)).unwrap();
        assert_eq!(back.dimensions(), (7300, 5500));
    }
}
