// SPDX-License-Identifier: MIT OR Apache-2.0
//! In their steady state the elements copy no frame, and allocate no more for one than they are known to.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

#[path = "common/allocations.rs"]
mod allocations;
mod common;
#[path = "common/steady.rs"]
mod steady;
#[path = "common/video.rs"]
mod video;

use std::path::Path;
use std::sync::Mutex;

use liveness::sync::lock;
use steady::{LOOKED, Lone, WARM};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

/// Blocks that Rust code allocates for a frame at the most, without a face and with one. Wanted is 0: what stands here is today's, and is there to
/// be made smaller. The messages of this test tell where they come from.
const FACEDETECT: [usize; 2] = [36, 41];
const LIVENESSCLASSIFY: [usize; 2] = [2, 18];

/// A picture as an endless film of a camera that stands still.
fn film(picture: &Path) -> (gst::Caps, impl Iterator<Item = gst::Buffer>) {
    let frame = video::picture(picture, (640, 512), (64, 0));
    let info = video::info(gst_video::VideoFormat::Nv12, 640, 512);
    let frame = video::convert(&frame, &info).unwrap();
    let frames = (0..).map(move |n| steady::at(&frame, n));
    (info.to_caps().unwrap(), frames)
}

/// The tests take turns: where two want the same model at once, another session is made for it, which allocates.
static TURN: Mutex<()> = Mutex::new(());

/// Both elements, one after the other, on frames with as many `faces`.
fn check(picture: &Path, faces: usize, shared: bool) {
    let _turn = lock(&TURN);
    let (caps, film) = film(picture);
    let mut frames: Vec<_> = film.take(WARM + LOOKED).collect();
    for (name, most) in [
        ("livenessfacedetect", FACEDETECT[faces]),
        ("livenessclassify", LIVENESSCLASSIFY[faces]),
    ] {
        let mut element = Lone::new(name, &caps);
        let next = frames.last().unwrap().copy();
        let steady = element.settle(frames, shared);
        assert_eq!(steady.copies, 0, "{name} copies frames");
        let found = gstliveness::meta::read(steady.out.last().unwrap());
        assert_eq!(found.unwrap().faces.len(), faces, "the film is another one");
        if steady.most.blocks > most {
            let (places, _) = element.places(next);
            let list: Vec<_> = places.iter().map(|(n, p)| format!("{n:4} {p}")).collect();
            panic!(
                "{name} allocates {:?} for a frame with {faces} faces, {most} blocks are known:\n{}",
                steady.most,
                list.join("\n")
            );
        }
        frames = steady.out;
    }
}

#[test]
fn a_frame_without_a_face() {
    video::init();
    check(&common::root().join(".setup/pictures/coffee.png"), 0, false);
}

#[test]
fn a_frame_with_a_face() {
    video::init();
    check(&video::astronaut(), 1, false);
}

#[test]
fn frames_behind_a_tee() {
    video::init();
    check(&video::astronaut(), 1, true);
}
