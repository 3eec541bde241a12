// SPDX-License-Identifier: MIT OR Apache-2.0
//! The faces as `GstAnalyticsRelationMeta`, the way in which GStreamer's own elements say what was detected since 1.24: for whoever
//! reads that. Ours read it only where a detector of somebody else has written nothing but this.
//!
//! Per face an object detection of type `face`, and related to it (both ways, as `RELATE_TO`) its tracking where it has a track, and its
//! classification, the verdict with its confidence, once it was judged. What others have written into the same meta stays.

use gst::glib::Quark;
use gst_analytics::prelude::*;
use gst_analytics::{
    AnalyticsAnyMtd, AnalyticsClassificationMtd, AnalyticsMtd, AnalyticsODMtd,
    AnalyticsRelationMeta, AnalyticsTrackingMtd, RelTypes,
};
use liveness::face::{Face, Label};
use liveness::geometry::Rect;

use super::region::{Region, regions};
use super::{Analysis, ROI_TYPE};

/// The meta of a buffer that is written to.
type Meta<'a> = gst::MetaRefMut<'a, AnalyticsRelationMeta, gst::meta::Standalone>;

/// Writes what a detector found, in place of what one has found in this frame before.
pub(super) fn write(buffer: &mut gst::BufferRef, analysis: &Analysis) {
    // Nothing can be taken out of a meta, so a look of a detector before this one goes with the whole of it. That of others stays.
    if holds_faces_alone(buffer)
        && let Some(meta) = buffer.meta_mut::<AnalyticsRelationMeta>()
        && meta.remove().is_err()
    {
        return;
    }
    let time = buffer.pts();
    let size = (analysis.width, analysis.height);
    let faces = analysis.faces.iter();
    let mut seen = faces
        .filter_map(|f| Some((f, f.rect.pixels(size.0, size.1)?)))
        .peekable();
    if seen.peek().is_none() {
        return;
    }
    let Some(mut meta) = open(buffer) else {
        return;
    };
    for (face, place) in seen {
        let _ = add(&mut meta, face, place, time);
    }
}

/// Writes verdicts: they replace those that were related to the same faces. Where nobody has written the faces here, they are added where their
/// regions are.
pub(super) fn write_verdicts(buffer: &mut gst::BufferRef, analysis: &Analysis) {
    let ids = detections(buffer);
    let faces = &analysis.faces;
    if ids.is_empty() {
        let regions = regions(buffer);
        let time = buffer.pts();
        for region in regions {
            let face = faces.iter().find(|f| f.id as i32 == region.id);
            if let (Some(face), Some(mut meta)) = (face, face.and_then(|_| open(buffer))) {
                let _ = add(&mut meta, face, region.rect, time);
            }
        }
        return;
    }
    // In the order in which `write` wrote them. Where they are not as many, nobody knows whose verdict would be whose.
    let size = (analysis.width, analysis.height);
    let seen: Vec<_> = faces
        .iter()
        .filter(|f| f.rect.pixels(size.0, size.1).is_some())
        .collect();
    let known = seen.len() == ids.len();
    for (i, id) in ids.into_iter().enumerate() {
        let before = verdicts(buffer, id);
        let Some(mut meta) = open(buffer) else {
            return;
        };
        for old in before {
            let _ = relate(&mut meta, RelTypes::NONE, id, old);
        }
        if let Some(face) = seen.get(i).filter(|_| known) {
            let _ = judge(&mut meta, id, face);
        }
    }
}

/// Faces that a detector of somebody else has written here and nowhere else, as regions that are numbered from 1, with the parameters that
/// regions have.
pub(super) fn found(buffer: &gst::BufferRef) -> Vec<Region> {
    let Some(meta) = buffer.meta::<AnalyticsRelationMeta>() else {
        return Vec::new();
    };
    let track = |od: u32| {
        let mut related = meta.iter_direct_related::<AnalyticsTrackingMtd>(od, RelTypes::ANY);
        related.next().and_then(|t| i32::try_from(t.info().0).ok())
    };
    let region = |(id, od): (i32, gst_analytics::AnalyticsMtdRef<'_, AnalyticsODMtd>)| {
        let l = od.location().ok()?;
        let rect = Rect::new(l.x as f32, l.y as f32, l.w as f32, l.h as f32);
        let score = f64::from(l.loc_conf_lvl);
        let detection = gst::Structure::builder("detection").field("confidence", score);
        let id_of_track = track(od.id()).map(|track| {
            let object = gst::Structure::builder("object_id");
            object.field("id", track).build()
        });
        let params = std::iter::once(detection.build()).chain(id_of_track);
        Some(Region {
            id,
            parent_id: 0,
            // Regions have no place left of the frame or above it.
            rect: rect.pixels(i32::MAX as u32, i32::MAX as u32)?,
            params: params.collect(),
        })
    };
    let faces = meta.iter::<AnalyticsODMtd>().filter(is_face);
    (1..).zip(faces).filter_map(region).collect()
}

/// The meta, added where it is missing.
fn open(buffer: &mut gst::BufferRef) -> Option<Meta<'_>> {
    if buffer.meta::<AnalyticsRelationMeta>().is_none() {
        AnalyticsRelationMeta::add(buffer);
    }
    buffer.meta_mut()
}

/// A face with all that is known about it.
fn add(
    meta: &mut Meta,
    face: &Face,
    (x, y, w, h): (u32, u32, u32, u32),
    time: Option<gst::ClockTime>,
) -> Result<(), gst::glib::BoolError> {
    let int = |v: u32| i32::try_from(v).unwrap_or(i32::MAX);
    let kind = Quark::from_str(ROI_TYPE);
    let id = meta
        .add_od_mtd(kind, int(x), int(y), int(w), int(h), face.score)?
        .id();
    if let Some(track) = face.track {
        // When it was seen first is not kept: that it is seen now is true.
        let tracking = meta.add_tracking_mtd(track, time.unwrap_or_default())?.id();
        relate(meta, RelTypes::RELATE_TO, id, tracking)?;
    }
    judge(meta, id, face)
}

/// The verdict, where there is one.
fn judge(meta: &mut Meta, id: u32, face: &Face) -> Result<(), gst::glib::BoolError> {
    let verdict = &face.verdict;
    if verdict.label == Label::Unchecked {
        return Ok(());
    }
    let label = Quark::from_str(verdict.label.as_str());
    let class = meta.add_one_cls_mtd(verdict.confidence(), label)?.id();
    relate(meta, RelTypes::RELATE_TO, id, class)
}

fn relate(meta: &mut Meta, how: RelTypes, a: u32, b: u32) -> Result<(), gst::glib::BoolError> {
    meta.set_relation(how, a, b)?;
    meta.set_relation(how, b, a)
}

fn is_face(od: &gst_analytics::AnalyticsMtdRef<'_, AnalyticsODMtd>) -> bool {
    od.obj_type() == Some(Quark::from_str(ROI_TYPE))
}

/// The object detections of faces.
fn detections(buffer: &gst::BufferRef) -> Vec<u32> {
    let Some(meta) = buffer.meta::<AnalyticsRelationMeta>() else {
        return Vec::new();
    };
    let faces = meta.iter::<AnalyticsODMtd>().filter(is_face);
    faces.map(|od| od.id()).collect()
}

/// The verdicts that are related to an object detection; other classifiers' words are none.
fn verdicts(buffer: &gst::BufferRef, id: u32) -> Vec<u32> {
    let Some(meta) = buffer.meta::<AnalyticsRelationMeta>() else {
        return Vec::new();
    };
    let related = meta.iter_direct_related::<AnalyticsClassificationMtd>(id, RelTypes::RELATE_TO);
    let ours = related
        .filter(|class| !class.is_empty() && class.quark(0).as_str().parse::<Label>().is_ok());
    ours.map(|class| class.id()).collect()
}

fn holds_faces_alone(buffer: &gst::BufferRef) -> bool {
    let Some(meta) = buffer.meta::<AnalyticsRelationMeta>() else {
        return false;
    };
    let ours = [
        AnalyticsODMtd::mtd_type(),
        AnalyticsTrackingMtd::mtd_type(),
        AnalyticsClassificationMtd::mtd_type(),
    ];
    let known = meta
        .iter::<AnalyticsAnyMtd>()
        .all(|mtd| ours.contains(&mtd.mtd_type()));
    known && meta.iter::<AnalyticsODMtd>().all(|od| is_face(&od))
}
