// SPDX-License-Identifier: MIT OR Apache-2.0
//! Films through GStreamer: what makes upright frames of a file, who takes them, how they are read, what errors mean, and how a pipeline ends.

pub mod end;
pub mod faults;
pub mod frame;
mod frames;
mod source;

pub use frames::Frames;
pub use source::{Source, make};
