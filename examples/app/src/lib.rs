// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the example programs share: how they find ONNX Runtime, models, files and faces, read pictures, films and cameras, answer, and are stopped.

pub mod arguments;
pub mod face;
pub mod files;
#[cfg(feature = "film")]
pub mod film;
pub mod inputs;
pub mod lines;
#[cfg(feature = "live")]
pub mod live;
pub mod models;
pub mod picture;
pub mod runtime;
pub mod signals;
pub mod terminal;
pub mod timing;

/// What the exit status says, the same in all programs.
pub mod status {
    /// It could not start, or had to stop.
    pub const ERROR: u8 = 1;
    /// Finished, but some of the inputs could not be read.
    pub const SOME_FAILED: u8 = 3;
    /// The user stopped it, as shells count it: 128 and the number of the signal.
    pub const INTERRUPTED: u8 = 130;
}
