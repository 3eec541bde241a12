// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is where, as docs/web.md has it, and the fence around all of it. Knows HTTP.

mod accounts;
mod answer;
mod camera;
mod fence;
mod page;
mod upload;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};

use crate::app::App;

pub(crate) use fence::Peer;

/// Everything that can be reached.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(page::index))
        .route("/page/{name}", get(page::part))
        .route("/api/visit", get(visit::visit))
        .route("/api/camera", get(camera::camera))
        .route("/api/upload", post(upload::upload))
        .route("/api/enrol", post(accounts::enrol))
        .route("/api/login", post(accounts::log_in))
        .route("/api/finish", post(accounts::finish))
        .route("/api/logout", post(accounts::log_out))
        .route("/api/account", delete(accounts::delete))
        .fallback(answer::nothing_here)
        .layer(from_fn_with_state(app.clone(), fence::fence))
        .with_state(app)
}
