// SPDX-License-Identifier: MIT OR Apache-2.0
//! Data sets of faces: what `frameextract` writes and the trainer reads. Knows faces and pixels, no models.

pub mod hash;
pub mod label;
pub mod layout;
pub mod manifest;
pub mod name;
pub mod record;
pub mod sample;

pub use layout::read;
