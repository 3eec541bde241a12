// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page, which is part of the program: no other file and no build step.

use axum::extract::Path;
use axum::http::header;
use axum::response::{Html, IntoResponse, Response};

use super::answer;

const INDEX: &str = include_str!("../../page/index.html");

/// A part of the page: its name, its media type and its text.
type Part = (&'static str, &'static str, &'static str);

const JS: &str = "text/javascript; charset=utf-8";

const PARTS: [Part; 9] = [
    (
        "style.css",
        "text/css; charset=utf-8",
        include_str!("../../page/style.css"),
    ),
    (
        "icon.svg",
        "image/svg+xml",
        include_str!("../../page/icon.svg"),
    ),
    ("main.js", JS, include_str!("../../page/main.js")),
    ("account.js", JS, include_str!("../../page/account.js")),
    ("camera.js", JS, include_str!("../../page/camera.js")),
    ("overlay.js", JS, include_str!("../../page/overlay.js")),
    ("server.js", JS, include_str!("../../page/server.js")),
    ("upload.js", JS, include_str!("../../page/upload.js")),
    ("words.js", JS, include_str!("../../page/words.js")),
];

pub(super) async fn index() -> Response {
    ([(header::CACHE_CONTROL, "no-cache")], Html(INDEX)).into_response()
}

pub(super) async fn part(Path(name): Path<String>) -> Response {
    match PARTS.iter().find(|part| part.0 == name) {
        Some((_, kind, text)) => {
            let headers = [
                (header::CONTENT_TYPE, *kind),
                (header::CACHE_CONTROL, "no-cache"),
            ];
            (headers, *text).into_response()
        }
        None => answer::nothing_here().await.into_response(),
    }
}
