// SPDX-License-Identifier: MIT OR Apache-2.0
//! A detector that is measured: the library's own, from pixels to faces.

use std::path::{Path, PathBuf};

use liveness::detect::{DEFAULT_LONG_SIDE, Detector, InputSize, Settings};
use liveness::geometry::Rect;
use liveness::image::{Layout, Plane, View};
use liveness::metrics::detection::Detection;
use liveness::model::ModelFile;
use liveness::runtime::{Options, Timing};

use crate::cli::ModelArg;
use crate::names;
use crate::predictions::FLOOR;

/// A model with the size of its input.
#[derive(Debug)]
pub(crate) struct Contender {
    pub(crate) name: String,
    /// From which score on its makers call something a face.
    pub(crate) threshold: f32,
    detector: Detector,
    settings: Settings,
    /// Width and height of its input, and of the part that pictures may fill, where that is not all of it.
    part: Option<[(usize, usize); 2]>,
}

/// Opens the models that the user named.
pub(crate) fn open(wanted: &[ModelArg]) -> anyhow::Result<Vec<Contender>> {
    let mut stems: Vec<PathBuf> = wanted.iter().map(|m| m.file.with_extension("")).collect();
    stems.sort();
    stems.dedup();
    let paths: Vec<&Path> = stems.iter().map(PathBuf::as_path).collect();
    let names = names::tails(&paths);
    let one = |arg: &ModelArg| {
        let stem = arg.file.with_extension("");
        let place = paths.iter().position(|p| *p == stem);
        let name = place.and_then(|p| names.get(p)).cloned();
        Contender::open(arg, name.unwrap_or_default())
    };
    wanted.iter().map(one).collect()
}

impl Contender {
    fn open(arg: &ModelArg, name: String) -> anyhow::Result<Self> {
        let file = ModelFile::read(&arg.file, None)?;
        let detector = Detector::open(&file, Options::default())?;
        let mut input_size = arg.long_side.map_or(InputSize::Auto, InputSize::LongSide);
        let mut part = None;
        if let (Some((w, h)), Some(long)) = (detector.fixed_size(), arg.long_side)
            && long < w.max(h)
        {
            let side = |n: usize| n * long / w.max(h);
            part = Some([(w, h), (side(w), side(h))]);
            input_size = InputSize::Auto;
        }
        let size = arg.long_side.map(|n| format!("@{n}")).unwrap_or_default();
        Ok(Self {
            name: format!("{name}{size}"),
            threshold: detector.default_threshold(),
            settings: Settings {
                threshold: Some(FLOOR),
                input_size,
                ..Settings::default()
            },
            detector,
            part,
        })
    }

    /// Everything that it finds in a picture of `size` (width, height) and 3 bytes per pixel, and how long that took.
    ///
    /// # Errors
    /// Those of [`Detector::detect`].
    pub(crate) fn detect(
        &mut self,
        size: (usize, usize),
        rgb: &[u8],
    ) -> anyhow::Result<(Vec<Detection>, Timing)> {
        let canvas = self.part.map(|part| Canvas::of(part, size, rgb));
        let (whole, rgb) = canvas.as_ref().map_or((size, rgb), |c| (c.size, &c.rgb));
        let layout = Layout::rgb8(whole.0, whole.1);
        let plane = Plane {
            data: rgb,
            stride: 3 * whole.0,
        };
        let frame = View::new(&layout, &[plane])?;
        let (faces, timing) = self.detector.detect(&frame, 1.0, &self.settings)?;
        let found = faces.iter().map(|f| Detection {
            rect: f.rect,
            score: f.score,
            landmarks: f.landmarks,
            luma: None,
        });
        // The library drops what lies outside the frame by itself, but not what lies beside a picture on a canvas.
        let inside = |r: &Rect| r.clamped(size.0 as f32, size.1 as f32).is_some();
        Ok((found.filter(|d| inside(&d.rect)).collect(), timing))
    }

    /// Width and height of its input for a picture as wide as it is high.
    pub(crate) fn input(&self) -> (usize, usize) {
        let fixed = self.detector.fixed_size();
        fixed.unwrap_or(match self.settings.input_size {
            InputSize::Exact(w, h) => (w, h),
            InputSize::LongSide(n) => [n.next_multiple_of(32); 2].into(),
            InputSize::Auto => [DEFAULT_LONG_SIDE; 2].into(),
        })
    }
}

/// A picture in the corner of a black one, so large that the picture comes out small in a model's input.
struct Canvas {
    size: (usize, usize),
    rgb: Vec<u8>,
}

impl Canvas {
    /// `input` and the `part` of it that the picture of `size` may fill.
    fn of([input, part]: [(usize, usize); 2], size: (usize, usize), rgb: &[u8]) -> Self {
        let across = size.0 as f64 / part.0.max(1) as f64;
        let down = size.1 as f64 / part.1.max(1) as f64;
        let pixels = across.max(down);
        let side = |n: usize, least: usize| ((n as f64 * pixels).ceil() as usize).max(least);
        let whole = (side(input.0, size.0), side(input.1, size.1));
        let mut canvas = vec![0; whole.0 * whole.1 * 3];
        let rows = canvas.chunks_exact_mut(3 * whole.0);
        for (to, from) in rows.zip(rgb.chunks_exact(3 * size.0)) {
            if let Some(to) = to.get_mut(..from.len()) {
                to.copy_from_slice(from);
            }
        }
        Self {
            size: whole,
            rgb: canvas,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canvas_makes_a_picture_as_small_as_it_shall_be() {
        let rgb: Vec<u8> = (0..40 * 20 * 3).map(|i| i as u8 | 1).collect();
        // 40 pixels become 320 of 640.
        let canvas = Canvas::of([(640, 640), (320, 320)], (40, 20), &rgb);
        assert_eq!(canvas.size, (80, 80));
        assert_eq!(canvas.rgb[..120], rgb[..120]);
        assert_eq!(canvas.rgb[120..240], [0; 120]);
        assert_eq!(canvas.rgb[240..360], rgb[120..240]);
        assert!(canvas.rgb[20 * 240..].iter().all(|v| *v == 0));
    }
}
