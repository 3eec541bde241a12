// SPDX-License-Identifier: MIT OR Apache-2.0
//! A camera that goes and comes back.

use std::fs;

use crate::cameras::Telephone;
use crate::ground::{Ground, LIMIT, decisions};

#[test]
fn a_camera_that_comes_back_begins_anew() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let pictures = ground.pictures();
    let camera = Telephone::new(0, pictures.clone(), None);
    let port = camera.port();
    let url = format!("http://127.0.0.1:{port}/video");
    let mut guard = ground.quick("").args(["--url", &url]).start(LIMIT);
    let log = ground.path("audit.jsonl");
    let count = |word: &str| {
        fs::read_to_string(&log)
            .unwrap_or_default()
            .matches(word)
            .count()
    };
    guard.until("decide", || count(r#""event":"decision""#) == 1);
    drop(camera);
    guard.until("lose it", || count(r#""state":"lost""#) == 1);
    let _camera = Telephone::new(port, pictures, None);
    guard.until("decide again", || count(r#""event":"decision""#) == 2);
    guard.interrupt();
    guard.end().cleanly(&[130]);
    let lines = ground.log();
    let states: Vec<_> = lines.iter().filter_map(|l| l["state"].as_str()).collect();
    assert_eq!(states, ["playing", "lost", "playing"]);
    let made = decisions(&lines);
    assert!(made.iter().all(|(kind, _)| *kind == "intruder"), "{made:?}");
    let mut tracks: Vec<_> = lines.iter().filter_map(|l| l["track"].as_u64()).collect();
    tracks.dedup();
    assert_eq!(tracks.len(), 2, "another face");
}
