// SPDX-License-Identifier: MIT OR Apache-2.0
//! The metadata that carries faces from element to element, written twice or more.
//!
//! 1. One `GstCustomMeta` [`NAME`] per analysed buffer: the authority. It survives conversion, scaling, encoding and tees; a
//!    frame that was analysed and holds no face carries it too. Its structure has `version` (u32), `width`, `height` (i32, of the
//!    frame that was analysed), `pixel-aspect-ratio`, `signature` ([`liveness::signature`]) and `faces`, an array of
//!    structures: see [`face_structure`], here with coordinates in 0..1.
//! 2. Per face one `GstVideoRegionOfInterestMeta` of type `face` for everybody else, with the parameters of DL Streamer:
//!    `detection`, `object_id`, `liveness`. Other elements rescale its rectangle, and lose its parameters.
//!
//! 3. With the cargo feature `v1_24` or newer also `GstAnalyticsRelationMeta`, per face an object detection of type `face` with its tracking and
//!    its verdict, for elements that read that, such as `objectdetectionoverlay`.
//!
//! So readers take verdicts from the first and geometry from the second, where that can still be trusted: [`faces_here`].

use gst_video::VideoRegionOfInterestMeta as Roi;
use liveness::face::{Cues, Face, Landmarks, Verdict};
use liveness::geometry::{Point, Rect};
use liveness::signature::Signature;

use crate::frame::Format;

#[cfg(feature = "v1_24")]
mod analytics;
mod here;
mod region;

pub use here::{Here, faces_here, faces_of};
pub use region::adopt;
use region::{params, take_regions};

/// Name of the custom meta.
pub const NAME: &str = "LivenessMeta";

/// Version of its structure; readers skip versions that they do not know.
pub const VERSION: u32 = 1;

/// Type of the regions of interest.
pub const ROI_TYPE: &str = "face";

/// Makes the custom meta known. Called by the plugin when it loads.
pub fn register() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // A static copy of the plugin and a loaded one may meet in a process: the first registers for both.
        if gst::glib::Type::from_name(NAME).is_none() {
            gst::meta::CustomMeta::register(NAME, &[]);
        }
    });
}

/// What is known about one frame. Faces are in pixels of the frame that was analysed.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// Width of that frame in pixels.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// Width over height of its pixels.
    pub par: gst::Fraction,
    /// How it looked.
    pub signature: Option<Signature>,
    /// Its faces; their ids are above 0 and differ.
    pub faces: Vec<Face>,
}

impl Analysis {
    /// For a frame of `format` without faces yet.
    pub fn new(format: &Format, signature: Option<Signature>) -> Self {
        let info = format.info();
        Self {
            width: info.width(),
            height: info.height(),
            par: info.par(),
            signature,
            faces: Vec::new(),
        }
    }
}

/// A face as a structure: `id` (u32), `x`, `y`, `w`, `h`, `score` (double), `landmarks` (array of ten doubles x, y, …),
/// `track` (u64), `label` (string), `live`, `last` (double), `looks` (u32), `reason`, `model` (string), `cues` (a structure: `moire`, `border`,
/// `planar-motion`, `blink`, `stream`, each double); what is not known is left out. Coordinates are multiplied by `sx` and `sy`.
pub fn face_structure(face: &Face, sx: f64, sy: f64) -> gst::Structure {
    let (x, y) = (|v: f32| f64::from(v) * sx, |v: f32| f64::from(v) * sy);
    let r = &face.rect;
    let mut s = gst::Structure::builder("face")
        .field("id", face.id)
        .field("x", x(r.x))
        .field("y", y(r.y))
        .field("w", x(r.w))
        .field("h", y(r.h))
        .field("score", f64::from(face.score))
        .field("label", face.verdict.label.as_str())
        .build();
    if let Some(points) = &face.landmarks {
        let flat = points.iter().flat_map(|p| [x(p.x), y(p.y)]);
        s.set("landmarks", gst::Array::new(flat));
    }
    if let Some(track) = face.track {
        s.set("track", track);
    }
    if let Some(live) = face.verdict.live {
        s.set("live", f64::from(live));
    }
    if let Some(last) = face.verdict.last {
        s.set("last", f64::from(last));
    }
    if face.verdict.looks > 0 {
        s.set("looks", face.verdict.looks);
    }
    if let Some(reason) = face.verdict.reason {
        s.set("reason", reason.as_str());
    }
    if let Some(model) = &face.verdict.model {
        s.set("model", &**model);
    }
    if face.verdict.cues != Cues::default() {
        s.set("cues", cues_structure(&face.verdict.cues));
    }
    s
}

/// The scores of the cues that have one.
fn cues_structure(cues: &Cues) -> gst::Structure {
    let mut s = gst::Structure::new_empty("cues");
    for (name, score) in [
        ("moire", cues.moire),
        ("border", cues.border),
        ("planar-motion", cues.planar_motion),
        ("blink", cues.blink),
        ("stream", cues.stream),
    ] {
        if let Some(score) = score {
            s.set(name, f64::from(score));
        }
    }
    s
}

/// The other way. What is no score is none.
fn cues_from(s: &gst::StructureRef) -> Cues {
    let get = |name: &str| {
        let score = s.get::<f64>(name).ok();
        score.filter(|v| (0.0..=1.0).contains(v)).map(|v| v as f32)
    };
    Cues {
        moire: get("moire"),
        border: get("border"),
        planar_motion: get("planar-motion"),
        blink: get("blink"),
        stream: get("stream"),
    }
}

/// The other way; `None` where a field that must be there is not, or is no number.
fn face_from(s: &gst::StructureRef, sx: f64, sy: f64) -> Option<Face> {
    let get = |name: &str| s.get::<f64>(name).ok().filter(|v| v.is_finite());
    let x = |v: f64| (v * sx) as f32;
    let y = |v: f64| (v * sy) as f32;
    let landmarks = s.get::<gst::Array>("landmarks").ok().and_then(|a| {
        let numbers = a.as_slice().as_chunks::<2>().0;
        let mut points = Landmarks::default();
        if a.len() != 2 * points.len() {
            return None;
        }
        for (point, [px, py]) in points.iter_mut().zip(numbers) {
            *point = Point {
                x: x(px.get().ok()?),
                y: y(py.get().ok()?),
            };
        }
        Some(points)
    });
    Some(Face {
        id: s.get("id").ok()?,
        rect: Rect::new(x(get("x")?), y(get("y")?), x(get("w")?), y(get("h")?)),
        score: get("score")? as f32,
        landmarks,
        track: s.get("track").ok(),
        verdict: Verdict {
            // An unknown word is no verdict.
            label: s
                .get::<&str>("label")
                .ok()
                .and_then(|l| l.parse().ok())
                .unwrap_or_default(),
            live: get("live").map(|v| v as f32),
            reason: s.get::<&str>("reason").ok().and_then(|r| r.parse().ok()),
            model: s.get::<&str>("model").ok().map(Into::into),
            looks: s.get("looks").unwrap_or_default(),
            last: get("last").map(|v| v as f32),
            cues: s
                .get::<gst::Structure>("cues")
                .map(|s| cues_from(&s))
                .unwrap_or_default(),
        },
    })
}

/// Reads the authority as it was written; `None` where the frame was not analysed.
pub fn read(buffer: &gst::BufferRef) -> Option<Analysis> {
    let meta = gst::meta::CustomMeta::from_buffer(buffer, NAME).ok()?;
    let s = meta.structure();
    if s.get::<u32>("version").ok()? != VERSION {
        return None;
    }
    let (width, height) = (s.get::<i32>("width").ok()?, s.get::<i32>("height").ok()?);
    if width <= 0 || height <= 0 {
        return None;
    }
    let faces = s.get::<gst::Array>("faces").ok()?;
    Some(Analysis {
        width: width as u32,
        height: height as u32,
        par: s.get("pixel-aspect-ratio").ok()?,
        signature: s
            .get::<&str>("signature")
            .ok()
            .and_then(Signature::from_hex),
        faces: faces
            .iter()
            .filter_map(|v| {
                let face = v.get::<gst::Structure>().ok()?;
                face_from(&face, f64::from(width), f64::from(height))
            })
            .collect(),
    })
}

/// Writes what a detector found: replaces the authority and all regions of faces.
pub fn write(buffer: &mut gst::BufferRef, analysis: &Analysis) {
    write_authority(buffer, analysis);
    take_regions(buffer);
    for face in &analysis.faces {
        let Some(rect) = face.rect.pixels(analysis.width, analysis.height) else {
            continue;
        };
        let mut roi = Roi::add(buffer, ROI_TYPE, rect);
        roi.set_id(face.id as i32);
        for param in params(face, analysis) {
            roi.add_param(param);
        }
    }
    #[cfg(feature = "v1_24")]
    analytics::write(buffer, analysis);
}

/// Writes verdicts: replaces the authority, and in the regions that are still there the parameters that say the same.
/// Regions that others dropped are not made anew, as nobody knows where they would belong.
pub fn write_verdicts(buffer: &mut gst::BufferRef, analysis: &Analysis) {
    write_authority(buffer, analysis);
    for region in take_regions(buffer) {
        let mut roi = Roi::add(buffer, ROI_TYPE, region.rect);
        roi.set_id(region.id);
        roi.set_parent_id(region.parent_id);
        let face = analysis.faces.iter().find(|f| f.id as i32 == region.id);
        let own = face.map_or_else(Vec::new, |face| params(face, analysis));
        for param in region.params {
            if own.iter().all(|o| o.name() != param.name()) {
                roi.add_param(param);
            }
        }
        for param in own {
            roi.add_param(param);
        }
    }
    #[cfg(feature = "v1_24")]
    analytics::write_verdicts(buffer, analysis);
}

fn write_authority(buffer: &mut gst::BufferRef, analysis: &Analysis) {
    let (sx, sy) = (
        1.0 / f64::from(analysis.width.max(1)),
        1.0 / f64::from(analysis.height.max(1)),
    );
    let faces = analysis.faces.iter().map(|f| face_structure(f, sx, sy));
    let faces = gst::Array::new(faces);
    let fill = |s: &mut gst::StructureRef| {
        s.set("version", VERSION);
        s.set("width", analysis.width as i32);
        s.set("height", analysis.height as i32);
        s.set("pixel-aspect-ratio", analysis.par);
        match &analysis.signature {
            Some(signature) => s.set("signature", signature.to_hex()),
            None => s.remove_field("signature"),
        }
        s.set("faces", &faces);
    };
    if let Ok(mut meta) = gst::meta::CustomMeta::from_mut_buffer(buffer, NAME) {
        fill(meta.mut_structure());
    } else if let Ok(mut meta) = gst::meta::CustomMeta::add(buffer, NAME) {
        // Adding fails only where the meta is not registered, which the plugin's loading did.
        fill(meta.mut_structure());
    }
}

#[cfg(test)]
mod tests;
