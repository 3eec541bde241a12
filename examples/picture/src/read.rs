// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a file to a picture in which a face can be looked for; what cannot be used is told in words. Knows no faces.

use std::path::Path;

use gstliveness::caps::LEAST_SIDE;
use image::ImageFormat;
use liveness_app::files;
use liveness_app::picture::{self, Coded, Picture};

/// Reads a picture and turns it upright; with what it was coded as.
///
/// # Errors
/// Those of [`Picture::read`], and where it is too small for a face or is not what its name says.
pub(crate) fn picture(path: &Path) -> Result<(Picture, ImageFormat), String> {
    let bytes = picture::bytes(path)?;
    let coded = Coded::open(&bytes)?;
    let format = coded.format();
    if let Some(ending) = lie(path, format) {
        return Err(format!(
            "is no .{ending} as its name says but a {}: rename it",
            word(format)
        ));
    }
    let (width, height) = coded.size();
    if width < LEAST_SIDE || height < LEAST_SIDE {
        return Err(format!(
            "is too small to hold a face: {width}x{height} pixels, at least {LEAST_SIDE}x{LEAST_SIDE} are needed"
        ));
    }
    Ok((coded.decode()?, format))
}

fn word(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "PNG",
        _ => "JPEG",
    }
}

/// The ending of a name that belongs to other files than those of this format. A name that promises nothing does not lie.
fn lie(path: &Path, format: ImageFormat) -> Option<String> {
    let true_ones: &[&str] = match format {
        ImageFormat::Png => &["png"],
        _ => &["jpg", "jpeg", "jpe", "jfif"],
    };
    let ending = path.extension()?.to_string_lossy().to_lowercase();
    let lies = files::is_film_or_picture(path) && !true_ones.contains(&&*ending);
    lies.then_some(ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_promise_something_else_lie() {
        let lie = |name: &str, format| lie(Path::new(name), format);
        for name in ["a.jpg", "a.JPEG", "a.jfif", "a", "a.bin", ".jpg"] {
            assert_eq!(lie(name, ImageFormat::Jpeg), None, "{name}");
        }
        assert_eq!(lie("a.JPG", ImageFormat::Png).as_deref(), Some("jpg"));
        for name in ["a.png", "a.heic", "a.mp4"] {
            assert!(lie(name, ImageFormat::Jpeg).is_some(), "{name}");
        }
    }
}
