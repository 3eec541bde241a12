// SPDX-License-Identifier: MIT OR Apache-2.0
//! An element on its own in its steady state, frame by frame on the caller's thread: what it allocates for a frame, and whether it copies it.
#![allow(dead_code, clippy::unwrap_used)] // Each user takes a part, and what fails panics.

use super::allocations::{self, Allocated};

/// Frames after which nothing grows any more: tracks are known, verdicts stand, buffers have their size.
pub(crate) const WARM: usize = 60;

/// Frames that are looked at then: more than any interval in use.
pub(crate) const LOOKED: usize = 40;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Steady {
    /// What a frame costs at the most.
    pub(crate) most: Allocated,
    /// Frames whose pixels came out in another place than they went in by.
    pub(crate) copies: usize,
    /// All frames as they came out, those of warming up among them.
    pub(crate) out: Vec<gst::Buffer>,
}

/// An element between two pads of ours.
pub(crate) struct Lone(gst_check::Harness);

impl Lone {
    /// With its properties as they come.
    pub(crate) fn new(element: &str, caps: &gst::Caps) -> Self {
        let element = gst::ElementFactory::make(element).build().unwrap();
        let mut harness = gst_check::Harness::with_element(&element, Some("sink"), Some("src"));
        harness.set_src_caps(caps.clone());
        Self(harness)
    }

    /// Lets frames through it, at least [`WARM`] and some. With `shared` somebody else holds each of them as well, as behind a tee.
    pub(crate) fn settle(
        &mut self,
        frames: impl IntoIterator<Item = gst::Buffer>,
        shared: bool,
    ) -> Steady {
        let mut steady = Steady::default();
        for (n, frame) in frames.into_iter().enumerate() {
            let before = place(&frame);
            let held = shared.then(|| frame.clone());
            let (pushed, allocated) = allocations::count(|| self.0.push(frame));
            pushed.unwrap();
            drop(held);
            let out = self.0.pull().unwrap();
            if n >= WARM {
                steady.copies += usize::from(place(&out) != before);
                if allocated.blocks >= steady.most.blocks {
                    steady.most = allocated;
                }
            }
            steady.out.push(out);
        }
        steady
    }

    /// One more frame, and where it allocates for that, the commonest place first.
    pub(crate) fn places(&mut self, frame: gst::Buffer) -> (Vec<(usize, String)>, gst::Buffer) {
        let (pushed, places) = allocations::places(|| self.0.push(frame));
        pushed.unwrap();
        (places, self.0.pull().unwrap())
    }
}

/// Where a frame's pixels lie.
fn place(frame: &gst::BufferRef) -> usize {
    frame.map_readable().unwrap().as_ptr() as usize
}

/// A frame in time: shares its pixels with `frame`.
pub(crate) fn at(frame: &gst::BufferRef, n: usize) -> gst::Buffer {
    let mut copy = frame.copy();
    let about = copy.get_mut().unwrap();
    about.set_pts(gst::ClockTime::from_mseconds(40 * n as u64));
    about.set_duration(gst::ClockTime::from_mseconds(40));
    copy
}
