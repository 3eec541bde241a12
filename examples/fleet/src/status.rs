// SPDX-License-Identifier: MIT OR Apache-2.0
//! What waits, what is worked on, what is done, and who is there. Knows the streams, changes nothing.

use anyhow::anyhow;
use liveness_app::lines;
use serde::Serialize;

use crate::cli::StatusCommand;
use crate::halt::Halt;
use crate::link::Link;
use crate::names::{Kind, Stream};
use crate::report::Presence;
use crate::server::causes;

/// Items of one kind.
#[derive(Debug, Serialize)]
struct Queue {
    /// Nobody has taken them yet.
    waiting: u64,
    /// Somebody has, and works on them or gave them back.
    taken: usize,
    /// Of those, the ones that were handed out more than once.
    again: usize,
}

#[derive(Debug, Serialize)]
struct Status {
    server: String,
    fleet: String,
    recordings: Queue,
    cameras: Queue,
    /// Items of which something is said, and those that have failed.
    concluded: u64,
    failed: u64,
    workers: Vec<Presence>,
}

/// Tells it.
///
/// # Errors
/// Where the server refuses.
pub(crate) async fn status(command: &StatusCommand, halt: Halt) -> anyhow::Result<()> {
    let server = command.server.connect("liveness-fleet status", None);
    let link = Link::new(server.await?, command.server.fleet.clone());
    let status = Status {
        server: link.server.shown.clone(),
        fleet: link.names.stream(Stream::Work),
        recordings: queue(&link, Kind::Recording).await?,
        cameras: queue(&link, Kind::Camera).await?,
        concluded: messages(&link, Stream::Results).await?,
        failed: messages(&link, Stream::Dead).await?,
        workers: workers(&link, halt).await?,
    };
    match command.json {
        true => lines::print(&lines::json(&status)?),
        false => lines::print(text(&status).as_bytes()),
    }
}

async fn queue(link: &Link, kind: Kind) -> anyhow::Result<Queue> {
    let name = link.names.stream(Stream::Work);
    let stream = link.jetstream.get_stream_no_info(&name).await?;
    let info = stream.consumer_info(kind.consumer()).await;
    let info = match info {
        Ok(info) => info,
        Err(error) => {
            link.may_go_on("look at", &name)?;
            return Err(link.without(&name).context(causes(&error)));
        }
    };
    Ok(Queue {
        waiting: info.num_pending,
        taken: info.num_ack_pending,
        again: info.num_redelivered,
    })
}

async fn messages(link: &Link, stream: Stream) -> anyhow::Result<u64> {
    let name = link.names.stream(stream);
    let info = link.jetstream.get_stream(&name).await;
    match info {
        Ok(stream) => Ok(stream.cached_info().state.messages),
        Err(error) => {
            link.may_go_on("look at", &name)?;
            Err(anyhow!("{name}: {}", causes(&error)))
        }
    }
}

async fn workers(link: &Link, mut halt: Halt) -> anyhow::Result<Vec<Presence>> {
    let name = link.names.stream(Stream::Workers);
    let stream = link.jetstream.get_stream_no_info(&name).await?;
    let subjects = stream
        .info_with_subjects(link.names.subjects(Stream::Workers))
        .await;
    let subjects = match subjects {
        Ok(subjects) => subjects,
        Err(error) => {
            link.may_go_on("look at", &name)?;
            return Err(anyhow!("{name}: {}", causes(&error)));
        }
    };
    let mut all = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut subjects = subjects;
    while let Some(subject) = futures_util::StreamExt::next(&mut subjects).await {
        names.push(subject.map_err(|e| anyhow!("{name}: {}", causes(&e)))?.0);
    }
    names.sort();
    for subject in names {
        let last = link.last(Stream::Workers, &subject, &mut halt).await?;
        // One that has just gone says nothing.
        let present = last
            .flatten()
            .and_then(|m| serde_json::from_slice(&m.payload).ok());
        all.extend(present);
    }
    Ok(all)
}

fn text(status: &Status) -> String {
    let mut text = String::new();
    let mut line = |name: &str, said: String| text.push_str(&format!("{name:<12}{said}\n"));
    for (name, queue) in [
        ("recordings", &status.recordings),
        ("cameras", &status.cameras),
    ] {
        let again = match queue.again {
            0 => String::new(),
            n => format!(" ({n} handed out again)"),
        };
        line(
            name,
            format!("{} waiting, {} taken{again}", queue.waiting, queue.taken),
        );
    }
    line(
        "concluded",
        format!("{}, of them failed: {}", status.concluded, status.failed),
    );
    line("workers", status.workers.len().to_string());
    for worker in &status.workers {
        let items: Vec<&str> = worker.working.keys().map(String::as_str).collect();
        let items = match items.is_empty() {
            true => "nothing to do".to_owned(),
            false => items.join(" "),
        };
        line(
            "",
            format!(
                "{}: {} done, {} failed; {items}",
                worker.worker, worker.done, worker.failed
            ),
        );
    }
    text
}
