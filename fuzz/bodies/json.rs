// SPDX-License-Identifier: MIT OR Apache-2.0
//! A line of JSON with the faces of a frame, and a file of such lines.

use std::path::Path;

use liveness::json::{Lines, read, write};

pub(crate) fn run(data: &[u8]) {
    if let Ok(frame) = read(data) {
        for face in frame.faces.iter().flatten().chain(&frame.lost) {
            let r = &face.rect;
            assert!([r.x, r.y, r.w, r.h].into_iter().all(f32::is_finite));
            let unit = |v: f32| (0.0..=1.0).contains(&v);
            assert!(unit(face.score) && face.verdict.live.is_none_or(unit));
        }
        // What was understood can be said again, and is understood again.
        let line = write(&frame);
        assert!(line.is_ok_and(|line| read(line.as_bytes()).is_ok()));
    }
    let mut lines = Lines::new(Path::new("faces.jsonl"), data);
    let mut seen = 0;
    while let Ok(Some(_)) = lines.next_frame() {
        seen += 1;
    }
    assert!(seen <= data.split(|b| *b == b'\n').count());
}
