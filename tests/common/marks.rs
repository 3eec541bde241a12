// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the overlay has drawn, found again in pictures and films by its colours.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // Each test uses a part, and one that fails panics.

use std::path::Path;

use gst::prelude::*;
use gst_video::prelude::*;

use super::plugin::LIMIT;

/// Pixels in the overlay's colours, in the left and in the right half of a frame. They are those of a label's ground, which is
/// large enough for its colour to survive an encoder.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Marks {
    pub(crate) live: [usize; 2],
    pub(crate) spoof: [usize; 2],
    pub(crate) uncertain: [usize; 2],
}

const LIVE: [u8; 3] = [46, 204, 95];
const SPOOF: [u8; 3] = [228, 40, 40];
const UNCERTAIN: [u8; 3] = [250, 176, 20];

/// How far each channel may be off after an encoder, and how many pixels a label has at least.
const COLOR: u8 = 20;
pub(crate) const LABEL: usize = 400;

impl Marks {
    pub(crate) fn of(rgb: &[u8], width: usize, stride: usize) -> Self {
        let mut marks = Self::default();
        for row in rgb.chunks(stride) {
            for (x, &[r, g, b]) in row[..width * 3].as_chunks::<3>().0.iter().enumerate() {
                let near = |a: u8, b: u8| a.abs_diff(b) <= COLOR;
                let like = |c: [u8; 3]| near(r, c[0]) && near(g, c[1]) && near(b, c[2]);
                let half = usize::from(x >= width / 2);
                marks.live[half] += usize::from(like(LIVE));
                marks.spoof[half] += usize::from(like(SPOOF));
                marks.uncertain[half] += usize::from(like(UNCERTAIN));
            }
        }
        marks
    }

    pub(crate) fn of_picture(path: &Path) -> (Self, u32, u32) {
        let picture = image::open(path).expect("the picture decodes").to_rgb8();
        let (w, h) = (picture.width(), picture.height());
        let marks = Self::of(picture.as_raw(), w as usize, w as usize * 3);
        (marks, w, h)
    }

    /// The person on the left is live and the telephone on the right a spoof.
    pub(crate) fn are_right(&self) -> bool {
        let (live, spoof) = (self.live, self.spoof);
        live[0] >= LABEL && live[1] < LABEL && spoof[1] >= LABEL && spoof[0] < LABEL
    }

    pub(crate) fn are_none(&self) -> bool {
        let mut all = [self.live, self.spoof, self.uncertain]
            .into_iter()
            .flatten();
        all.all(|n| n < LABEL)
    }
}

/// A look at every tenth frame of a film, and the number of all of them.
pub(crate) fn watch(film: &Path) -> (Vec<Marks>, usize) {
    gst::init().unwrap();
    let pipeline = gst::parse::launch(
        "filesrc name=file ! decodebin ! videoconvert ! video/x-raw,format=RGB ! appsink name=sink sync=false max-buffers=4",
    );
    let pipeline = pipeline.unwrap().downcast::<gst::Pipeline>().unwrap();
    let named = |name| pipeline.by_name(name).unwrap();
    named("file").set_property("location", film);
    let sink = named("sink").downcast::<gst_app::AppSink>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let (mut seen, mut frames) = (Vec::new(), 0);
    let wait = gst::ClockTime::from_seconds(LIMIT.as_secs());
    while let Some(sample) = sink.try_pull_sample(wait) {
        if frames % 10 == 0 {
            let info = gst_video::VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
            let buffer = sample.buffer().unwrap();
            let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(buffer, &info).unwrap();
            let (width, stride) = (info.width() as usize, frame.plane_stride()[0] as usize);
            seen.push(Marks::of(frame.plane_data(0).unwrap(), width, stride));
        }
        frames += 1;
    }
    assert!(
        sink.is_eos(),
        "{} does not decode to its end",
        film.display()
    );
    pipeline.set_state(gst::State::Null).unwrap();
    (seen, frames)
}

/// The verdicts are right, in all frames but perhaps one: in the first, evidence is still being collected.
#[track_caller]
pub(crate) fn assert_judged(seen: &[Marks]) {
    let right = seen.iter().filter(|m| m.are_right()).count();
    assert!(right >= 2 && right + 1 >= seen.len(), "{seen:?}");
}
