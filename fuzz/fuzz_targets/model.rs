// SPDX-License-Identifier: MIT OR Apache-2.0
//! libFuzzer's way into `bodies/model.rs`.
#![no_main]

#[path = "../bodies/model.rs"]
mod model;

libfuzzer_sys::fuzz_target!(|data: &[u8]| model::run(data));
