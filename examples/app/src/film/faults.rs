// SPDX-License-Identifier: MIT OR Apache-2.0
//! What GStreamer's error messages mean, said to a user. Knows GStreamer alone.

/// Texts of elements that have no words of their own: there, what is the matter is in the last line for developers.
const GENERAL: &[&str] = &[
    "GStreamer encountered",
    "Internal data stream error",
    "Could not de",
];

/// What an error message says to a user.
pub fn text(message: &gst::Message) -> String {
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
pub fn missing(message: &gst::Message) -> Option<String> {
    let structure = message.structure().filter(|s| s.name() == "missing-plugin");
    structure.and_then(|s| s.get("name").ok())
}

/// Why a file cannot be read that led to this error: what says it best, of the error and of what is said to be missing, before it or behind
/// it on the bus.
pub fn reason(bus: &gst::Bus, error: &gst::Message, mut lacking: Vec<String>) -> String {
    // They may wait behind the error that they led to.
    while let Some(message) = bus.pop_filtered(&[gst::MessageType::Element]) {
        lacking.extend(missing(&message));
    }
    lacking.dedup();
    if lacking.is_empty() {
        text(error)
    } else {
        format!("no decoder is installed for it: {}", lacking.join(", "))
    }
}

/// The first error that a pipeline posts within a second.
pub fn first_error(bus: &gst::Bus) -> Option<gst::Message> {
    bus.timed_pop_filtered(gst::ClockTime::SECOND, &[gst::MessageType::Error])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_general_text_gets_what_is_behind_it() {
        use gst::StreamError::Demux;
        gst::init().unwrap();
        let element = gst::ElementFactory::make("filesrc").build().unwrap();
        let said = |said, debug| {
            let error = gst::message::Error::builder(Demux, said).debug(debug);
            text(&error.src(&element).build())
        };
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
