// SPDX-License-Identifier: MIT OR Apache-2.0
//! libFuzzer's way into `bodies/manifest.rs`.
#![no_main]

#[path = "../bodies/manifest.rs"]
mod manifest;

libfuzzer_sys::fuzz_target!(|data: &[u8]| manifest::run(data));
