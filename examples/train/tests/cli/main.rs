// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program as its users have it: the real binary on folders of small pictures that are made here. What counts is its exit status,
//! what it says, and what lies in the output folder afterwards.
//!
//! The pictures are crops of painted faces, so no detector is needed; the spoofs have the coarse stripes of a screen, which the small net
//! sees after an epoch.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

#[path = "../../../../tests/common/mod.rs"]
mod common;
#[path = "../../../../tests/common/plugin.rs"]
mod plugin;

mod again;
mod evaluating;
mod ground;
mod options;
mod rendering;
mod stopped;
mod training;
mod trouble;
