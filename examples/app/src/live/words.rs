// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a source is lost, said to a user. Knows GStreamer's errors and where the source is; shows no password.

use super::options::PASSWORD;
use super::origin::Origin;
use super::reach;
use crate::film::faults;

/// What is said of a stream that came to its end by itself.
pub(super) const ENDED: &str = "it sends no more";

/// What is said of one that sends nothing for so many seconds.
pub(super) fn silent(seconds: u64) -> String {
    format!("no picture for {seconds} s")
}

/// Why a source is lost that posted this error.
pub(super) fn reason(
    origin: &Origin,
    bus: &gst::Bus,
    message: &gst::Message,
    lacking: Vec<String>,
) -> String {
    let gst::MessageView::Error(error) = message.view() else {
        return String::new();
    };
    if error.error().matches(gst::ResourceError::NotAuthorized) {
        return refused(origin);
    }
    match origin {
        Origin::Camera(device) if !device.exists() => {
            format!("there is no camera at {}", device.display())
        }
        Origin::Camera(_) => {
            let said = faults::reason(bus, message, lacking);
            match error.error().matches(gst::ResourceError::OpenReadWrite) {
                true => format!(
                    "{said} (is it in use, or have you no right to it? The group is `video`)"
                ),
                false => said,
            }
        }
        // Where nobody can be reached, that says it best.
        Origin::Address(address) => reach::obstacle(address).unwrap_or_else(|| {
            let said = faults::reason(bus, message, lacking);
            said.replace(address.location(), &address.to_string())
        }),
    }
}

/// What is said where a camera wants to know who asks.
fn refused(origin: &Origin) -> String {
    let has_login = matches!(origin, Origin::Address(address) if address.login.is_some());
    match has_login {
        true => "user name or password is wrong".into(),
        false => format!(
            "it wants a user name or password: --user NAME, with the password in {PASSWORD} or --password-file"
        ),
    }
}
