// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the elements allocate and copy for each frame once everything has its size.

use liveness_models::{FACE_DETECTOR, LIVENESS};

use super::allocations::{self, Allocated};
use super::bare::Bare;
use super::chain;
use super::film::{Film, clip};
use super::steady::{self, LOOKED, Lone, WARM};
use super::table::{Row, Wanted, print};

pub(crate) fn run() {
    for (name, model, size) in [
        ("detector", FACE_DETECTOR, chain::WIDE),
        ("liveness model", LIVENESS, chain::FACE),
    ] {
        let bare = Bare::open(&model.file(), size);
        bare.run(WARM as u64, WARM as u64);
        let (_, allocated) = allocations::count(|| bare.run(1, 1));
        print(
            &Row::count(
                format!("a bare run of the {name}: blocks that its Rust binding allocates"),
                allocated.blocks as f64,
                "",
                Wanted::Any,
            )
            .note(by_c(&allocated)),
        );
    }
    let film = Film::read(&clip(), (1280, 720), 50);
    let number = film.frames.len();
    let mut frames: Vec<_> = (0..WARM + LOOKED)
        .map(|n| steady::at(&film.frames[n % number], n))
        .collect();
    for name in ["livenessfacedetect", "livenessclassify"] {
        let mut element = Lone::new(name, &film.caps);
        let next = frames.last().unwrap().copy();
        let steady = element.settle(frames, false);
        let (places, _) = element.places(next);
        frames = steady.out;
        print(
            &Row::count(
                format!("{name}: blocks that Rust allocates for a frame at the most"),
                steady.most.blocks as f64,
                "",
                Wanted::AtMost(0.0),
            )
            .note(by_c(&steady.most)),
        );
        print(&Row::count(
            format!("{name}: copies of the frame in {LOOKED}"),
            steady.copies as f64,
            "",
            Wanted::AtMost(0.0),
        ));
        // Beside the table.
        for (n, place) in places {
            eprintln!("{name} allocates {n:3} in {place}");
        }
    }
}

/// What else there is to say of it: each block of Rust's is one of the C library's.
fn by_c(allocated: &Allocated) -> String {
    format!(
        "{} bytes; {} blocks more by C and C++ code",
        allocated.bytes,
        allocated.any.saturating_sub(allocated.blocks)
    )
}
