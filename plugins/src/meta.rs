// SPDX-License-Identifier: MIT OR Apache-2.0
//! The metadata that carries faces from element to element, written twice.
//!
//! 1. One `GstCustomMeta` [`NAME`] per analysed buffer: the authority. It survives conversion, scaling, encoding and tees; a
//!    frame that was analysed and holds no face carries it too. Its structure has `version` (u32), `width`, `height` (i32, of the
//!    frame that was analysed), `pixel-aspect-ratio`, `signature` ([`liveness::signature`]) and `faces`, an array of
//!    structures: see [`face_structure`], here with coordinates in 0..1.
//! 2. Per face one `GstVideoRegionOfInterestMeta` of type `face` for everybody else, with the parameters of DL Streamer:
//!    `detection`, `object_id`, `liveness`. Other elements rescale its rectangle, and lose its parameters.
//!
//! So readers take verdicts from the first and geometry from the second, where that can still be trusted: [`faces_here`].

use gst_video::VideoRegionOfInterestMeta as Roi;
use liveness::face::{Face, Landmarks, Verdict};
use liveness::geometry::{Point, Rect};
use liveness::signature::Signature;

use crate::caps::pixel_aspect;
use crate::frame::Format;

/// Name of the custom meta.
pub const NAME: &str = "LivenessMeta";

/// Version of its structure; readers skip versions that they do not know.
pub const VERSION: u32 = 1;

/// Type of the regions of interest.
pub const ROI_TYPE: &str = "face";

/// How far, in pixels, a region may lie from where plain scaling puts it and still be that: rounding of both corners.
const ROUNDING: f32 = 2.0;

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
/// `track` (u64), `label` (string), `live` (double), `reason`, `model` (string); what is not known is left out.
/// Coordinates are multiplied by `sx` and `sy`.
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
    if let Some(reason) = face.verdict.reason {
        s.set("reason", reason.as_str());
    }
    if let Some(model) = &face.verdict.model {
        s.set("model", model.as_str());
    }
    s
}

/// The other way; `None` where a field that must be there is not, or is no number.
fn face_from(s: &gst::StructureRef, sx: f64, sy: f64) -> Option<Face> {
    let get = |name: &str| s.get::<f64>(name).ok().filter(|v| v.is_finite());
    let x = |v: f64| (v * sx) as f32;
    let y = |v: f64| (v * sy) as f32;
    let landmarks = s.get::<gst::Array>("landmarks").ok().and_then(|a| {
        let v: Vec<f64> = a.iter().map(|v| v.get().ok()).collect::<Option<_>>()?;
        let points: Vec<Point> = v
            .as_chunks::<2>()
            .0
            .iter()
            .map(|p| Point {
                x: x(p[0]),
                y: y(p[1]),
            })
            .collect();
        Landmarks::try_from(points).ok()
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
            model: s.get("model").ok(),
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
        let frame = (analysis.width, analysis.height);
        let Some(rect) = region(&face.rect, frame) else {
            continue;
        };
        let mut roi = Roi::add(buffer, ROI_TYPE, rect);
        roi.set_id(face.id as i32);
        for param in params(face, analysis) {
            roi.add_param(param);
        }
    }
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

/// The pixels that a region covers, inside the frame.
fn region(rect: &Rect, (width, height): (u32, u32)) -> Option<(u32, u32, u32, u32)> {
    let r = rect.clamped(width as f32, height as f32)?;
    let (x, y) = (r.x.round() as u32, r.y.round() as u32);
    let (right, bottom) = (r.right().round() as u32, r.bottom().round() as u32);
    (right > x && bottom > y).then(|| (x, y, right - x, bottom - y))
}

/// The parameters of a region, with DL Streamer's names and types.
fn params(face: &Face, analysis: &Analysis) -> Vec<gst::Structure> {
    let (w, h) = (f64::from(analysis.width), f64::from(analysis.height));
    let r = &face.rect;
    let unit = |v: f32, n: f64| (f64::from(v) / n).clamp(0.0, 1.0);
    let mut params = vec![
        gst::Structure::builder("detection")
            .field("x_min", unit(r.x, w))
            .field("x_max", unit(r.right(), w))
            .field("y_min", unit(r.y, h))
            .field("y_max", unit(r.bottom(), h))
            .field("confidence", f64::from(face.score))
            .field("label", ROI_TYPE)
            .field("label_id", 0i32)
            .build(),
    ];
    if let Some(track) = face.track {
        params.push(
            gst::Structure::builder("object_id")
                .field("id", track as i32)
                .build(),
        );
    }
    if let Some(model) = &face.verdict.model {
        params.push(
            gst::Structure::builder("liveness")
                .field("label", face.verdict.label.as_str())
                .field("model_name", model.as_str())
                .field("confidence", f64::from(face.verdict.confidence()))
                .field("label_id", face.verdict.label.id())
                .build(),
        );
    }
    params
}

/// A region of interest taken off its buffer.
struct Region {
    id: i32,
    parent_id: i32,
    rect: (u32, u32, u32, u32),
    params: Vec<gst::Structure>,
}

fn regions(buffer: &gst::BufferRef) -> Vec<Region> {
    buffer
        .iter_meta::<Roi>()
        .filter(|roi| roi.roi_type() == ROI_TYPE)
        .map(|roi| Region {
            id: roi.id(),
            parent_id: roi.parent_id(),
            rect: roi.rect(),
            params: roi.params().map(|s| s.to_owned()).collect(),
        })
        .collect()
}

fn take_regions(buffer: &mut gst::BufferRef) -> Vec<Region> {
    use std::ops::ControlFlow::Continue;
    let taken = regions(buffer);
    if !taken.is_empty() {
        buffer.foreach_meta_mut(|mut meta| {
            let face = meta
                .downcast_ref::<Roi>()
                .is_some_and(|roi| roi.roi_type() == ROI_TYPE);
            Continue(if face {
                gst::buffer::BufferMetaForeachAction::Remove
            } else {
                gst::buffer::BufferMetaForeachAction::Keep
            })
        });
    }
    taken
}

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
    let Some(analysis) = read(buffer) else {
        return Ok(foreign(buffer));
    };
    let mut here = Here::default();
    if analysis.faces.is_empty() {
        return Ok(Some(here));
    }
    let info = format.info();
    let now = (info.width(), info.height());
    let mut trusted = same_shape(&analysis, info);
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
    for face in analysis.faces {
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
    let regions = regions(buffer);
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

/// Takes over the faces of another detector, so that verdicts can be written: numbers their regions as `faces` are numbered.
pub fn adopt(buffer: &mut gst::BufferRef) {
    for (i, region) in take_regions(buffer).into_iter().enumerate() {
        let mut roi = Roi::add(buffer, ROI_TYPE, region.rect);
        roi.set_id(i as i32 + 1);
        roi.set_parent_id(region.parent_id);
        for param in region.params {
            roi.add_param(param);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use liveness::face::{Label, Reason};
    use proptest::prelude::*;

    fn init() {
        gst::init().unwrap();
        register();
    }

    fn analysis(faces: Vec<Face>) -> Analysis {
        Analysis {
            width: 640,
            height: 480,
            par: gst::Fraction::new(1, 1),
            signature: None,
            faces,
        }
    }

    fn format(width: u32, height: u32) -> Format {
        let video = gst_video::VideoFormat::Gray8;
        Format::new(
            &gst_video::VideoInfo::builder(video, width, height)
                .build()
                .unwrap(),
        )
    }

    fn face(id: u32, rect: Rect) -> Face {
        Face {
            id,
            rect,
            score: 0.75,
            ..Face::default()
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            x in -50f32..600.0, y in -50f32..400.0, w in 1f32..300.0, h in 1f32..300.0,
            score in 0f32..1.0, live in prop::option::of(0f32..1.0), track in prop::option::of(0u64..1000),
            label in 0usize..4, reason in prop::option::of(0usize..5), points in any::<bool>(),
        ) {
            init();
            let mut f = face(7, Rect::new(x, y, w, h));
            f.score = score;
            f.track = track;
            f.verdict = Verdict {
                label: Label::ALL[label],
                live,
                reason: reason.map(|i| Reason::ALL[i]),
                model: live.map(|_| "m".to_owned()),
            };
            f.landmarks = points.then_some([Point { x, y }; 5]);
            let written = analysis(vec![f]);
            let mut buffer = gst::Buffer::new();
            let b = buffer.get_mut().unwrap();
            write(b, &written);
            // A second detector replaces the first one's faces.
            write(b, &written);
            let got = read(&buffer).unwrap();
            let (a, b) = (&written.faces[0], &got.faces[0]);
            let near = |a: f32, b: f32| (a - b).abs() < 1e-3;
            prop_assert!(near(a.rect.x, b.rect.x) && near(a.rect.bottom(), b.rect.bottom()));
            prop_assert_eq!((a.id, a.track, &a.verdict.label, a.verdict.reason), (b.id, b.track, &b.verdict.label, b.verdict.reason));
            prop_assert_eq!(a.landmarks.is_some(), b.landmarks.is_some());
            prop_assert!(regions(&buffer).len() <= 1);
        }
    }

    #[test]
    fn analysed_without_a_face_is_not_the_same_as_not_analysed() {
        init();
        let mut buffer = gst::Buffer::new();
        assert_eq!(read(&buffer), None);
        write(buffer.get_mut().unwrap(), &analysis(Vec::new()));
        assert_eq!(read(&buffer).unwrap().faces, []);
    }

    #[test]
    fn the_parameters_are_those_of_dl_streamer() {
        init();
        let mut buffer = gst::Buffer::new();
        let mut f = face(3, Rect::new(64.0, 48.0, 128.0, 96.0));
        f.track = Some(9);
        f.verdict = Verdict {
            label: Label::Spoof,
            live: Some(0.25),
            reason: None,
            model: Some("net".into()),
        };
        write(buffer.get_mut().unwrap(), &analysis(vec![f]));
        let roi = buffer.meta::<Roi>().unwrap();
        assert_eq!((roi.id(), roi.rect()), (3, (64, 48, 128, 96)));
        let d = roi.param("detection").unwrap();
        assert!((d.get::<f64>("x_min").unwrap() - 0.1).abs() < 1e-6);
        assert!((d.get::<f64>("y_max").unwrap() - 0.3).abs() < 1e-6);
        assert_eq!(d.get::<i32>("label_id").unwrap(), 0);
        assert_eq!(roi.param("object_id").unwrap().get::<i32>("id").unwrap(), 9);
        let l = roi.param("liveness").unwrap();
        assert_eq!(l.get::<&str>("label").unwrap(), "spoof");
        assert_eq!(l.get::<&str>("model_name").unwrap(), "net");
        assert!((l.get::<f64>("confidence").unwrap() - 0.75).abs() < 1e-6);
    }

    #[test]
    fn a_verdict_replaces_the_one_before_and_keeps_what_others_wrote() {
        init();
        let mut buffer = gst::Buffer::new();
        let b = buffer.get_mut().unwrap();
        let mut a = analysis(vec![face(1, Rect::new(10.0, 10.0, 50.0, 50.0))]);
        write(b, &a);
        b.meta_mut::<Roi>()
            .unwrap()
            .add_param(gst::Structure::new_empty("somebody-elses"));
        for label in [Label::Live, Label::Spoof] {
            a.faces[0].verdict = Verdict {
                label,
                live: Some(0.5),
                reason: None,
                model: Some("net".into()),
            };
            write_verdicts(b, &a);
        }
        let roi = buffer.meta::<Roi>().unwrap();
        let names: Vec<_> = roi.params().map(|p| p.name().to_string()).collect();
        assert_eq!(names, ["somebody-elses", "detection", "liveness"]);
        let l = roi.param("liveness").unwrap();
        assert_eq!(l.get::<&str>("label").unwrap(), "spoof");
    }

    #[test]
    fn scaled_frames_keep_their_faces_and_other_shapes_lose_them() {
        init();
        let mut buffer = gst::Buffer::with_size(320 * 240).unwrap();
        let b = buffer.get_mut().unwrap();
        write(
            b,
            &analysis(vec![face(1, Rect::new(100.5, 50.25, 60.0, 80.0))]),
        );
        // As videoscale does it.
        b.meta_mut::<Roi>().unwrap().set_rect((50, 25, 30, 40));
        let here = |f: &Format| faces_here(&buffer, f, &mut Vec::new()).unwrap().unwrap();
        let half = here(&format(320, 240));
        assert_eq!(half.faces[0].rect, Rect::new(50.25, 25.125, 30.0, 40.0));
        assert_eq!(here(&format(320, 200)).lost.len(), 1);
    }

    #[test]
    fn a_picture_that_somebody_mirrored_loses_its_faces_though_the_metadata_is_whole() {
        init();
        let picture = |mirrored: bool| {
            let bytes = (0..640 * 480).map(|i| {
                let x = if mirrored { 639 - i % 640 } else { i % 640 };
                (x / 4 + i / 640 / 8) as u8
            });
            gst::Buffer::from_slice(bytes.collect::<Vec<_>>())
        };
        let format = format(640, 480);
        let mut scratch = Vec::new();
        let signature = format
            .read(&picture(false), |p| Signature::of(p, &mut scratch))
            .unwrap();
        let mut a = analysis(vec![face(1, Rect::new(10.0, 10.0, 60.0, 80.0))]);
        a.signature = Some(signature);
        for mirrored in [false, true] {
            let mut buffer = picture(mirrored);
            write(buffer.make_mut(), &a);
            let here = faces_here(&buffer, &format, &mut scratch).unwrap().unwrap();
            assert_eq!(here.lost.len(), usize::from(mirrored));
            // Where nothing was touched, a region that went missing is not missed.
            take_regions(buffer.make_mut());
            let here = faces_here(&buffer, &format, &mut scratch).unwrap().unwrap();
            assert_eq!(here.lost.len(), usize::from(mirrored));
        }
    }

    #[test]
    fn a_dropped_region_is_a_lost_face() {
        init();
        let mut buffer = gst::Buffer::with_size(640 * 480).unwrap();
        let b = buffer.get_mut().unwrap();
        write(
            b,
            &analysis(vec![face(1, Rect::new(10.0, 10.0, 60.0, 80.0))]),
        );
        take_regions(b);
        let here = faces_here(&buffer, &format(640, 480), &mut Vec::new());
        let here = here.unwrap().unwrap();
        assert_eq!((here.faces.len(), here.lost.len()), (0, 1));
    }

    #[test]
    fn regions_of_other_detectors_are_faces() {
        init();
        let mut buffer = gst::Buffer::with_size(640 * 480).unwrap();
        let here = |b: &gst::Buffer| faces_here(b, &format(640, 480), &mut Vec::new()).unwrap();
        assert_eq!(here(&buffer), None);
        let b = buffer.get_mut().unwrap();
        Roi::add(b, "car", (0, 0, 9, 9));
        Roi::add(b, "face", (1, 2, 30, 40));
        Roi::add(b, "face", (5, 6, 70, 80));
        adopt(b);
        let faces = here(&buffer).unwrap().faces;
        assert_eq!(faces.len(), 2);
        assert_eq!(faces[1].rect, Rect::new(5.0, 6.0, 70.0, 80.0));
        assert_eq!((faces[0].id, faces[1].id), (1, 2));
        assert_eq!(buffer.iter_meta::<Roi>().count(), 3);
    }
}
