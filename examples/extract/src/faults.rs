// SPDX-License-Identifier: MIT OR Apache-2.0
//! What GStreamer's error messages mean: whose fault it is, and how to say it. Knows GStreamer alone.

use gst::glib;
use gst::prelude::*;

/// Texts of elements that have no words of their own: there, what is the matter is in the last line for developers.
const GENERAL: &[&str] = &[
    "GStreamer encountered",
    "Internal data stream error",
    "Could not de",
];

/// Whether the data set cannot be written, or the model not be used: then it is not the input's fault, and the next one would fare
/// no better.
pub(crate) fn is_serious(message: &gst::Message) -> bool {
    let gst::MessageView::Error(error) = message.view() else {
        return false;
    };
    let error: glib::Error = error.error();
    let source = message.src().and_then(|s| s.downcast_ref::<gst::Element>());
    let factory = source.and_then(|e| e.factory()).map(|f| f.name());
    // A frame that an element cannot take.
    let is_unfit = error.is::<gst::CoreError>() || error.matches(gst::StreamError::Format);
    match factory.as_deref() {
        Some("frameextract") => !is_unfit,
        Some("facedetect" | "livenessfacedetect") => !is_unfit && !error.is::<gst::StreamError>(),
        _ => false,
    }
}

/// What an error message says to a user.
pub(crate) fn text(message: &gst::Message) -> String {
    let gst::MessageView::Error(error) = message.view() else {
        return String::new();
    };
    let said = error.error().message().trim().to_owned();
    let is_general = GENERAL.iter().any(|g| said.starts_with(g));
    let debug = error.debug().filter(|_| is_general);
    let detail = debug.as_deref().and_then(|d| d.lines().skip(1).last());
    match detail.map(str::trim).filter(|d| !d.is_empty()) {
        Some(detail) => format!("{} ({detail})", said.trim_end_matches('.')),
        None => said,
    }
}

/// What is missing for a file to be decoded, where this message says it.
pub(crate) fn missing(message: &gst::Message) -> Option<String> {
    let structure = message.structure().filter(|s| s.name() == "missing-plugin");
    structure.and_then(|s| s.get("name").ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error that an element of this kind posts.
    fn error<T: gst::MessageErrorDomain>(
        factory: &str,
        kind: T,
        said: &str,
        debug: &str,
    ) -> gst::Message {
        crate::testing::init();
        let element = gst::ElementFactory::make(factory).build().unwrap();
        gst::message::Error::builder(kind, said)
            .debug(debug)
            .src(&element)
            .build()
    }

    #[test]
    fn what_ends_all_is_told_from_what_ends_one() {
        use gst::{CoreError, LibraryError, ResourceError as R, StreamError as S};
        let serious = |m: gst::Message| is_serious(&m);
        assert!(serious(error("frameextract", R::NoSpaceLeft, "full", "")));
        assert!(serious(error("frameextract", S::Failed, "cannot", "")));
        assert!(serious(error(
            "livenessfacedetect",
            LibraryError::Init,
            "no runtime",
            ""
        )));
        assert!(!serious(error(
            "livenessfacedetect",
            S::Format,
            "odd frame",
            ""
        )));
        assert!(!serious(error(
            "frameextract",
            CoreError::Negotiation,
            "odd caps",
            ""
        )));
        assert!(!serious(error("filesrc", R::NoSpaceLeft, "full", "")));
        assert!(!serious(error("decodebin", S::Decode, "broken", "")));
    }

    #[test]
    fn a_general_text_gets_what_is_behind_it() {
        use gst::StreamError::Demux;
        let said = |said, debug| text(&error("filesrc", Demux, said, debug));
        let general = "GStreamer encountered a general stream error.";
        let place = "../demux.c(12): loop (): /pipeline:\ngot eos but no streams (yet)";
        assert_eq!(
            said(general, place),
            "GStreamer encountered a general stream error (got eos but no streams (yet))"
        );
        assert_eq!(said(general, "../demux.c(12): loop ()"), general);
        assert_eq!(said("This file is empty.", place), "This file is empty.");
    }
}
