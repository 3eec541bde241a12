// SPDX-License-Identifier: MIT OR Apache-2.0
//! The library's errors as GStreamer's: each names its element on the bus and says what to do.

use gst::subclass::prelude::*;

/// The error message for an element to post, with the domain and code that applications act on.
pub fn message(error: &liveness::Error) -> gst::ErrorMessage {
    use gst::{LibraryError, ResourceError, StreamError};
    use liveness::Error as E;
    // It may quote a file or a model: GLib panics on a zero byte in a string.
    let text = error.to_string().replace('\0', "\u{fffd}");
    match error {
        E::ModelFile { reason, .. } if reason.kind() == std::io::ErrorKind::NotFound => {
            gst::error_msg!(ResourceError::NotFound, ("{text}"))
        }
        E::ModelFile { .. } => gst::error_msg!(ResourceError::OpenRead, ("{text}")),
        E::Runtime { .. } => gst::error_msg!(LibraryError::Init, ("{text}")),
        E::NotAModel { .. } | E::RefusedModel { .. } | E::UnfitModel { .. } => {
            gst::error_msg!(ResourceError::Read, ("{text}"))
        }
        E::MissingFacts { .. } | E::Card { .. } | E::Option(_) => {
            gst::error_msg!(ResourceError::Settings, ("{text}"))
        }
        E::DataSet { kind, .. } => {
            use std::io::ErrorKind as K;
            match kind {
                Some(K::StorageFull | K::QuotaExceeded) => {
                    gst::error_msg!(ResourceError::NoSpaceLeft, ("{text}"))
                }
                Some(K::NotFound) => gst::error_msg!(ResourceError::NotFound, ("{text}")),
                Some(K::PermissionDenied | K::ReadOnlyFilesystem | K::NotADirectory) => {
                    gst::error_msg!(ResourceError::OpenWrite, ("{text}"))
                }
                Some(_) => gst::error_msg!(ResourceError::Write, ("{text}")),
                None => gst::error_msg!(ResourceError::Failed, ("{text}")),
            }
        }
        E::Frame(_) => gst::error_msg!(StreamError::Format, ("{text}")),
        _ => gst::error_msg!(StreamError::Failed, ("{text}")),
    }
}

/// Posts an error message from a streaming thread and gives the flow that goes with it.
pub fn post<T>(element: &T, message: gst::ErrorMessage) -> gst::FlowError
where
    T: ElementImpl,
    <T as ObjectSubclass>::Type: gst::glib::prelude::IsA<gst::Element>,
{
    element.post_error_message(message);
    gst::FlowError::Error
}

/// Posts why caps are refused, and gives the error that negotiation goes on with: alone, that would only be logged.
pub fn refuse_caps<T>(element: &T, cat: gst::DebugCategory, reason: String) -> gst::LoggableError
where
    T: ElementImpl,
    <T as ObjectSubclass>::Type: gst::glib::prelude::IsA<gst::Element>,
{
    element.post_error_message(gst::error_msg!(gst::StreamError::Format, ("{reason}")));
    gst::loggable_error!(cat, "{reason}")
}

/// A frame before any caps: somebody upstream breaks the rules.
pub fn no_format() -> gst::ErrorMessage {
    gst::error_msg!(
        gst::CoreError::Negotiation,
        ("a frame came before its format")
    )
}
