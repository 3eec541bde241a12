// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether what a browser sent is a picture that may be looked at. Knows bytes, no faces.

use liveness_app::picture::Coded;

/// Largest picture of a camera in bytes: four times what a browser makes of 1280x720.
pub(crate) const MOST_BYTES: usize = 1 << 20;

/// Most pixels: 1920x1080.
pub(crate) const MOST_PIXELS: u64 = 1920 * 1080;

/// Shortest side: that of the smallest frame that the elements take.
const LEAST_SIDE: u32 = 16;

/// Checks the head and the end of a JPEG picture before it is given to a decoder.
///
/// # Errors
/// A sentence about what is wrong with it.
pub(crate) fn check(jpeg: &[u8]) -> Result<(), String> {
    if !jpeg.starts_with(&[0xff, 0xd8, 0xff]) {
        return Err("The picture is no JPEG.".into());
    }
    let coded = Coded::open(jpeg).map_err(|e| format!("The picture {e}."))?;
    let (width, height) = coded.size();
    if coded.pixels() > MOST_PIXELS {
        return Err(format!(
            "The picture is too large: {width}x{height} pixels, at most 1920x1080 are taken."
        ));
    }
    if width.min(height) < LEAST_SIDE {
        return Err(format!(
            "The picture is too small: {width}x{height} pixels, at least 16x16 are needed."
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn only_whole_pictures_of_a_fitting_size_pass() {
        let good = testing::jpeg(160, 120, 90);
        assert_eq!(check(&good), Ok(()));
        for (bytes, said) in [
            (&good[..good.len() / 2], "cut off"),
            (b"\x89PNG\r\n\x1a\n".as_slice(), "no JPEG"),
            (b"", "no JPEG"),
            (&testing::jpeg(8, 200, 90), "too small"),
            (&testing::jpeg(2400, 1200, 90), "too large"),
            (b"\xff\xd8\xff\xd9", ""),
        ] {
            let told = check(bytes).unwrap_err();
            assert!(told.contains(said), "{told}");
        }
    }
}
