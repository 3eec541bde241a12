// SPDX-License-Identifier: MIT OR Apache-2.0
//! What tests of several modules need.

use std::path::PathBuf;
use std::sync::Once;

use axum::body::Bytes;

use crate::look::Models;

#[path = "../../../tests/common/mod.rs"]
mod common;

pub(crate) use common::assets;

/// GStreamer with our elements.
fn init() {
    static ONCE: Once = Once::new();
    // Once: those of before are taken away when they are registered again.
    ONCE.call_once(|| {
        gst::init().unwrap();
        gstliveness::plugin_register_static().unwrap();
        common::use_runtime();
    });
}

/// A file of `tests/data`.
pub(crate) fn data(name: &str) -> PathBuf {
    common::root().join("tests/data").join(name)
}

/// A detector that sees two faces in whatever it is shown, and a liveness model that calls bright ones live. `None`, said on standard
/// error, where there is no ONNX Runtime.
pub(crate) fn tiny() -> Option<Models> {
    init();
    if let Err(error) = liveness::runtime::environment() {
        common::skip(error);
        return None;
    }
    Some(Models {
        detector: Some(data("boxes.onnx")),
        liveness: Some(data("bright.onnx")),
        threshold: None,
    })
}

/// A JPEG picture of one grey.
pub(crate) fn jpeg(width: u32, height: u32, grey: u8) -> Bytes {
    let picture = image::RgbImage::from_pixel(width, height, image::Rgb([grey; 3]));
    let mut out = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut out, image::ImageFormat::Jpeg)
        .unwrap();
    out.into_inner().into()
}
