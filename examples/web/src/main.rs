// SPDX-License-Identifier: MIT OR Apache-2.0
//! browser's camera → WebSocket → appsrc ! jpegdec ! videoconvert ! facedetect ! livenessclassify ! appsink → WebSocket → boxes over the picture
//!
//! A web page for face liveness: `liveness-web [--embedding model.onnx]`, then http://127.0.0.1:8080
//!
//! Each camera has a pipeline of its own, and all share the models. `--help` tells the rest, docs/web.md what is said between page and server.

mod account;
mod app;
mod challenge;
mod cli;
mod identity;
mod live;
mod look;
mod random;
mod routes;
mod serve;
#[cfg(test)]
mod testing;
mod visitor;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use liveness_app::{runtime, signals, status};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use app::App;
use cli::Cli;
use look::Models;

/// How long cameras may take to end: as long as their pipelines are given.
const GRACE: Duration = Duration::from_secs(12);

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => status::INTERRUPTED.into(),
        Err(error) => {
            eprintln!("liveness-web: {error:#}");
            status::ERROR.into()
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    // The second Ctrl-C ends the program at once; the first one is waited for below.
    signals::stop()?;
    gst::init().context("GStreamer does not start")?;
    gstliveness::plugin_register_static().context("the elements do not register")?;
    runtime::search();
    let models = Models {
        detector: cli.detector.clone(),
        liveness: cli.model.clone(),
        threshold: cli.threshold,
    };
    // Whatever is wrong with a model should be known before the first visitor comes.
    let held = models.hold()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let done = runtime.block_on(serve(cli, models));
    // A thread that still waits for a pipeline must not hold up the end.
    runtime.shutdown_timeout(GRACE);
    drop(held);
    done
}

/// Serves until Ctrl-C, and until everybody was told.
async fn serve(cli: Cli, models: Models) -> anyhow::Result<()> {
    let (end, stop) = watch::channel(false);
    let bind = cli.bind;
    let max = cli.max_sessions.get();
    let app = Arc::new(App::new(cli, models, stop.clone())?);
    let listener = TcpListener::bind(bind)
        .await
        .with_context(|| format!("cannot listen at {bind}"))?;
    let address = listener.local_addr()?;
    let mut signals = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ]
    .map(signal);
    let stopped = async move {
        let [interrupt, terminate, hangup] = &mut signals;
        let (Ok(interrupt), Ok(terminate), Ok(hangup)) = (interrupt, terminate, hangup) else {
            // The system takes no handlers: then Ctrl-C ends the program by itself.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
            _ = hangup.recv() => (),
        }
    };
    let login = if app.desk.is_some() {
        "on"
    } else {
        "off (--embedding)"
    };
    eprintln!("liveness-web: http://{address} (log-in demo {login}; Ctrl-C ends it)");
    let serving = tokio::spawn(serve::serve(listener, routes::router(app.clone()), stop));
    stopped.await;
    eprintln!("liveness-web: ending");
    // Nobody listens where everybody has gone.
    let _ = end.send(true);
    serving.await?;
    // Each camera gives its place back when its pipeline is gone.
    let all = u32::try_from(max).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(GRACE, app.sessions.acquire_many(all)).await;
    Ok(())
}
