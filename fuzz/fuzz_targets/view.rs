// SPDX-License-Identifier: MIT OR Apache-2.0
//! libFuzzer's way into `bodies/view.rs`.
#![no_main]

#[path = "../bodies/bytes.rs"]
mod bytes;
#[path = "../bodies/view.rs"]
mod view;

libfuzzer_sys::fuzz_target!(|data: &[u8]| view::run(data));
