// SPDX-License-Identifier: MIT OR Apache-2.0
//! Data sets of faces: what `frameextract` writes and the trainer reads. Knows faces and pixels, no models.
//!
//! Writing, from the top: a [`collector`] measures the faces of frames and chooses by its [`rules`]; a writer has threads draw and
//! code [`picture`]s; a [`store`] puts them into the folder, one by one, each with its [`record`] in the [`manifest`].
//!
//! Reading: [`read`] recognises the [`layout`] of a folder and gives its [`sample`]s.

pub mod collector;
pub mod hash;
mod index;
pub mod label;
pub mod layout;
pub mod manifest;
pub mod name;
pub mod pace;
pub mod picture;
pub mod record;
pub mod rules;
pub mod sample;
pub mod store;
mod writer;

pub use layout::read;
