// SPDX-License-Identifier: MIT OR Apache-2.0
//! The streams and consumers of a fleet: what they keep, how much, and what becomes of more. Knows NATS and the fleet's names.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::context::CreateStreamErrorKind;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use clap::Args;
use futures_util::StreamExt;

use crate::halt::Halt;
use crate::ledger::concluded;
use crate::link::Link;
use crate::names::{Kind, Stream};
use crate::server::causes;

/// A worker that says nothing for so long is gone.
const GONE: Duration = Duration::from_secs(30);

/// In which a message that is sent again is known by its number. What must hold for longer rests on more than that.
const WINDOW: Duration = Duration::from_secs(120);

/// Places that are free and ask for an item at the same time.
const WAITING: i64 = 8192;

/// The largest item.
const LARGEST: i32 = 64 * 1024;

/// What was typed about the streams.
#[derive(Args, Clone, Debug)]
pub(crate) struct Limits {
    /// Items that may wait or be worked on; who adds more waits
    #[arg(long, value_name = "N", default_value = "100000", value_parser = clap::value_parser!(u32).range(1..))]
    max_items: u32,

    /// Items of one kind that may be worked on at the same time, in the whole fleet
    #[arg(long, value_name = "N", default_value = "1000", value_parser = clap::value_parser!(u32).range(1..))]
    max_working: u32,

    /// An item whose worker says nothing for so long is given to another one
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = at_least_a_second)]
    ack_wait: Duration,

    /// How long events and frames are kept
    #[arg(long, value_name = "TIME", default_value = "7days", value_parser = long_enough)]
    keep: Duration,

    /// MiB of frames that are kept, at the most: the oldest go
    #[arg(long, value_name = "N", default_value = "2048", value_parser = clap::value_parser!(i64).range(1..=1 << 30))]
    frames_mib: i64,

    /// MiB of events that are kept, at the most: the oldest go
    #[arg(long, value_name = "N", default_value = "256", value_parser = clap::value_parser!(i64).range(1..=1 << 30))]
    events_mib: i64,

    /// Servers of a cluster that keep each message
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u8).range(1..=5))]
    replicas: u8,
}

impl Default for Limits {
    /// Those of the options.
    fn default() -> Self {
        Self {
            max_items: 100_000,
            max_working: 1000,
            ack_wait: Duration::from_secs(30),
            keep: Duration::from_secs(7 * 24 * 3600),
            frames_mib: 2048,
            events_mib: 256,
            replicas: 1,
        }
    }
}

fn time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|e| format!("{e}; it is written so: 30s, 12h, 7days"))
}

fn at_least_a_second(text: &str) -> Result<Duration, String> {
    let time = time(text)?;
    match time >= Duration::from_secs(1) {
        true => Ok(time),
        false => Err("must be a second or more".into()),
    }
}

/// Shorter than the window of the server no stream can be.
fn long_enough(text: &str) -> Result<Duration, String> {
    let time = time(text)?;
    match time >= WINDOW {
        true => Ok(time),
        false => Err(format!("must be {} seconds or more", WINDOW.as_secs())),
    }
}

impl Limits {
    fn stream(&self, link: &Link, stream: Stream) -> Config {
        const MIB: i64 = 1024 * 1024;
        let config = Config {
            name: link.names.stream(stream),
            subjects: vec![link.names.subjects(stream)],
            storage: StorageType::File,
            num_replicas: self.replicas.into(),
            duplicate_window: WINDOW,
            max_bytes: -1,
            max_messages: -1,
            max_messages_per_subject: -1,
            max_consumers: -1,
            ..Config::default()
        };
        // What there must be one of: the second is refused, however much later it comes.
        let one = |config| Config {
            max_messages_per_subject: 1,
            discard: DiscardPolicy::New,
            discard_new_per_subject: true,
            ..config
        };
        match stream {
            Stream::Work => Config {
                description: Some("liveness-fleet: items that are to be done".into()),
                retention: RetentionPolicy::WorkQueue,
                max_messages: self.max_items.into(),
                max_message_size: LARGEST,
                ..one(config)
            },
            Stream::Results => Config {
                description: Some("liveness-fleet: what became of each item".into()),
                ..one(config)
            },
            Stream::Dead => Config {
                description: Some("liveness-fleet: items that have failed, with the reason".into()),
                ..one(config)
            },
            Stream::Events => Config {
                description: Some("liveness-fleet: who was seen, and who works on what".into()),
                max_age: self.keep,
                max_bytes: self.events_mib * MIB,
                discard: DiscardPolicy::Old,
                ..config
            },
            Stream::Frames => Config {
                description: Some("liveness-fleet: the faces of each frame".into()),
                max_age: self.keep,
                max_bytes: self.frames_mib * MIB,
                discard: DiscardPolicy::Old,
                ..config
            },
            Stream::Workers => Config {
                description: Some("liveness-fleet: workers that are there".into()),
                max_messages_per_subject: 1,
                max_age: GONE,
                duplicate_window: GONE,
                discard: DiscardPolicy::Old,
                ..config
            },
        }
    }

    fn consumer(&self, link: &Link, kind: Kind) -> pull::Config {
        pull::Config {
            durable_name: Some(kind.consumer().into()),
            filter_subject: link.names.work(kind, "*"),
            ack_policy: AckPolicy::Explicit,
            ack_wait: self.ack_wait,
            // For ever: who takes it decides whether it was tried often enough, since being handed on is no failed try.
            max_deliver: -1,
            max_ack_pending: self.max_working.into(),
            max_waiting: WAITING,
            ..pull::Config::default()
        }
    }
}

/// Makes what is missing; with `change`, what is there becomes as it is said here.
///
/// # Errors
/// Why that does not work.
pub(crate) async fn setup(link: &Link, limits: &Limits, change: bool) -> anyhow::Result<()> {
    for stream in Stream::ALL {
        let config = limits.stream(link, stream);
        let name = config.name.clone();
        let made = match change {
            true => link
                .jetstream
                .create_or_update_stream(config)
                .await
                .map(drop),
            false => link.jetstream.get_or_create_stream(config).await.map(drop),
        };
        if let Err(error) = made {
            link.may_go_on("make", &format!("stream {name}"))?;
            return Err(match error.kind() {
                CreateStreamErrorKind::JetStreamUnavailable => anyhow!(
                    "{} has no JetStream: start it with --jetstream (-js), and a folder to store in (-sd)",
                    link.server.shown
                ),
                _ => anyhow!(
                    "stream {name} cannot be made on {}: {}",
                    link.server.shown,
                    causes(&error)
                ),
            });
        }
    }
    let work = link.names.stream(Stream::Work);
    let work = link.jetstream.get_stream_no_info(&work).await?;
    for kind in Kind::ALL {
        if !change && work.consumer_info(kind.consumer()).await.is_ok() {
            continue;
        }
        let made = work.create_consumer(limits.consumer(link, kind)).await;
        if let Err(error) = made {
            link.may_go_on("make", &format!("consumer {}", kind.consumer()))?;
            return Err(anyhow!(
                "consumer {} cannot be made on {}: {}",
                kind.consumer(),
                link.server.shown,
                causes(&error)
            ));
        }
    }
    Ok(())
}

/// Takes items out of the queue of which something is said, and tells how many there were.
///
/// A server that is killed can come back with messages that were acknowledged before (nats-server 2.9.10): nobody gets them, nothing is done twice,
/// but they count as waiting, and keep others of the same number out.
///
/// # Errors
/// Where the server refuses.
pub(crate) async fn sweep(link: &Link, halt: &mut Halt) -> anyhow::Result<u64> {
    let name = link.names.stream(Stream::Work);
    let refused = |error: &dyn std::error::Error| anyhow!("{name}: {}", causes(error));
    let work = link.jetstream.get_stream_no_info(&name).await?;
    let all = link.names.subjects(Stream::Work);
    let mut subjects = work
        .info_with_subjects(all)
        .await
        .map_err(|e| refused(&e))?;
    let mut swept = 0;
    while let Some(subject) = subjects.next().await {
        let (subject, _) = subject.map_err(|e| refused(&e))?;
        let id = subject.rsplit('.').next().unwrap_or_default();
        if concluded(link, id, halt).await?.flatten().is_some()
            && let Some(Some(message)) = link.last(Stream::Work, &subject, halt).await?
        {
            let deleted = work.delete_message(message.sequence).await;
            deleted.map_err(|e| refused(&e))?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// What hands out the items of one kind; the streams are made where they are missing, and where this user may.
///
/// # Errors
/// Why there is none.
pub(crate) async fn consumer(link: &Link, kind: Kind) -> anyhow::Result<PullConsumer> {
    let work = link.names.stream(Stream::Work);
    let find = || async {
        link.jetstream
            .get_consumer_from_stream::<pull::Config, _, _>(kind.consumer(), &work)
            .await
    };
    if let Ok(consumer) = find().await {
        return Ok(consumer);
    }
    link.may_go_on("take from", &work)?;
    setup(link, &Limits::default(), false)
        .await
        .context("there is no queue yet, and it cannot be made: somebody who may runs `liveness-fleet setup` once")?;
    find()
        .await
        .map_err(|e| anyhow!("the queue cannot be read: {}", causes(&e)))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        limits: Limits,
    }

    #[test]
    fn what_is_made_as_needed_is_what_setup_makes() {
        let typed = Program::try_parse_from(["x"]).unwrap().limits;
        assert_eq!(format!("{typed:?}"), format!("{:?}", Limits::default()));
        for wrong in [
            "--ack-wait=1",
            "--ack-wait=0.5s",
            "--keep=1s",
            "--replicas=6",
        ] {
            assert!(Program::try_parse_from(["x", wrong]).is_err(), "{wrong}");
        }
    }
}
