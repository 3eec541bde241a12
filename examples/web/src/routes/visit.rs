// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a page must know before anything else: its word, who is logged in, and what is possible here.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::answer::{Refusal, json_response};
use crate::app::App;
use crate::random;
use crate::visitor::{cookie, set_cookie};

pub(super) async fn visit(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let known = cookie(&headers);
    let is_new = known.is_none();
    let cookie = match known {
        Some(cookie) => cookie,
        None => random::token()?,
    };
    let mut response = answer(&app, &cookie).await?;
    if is_new {
        give(&mut response, &cookie);
    }
    Ok(response)
}

/// What a visitor with this cookie is told.
///
/// # Errors
/// Where the database fails.
pub(super) async fn answer(app: &App, cookie: &str) -> Result<Response, Refusal> {
    let login = match &app.desk {
        Some(_) => json!({"on": true}),
        None => json!({
            "on": false,
            "why": "The log-in demo is off: the server was started without a model that tells persons apart (--embedding)."
        }),
    };
    let user = match &app.desk {
        Some(desk) => match desk.logins.account(cookie, Instant::now()) {
            Some(id) => desk.store.get(id).await?.map(|account| account.name),
            None => None,
        },
        None => None,
    };
    let body = json!({
        "word": app.visitors.word(cookie),
        "user": user,
        "login": login,
        "limits": {
            "upload_bytes": app.upload_bytes,
            "clip_seconds": app.file.clip.as_secs(),
            "session_seconds": app.session_time.as_secs(),
            "challenge_seconds": app.challenge_time.as_secs(),
        },
    });
    Ok(json_response(StatusCode::OK, &body))
}

/// Gives the browser a cookie with this answer.
pub(super) fn give(response: &mut Response, cookie: &str) {
    if let Ok(line) = HeaderValue::from_str(&set_cookie(cookie)) {
        response.headers_mut().insert(header::SET_COOKIE, line);
    }
}
