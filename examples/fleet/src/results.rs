// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads what became of items, and what was seen in them. Knows the streams, changes nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{anyhow, bail};
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use async_nats::jetstream::consumer::{DeliverPolicy, ReplayPolicy};
use futures_util::StreamExt;
use liveness_app::lines;
use liveness_app::live::Backoff;

use crate::add::Ended;
use crate::cli::{Of, ResultsCommand};
use crate::halt::Halt;
use crate::link::Link;
use crate::names::{Stream, is_token};
use crate::report::{Outcome, Status};
use crate::server::causes;

/// Reads what was asked for.
///
/// # Errors
/// Where the server refuses.
pub(crate) async fn results(command: &ResultsCommand, mut halt: Halt) -> anyhow::Result<Ended> {
    if let Some(wrong) = command.item.as_ref().filter(|id| !is_token(id)) {
        bail!("{wrong} is no number of an item: `liveness-fleet add` tells it, and `status`");
    }
    let server = command.server.connect("liveness-fleet results", None);
    let link = Link::new(server.await?, command.server.fleet.clone());
    let stream = match command.of {
        Of::Results => Stream::Results,
        Of::Failed => Stream::Dead,
        Of::Events => Stream::Events,
        Of::Frames => Stream::Frames,
    };
    let is_outcome = matches!(command.of, Of::Results | Of::Failed);
    let item = command.item.as_deref();
    read(&link, stream, item, command.follow, &mut halt, |payload| {
        let mut line = match serde_json::from_slice::<Outcome>(payload) {
            Ok(outcome) if is_outcome && !command.json => outcome.text().into_bytes(),
            _ => payload.to_vec(),
        };
        // Frames come as whole lines.
        if line.last() != Some(&b'\n') {
            line.push(b'\n');
        }
        lines::print(&line)?;
        Ok(false)
    })
    .await
}

/// Waits until something is said of all these items, and tells it.
///
/// # Errors
/// Where the server refuses.
pub(crate) async fn wait(
    link: &Link,
    mut awaited: BTreeSet<String>,
    halt: &mut Halt,
) -> anyhow::Result<Ended> {
    if awaited.is_empty() {
        return Ok(Ended::Well);
    }
    let mut ended = Ended::Well;
    let read = read(link, Stream::Results, None, true, halt, |payload| {
        let Ok(outcome) = serde_json::from_slice::<Outcome>(payload) else {
            return Ok(false);
        };
        if awaited.remove(&outcome.item.id) {
            lines::print(format!("{}\n", outcome.text()).as_bytes())?;
            if outcome.status != Status::Done {
                ended = Ended::SomeFailed;
            }
        }
        Ok(awaited.is_empty())
    });
    match read.await? {
        Ended::Halted => Ok(Ended::Halted),
        _ => Ok(ended),
    }
}

/// Reads a stream from its start, to its end or for ever, until `take` says that it is enough. A server that is lost is waited for, and then read
/// on from where it was.
async fn read(
    link: &Link,
    stream: Stream,
    item: Option<&str>,
    follow: bool,
    halt: &mut Halt,
    mut take: impl FnMut(&[u8]) -> anyhow::Result<bool>,
) -> anyhow::Result<Ended> {
    let mut next = 1;
    let mut backoff = Backoff::default();
    loop {
        let (mut messages, waiting) = match open(link, stream, item, next).await {
            Ok(opened) => opened,
            // It was there before: who follows waits until it is back.
            Err(error) if follow && next > 1 && halt.why().is_none() => {
                link.wait(&format!("{error:#}"));
                halt.rest(backoff.after(Duration::ZERO)).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        let mut left = waiting;
        loop {
            if left == 0 && !follow {
                return Ok(Ended::Well);
            }
            let message = tokio::select! {
                _ = halt.said() => return Ok(Ended::Halted),
                message = messages.next() => message,
            };
            match message {
                Some(Ok(message)) => {
                    let info = message.info().map_err(|e| anyhow!(e))?;
                    (next, left) = (info.stream_sequence + 1, info.pending);
                    if take(&message.payload)? {
                        return Ok(Ended::Well);
                    }
                }
                Some(Err(error)) => {
                    link.wait(&format!("{}: {}", link.server.shown, causes(&error)));
                    break;
                }
                None => break,
            }
        }
        halt.rest(backoff.after(Duration::ZERO)).await;
    }
}

/// A reader of what comes from this number on, and how much of it there is.
async fn open(
    link: &Link,
    stream: Stream,
    item: Option<&str>,
    from: u64,
) -> anyhow::Result<(Ordered, u64)> {
    let name = link.names.stream(stream);
    let config = OrderedConfig {
        filter_subject: link.names.subject(stream, item.unwrap_or("*")),
        deliver_policy: DeliverPolicy::ByStartSequence {
            start_sequence: from,
        },
        replay_policy: ReplayPolicy::Instant,
        ..OrderedConfig::default()
    };
    let consumer = link
        .jetstream
        .create_consumer_on_stream(config, &name)
        .await;
    let refused = |error: &dyn std::error::Error| {
        anyhow!(
            "{name} cannot be read on {}: {}",
            link.server.shown,
            causes(error)
        )
    };
    let consumer = match consumer {
        Ok(consumer) => consumer,
        Err(error) => {
            link.may_go_on("read", &name)?;
            if causes(&error).contains("stream not found") {
                return Err(link.without(&name));
            }
            return Err(refused(&error));
        }
    };
    let waiting = consumer.cached_info().num_pending;
    let messages = consumer.messages().await;
    let messages = messages.map_err(|e| refused(&e))?;
    Ok((messages, waiting))
}
