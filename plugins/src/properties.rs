// SPDX-License-Identifier: MIT OR Apache-2.0
//! Properties that several elements have, so that they are spelt and explained alike.

use std::path::PathBuf;

use gst::glib;
use gst::prelude::*;
use liveness::model::Pins;

use crate::device::Device;
use crate::lateness;
use crate::message::PostMessages;

/// A threshold below 0 stands for what the model recommends.
pub const AUTO: f32 = -1.0;

/// A number set by the user, `None` for [`AUTO`].
pub fn told(value: f32) -> Option<f32> {
    (value >= 0.0).then_some(value)
}

/// A probability or overlap in 0..1, or [`AUTO`].
pub fn threshold(name: &str, nick: &str, blurb: &str) -> glib::ParamSpec {
    glib::ParamSpecFloat::builder(name)
        .nick(nick)
        .blurb(blurb)
        .minimum(AUTO)
        .maximum(1.0)
        .default_value(AUTO)
        .mutable_playing()
        .build()
}

/// A text, often the name of a file, that is read when the element starts.
pub fn text(name: &str, nick: &str, blurb: &str) -> glib::ParamSpec {
    glib::ParamSpecString::builder(name)
        .nick(nick)
        .blurb(blurb)
        .mutable_ready()
        .build()
}

/// `model-sha256`.
pub fn model_sha256() -> glib::ParamSpec {
    text(
        "model-sha256",
        "Model SHA-256",
        "SHA-256 of the model file, 64 hexadecimal digits (of several, each, separated by commas): any other file is refused, and no .toml beside it is read",
    )
}

/// What `model-sha256` says; nothing is pinned where it was not set.
///
/// # Errors
/// Where it is not what it must be.
pub fn pins(text: Option<&str>) -> liveness::Result<Pins> {
    text.map_or(Ok(Pins::default()), |text| {
        Pins::parse(text).map_err(|e| liveness::Error::Option(format!("model-sha256: {e}")))
    })
}

/// A whole number that may change while playing.
pub fn count(
    name: &str,
    nick: &str,
    blurb: &str,
    range: (u32, u32),
    default: u32,
) -> glib::ParamSpec {
    glib::ParamSpecUInt::builder(name)
        .nick(nick)
        .blurb(blurb)
        .minimum(range.0)
        .maximum(range.1)
        .default_value(default)
        .mutable_playing()
        .build()
}

/// How late frames of live sources may be.
pub fn max_lateness() -> glib::ParamSpec {
    glib::ParamSpecInt64::builder("max-lateness")
        .nick("Max lateness")
        .blurb("Nanoseconds that a frame of a live source may come later than the earliest one of the last seconds; later ones pass on with what is known of their faces, for half a second at the most (-1: look at all)")
        .minimum(-1)
        .default_value(lateness::DEFAULT)
        .mutable_playing()
        .build()
}

/// A switch that may change while playing.
pub fn switch(name: &str, nick: &str, blurb: &str, default: bool) -> glib::ParamSpec {
    glib::ParamSpecBoolean::builder(name)
        .nick(nick)
        .blurb(blurb)
        .default_value(default)
        .mutable_playing()
        .build()
}

/// A limit that may change while playing.
pub fn limit(
    name: &str,
    nick: &str,
    blurb: &str,
    range: (f32, f32),
    default: f32,
) -> glib::ParamSpec {
    glib::ParamSpecFloat::builder(name)
        .nick(nick)
        .blurb(blurb)
        .minimum(range.0)
        .maximum(range.1)
        .default_value(default)
        .mutable_playing()
        .build()
}

/// `device`.
pub fn device() -> glib::ParamSpec {
    glib::ParamSpecEnum::builder_with_default("device", Device::default())
        .nick("Device")
        .blurb("Where inference runs")
        .mutable_ready()
        .build()
}

/// `threads`.
pub fn threads() -> glib::ParamSpec {
    glib::ParamSpecUInt::builder("threads")
        .nick("Threads")
        .blurb("Threads for one inference; more than 1 seldom helps small models")
        .minimum(1)
        .maximum(64)
        .default_value(1)
        .mutable_ready()
        .build()
}

/// `post-messages`.
pub fn post_messages() -> glib::ParamSpec {
    glib::ParamSpecEnum::builder_with_default("post-messages", PostMessages::default())
        .nick("Post messages")
        .blurb("When to post the faces of a frame on the bus")
        .mutable_playing()
        .build()
}

/// `stats`.
pub fn stats(blurb: &str) -> glib::ParamSpec {
    glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
        .nick("Statistics")
        .blurb(blurb)
        .read_only()
        .build()
}

/// A file name out of a value, byte for byte: it need not be UTF-8. None for an empty one.
pub fn path(value: &glib::Value) -> Option<PathBuf> {
    let path: Option<PathBuf> = value.get().ok()?;
    path.filter(|p| !p.as_os_str().is_empty())
}

/// A text out of a value. What is not UTF-8 in it is replaced: glib's own reading panics there, and a panic while a property is
/// set ends the process.
pub fn string(value: &glib::Value) -> Option<String> {
    let bytes: Option<PathBuf> = value.get().ok()?;
    bytes.map(|b| b.to_string_lossy().into_owned())
}
