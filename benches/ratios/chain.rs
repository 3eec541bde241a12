// SPDX-License-Identifier: MIT OR Apache-2.0
//! The elements beside bare inference with the same models, as often, on as many threads: one.

use std::cell::Cell;
use std::sync::Arc;

use gst::prelude::*;
use liveness::model::ModelFile;
use liveness_models::{FACE_DETECTOR, LIVENESS, LIVENESS_INT8};

use super::bare::Bare;
use super::film::{Feed, Film, clip};
use super::table::{Row, Wanted, print, skipped};
use super::turns::{Compared, compare, ms};

const ROUNDS: usize = 41;
const FRAMES: u64 = 15;

/// What the detector's input is for 720p, and for 4:3.
pub(crate) const WIDE: (usize, usize) = (320, 192);
const SMALL: (usize, usize) = (320, 256);

pub(crate) const FACE: (usize, usize) = (80, 80);

pub(crate) const CHAIN: &str = "livenessfacedetect name=detect ! livenessclassify name=judge";

/// What libfacedetection's Rust port takes for 320x240 on one thread, as a multiple of bare YuNet-s on 320 pixels: 3.8 ms of 1.5 ms.
const LIBFACEDETECTION: f64 = 2.5;

pub(crate) fn run() {
    let film = Arc::new(Film::read(&clip(), (1280, 720), 50));
    let detector = Bare::open(&FACE_DETECTOR.file(), WIDE);
    let liveness = Bare::open(&LIVENESS.file(), FACE);

    let mut chain = Feed::launch(&film, CHAIN);
    let (detect, judge) = (chain.element("detect"), chain.element("judge"));
    // As many faces as the round before had.
    let (looks, faces, seen) = (Cell::new(0), Cell::new(0), Cell::new((0, 0)));
    let compared = compare(
        ROUNDS,
        || {
            let took = chain.run(FRAMES);
            let now = (count(&judge, "looked"), count(&judge, "faces"));
            let before = seen.replace(now);
            looks.set(now.0 - before.0);
            faces.set(now.1 - before.1);
            took
        },
        || detector.run(FRAMES, FRAMES) + liveness.run(looks.get(), faces.get()),
    );
    let per_frame = faces.get() as f64 / FRAMES as f64;
    print(
        &Row::ratio(
            "chain's frames/s of bare inference's, 720p NV12",
            inverse(&compared),
            Wanted::AtLeast(0.95),
        )
        .note(format!(
            "{}, {per_frame:.1} faces judged in a frame; by the clock {}; {}",
            times(&compared, FRAMES),
            parts("facedetect", &detect),
            parts("livenessclassify", &judge)
        )),
    );

    let mut alone = Feed::launch(&film, "livenessfacedetect");
    let compared = compare(
        ROUNDS,
        || alone.run(FRAMES),
        || detector.run(FRAMES, FRAMES),
    );
    print(
        &Row::ratio(
            "facedetect alone, of bare inference",
            inverse(&compared),
            Wanted::Any,
        )
        .note(times(&compared, FRAMES)),
    );
    yardstick();
    quantised(&liveness);
}

/// The liveness model in 8-bit integers beside the one in floats.
fn quantised(floats: &Bare) {
    let small = Bare::open(&LIVENESS_INT8.file(), FACE);
    let compared = compare(
        ROUNDS,
        || floats.run(FRAMES, FRAMES),
        || small.run(FRAMES, FRAMES),
    );
    print(
        &Row::ratio(
            "bare inference: the liveness model's int8 version, runs/s of floats'",
            compared.ratio,
            Wanted::AtLeast(1.5),
        )
        .note(times(&compared, FRAMES)),
    );
}

/// A look beside a bare run of YuNet-s, which others' detectors are measured by.
fn yardstick() {
    let what = "a look at 320x240, in runs of bare YuNet-s";
    let path = super::models().join("yunet_s_dynamic.onnx");
    let Ok(file) = ModelFile::read(&path, None) else {
        return skipped(what, &format!("no {}", path.display()));
    };
    let film = Arc::new(Film::read(&clip(), (320, 240), 50));
    let mut element = Feed::launch(&film, "livenessfacedetect");
    let bare = Bare::open(&file, SMALL);
    let compared = compare(ROUNDS, || element.run(FRAMES), || bare.run(FRAMES, FRAMES));
    print(
        &Row::ratio(what, compared.ratio, Wanted::AtMost(LIBFACEDETECTION))
            .note(times(&compared, FRAMES)),
    );
}

/// Bare inference's share: the ratio the other way round.
fn inverse(compared: &Compared) -> super::turns::Spread {
    let r = compared.ratio;
    super::turns::Spread {
        middle: 1.0 / r.middle,
        low: 1.0 / r.high,
        high: 1.0 / r.low,
    }
}

fn times(compared: &Compared, frames: u64) -> String {
    let each = |d| ms(d) / frames as f64;
    format!(
        "{:.2} and {:.2} ms of CPU a frame",
        each(compared.first),
        each(compared.second)
    )
}

fn count(element: &gst::Element, field: &str) -> u64 {
    let stats = element.property::<gst::Structure>("stats");
    stats.get(field).unwrap()
}

/// Where an element's time went.
fn parts(name: &str, element: &gst::Element) -> String {
    let stats = element.property::<gst::Structure>("stats");
    let ms = |field: &str| stats.get::<f64>(field).unwrap();
    format!(
        "{name} {:.2} before, {:.2} in, {:.2} after inference, metadata {:.2}",
        ms("preprocess-ms"),
        ms("inference-ms"),
        ms("decode-ms"),
        ms("metadata-ms")
    )
}
