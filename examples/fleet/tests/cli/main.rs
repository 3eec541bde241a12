// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program as its users have it: workers in processes of their own, and a real server between them.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

#[path = "../../../../tests/common/cameras.rs"]
mod cameras;
#[path = "../../../../tests/common/mod.rs"]
mod common;
#[path = "../../../../tests/common/plugin.rs"]
mod plugin;

mod access;
mod camera;
mod creds;
mod faults;
mod ground;
mod long;
mod queue;
mod usage;
