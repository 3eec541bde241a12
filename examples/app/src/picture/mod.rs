// SPDX-License-Identifier: MIT OR Apache-2.0
//! A picture file as pixels, the right way up. What cannot be used is told in words that can be counted.

mod whole;

use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, RgbImage};
use liveness::image::{Layout, Plane, View};

/// Largest file that is read, in bytes: a PNG of the largest picture that is taken, uncompressed.
const MOST_BYTES: u64 = 400 << 20;

/// Most pixels of a picture. Phones have up to 108 million; beyond this it is a mistake or an attack.
const MOST_PIXELS: u64 = 120_000_000;

/// A picture: 8-bit RGB, upright.
#[derive(Debug)]
pub struct Picture {
    rgb: RgbImage,
    layout: Layout,
}

impl Picture {
    /// Reads and decodes a file.
    ///
    /// # Errors
    /// Those of [`bytes`], [`Coded::open`] and [`Coded::decode`].
    pub fn read(path: &Path) -> Result<Self, String> {
        Coded::open(&bytes(path)?)?.decode()
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.layout.width, self.layout.height)
    }

    /// How its pixels lie.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Its pixels.
    pub fn rgb(&self) -> &RgbImage {
        &self.rgb
    }

    /// Its pixels, for somebody else to keep.
    pub fn into_rgb(self) -> RgbImage {
        self.rgb
    }

    /// Its pixels for the library.
    ///
    /// # Errors
    /// None that a decoded picture could have.
    pub fn view(&self) -> Result<View<'_>, String> {
        let plane = Plane {
            data: self.rgb.as_raw(),
            stride: 3 * self.layout.width,
        };
        View::new(&self.layout, &[plane]).map_err(|e| e.to_string())
    }
}

impl From<RgbImage> for Picture {
    fn from(rgb: RgbImage) -> Self {
        Self {
            layout: Layout::rgb8(rgb.width() as usize, rgb.height() as usize),
            rgb,
        }
    }
}

/// What a file holds.
///
/// # Errors
/// Where it cannot be read, is empty, or larger than any picture.
pub fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |e: std::io::Error| format!("cannot be read ({})", e.kind());
    let about = std::fs::metadata(path).map_err(failed)?;
    if about.len() == 0 {
        return Err("is empty: it has 0 bytes".into());
    }
    if about.len() > MOST_BYTES {
        return Err("is larger than any picture that is taken".into());
    }
    std::fs::read(path).map_err(failed)
}

/// A JPEG or PNG whose head has been read, but not its pixels: whoever decodes many at once can wait for memory here.
pub struct Coded<'a> {
    decoder: Box<dyn ImageDecoder + 'a>,
    format: ImageFormat,
}

impl<'a> Coded<'a> {
    /// Reads the head of a picture file; what counts is what it holds, not how it is called.
    ///
    /// # Errors
    /// Where it is no JPEG and no PNG, cut off, damaged, or has more pixels than are taken.
    pub fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let mut reader = ImageReader::new(Cursor::new(bytes));
        let format = match image::guess_format(bytes) {
            Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png)) => format,
            _ => return Err("is no JPEG and no PNG, whatever its name says".into()),
        };
        reader.set_format(format);
        if whole::cut_off(bytes) {
            return Err("is cut off: the end of the picture is missing".into());
        }
        let decoder = reader
            .into_decoder()
            .map_err(|_| "cannot be decoded: its head is damaged")?;
        let coded = Self {
            decoder: Box::new(decoder),
            format,
        };
        if coded.pixels() > MOST_PIXELS {
            return Err(format!(
                "is too large: more than {} megapixels",
                MOST_PIXELS / 1_000_000
            ));
        }
        Ok(coded)
    }

    /// What it is: JPEG or PNG.
    pub fn format(&self) -> ImageFormat {
        self.format
    }

    /// Width and height in pixels, as it is stored: not yet turned upright.
    pub fn size(&self) -> (u32, u32) {
        self.decoder.dimensions()
    }

    /// Number of pixels.
    pub fn pixels(&self) -> u64 {
        let (width, height) = self.size();
        u64::from(width) * u64::from(height)
    }

    /// Decodes the pixels and turns them as the EXIF orientation says.
    ///
    /// # Errors
    /// Where the data are damaged.
    pub fn decode(mut self) -> Result<Picture, String> {
        let turned = self.decoder.orientation();
        let orientation = turned.unwrap_or(Orientation::NoTransforms);
        let mut picture = DynamicImage::from_decoder(self.decoder)
            .map_err(|_| "cannot be decoded: its data are damaged")?;
        picture.apply_orientation(orientation);
        Ok(picture.into_rgb8().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([(x * 3) as u8, (y * 5) as u8, ((x + y) * 2) as u8])
        })
    }

    fn coded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
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

    fn read(bytes: &[u8]) -> Result<RgbImage, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Picture::read(file.path()).map(|p| p.rgb)
    }

    #[test]
    fn pictures_are_read_whatever_they_are_called_and_turned_upright() {
        let plain = picture(60, 40);
        assert_eq!(read(&coded(&plain, ImageFormat::Png)).unwrap(), plain);
        let jpeg = coded(&plain, ImageFormat::Jpeg);
        let upright = read(&jpeg).unwrap();
        let right = read(&turned(&jpeg, 6)).unwrap();
        assert_eq!(right, image::imageops::rotate90(&upright));
        let over = read(&turned(&jpeg, 3)).unwrap();
        assert_eq!(over, image::imageops::rotate180(&upright));
    }

    #[test]
    fn what_is_no_picture_is_named_with_its_reason() {
        let jpeg = coded(&picture(60, 40), ImageFormat::Jpeg);
        let png = coded(&picture(60, 40), ImageFormat::Png);
        let cases: [(&[u8], &str); 6] = [
            (b"", "0 bytes"),
            (b"this is a text", "no JPEG and no PNG"),
            (&jpeg[..jpeg.len() / 2], "cut off"),
            (&jpeg[..12], "cut off"),
            (&png[..png.len() / 2], "damaged"),
            (&png[..20], "damaged"),
        ];
        for (bytes, reason) in cases {
            let told = read(bytes).unwrap_err();
            assert!(told.contains(reason), "{told} instead of {reason}");
        }
        let gone = Picture::read(Path::new("/nowhere.jpg"));
        assert!(gone.is_err_and(|e| e.contains("cannot be read")));
    }
}
