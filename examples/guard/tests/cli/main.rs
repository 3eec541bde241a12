// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program as its users have it, with real servers of all that it speaks to.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

#[path = "../../../../tests/common/cameras.rs"]
mod cameras;
#[path = "../../../../tests/common/mod.rs"]
mod common;
#[path = "../../../../tests/common/marks.rs"]
mod marks;
#[path = "../../../../tests/common/plugin.rs"]
mod plugin;

mod actions;
mod door;
mod ground;
mod live;
mod log;
mod mail;
mod usage;
mod webhook;
