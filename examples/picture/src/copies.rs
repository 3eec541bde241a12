// SPDX-License-Identifier: MIT OR Apache-2.0
//! The folder of annotated copies: where each goes, and that nothing there is ever lost.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use image::ImageFormat;
use liveness::dataset::picture::{Coding, Rgb, encode};
use liveness::face::Face;
use liveness_app::files;
use liveness_app::inputs::Input;
use liveness_app::picture::Picture;

use crate::paint::Painter;

/// Of JPEG copies: nobody sees what is lost.
const QUALITY: u8 = 92;

/// Writes copies.
pub(crate) struct Copies {
    folder: PathBuf,
    painter: Painter,
}

impl Copies {
    /// Makes the folder where there is none.
    ///
    /// # Errors
    /// Where nothing can be written into it, or GStreamer does not start.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let ready = fs::create_dir_all(folder).and_then(|()| files::check_place(&folder.join("x")));
        ready.with_context(|| format!("cannot write into {}", folder.display()))?;
        Ok(Self {
            folder: folder.to_owned(),
            painter: Painter::new()?,
        })
    }

    /// Writes the copy of a picture, coded as the picture was; where it lies then.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn add(
        &mut self,
        input: &Input,
        picture: Picture,
        format: ImageFormat,
        faces: &[Face],
    ) -> Result<PathBuf, String> {
        let place = place(&self.folder, input)?;
        let painted = self.painter.paint(picture, faces);
        let rgb = painted.map_err(|e| format!("{e:#}"))?.into_rgb();
        let rgb = Rgb {
            width: rgb.width() as usize,
            height: rgb.height() as usize,
            data: rgb.into_raw(),
        };
        let coding = match format {
            ImageFormat::Png => Coding::Png,
            _ => Coding::Jpeg(QUALITY),
        };
        let mut coded = Vec::new();
        encode(&rgb, coding, &mut coded).map_err(|e| e.to_string())?;
        let above = place.parent().unwrap_or(&self.folder);
        fs::create_dir_all(above).map_err(|e| {
            let above = above.display();
            format!("cannot make the folder {above}: {}", files::reason(&e))
        })?;
        match files::create(&place, &coded) {
            // The same command again has nothing to do.
            Err(error) if !holds(&place, &coded) => Err(failed(&place, &error)),
            _ => Ok(place),
        }
    }
}

/// Where the copy of a picture goes: below the folder's own name, as it lay there.
fn place(folder: &Path, input: &Input) -> Result<PathBuf, String> {
    let name = input.path.file_name().map(Path::new);
    let below = input.below.as_deref().or(name);
    let below = below.ok_or("it has no name")?;
    Ok(folder.join(below))
}

/// Whether there is a file with just these bytes.
fn holds(place: &Path, bytes: &[u8]) -> bool {
    let same_size = |about: fs::Metadata| about.is_file() && about.len() == bytes.len() as u64;
    fs::metadata(place).is_ok_and(same_size) && fs::read(place).is_ok_and(|there| there == bytes)
}

fn failed(place: &Path, error: &io::Error) -> String {
    let place = place.display();
    match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{place} is there already: name another folder, nothing is overwritten")
        }
        _ => format!("cannot write {place}: {}", files::reason(error)),
    }
}
