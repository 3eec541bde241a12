// SPDX-License-Identifier: MIT OR Apache-2.0
//! The faces as `GstAnalyticsRelationMeta`, for GStreamer 1.24 and newer: what is written, and that `objectdetectionoverlay` draws it where it
//! belongs. `make test-trixie` runs this on 1.26.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod common;
#[path = "common/video.rs"]
mod video;

use gst::glib::Quark;
use gst::prelude::*;
use gst_analytics::prelude::*;
use gst_analytics::{
    AnalyticsClassificationMtd, AnalyticsODMtd, AnalyticsRelationMeta, AnalyticsTrackingMtd,
    RelTypes,
};
use gst_video::VideoInfo;
use gstliveness::frame::Format;
use gstliveness::meta::{self, Here};
use liveness::face::Label;
use video::{collect, init, run_with, tiny};

/// What somebody reads who knows nothing of ours.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    kind: String,
    place: [i32; 4],
    score: f32,
    tracks: Vec<u64>,
    classes: Vec<(String, f32)>,
}

fn seen(buffer: &gst::BufferRef) -> Vec<Seen> {
    let Some(meta) = buffer.meta::<AnalyticsRelationMeta>() else {
        return Vec::new();
    };
    let see = |od: gst_analytics::AnalyticsMtdRef<'_, AnalyticsODMtd>| {
        let l = od.location().unwrap();
        let tracks = meta.iter_direct_related::<AnalyticsTrackingMtd>(od.id(), RelTypes::RELATE_TO);
        let classes =
            meta.iter_direct_related::<AnalyticsClassificationMtd>(od.id(), RelTypes::RELATE_TO);
        let both_ways = |other: u32| {
            assert_eq!(meta.relation(other, od.id()), RelTypes::RELATE_TO);
            other
        };
        Seen {
            kind: od.obj_type().unwrap().as_str().to_string(),
            place: [l.x, l.y, l.w, l.h],
            score: l.loc_conf_lvl,
            tracks: tracks
                .inspect(|t| assert_eq!(both_ways(t.id()), t.id()))
                .map(|t| t.info().0)
                .collect(),
            classes: classes
                .inspect(|c| assert_eq!(both_ways(c.id()), c.id()))
                .map(|c| (c.quark(0).as_str().to_string(), c.level(0)))
                .collect(),
        }
    };
    meta.iter::<AnalyticsODMtd>().map(see).collect()
}

/// Frames of 320x240 that the models say something of.
fn picture(frames: u32) -> String {
    init();
    format!(
        "videotestsrc pattern=smpte num-buffers={frames} ! video/x-raw,format=RGB,width=320,height=240,framerate=25/1"
    )
}

fn detect() -> String {
    format!("livenessfacedetect model={}", tiny("boxes.onnx"))
}

fn classify(model: &str) -> String {
    format!("livenessclassify model={} smoothing=0", tiny(model))
}

#[test]
fn each_face_is_a_detection_with_its_track_and_its_verdict() {
    let chain = format!(
        "{} ! {} ! {} ! fakesink name=s",
        picture(2),
        detect(),
        classify("bright.onnx")
    );
    let frames = collect(&chain, |buffer, _| {
        let analysis = meta::read(buffer).unwrap();
        let seen = seen(buffer);
        assert_eq!((analysis.faces.len(), seen.len()), (2, 2));
        for (face, seen) in analysis.faces.iter().zip(&seen) {
            let (x, y, w, h) = face.rect.pixels(320, 240).unwrap();
            assert_eq!(seen.place.map(|v| v as u32), [x, y, w, h]);
            assert_eq!((seen.kind.as_str(), seen.score), ("face", face.score));
            assert_eq!(seen.tracks, [face.track.unwrap()]);
            let verdict = &face.verdict;
            assert!(matches!(verdict.label, Label::Live | Label::Spoof));
            assert_eq!(
                seen.classes,
                [(verdict.label.to_string(), verdict.confidence())]
            );
        }
    });
    assert_eq!(frames.len(), 2);
}

#[test]
fn faces_that_nobody_judged_have_no_class() {
    let seen = collect(
        &format!(
            "{} ! {} tracking=false ! fakesink name=s",
            picture(1),
            detect()
        ),
        |b, _| seen(b),
    );
    assert_eq!(seen[0].len(), 2);
    assert!(
        seen[0]
            .iter()
            .all(|s| s.classes.is_empty() && s.tracks.is_empty())
    );
}

#[test]
fn a_second_look_takes_the_place_of_the_first() {
    let one = format!("{} ! {}", detect(), classify("bright.onnx"));
    for chain in [
        format!("{one} ! {}", classify("bright.onnx")),
        // No number: nothing may be left of what was said before.
        format!("{one} ! {}", classify("not_a_number.onnx")),
        format!("{one} ! {one}"),
        format!("{one} ! {} threshold=1", detect()),
    ] {
        let chain = format!("{} ! {chain} ! fakesink name=s", picture(1));
        collect(&chain, |buffer, _| {
            let faces = meta::read(buffer).unwrap().faces;
            let seen = seen(buffer);
            assert_eq!(seen.len(), faces.len());
            for (seen, face) in seen.iter().zip(faces) {
                let label = face.verdict.label;
                let wanted = (label != Label::Unchecked).then(|| label.to_string());
                let got: Vec<_> = seen.classes.iter().map(|c| c.0.clone()).collect();
                assert_eq!(got, Vec::from_iter(wanted));
            }
        });
    }
}

#[test]
fn places_follow_a_picture_that_is_scaled_and_verdicts_find_them_there() {
    let scale = "videoscale ! video/x-raw,width=640,height=480";
    let chain = format!(
        "{} ! {} ! {scale} ! {} ! fakesink name=s",
        picture(1),
        detect(),
        classify("bright.onnx")
    );
    let seen = collect(&chain, |b, _| seen(b)).concat();
    assert_eq!(seen.len(), 2);
    for (seen, place) in seen.iter().zip([[160, 160, 320, 320], [32, 32, 64, 96]]) {
        let near = seen
            .place
            .iter()
            .zip(place)
            .all(|(a, b)| (a - b).abs() <= 2);
        assert!(near && seen.classes.len() == 1, "{seen:?}");
    }
}

/// Adds a detection of somebody else's, with a class of its own, to each frame that leaves the element `before`.
fn somebody(bin: &gst::Bin, kind: &'static str) {
    let pad = bin.by_name("before").unwrap().static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let buffer = info.buffer_mut().unwrap().make_mut();
        let mut meta = AnalyticsRelationMeta::add(buffer);
        let od = meta
            .add_od_mtd(Quark::from_str(kind), 80, 80, 160, 160, 0.75)
            .unwrap()
            .id();
        let class = meta
            .add_one_cls_mtd(0.5, Quark::from_str("happy"))
            .unwrap()
            .id();
        meta.set_relation(RelTypes::RELATE_TO, od, class).unwrap();
        meta.set_relation(RelTypes::RELATE_TO, class, od).unwrap();
        gst::PadProbeReturn::Ok
    });
}

#[test]
fn what_others_have_written_stays() {
    let chain = format!(
        "{} ! identity name=before ! {} ! {} ! fakesink name=s",
        picture(2),
        detect(),
        classify("bright.onnx")
    );
    run_with(
        &chain,
        |bin| somebody(bin, "dog"),
        |buffer, _| {
            let seen = seen(buffer);
            assert_eq!(seen.len(), 3);
            assert_eq!(
                (seen[0].kind.as_str(), seen[0].classes.as_slice()),
                ("dog", &[("happy".to_owned(), 0.5)][..])
            );
            assert!(
                seen[1..]
                    .iter()
                    .all(|s| s.kind == "face" && s.classes.len() == 1)
            );
        },
    )
    .unwrap();
}

#[test]
fn faces_of_another_detector_are_judged_and_drawn() {
    let chain = format!(
        "{} ! identity name=before ! {} ! fakesink name=s",
        picture(2),
        classify("bright.onnx")
    );
    run_with(
        &chain,
        |bin| somebody(bin, "face"),
        |buffer, caps| {
            let seen = seen(buffer);
            assert_eq!((seen.len(), seen[0].place), (1, [80, 80, 160, 160]));
            let words: Vec<_> = seen[0].classes.iter().map(|c| c.0.as_str()).collect();
            assert!(
                words == ["happy", "live"] || words == ["happy", "spoof"],
                "{words:?}"
            );
            let format = Format::new(&VideoInfo::from_caps(caps).unwrap());
            let here = meta::faces_here(buffer, &format, &mut Vec::new()).unwrap();
            let Here { faces, lost } = here.unwrap();
            assert!(lost.is_empty() && faces.len() == 1);
            assert_eq!(
                (faces[0].rect.x, faces[0].rect.right(), faces[0].score),
                (80.0, 240.0, 0.75)
            );
        },
    )
    .unwrap();
    // Those that are no faces are nobody's business.
    run_with(
        &chain,
        |bin| somebody(bin, "dog"),
        |buffer, _| assert!(meta::read(buffer).is_none()),
    )
    .unwrap();
}

/// Pixels of a black frame that `objectdetectionoverlay` has changed.
fn drawn(chain: &str) -> Vec<(i32, i32)> {
    init();
    if gst::ElementFactory::find("objectdetectionoverlay").is_none() {
        common::skip(
            "objectdetectionoverlay is not there (apt-get install gstreamer1.0-plugins-bad)",
        );
        return Vec::new();
    }
    let chain = format!(
        "videotestsrc pattern=black num-buffers=1 ! video/x-raw,format=BGRA,width=320,height=240,framerate=25/1 ! {chain} \
         ! objectdetectionoverlay draw-labels=false ! fakesink name=s"
    );
    let lit = collect(&chain, |buffer, caps| {
        let info = VideoInfo::from_caps(caps).unwrap();
        let map = buffer.map_readable().unwrap();
        let stride = info.stride()[0] as usize;
        let lit = |(x, y): &(i32, i32)| map[*y as usize * stride + 4 * *x as usize] > 60;
        let all =
            (0..info.height() as i32).flat_map(|y| (0..info.width() as i32).map(move |x| (x, y)));
        all.filter(lit).collect::<Vec<_>>()
    });
    lit.concat()
}

#[test]
fn gstreamers_own_overlay_draws_our_boxes() {
    let scale = "videoscale ! video/x-raw,width=160,height=120";
    for (chain, by) in [(detect(), 2), (format!("{} ! {scale}", detect()), 1)] {
        let lit = drawn(&chain);
        if lit.is_empty() && gst::ElementFactory::find("objectdetectionoverlay").is_none() {
            return;
        }
        let boxes = [[40, 40, 120, 120], [8, 8, 24, 32]].map(|b| b.map(|v| v * by));
        // How far a pixel is from the lines of a box.
        let away = |(x, y): (i32, i32), [l, t, r, b]: [i32; 4]| {
            let outside = (l - x).max(x - r).max(t - y).max(y - b);
            let inside = (x - l).min(r - x).min(y - t).min(b - y);
            outside.max(inside)
        };
        for pixel in &lit {
            assert!(
                boxes.iter().any(|b| away(*pixel, *b) <= 2),
                "{pixel:?} is on none of {boxes:?}"
            );
        }
        for b in boxes {
            let [l, t, r, bottom] = b;
            for edge in [
                (l, (t + bottom) / 2),
                (r, (t + bottom) / 2),
                ((l + r) / 2, t),
                ((l + r) / 2, bottom),
            ] {
                let near = lit
                    .iter()
                    .any(|p| (p.0 - edge.0).abs() <= 2 && (p.1 - edge.1).abs() <= 2);
                // The frame ends at the lower edge of the larger one.
                assert!(near || edge.1 >= 120 * by, "no line at {edge:?}");
            }
        }
    }
}
