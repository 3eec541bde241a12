// SPDX-License-Identifier: MIT OR Apache-2.0
//! A picture or a clip that is sent as a whole. It lies in a file without a name until it was looked at, and then nowhere.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tempfile::NamedTempFile;

use super::answer::{Refusal, drain, json_response};
use super::fence::Address;
use crate::account::owner;
use crate::app::App;
use crate::look::{Holds, judge};

/// How long a browser may take to send it.
const RECEIVE: Duration = Duration::from_secs(120);

/// How long it waits while others are looked at.
const WAIT: Duration = Duration::from_secs(20);

/// First bytes that tell what a file holds.
const START: usize = 16;

/// Tells whoever works for somebody who has gone.
struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(super) async fn upload(
    State(app): State<Arc<App>>,
    Extension(Address(address)): Extension<Address>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let tried = app.upload_limiter.take(&owner(address), Instant::now());
    if let Err(wait) = tried {
        drain(body).await;
        return Err(Refusal::too_often(wait));
    }
    let text = |name| {
        headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
    };
    let length = text(header::CONTENT_LENGTH).parse::<u64>().ok();
    if length.is_some_and(|l| l > app.upload_bytes) {
        drain(body).await;
        return Err(too_large(&app));
    }
    let place = tokio::time::timeout(WAIT, app.uploads.clone().acquire_owned()).await;
    let _place = place.map_err(|_| Refusal::busy())?;
    let received = tokio::time::timeout(RECEIVE, receive(body, &app)).await;
    let slow = |_| {
        Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "slow",
            "The file did not come in time.",
        )
    };
    let (file, start) = received.map_err(slow)??;
    let unfit = |text| Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "kind", text);
    let holds = Holds::look(&start, text(header::CONTENT_TYPE)).map_err(unfit)?;

    let stop = Arc::new(AtomicBool::new(false));
    let _gone = Gone(stop.clone());
    let judged = tokio::task::spawn_blocking(move || {
        judge(file.path(), holds, &app.models, app.file, &app.turns, &stop)
    });
    let report = judged.await.context("a file was not looked at")?;
    let bad = |text| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "file", text);
    Ok(json_response(StatusCode::OK, &report.map_err(bad)?))
}

fn too_large(app: &App) -> Refusal {
    let most = app.upload_bytes >> 20;
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-large",
        format!("The file is too large: at most {most} MB are taken."),
    )
}

/// The file, and its first bytes.
async fn receive(body: Body, app: &App) -> Result<(NamedTempFile, Vec<u8>), Refusal> {
    let most = usize::try_from(app.upload_bytes).unwrap_or(usize::MAX);
    let mut body = Limited::new(body, most);
    let mut file = NamedTempFile::new().context("a file for an upload cannot be made")?;
    let mut start = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match error.is::<LengthLimitError>() {
            true => too_large(app),
            false => Refusal::new(
                StatusCode::BAD_REQUEST,
                "cut-off",
                "The file did not come whole.",
            ),
        })?;
        if let Some(data) = frame.data_ref() {
            let missing = START.saturating_sub(start.len());
            start.extend(data.iter().take(missing));
            // To the system's memory, mostly: the thread does not wait long.
            file.write_all(data)
                .context("an upload cannot be written")?;
        }
    }
    if start.is_empty() {
        return Err(Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "file",
            "The file is empty.",
        ));
    }
    Ok((file, start))
}
