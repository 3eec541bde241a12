// SPDX-License-Identifier: MIT OR Apache-2.0
//! Films through GStreamer: what makes upright frames of a file, what its errors mean, and how its pipeline ends.

pub mod end;
pub mod faults;
mod source;

pub use source::{Source, make};
