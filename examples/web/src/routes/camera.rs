// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a browser's camera is connected.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::HeaderMap;
use axum::response::Response;

use super::fence::Address;
use crate::account::owner;
use crate::app::App;
use crate::live::{self, MOST_BYTES};
use crate::visitor::cookie;

pub(super) async fn camera(
    State(app): State<Arc<App>>,
    Extension(Address(address)): Extension<Address>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let visitor = live::Visitor {
        cookie: cookie(&headers),
        // A page learns of this in the session only: browsers keep the answer to a failed upgrade to themselves.
        too_many: app
            .session_limiter
            .take(&owner(address), Instant::now())
            .is_err(),
    };
    // A picture that is a little too large gets an answer of its own; what is beyond that is not read.
    let most = 2 * MOST_BYTES;
    let upgrade = upgrade.max_message_size(most).max_frame_size(most);
    upgrade.on_upgrade(move |socket| live::run(socket, app, visitor))
}
