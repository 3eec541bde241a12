// SPDX-License-Identifier: MIT OR Apache-2.0
//! Puts items into the queue, each once, and takes them out of it. Knows the link and the items.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use liveness_app::{files, inputs, terminal};

use crate::cli::{AddCommand, RemoveCommand};
use crate::halt::Halt;
use crate::item::Item;
use crate::ledger::{conclude, concluded};
use crate::link::{Link, Post, Posted};
use crate::names::{Kind, Stream, is_token};
use crate::report::{Outcome, Status};
use crate::results;
use crate::server::{causes, say};
use crate::setup;

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Well,
    SomeFailed,
    Halted,
}

/// Adds what was named.
///
/// # Errors
/// Where the server refuses, or there is nothing to add.
pub(crate) async fn add(command: &AddCommand, mut halt: Halt) -> anyhow::Result<Ended> {
    let server = command.server.connect("liveness-fleet add", None).await?;
    let link = Link::new(server, command.server.fleet.clone());
    setup::consumer(&link, Kind::Recording).await?;
    let (items, refused) = items(command)?;
    for (what, reason) in &refused {
        say(&format!("{what}: {reason}"));
    }
    let mut awaited = BTreeSet::new();
    for item in items {
        let Some(news) = put(&link, &item, command.again, &mut halt).await? else {
            return Ok(Ended::Halted);
        };
        let shown = item.shown();
        println(&format!("{}  {}  {news}", item.id, terminal::plain(&shown)))?;
        if item.kind == Kind::Recording {
            awaited.insert(item.id);
        }
    }
    let mut ended = match refused.is_empty() {
        true => Ended::Well,
        false => Ended::SomeFailed,
    };
    if command.wait {
        match results::wait(&link, awaited, &mut halt).await? {
            Ended::Well => (),
            other => ended = other,
        }
    }
    Ok(ended)
}

fn println(line: &str) -> anyhow::Result<()> {
    liveness_app::lines::print(format!("{line}\n").as_bytes())
}

type Refused = Vec<(String, String)>;

/// The items that were named, each once, and what is none.
fn items(command: &AddCommand) -> anyhow::Result<(Vec<Item>, Refused)> {
    let (cameras, paths): (Vec<_>, Vec<_>) =
        command.what.iter().partition(|what| what.contains("://"));
    let mut items = Vec::new();
    let mut refused = Refused::new();
    for text in cameras {
        match Item::camera(text) {
            Ok(item) => items.push(item),
            // Not repeated: there may be a password in it.
            Err(error) => refused.push(("an address".into(), format!("{error:#}"))),
        }
    }
    let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
    let is_film = |path: &Path| files::is_film_or_picture(path) && !files::is_picture(path);
    let found = inputs::find(&paths, is_film, |_| false);
    let is_empty = found.is_empty() && items.is_empty() && refused.is_empty();
    for (path, reason) in found.refused {
        refused.push((path.display().to_string(), reason));
    }
    for input in found.inputs {
        match Item::recording(&input.path, command.root.as_deref()) {
            Ok(item) => items.push(item),
            Err(error) => refused.push((input.path.display().to_string(), format!("{error:#}"))),
        }
    }
    if is_empty {
        bail!("no film in the folders that were named");
    }
    let mut seen = BTreeSet::new();
    items.retain(|item| seen.insert(item.id.clone()));
    Ok((items, refused))
}

/// Puts an item into the queue, unless it is there or was. What is to be told; none where it was halted.
async fn put(
    link: &Link,
    item: &Item,
    again: bool,
    halt: &mut Halt,
) -> anyhow::Result<Option<String>> {
    let subject = link.names.work(item.kind, &item.id);
    let Some(outcome) = concluded(link, &item.id, halt).await? else {
        return Ok(None);
    };
    match outcome {
        Some(_) if again => {
            let Some(waiting) = link.last(Stream::Work, &subject, halt).await? else {
                return Ok(None);
            };
            // Its worker has not acknowledged it yet, or the server forgot that it has.
            if let Some(waiting) = waiting {
                take_out(link, waiting.sequence).await?;
            }
            forget(link, &item.id).await?;
        }
        Some(outcome) => {
            let how = match outcome.status {
                Status::Done => "is done already".into(),
                Status::Removed => "was removed".into(),
                Status::Failed => format!("has failed: {}", outcome.reason.unwrap_or_default()),
            };
            return Ok(Some(format!("{how} (--again does it again)")));
        }
        None => (),
    }
    // Each adding is known by a number of its own: one that is sent twice is added once, and what was done may be added again.
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let post = Post {
        subject,
        id: format!("{}.{:x}", item.id, now.unwrap_or_default().as_nanos()),
        after: None,
        headers: Vec::new(),
        payload: serde_json::to_vec(item)?,
    };
    Ok(match link.post(&post, halt).await? {
        None => None,
        Some(Posted::Stored(_)) => Some("added".into()),
        Some(Posted::NotLast | Posted::Taken) => Some("is in the queue already".into()),
    })
}

/// Takes a message out of the queue.
async fn take_out(link: &Link, number: u64) -> anyhow::Result<()> {
    let name = link.names.stream(Stream::Work);
    let stream = link.jetstream.get_stream_no_info(&name).await?;
    if let Err(error) = stream.delete_message(number).await {
        link.may_go_on("delete from", &name)?;
        bail!("{name} does not let go of an item: {}", causes(&error));
    }
    Ok(())
}

/// Forgets what was said of an item, the outcome last: where this is cut off, it is done as before.
async fn forget(link: &Link, id: &str) -> anyhow::Result<()> {
    for stream in [
        Stream::Frames,
        Stream::Events,
        Stream::Dead,
        Stream::Results,
    ] {
        let name = link.names.stream(stream);
        let purge = link.jetstream.get_stream_no_info(&name).await?;
        let purged = purge.purge().filter(link.names.subject(stream, id)).await;
        if let Err(error) = purged {
            link.may_go_on("purge", &name)?;
            bail!("{name} does not forget {id}: {}", causes(&error));
        }
    }
    Ok(())
}

/// Takes items out of the queue: a result says that they were, which whoever works on them reads.
///
/// # Errors
/// Where the server refuses, or nobody knows an item.
pub(crate) async fn remove(command: &RemoveCommand, mut halt: Halt) -> anyhow::Result<Ended> {
    if let Some(wrong) = command.items.iter().find(|id| !is_token(id)) {
        bail!("{wrong} is no number of an item: `liveness-fleet add` tells it, and `status`");
    }
    let server = command.server.connect("liveness-fleet remove", None);
    let link = Link::new(server.await?, command.server.fleet.clone());
    let mut ended = Ended::Well;
    for id in &command.items {
        let mut item = None;
        for kind in Kind::ALL {
            let subject = link.names.work(kind, id);
            let Some(waiting) = link.last(Stream::Work, &subject, &mut halt).await? else {
                return Ok(Ended::Halted);
            };
            item = item.or(waiting);
        }
        let Some(item) = item else {
            say(&format!("{id} is not in the queue"));
            ended = Ended::SomeFailed;
            continue;
        };
        let item = Item::parse(&item.payload).with_context(|| id.clone())?;
        let outcome = Outcome::new(item, Status::Removed, None);
        let run = format!("remove-{}", outcome.finished);
        let Some(said) = conclude(&link, &outcome, &run, &mut halt).await? else {
            return Ok(Ended::Halted);
        };
        println(&said.text())?;
    }
    Ok(ended)
}
