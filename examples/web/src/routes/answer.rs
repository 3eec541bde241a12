// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers as JSON, and refusals that say what is wrong: a word for programs, a sentence for people.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// Largest form that is read, in bytes.
const FORM: usize = 4 << 10;

/// How long a browser may take to send it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is read of a request that is refused, in bytes, at the most.
const DRAIN: usize = 256 << 20;

/// Why something is not done.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    text: String,
    /// When it may be tried again.
    wait: Option<Duration>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, text: impl Into<String>) -> Self {
        Self {
            status,
            code,
            text: text.into(),
            wait: None,
        }
    }

    /// Something was tried too often.
    pub(super) fn too_often(wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        Self {
            wait: Some(wait),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-often",
                format!("That was tried too often. Wait {seconds} s."),
            )
        }
    }

    /// Everybody must wait.
    pub(super) fn busy() -> Self {
        Self {
            wait: Some(PATIENCE),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "The server is busy. Try again in a moment.",
            )
        }
    }
}

/// What went wrong is for whoever runs the server.
impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        eprintln!("liveness-web: {error:#}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "broken",
            "Something went wrong in the server.",
        )
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"error": {"code": self.code, "text": self.text}});
        let mut response = json_response(self.status, &body);
        if let Some(wait) = self.wait {
            let seconds = (wait.as_secs() + 1).into();
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

/// JSON that nobody keeps.
pub(super) fn json_response(status: StatusCode, body: &impl Serialize) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    match serde_json::to_string(body) {
        Ok(text) => (status, headers, text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A form that was sent as JSON.
///
/// # Errors
/// Where it is too large, comes too slowly, or is none.
pub(super) async fn form<T: DeserializeOwned>(body: Body) -> Result<T, Refusal> {
    let wrong = |text: String| Refusal::new(StatusCode::BAD_REQUEST, "form", text);
    let bytes = tokio::time::timeout(PATIENCE, to_bytes(body, FORM)).await;
    let bytes = bytes.map_err(|_| wrong("The form did not come in time.".into()))?;
    let bytes = bytes.map_err(|_| wrong(format!("A form has at most {FORM} bytes.")))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| wrong(format!("The form is not understood: {error}.")))
}

/// Reads what a browser still sends of a request that is refused: it hears an answer only when it has said all.
pub(super) async fn drain(mut body: Body) {
    let read = async {
        let mut bytes = 0;
        while let Some(Ok(frame)) = body.frame().await {
            bytes += frame.data_ref().map_or(0, |data| data.len());
            if bytes > DRAIN {
                break;
            }
        }
    };
    // Who says more, or says it more slowly, hears nothing.
    let _ = tokio::time::timeout(PATIENCE, read).await;
}

pub(super) async fn nothing_here() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "not-found", "There is nothing here.")
}
