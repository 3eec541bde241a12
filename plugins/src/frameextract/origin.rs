// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the frames come from, as far as upstream and the user say it.

use std::path::Path;

use gst::glib;
use gst::prelude::*;
use liveness::dataset::collector::Origin;

use super::settings::Settings;

/// The origin of what arrives at `pad`.
pub(super) fn origin(settings: &Settings, pad: &gst::Pad, started: &str) -> Origin {
    let told = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut query = gst::query::Uri::new();
    let uri = pad.peer_query(&mut query).then(|| query.uri()).flatten();
    let file = uri
        .as_deref()
        .and_then(|uri| glib::filename_from_uri(uri).ok())
        .map(|(path, _)| path);
    let source = told(&settings.source).or_else(|| match &file {
        Some(path) => Some(path.to_string_lossy().into_owned()),
        None => uri.as_deref().map(public),
    });
    let session = told(&settings.session).or_else(|| {
        let named = told(&settings.source)
            .map(std::path::PathBuf::from)
            .or(file);
        named
            .as_deref()
            .and_then(Path::file_stem)
            .map(|stem| stem.to_string_lossy().into_owned())
    });
    Origin {
        session: session.unwrap_or_else(|| started.to_owned()),
        source: source.unwrap_or_else(|| "unknown".to_owned()),
    }
}

/// An address without what is nobody's business: user names, passwords, and what follows a question mark, where cameras have them
/// too.
fn public(uri: &str) -> String {
    let uri = uri.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = uri.split_once("://") else {
        return uri.to_owned();
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_stay_out_of_the_manifest() {
        for (uri, shown) in [
            ("rtsp://me:secret@cam:554/live", "rtsp://cam:554/live"),
            (
                "rtsp://me:se@cret@cam/live?user=a&password=b",
                "rtsp://cam/live",
            ),
            ("http://phone:8080/video", "http://phone:8080/video"),
            ("http://phone", "http://phone"),
            ("http://a@phone/x@y", "http://phone/x@y"),
            ("v4l2:///dev/video0", "v4l2:///dev/video0"),
        ] {
            assert_eq!(public(uri), shown);
        }
    }
}
