// SPDX-License-Identifier: MIT OR Apache-2.0
//! libFuzzer's way into `bodies/json.rs`.
#![no_main]

#[path = "../bodies/json.rs"]
mod json;

libfuzzer_sys::fuzz_target!(|data: &[u8]| json::run(data));
