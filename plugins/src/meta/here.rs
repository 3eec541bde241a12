// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the faces of a frame are by now, if that is still known.

use liveness::face::Face;
use liveness::geometry::{Point, Rect};
use liveness::signature::Signature;

use super::region::{others, regions};
use super::{Analysis, read};
use crate::caps::pixel_aspect;
use crate::frame::Format;

/// How far, in pixels, a region may lie from where plain scaling puts it and still be that: rounding of both corners.
const ROUNDING: f32 = 2.0;

/// The faces of a frame as they lie in it now, in its own pixels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Here {
    /// Faces whose place is known.
    pub faces: Vec<Face>,
    /// Faces whose place is not: the frame was cropped, turned or letterboxed since they were found. Their coordinates are
    /// those of the frame that was analysed.
    pub lost: Vec<Face>,
}

/// The faces of `buffer`, a frame of `format`: our own, else those of other people's detectors (regions of type `face`).
/// `None` where nobody looked for faces.
///
/// A face's place is known where its region is still there, the frame has the shape that it had when it was analysed, and its
/// pixels lie the same way round; also without a region (videoflip drops it when it turns nothing, too) where the pixels that
/// were sampled are the very same. `scratch` is for reading them.
///
/// # Errors
/// A sentence where the frame has faces but cannot be read.
pub fn faces_here(
    buffer: &gst::BufferRef,
    format: &Format,
    scratch: &mut Vec<u8>,
) -> Result<Option<Here>, String> {
    faces_of(read(buffer).as_ref(), buffer, format, scratch)
}

/// The same, for whoever has read the frame's analysis already.
///
/// # Errors
/// Those of [`faces_here`].
pub fn faces_of(
    analysis: Option<&Analysis>,
    buffer: &gst::BufferRef,
    format: &Format,
    scratch: &mut Vec<u8>,
) -> Result<Option<Here>, String> {
    let Some(analysis) = analysis else {
        return Ok(foreign(buffer));
    };
    let mut here = Here::default();
    if analysis.faces.is_empty() {
        return Ok(Some(here));
    }
    let info = format.info();
    let now = (info.width(), info.height());
    let mut trusted = same_shape(analysis, info);
    let mut untouched = false;
    if let (true, Some(then)) = (trusted, &analysis.signature) {
        let signature = format.read(buffer, |pixels| Signature::of(pixels, scratch))?;
        trusted = then.agrees(&signature);
        untouched =
            now == (analysis.width, analysis.height) && *then == signature && then.has_contrast();
    }
    let (sx, sy) = (
        now.0 as f32 / analysis.width as f32,
        now.1 as f32 / analysis.height as f32,
    );
    let regions = regions(buffer);
    for face in analysis.faces.iter().cloned() {
        let region = regions.iter().find(|r| r.id == face.id as i32);
        match region.filter(|_| trusted) {
            Some(region) => here.faces.push(moved(face, region.rect, (sx, sy), now)),
            None if untouched => here.faces.push(face),
            None => here.lost.push(face),
        }
    }
    Ok(Some(here))
}

/// Whether a frame of `info` shows what the analysed frame showed: the same shape when displayed, within rounding.
fn same_shape(analysis: &Analysis, info: &gst_video::VideoInfo) -> bool {
    let par = |f: gst::Fraction| match (f.numer(), f.denom()) {
        (n @ 1.., d @ 1..) => f64::from(n) / f64::from(d),
        _ => 1.0,
    };
    let then = f64::from(analysis.width) * par(analysis.par) / f64::from(analysis.height);
    let now = f64::from(info.width()) * pixel_aspect(info) / f64::from(info.height());
    let least = f64::from(info.width().min(info.height()));
    (then / now - 1.0).abs() < 2.0 / least
}

/// The face where `region` has it, to a fraction of a pixel where that is plain scaling by `scale`.
fn moved(
    mut face: Face,
    region_rect: (u32, u32, u32, u32),
    (sx, sy): (f32, f32),
    now: (u32, u32),
) -> Face {
    let (x, y, w, h) = region_rect;
    let there = Rect::new(x as f32, y as f32, w as f32, h as f32);
    let scaled = face.rect.scaled(sx, sy);
    let plain = scaled.clamped(now.0 as f32, now.1 as f32).is_some_and(|s| {
        let near = |a: f32, b: f32, scale: f32| (a - b).abs() <= ROUNDING.max(ROUNDING * scale);
        near(s.x, there.x, sx)
            && near(s.y, there.y, sy)
            && near(s.right(), there.right(), sx)
            && near(s.bottom(), there.bottom(), sy)
    });
    let to = if plain { scaled } else { there };
    let from = face.rect;
    face.landmarks = face.landmarks.map(|points| {
        points.map(|p| Point {
            x: to.x + (p.x - from.x) * to.w / from.w,
            y: to.y + (p.y - from.y) * to.h / from.h,
        })
    });
    face.rect = to;
    face
}

/// Faces that another detector found. Their ids are the regions' own where these differ, else counted.
fn foreign(buffer: &gst::BufferRef) -> Option<Here> {
    let regions = others(buffer);
    if regions.is_empty() {
        return None;
    }
    let faces = regions.iter().enumerate().map(|(i, region)| {
        let (x, y, w, h) = region.rect;
        let detection = region.params.iter().find(|p| p.name() == "detection");
        let track = region.params.iter().find(|p| p.name() == "object_id");
        Face {
            id: i as u32 + 1,
            rect: Rect::new(x as f32, y as f32, w as f32, h as f32),
            score: detection
                .and_then(|d| d.get::<f64>("confidence").ok())
                .filter(|c| c.is_finite())
                .map_or(1.0, |c| c as f32),
            track: track
                .and_then(|t| t.get::<i32>("id").ok())
                .and_then(|id| u64::try_from(id).ok()),
            ..Face::default()
        }
    });
    Some(Here {
        faces: faces.collect(),
        lost: Vec::new(),
    })
}
