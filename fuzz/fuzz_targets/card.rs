// SPDX-License-Identifier: MIT OR Apache-2.0
//! libFuzzer's way into `bodies/card.rs`.
#![no_main]

#[path = "../bodies/card.rs"]
mod card;

libfuzzer_sys::fuzz_target!(|data: &[u8]| card::run(data));
