// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose fault an error of GStreamer's is. Knows GStreamer alone.

use gst::glib;
use gst::prelude::*;

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

#[cfg(test)]
mod tests {
    use super::*;

    /// An error that an element of this kind posts.
    fn error<T: gst::MessageErrorDomain>(factory: &str, kind: T, said: &str) -> gst::Message {
        crate::testing::init();
        let element = gst::ElementFactory::make(factory).build().unwrap();
        let error = gst::message::Error::builder(kind, said);
        error.src(&element).build()
    }

    #[test]
    fn what_ends_all_is_told_from_what_ends_one() {
        use gst::{CoreError, LibraryError, ResourceError as R, StreamError as S};
        let serious = |m: gst::Message| is_serious(&m);
        assert!(serious(error("frameextract", R::NoSpaceLeft, "full")));
        assert!(serious(error("frameextract", S::Failed, "cannot")));
        assert!(serious(error(
            "livenessfacedetect",
            LibraryError::Init,
            "no runtime"
        )));
        assert!(!serious(error(
            "livenessfacedetect",
            S::Format,
            "odd frame"
        )));
        assert!(!serious(error(
            "frameextract",
            CoreError::Negotiation,
            "odd caps"
        )));
        assert!(!serious(error("filesrc", R::NoSpaceLeft, "full")));
        assert!(!serious(error("decodebin", S::Decode, "broken")));
    }
}
