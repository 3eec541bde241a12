// SPDX-License-Identifier: MIT OR Apache-2.0
//! The library's errors as GStreamer's: each names its element on the bus and says what to do.

use gst::subclass::prelude::*;

/// The error message for an element to post, with the domain and code that applications act on.
pub fn message(error: &liveness::Error) -> gst::ErrorMessage {
    use gst::{LibraryError, ResourceError, StreamError};
    use liveness::Error as E;
    match error {
        E::ModelFile { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            gst::error_msg!(ResourceError::NotFound, ("{error}"))
        }
        E::ModelFile { .. } => gst::error_msg!(ResourceError::OpenRead, ("{error}")),
        E::Runtime { .. } => gst::error_msg!(LibraryError::Init, ("{error}")),
        E::NotAModel { .. } | E::UnfitModel { .. } => {
            gst::error_msg!(ResourceError::Read, ("{error}"))
        }
        E::MissingFacts { .. } | E::Card { .. } | E::Option(_) => {
            gst::error_msg!(ResourceError::Settings, ("{error}"))
        }
        E::Frame(_) => gst::error_msg!(StreamError::Format, ("{error}")),
        _ => gst::error_msg!(StreamError::Failed, ("{error}")),
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
