// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server as browsers have it: the real program on a port of this machine, real requests and real WebSockets, with a detector that sees two
//! faces in everything and a liveness model that calls bright ones live; for the log-in demo with the detector that ships, a real face, and a
//! model that tells colours apart.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

#[path = "../../../../tests/common/mod.rs"]
mod common;
#[path = "../../../../tests/common/plugin.rs"]
mod plugin;
#[path = "../support/mod.rs"]
mod support;

mod camera;
mod challenge;
mod fence;
mod login;
mod uploads;
mod usage;

use std::time::Instant;

use serde_json::{Value, json};
use support::{Browser, Camera, PATIENCE, Server, grey, path, program, tiny};

/// The largest face of an answer.
fn face(answer: &Value) -> &Value {
    let area = |face: &Value| face["box"][2].as_f64().unwrap() * face["box"][3].as_f64().unwrap();
    let faces = answer["faces"].as_array().unwrap().iter();
    let largest = faces.max_by(|a, b| area(a).total_cmp(&area(b)));
    largest.unwrap_or_else(|| panic!("nobody is seen: {answer}"))
}

/// How many faces an answer has.
fn count(answer: &Value) -> usize {
    answer["faces"].as_array().unwrap().len()
}
