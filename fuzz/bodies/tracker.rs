// SPDX-License-Identifier: MIT OR Apache-2.0
//! Frames of faces, whatever their boxes, scores and times.

use std::collections::HashSet;
use std::time::Duration;

use liveness::face::Face;
use liveness::geometry::{Point, Rect};
use liveness::track::Tracker;

use super::bytes::Bytes;

pub(crate) fn run(data: &[u8]) {
    let mut bytes = Bytes(data);
    let mut tracker = Tracker::new();
    let mut time = 0u64;
    for _ in 0..64 {
        if bytes.0.is_empty() {
            return;
        }
        time = match bytes.u8() {
            0 => u64::from(bytes.u32()) << 32,
            1 => u64::MAX,
            step => time.wrapping_add(u64::from(step) * 1_000_000),
        };
        let now = (bytes.u8() > 20).then(|| Duration::from_nanos(time));
        let mut faces: Vec<Face> = (0..bytes.up_to(12)).map(|_| face(&mut bytes)).collect();
        match bytes.u8() {
            0..8 => tracker.reset(),
            8..60 => tracker.predict(&mut faces, now),
            _ => tracker.update(&mut faces, bytes.float(), now),
        }
        let mut seen = HashSet::new();
        for track in faces.iter().filter_map(|f| f.track) {
            assert!(seen.insert(track), "two faces are {track}");
        }
    }
}

fn face(bytes: &mut Bytes) -> Face {
    let mut number = || bytes.float() * 100.0;
    let rect = Rect::new(number(), number(), number(), number());
    let score = bytes.float();
    let landmarks = (bytes.u8() > 128).then(|| {
        std::array::from_fn(|_| Point {
            x: bytes.float() * 100.0,
            y: bytes.float() * 100.0,
        })
    });
    Face {
        id: 1,
        rect,
        score,
        landmarks,
        ..Face::default()
    }
}
