// SPDX-License-Identifier: MIT OR Apache-2.0
//! filesrc ! decodebin ! videoconvert ! videoflip
//!
//! The part of a pipeline that makes upright frames out of one file. Knows GStreamer, nothing of faces.

use anyhow::Context;
use gst::prelude::*;

use crate::inputs::{Input, Kind};

/// Caps of streams that nobody wants to see.
const UNWANTED: &[&str] = &["audio/", "text/", "subpicture/", "application/x-subtitle"];

/// An element of GStreamer's own.
///
/// # Errors
/// Where it is not installed.
pub(crate) fn make(name: &str) -> anyhow::Result<gst::Element> {
    gst::ElementFactory::make(name).build().with_context(|| {
        format!("GStreamer has no element {name}: install its plugins base, good and bad")
    })
}

/// A bin with a pad `src` that gives the frames of a file as they are meant to be seen: telephones write films and photographs
/// sideways, with a note how to turn them.
///
/// # Errors
/// Where an element is not installed.
pub(crate) fn upright(input: &Input) -> anyhow::Result<gst::Bin> {
    let source = make("filesrc")?;
    source.set_property("location", &input.path);
    let convert = make("videoconvert")?;
    let flip = make("videoflip")?;
    flip.set_property_from_str("video-direction", "auto");

    let bin = gst::Bin::new();
    bin.add_many([&source, &convert, &flip])?;
    convert.link(&flip)?;
    if input.kind == Kind::Jpeg {
        // Only jpegparse reads the note, and decodebin does without jpegparse.
        let (parse, decode) = (make("jpegparse")?, make("jpegdec")?);
        bin.add_many([&parse, &decode])?;
        gst::Element::link_many([&source, &parse, &decode, &convert])?;
    } else {
        let decode = decodebin(&convert)?;
        bin.add(&decode)?;
        source.link(&decode)?;
    }
    let pad = flip
        .static_pad("src")
        .context("videoflip without a src pad")?;
    bin.add_pad(&gst::GhostPad::with_target(&pad)?)?;
    Ok(bin)
}

/// Decodes whatever it is given and links its first video to `to`. Sound is not even decoded.
fn decodebin(to: &gst::Element) -> anyhow::Result<gst::Element> {
    let decode = make("decodebin")?;
    decode.connect("autoplug-continue", false, |values| {
        let caps = values.get(2).and_then(|v| v.get::<gst::Caps>().ok());
        let is_unwanted = caps.as_deref().is_some_and(|caps| is(caps, UNWANTED));
        Some((!is_unwanted).to_value())
    });
    let sink = to
        .static_pad("sink")
        .context("an element without a sink pad")?;
    let sink = sink.downgrade();
    let into = sink.clone();
    decode.connect_pad_added(move |_, pad| {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        if let Some(sink) = into.upgrade()
            && is(&caps, &["video/x-raw"])
            && !sink.is_linked()
        {
            // Where it cannot be linked, the pipeline says so itself: its frames go nowhere.
            let _ = pad.link(&sink);
        }
    });
    decode.connect_no_more_pads(move |decode| {
        if sink.upgrade().is_some_and(|s| !s.is_linked()) {
            gst::element_error!(
                decode,
                gst::StreamError::WrongType,
                ("there is no video in it")
            );
        }
    });
    Ok(decode)
}

/// Whether the name of these caps begins with one of these.
fn is(caps: &gst::CapsRef, names: &[&str]) -> bool {
    let structure = caps.structure(0);
    structure.is_some_and(|s| names.iter().any(|n| s.name().starts_with(n)))
}
