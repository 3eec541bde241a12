// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the trainer is made of; the program is thin over these modules. Each knows those above it at the most:
//!
//! | module | what it is |
//! |---|---|
//! | [`net`] | nets as data |
//! | [`onnx`] | nets as files |
//! | [`fit`] | fitting a net to examples |
//! | [`augment`], [`data`] | from folders to examples |
//! | [`render`] | spoofs out of live faces |
//! | [`report`] | figures, plots, pages |
//! | [`cli`] | what the user asks for |
//! | [`command`] | doing it |

pub mod augment;
pub mod cli;
pub mod command;
pub mod data;
pub mod fit;
pub mod net;
pub mod onnx;
pub mod render;
pub mod report;
