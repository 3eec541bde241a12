// SPDX-License-Identifier: MIT OR Apache-2.0
//! Films through GStreamer: what makes upright frames of a file, how they are read, what errors mean, and how a pipeline ends.

pub mod end;
pub mod faults;
pub mod frame;
mod source;

pub use source::{Source, make};
