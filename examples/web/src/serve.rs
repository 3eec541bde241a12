// SPDX-License-Identifier: MIT OR Apache-2.0
//! Takes connections: so many at once, each with a limit to how long it may take to say what it wants; and lets them end when the server does.
//! axum's own `serve` knows neither limit.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use crate::app::ended;
use crate::routes::Peer;

/// Connections beside those of the cameras.
const CONNECTIONS: usize = 256;

/// How long a browser may take to send the head of a request, also the next one on a connection.
const HEAD: Duration = Duration::from_secs(20);

/// Largest head.
const HEAD_BYTES: usize = 16 << 10;

/// How long requests may take to end when the server does.
const GRACE: Duration = Duration::from_secs(5);

/// After a connection that could not be taken: mostly there are too many files open, and trying again at once helps nobody.
const BREATH: Duration = Duration::from_millis(200);

/// Serves until `stop` is true, and until what was begun then has ended.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = async {
            // In this order: who finds no place waits in the system's queue.
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = ended(&mut stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                eprintln!("liveness-web: a connection could not be taken: {error}");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        // Answers are small, and wait for nothing.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone().layer(Extension(Peer(peer))));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut stop = stop.clone();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            // Whoever hangs up in the middle is nobody's fault.
            tokio::select! {
                _ = connection.as_mut() => (),
                () = ended(&mut stop) => {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
            }
            drop(place);
        });
    }
    // Each connection gives its place back.
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    let _ = timeout(GRACE, places.acquire_many(all)).await;
}
