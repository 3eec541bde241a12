// SPDX-License-Identifier: MIT OR Apache-2.0
//! libFuzzer's way into `bodies/tracker.rs`.
#![no_main]

#[path = "../bodies/bytes.rs"]
mod bytes;
#[path = "../bodies/tracker.rs"]
mod tracker;

libfuzzer_sys::fuzz_target!(|data: &[u8]| tracker::run(data));
