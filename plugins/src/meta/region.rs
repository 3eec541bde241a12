// SPDX-License-Identifier: MIT OR Apache-2.0
//! The regions of interest of faces: what everybody else reads, and rescales.

use gst_video::VideoRegionOfInterestMeta as Roi;
use liveness::face::Face;

use super::{Analysis, ROI_TYPE};

/// The parameters of a region, with DL Streamer's names and types.
pub(super) fn params(face: &Face, analysis: &Analysis) -> Vec<gst::Structure> {
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
                .field("id", object_id(track))
                .build(),
        );
    }
    if let Some(model) = &face.verdict.model {
        params.push(
            gst::Structure::builder("liveness")
                .field("label", face.verdict.label.as_str())
                .field("model_name", &**model)
                .field("confidence", f64::from(face.verdict.confidence()))
                .field("label_id", face.verdict.label.id())
                .build(),
        );
    }
    params
}

/// A track's number as the int that `object_id` has. Beyond that it starts at 1 again: never below, and never the same
/// for two faces of a frame, as it would be at an upper end.
fn object_id(track: u64) -> i32 {
    const MOST: u64 = i32::MAX as u64;
    match track {
        0..=MOST => track as i32,
        _ => ((track - 1) % MOST + 1) as i32,
    }
}

/// A region of interest taken off its buffer.
pub(super) struct Region {
    pub(super) id: i32,
    pub(super) parent_id: i32,
    pub(super) rect: (u32, u32, u32, u32),
    pub(super) params: Vec<gst::Structure>,
}

pub(super) fn regions(buffer: &gst::BufferRef) -> Vec<Region> {
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

/// The faces of another detector: its regions; where it has written none, and the version of GStreamer has others, those.
pub(super) fn others(buffer: &gst::BufferRef) -> Vec<Region> {
    let regions = regions(buffer);
    #[cfg(feature = "v1_24")]
    if regions.is_empty() {
        return super::analytics::found(buffer);
    }
    regions
}

pub(super) fn take_regions(buffer: &mut gst::BufferRef) -> Vec<Region> {
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

/// Takes over the faces of another detector, so that verdicts can be written: numbers their regions as `faces` are numbered.
pub fn adopt(buffer: &mut gst::BufferRef) {
    let found = others(buffer);
    take_regions(buffer);
    for (i, region) in found.into_iter().enumerate() {
        let mut roi = Roi::add(buffer, ROI_TYPE, region.rect);
        roi.set_id(i as i32 + 1);
        roi.set_parent_id(region.parent_id);
        for param in region.params {
            roi.add_param(param);
        }
    }
}
