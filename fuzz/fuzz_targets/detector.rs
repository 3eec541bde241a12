// SPDX-License-Identifier: MIT OR Apache-2.0
//! libFuzzer's way into `bodies/detector.rs`.
#![no_main]

#[path = "../bodies/bytes.rs"]
mod bytes;
#[path = "../bodies/detector.rs"]
mod detector;

libfuzzer_sys::fuzz_target!(|data: &[u8]| detector::run(data));
