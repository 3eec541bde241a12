// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is written of one item, each thing once, whoever writes: events, frames and the outcome.
//!
//! Every message names the one that must be the last before it on its subject (`Nats-Expected-Last-Subject-Sequence`), so the server itself refuses
//! what another worker has written in the meantime, however much later it comes. The event `started` is the claim: whoever wrote the last one has
//! the item, and one who was thought dead and comes back cannot write any more. What the last messages say tells a new worker how far the one
//! before it came. Knows the link and the fleet's words, nothing of pictures.

use async_nats::HeaderMap;
use async_nats::jetstream::message::StreamMessage;
use serde::Serialize;
use serde_json::{Value, json};

use crate::halt::Halt;
use crate::item::Item;
use crate::link::{Link, Post, Posted};
use crate::names::{Kind, Stream, header};
use crate::report::{Outcome, Status, now};

/// How the writing went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrote {
    /// It is written.
    All,
    /// Another worker has the item.
    Lost,
    /// It was halted before.
    Halted,
}

/// The last message on one of the item's subjects.
#[derive(Clone, Debug, Default)]
struct Last {
    number: u64,
    headers: HeaderMap,
}

impl Last {
    fn of(message: Option<StreamMessage>) -> Self {
        message.map_or_else(Self::default, |m| Self {
            number: m.sequence,
            headers: m.headers,
        })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|v| v.as_str())
    }

    fn count(&self, name: &str) -> u64 {
        self.text(name).and_then(|t| t.parse().ok()).unwrap_or(0)
    }

    /// The number of the next frame.
    fn next_frame(&self) -> u64 {
        self.count(header::FIRST) + self.count(header::COUNT)
    }
}

/// What is known of an item that was taken.
#[derive(Debug)]
pub(crate) struct Ledger<'a> {
    link: &'a Link,
    item: &'a Item,
    run: String,
    /// Numbers messages, so that each has an id.
    written: u64,
    events: Last,
    frames: Last,
    /// Tries in a row that came no further, with this one.
    attempt: u64,
    /// Frames that were published when this try began.
    from: u64,
    /// Events that were told of a recording by those before.
    told: u64,
    /// Events of this try.
    new: u64,
    /// Why the try before was given back.
    before: Option<String>,
    /// Lines of frames that wait to be published, with the number of the first.
    lines: Lines,
}

/// Lines that wait.
#[derive(Debug, Default)]
struct Lines {
    /// Of all frames of this try, those that came.
    seen: u64,
    waiting: Vec<Vec<u8>>,
    bytes: usize,
}

impl<'a> Ledger<'a> {
    /// Reads what those before have written. None where it was halted.
    ///
    /// # Errors
    /// Where the server refuses.
    pub(crate) async fn open(
        link: &'a Link,
        item: &'a Item,
        run: String,
        halt: &mut Halt,
    ) -> anyhow::Result<Option<Self>> {
        let subject = link.names.subject(Stream::Events, &item.id);
        let Some(events) = link.last(Stream::Events, &subject, halt).await? else {
            return Ok(None);
        };
        let before = events.as_ref().and_then(reason);
        let events = Last::of(events);
        let subject = link.names.subject(Stream::Frames, &item.id);
        let Some(frames) = link.last(Stream::Frames, &subject, halt).await? else {
            return Ok(None);
        };
        let frames = Last::of(frames);
        let from = frames.next_frame();
        Ok(Some(Self {
            link,
            item,
            run,
            written: 0,
            attempt: attempt(&events, from),
            told: events.count(header::TOLD),
            events,
            frames,
            from,
            new: 0,
            before,
            lines: Lines::default(),
        }))
    }

    /// The number of this try, among those in a row that came no further than the one before.
    pub(crate) fn attempt(&self) -> u64 {
        self.attempt
    }

    /// Frames that were published by those before.
    pub(crate) fn from(&self) -> u64 {
        self.from
    }

    /// Why the try before was given back, where its worker could still say so.
    pub(crate) fn before(&self) -> Option<&str> {
        self.before.as_deref()
    }

    /// Claims the item.
    ///
    /// # Errors
    /// Where the server refuses.
    pub(crate) async fn start(&mut self, worker: &str, halt: &mut Halt) -> anyhow::Result<Wrote> {
        let line = json!({
            "event": "started", "time": now(), "worker": worker, "try": self.attempt, "from": self.from,
        });
        self.event(&line, None, halt).await
    }

    /// Gives it back: `counts` where the try failed, for this reason.
    ///
    /// # Errors
    /// Where the server refuses.
    pub(crate) async fn give_back(
        &mut self,
        worker: &str,
        reason: &str,
        counts: bool,
        halt: &mut Halt,
    ) -> anyhow::Result<Wrote> {
        let line = json!({"event": "returned", "time": now(), "worker": worker, "reason": reason});
        self.event(&line, Some(counts), halt).await
    }

    /// Tells what was seen; of a recording, only what those before have not told.
    ///
    /// # Errors
    /// Where the server refuses.
    pub(crate) async fn tell(
        &mut self,
        line: &impl Serialize,
        halt: &mut Halt,
    ) -> anyhow::Result<Wrote> {
        self.new += 1;
        if self.item.kind == Kind::Recording {
            if self.new <= self.told {
                return Ok(Wrote::All);
            }
            self.told = self.new;
        }
        let line = serde_json::to_value(line)?;
        self.event(&line, None, halt).await
    }

    async fn event(
        &mut self,
        line: &Value,
        returned: Option<bool>,
        halt: &mut Halt,
    ) -> anyhow::Result<Wrote> {
        let mut line = line.clone();
        if let Some(fields) = line.as_object_mut() {
            fields.insert("item".into(), self.item.id.clone().into());
        }
        let mut headers = vec![
            (header::RUN, self.run.clone()),
            (header::TRY, self.attempt.to_string()),
            (header::FROM, self.from.to_string()),
            (header::TOLD, self.told.to_string()),
        ];
        headers.extend(returned.map(|counts| (header::COUNTS, counts.to_string())));
        let payload = serde_json::to_vec(&line)?;
        let id = self.id();
        loop {
            let post = self.post(Stream::Events, &id, self.events.number, &headers, &payload);
            match self.link.post(&post, halt).await? {
                None => return Ok(Wrote::Halted),
                Some(Posted::Stored(number)) => {
                    self.events.number = number;
                    return Ok(Wrote::All);
                }
                Some(Posted::NotLast | Posted::Taken) => {
                    let Some(last) = self.last(Stream::Events, halt).await? else {
                        return Ok(Wrote::Halted);
                    };
                    let is_ours = last.text(header::RUN) == Some(&self.run);
                    // Where nothing is left, what there was is older than the server keeps.
                    if last.number != 0 && !is_ours {
                        return Ok(Wrote::Lost);
                    }
                    let is_this =
                        last.text(async_nats::header::NATS_MESSAGE_ID.as_ref()) == Some(&id);
                    self.events = last;
                    if is_this {
                        return Ok(Wrote::All);
                    }
                }
            }
        }
    }

    /// Takes the line of the next frame. How many bytes wait.
    pub(crate) fn frame(&mut self, line: Vec<u8>) -> usize {
        let number = self.lines.seen;
        self.lines.seen += 1;
        // Those before have published it.
        if self.item.kind == Kind::Camera || number >= self.frames.next_frame() {
            self.lines.bytes += line.len();
            self.lines.waiting.push(line);
        }
        self.lines.bytes
    }

    /// Publishes the lines that wait.
    ///
    /// # Errors
    /// Where the server refuses.
    pub(crate) async fn flush(&mut self, halt: &mut Halt) -> anyhow::Result<Wrote> {
        while !self.lines.waiting.is_empty() {
            let first = self.first();
            let headers = [
                (header::RUN, self.run.clone()),
                (header::FIRST, first.to_string()),
                (header::COUNT, self.lines.waiting.len().to_string()),
            ];
            let payload = self.lines.waiting.concat();
            let id = self.id();
            let post = self.post(Stream::Frames, &id, self.frames.number, &headers, &payload);
            match self.link.post(&post, halt).await? {
                None => return Ok(Wrote::Halted),
                Some(Posted::Stored(number)) => {
                    self.frames.number = number;
                    for (name, value) in headers {
                        self.frames.headers.insert(name, value);
                    }
                    self.lines.waiting.clear();
                }
                Some(Posted::NotLast | Posted::Taken) => {
                    if self.other_frames(first, halt).await? == Wrote::Halted {
                        return Ok(Wrote::Halted);
                    }
                    // One who was thought dead may still have written frames; who has lost the item stops here.
                    let Some(claim) = self.last(Stream::Events, halt).await? else {
                        return Ok(Wrote::Halted);
                    };
                    if claim.number > self.events.number
                        && claim.text(header::RUN) != Some(&self.run)
                    {
                        return Ok(Wrote::Lost);
                    }
                }
            }
        }
        self.lines.bytes = 0;
        Ok(Wrote::All)
    }

    /// The number of the first line that waits.
    fn first(&self) -> u64 {
        match self.item.kind {
            // What a camera shows comes once: its frames are counted on.
            Kind::Camera => self.frames.next_frame(),
            Kind::Recording => self.lines.seen - self.lines.waiting.len() as u64,
        }
    }

    /// Others have published frames: of those that wait from `first` on, what is published is dropped.
    async fn other_frames(&mut self, first: u64, halt: &mut Halt) -> anyhow::Result<Wrote> {
        let Some(last) = self.last(Stream::Frames, halt).await? else {
            return Ok(Wrote::Halted);
        };
        let is_ours = last.text(header::RUN) == Some(&self.run);
        if self.item.kind == Kind::Recording || is_ours {
            let known = last.next_frame().saturating_sub(first);
            let known = usize::try_from(known).unwrap_or(usize::MAX);
            let waiting = &mut self.lines.waiting;
            waiting.drain(..known.min(waiting.len()));
        }
        self.frames = last;
        Ok(Wrote::All)
    }

    async fn last(&self, stream: Stream, halt: &mut Halt) -> anyhow::Result<Option<Last>> {
        let subject = self.link.names.subject(stream, &self.item.id);
        let last = self.link.last(stream, &subject, halt).await?;
        Ok(last.map(Last::of))
    }

    fn id(&mut self) -> String {
        self.written += 1;
        format!("{}.{}.{}", self.item.id, self.run, self.written)
    }

    fn post(
        &self,
        stream: Stream,
        id: &str,
        after: u64,
        headers: &[(&'static str, String)],
        payload: &[u8],
    ) -> Post {
        Post {
            subject: self.link.names.subject(stream, &self.item.id),
            id: id.into(),
            after: Some(after),
            headers: headers.to_vec(),
            payload: payload.to_vec(),
        }
    }
}

/// Why a try was given back that ended with this event.
fn reason(event: &StreamMessage) -> Option<String> {
    event.headers.get(header::COUNTS)?;
    let line: Value = serde_json::from_slice(&event.payload).ok()?;
    line.get("reason")?.as_str().map(str::to_owned)
}

/// The number of the next try: from 1 again when the last one came further than the one before it.
fn attempt(last: &Last, frames: u64) -> u64 {
    let before = last.count(header::TRY);
    let counts = last.text(header::COUNTS) != Some("false");
    match frames > last.count(header::FROM) {
        true => 1,
        false if before > 0 && !counts => before,
        false => before + 1,
    }
}

/// Says what became of an item, unless that is said already; where it failed, among those that have failed, too. What is said of it. None where it
/// was halted.
///
/// # Errors
/// Where the server refuses.
pub(crate) async fn conclude(
    link: &Link,
    outcome: &Outcome,
    run: &str,
    halt: &mut Halt,
) -> anyhow::Result<Option<Outcome>> {
    let id = &outcome.item.id;
    let post = |stream, payload| Post {
        subject: link.names.subject(stream, id),
        id: format!("{id}.{run}.outcome"),
        after: Some(0),
        headers: vec![(header::RUN, run.into())],
        payload,
    };
    let payload = serde_json::to_vec(outcome)?;
    let said = match link.post(&post(Stream::Results, payload), halt).await? {
        None => return Ok(None),
        Some(Posted::Stored(_)) => outcome.clone(),
        Some(Posted::NotLast | Posted::Taken) => match concluded(link, id, halt).await? {
            None => return Ok(None),
            // It was taken away in this very moment, by somebody who wants it done again.
            Some(None) => return Ok(None),
            Some(Some(said)) => said,
        },
    };
    if said.status == Status::Failed {
        let payload = serde_json::to_vec(&said)?;
        if link
            .post(&post(Stream::Dead, payload), halt)
            .await?
            .is_none()
        {
            return Ok(None);
        }
    }
    Ok(Some(said))
}

/// What is said of an item. The outer one is none where it was halted.
///
/// # Errors
/// Where the server refuses, or what is said there was written by no fleet.
pub(crate) async fn concluded(
    link: &Link,
    id: &str,
    halt: &mut Halt,
) -> anyhow::Result<Option<Option<Outcome>>> {
    let subject = link.names.subject(Stream::Results, id);
    let Some(last) = link.last(Stream::Results, &subject, halt).await? else {
        return Ok(None);
    };
    let read = last.map(|m| serde_json::from_slice(&m.payload)).transpose();
    read.map(Some)
        .map_err(|e| anyhow::anyhow!("what lies on {subject} is no result: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(headers: &[(&'static str, &str)]) -> Last {
        let mut last = Last {
            number: 7,
            ..Last::default()
        };
        for (name, value) in headers {
            last.headers.insert(*name, *value);
        }
        last
    }

    #[test]
    fn tries_count_where_they_came_no_further() {
        assert_eq!(attempt(&Last::default(), 0), 1, "the first");
        let second = [(header::TRY, "2"), (header::FROM, "100")];
        assert_eq!(attempt(&last(&second), 100), 3, "its worker died");
        assert_eq!(attempt(&last(&second), 150), 1, "it died further on");
        let back = [&second[..], &[(header::COUNTS, "false")]].concat();
        assert_eq!(attempt(&last(&back), 100), 2, "given back");
        assert_eq!(attempt(&last(&back), 150), 1);
        let failed = [&second[..], &[(header::COUNTS, "true")]].concat();
        assert_eq!(attempt(&last(&failed), 100), 3, "given back as it failed");
    }

    #[test]
    fn the_next_frame_follows_the_last_ones() {
        assert_eq!(Last::default().next_frame(), 0);
        let frames = last(&[(header::FIRST, "100"), (header::COUNT, "25")]);
        assert_eq!(frames.next_frame(), 125);
        let odd = last(&[(header::FIRST, "-1"), (header::COUNT, "x")]);
        assert_eq!(odd.next_frame(), 0);
    }
}
