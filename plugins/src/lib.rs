// SPDX-License-Identifier: MIT OR Apache-2.0
//! GStreamer elements that find faces, judge whether they are live, draw what was found, and save it as data
//! sets.
//!
//! The glue ([`caps`], [`frame`], [`meta`], [`message`], [`error`], [`properties`], [`segment`], [`device`], [`stats`]) knows GStreamer and the library `liveness`; the
//! elements know the glue, never each other: they meet in the metadata ([`meta`]).

use gst::glib;

pub mod caps;
pub mod device;
pub mod error;
pub mod frame;
pub mod lateness;
pub mod message;
pub mod meta;
pub mod properties;
pub mod segment;
pub mod stats;

pub mod facedetect;
pub mod frameextract;
pub mod livenessclassify;
pub mod livenessmetaattach;
pub mod livenessmetaconvert;
pub mod livenessoverlay;

fn plugin_init(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    // ONNX Runtime may lie beside the plugin. It is loaded when an element starts, never while the registry scans.
    if let Some(folder) = plugin.filename().as_deref().and_then(|f| f.parent()) {
        liveness::runtime::search_in(folder);
    }
    meta::register();
    facedetect::register(plugin)?;
    livenessclassify::register(plugin)?;
    livenessoverlay::register(plugin)?;
    frameextract::register(plugin)?;
    livenessmetaconvert::register(plugin)?;
    livenessmetaattach::register(plugin)
}

/// What GStreamer asks of a plugin; in a module of its own as the macro writes undocumented items.
#[allow(missing_docs)]
mod definition {
    use super::plugin_init;

    gst::plugin_define!(
        liveness,
        env!("CARGO_PKG_DESCRIPTION"),
        plugin_init,
        concat!(env!("CARGO_PKG_VERSION"), "-", env!("COMMIT_ID")),
        // GStreamer knows this short list of licences; its name for ours.
        "MIT/X11",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_NAME"),
        env!("BUILD_REL_DATE")
    );
}

pub use definition::plugin_register_static;
