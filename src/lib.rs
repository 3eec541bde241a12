// SPDX-License-Identifier: MIT OR Apache-2.0
//! Find faces in a picture and judge whether each is live or a spoof (a print, a replay on a screen, a mask).
//!
//! This crate knows nothing of GStreamer: it takes pixels as they lie in memory ([`image::Pixels`]) and gives
//! [`face::Face`]s. The GStreamer elements in `plugins/` are thin over it.
//!
//! The modules, in the order of their knowledge (each may use only those before it; `tests/architecture.rs` holds that):
//!
//! | module | what it knows |
//! |---|---|
//! | [`error`], [`sync`], `pool`, [`geometry`], [`image`], [`face`] | words of the field and of the house |
//! | [`json`] | the faces of a frame as a line of JSON, and back |
//! | [`metrics`] | how good answers are: APCER, BPCER and their kin, AP of detectors, with intervals |
//! | [`signature`] | whether a picture still lies as it lay |
//! | [`resize`], [`letterbox`], [`crop`] | pixels to tensors |
//! | [`quality`] | whether a face is sharp, well lit, wholly in the frame, seen from the front |
//! | [`dataset`] | data sets of faces: written, read |
//! | [`track`] | which face is whose over frames, and where it is between two looks |
//! | [`cadence`] | when a frame has to be looked at again |
//! | [`model`] | what a model file expects and means (its card) |
//! | [`onnx`] | what an ONNX file demands, before it is loaded |
//! | [`runtime`] | ONNX Runtime: the library, sessions, sharing |
//! | [`golden`] | whether a model still answers as when it was written |
//! | [`detect`] | the families of face detectors |
//! | [`liveness`] | the families of liveness models, their fusion and the verdict, of a frame or over time |
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod error;
pub mod geometry;
mod pool;
pub mod sync;

pub mod metrics;

pub mod face;
pub mod image;

pub mod json;

pub mod signature;

pub mod crop;
pub mod letterbox;
pub mod resize;

pub mod quality;

pub mod dataset;

pub mod track;

pub mod cadence;

pub mod model;
pub mod onnx;
pub mod runtime;

pub mod golden;

pub mod detect;
pub mod liveness;

pub use error::{Error, Result};
