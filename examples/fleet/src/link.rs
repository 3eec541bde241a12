// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is asked of JetStream, each until there is an answer: a server that is away or full is waited for, and that is said once. Knows NATS and
//! the fleet's names, nothing of what becomes of items.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{anyhow, bail};
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::{PublishMessage, StreamMessage};
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use async_nats::jetstream::{self, Context, ErrorCode};
use liveness::sync::lock;
use liveness_app::live::Backoff;

use crate::halt::Halt;
use crate::names::{Names, Stream};
use crate::server::{Server, causes, say};

/// How long an answer of the server is waited for.
const ANSWER: Duration = Duration::from_secs(5);

/// Between two tries.
const FIRST: Duration = Duration::from_millis(200);
const MOST: Duration = Duration::from_secs(5);

/// What a subject that takes one message says to the second.
const PER_SUBJECT: &str = "per subject exceeded";

/// A server with the streams of a fleet.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) server: Server,
    pub(crate) names: Names,
    pub(crate) jetstream: Context,
    /// Waits for streams that are not there, too.
    patient: bool,
    /// What the server is waited for, as it was told.
    said: Arc<Mutex<Option<String>>>,
}

/// A message to publish.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) subject: String,
    /// The same in each try, so that the server takes one of them.
    pub(crate) id: String,
    /// The message that must be the last one on its subject, by its number in the stream; 0 where there must be none.
    pub(crate) after: Option<u64>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) payload: Vec<u8>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Posted {
    /// It has this number.
    Stored(u64),
    /// Another one is the last on its subject.
    NotLast,
    /// Its subject has one already, and takes no more.
    Taken,
}

impl Link {
    pub(crate) fn new(server: Server, names: Names) -> Self {
        let mut jetstream = jetstream::new(server.client.clone());
        jetstream.set_timeout(ANSWER);
        Self {
            server,
            names,
            jetstream,
            patient: false,
            said: Arc::default(),
        }
    }

    /// For who stays: a server that has just been started may not know its streams yet.
    pub(crate) fn patient(self) -> Self {
        Self {
            patient: true,
            ..self
        }
    }

    /// Publishes, and waits until the server has it. None where it was halted before.
    ///
    /// # Errors
    /// Where waiting does not help.
    pub(crate) async fn post(
        &self,
        post: &Post,
        halt: &mut Halt,
    ) -> anyhow::Result<Option<Posted>> {
        let mut backoff = Backoff::new(FIRST, MOST);
        loop {
            *lock(&self.server.complaint) = None;
            let error = match self.once(post).await {
                Ok(number) => {
                    self.is_well();
                    return Ok(Some(Posted::Stored(number)));
                }
                Err(error) => error,
            };
            match error.kind() {
                PublishErrorKind::WrongLastSequence => return Ok(Some(Posted::NotLast)),
                PublishErrorKind::MaxPayloadExceeded => {
                    bail!(
                        "a message for {} is larger than {} takes (max_payload)",
                        post.subject,
                        self.server.shown
                    )
                }
                _ if causes(&error).contains(PER_SUBJECT) => return Ok(Some(Posted::Taken)),
                PublishErrorKind::StreamNotFound => self.wait(&format!(
                    "{} has no stream for {}: `liveness-fleet setup` makes it, or JetStream starts just now",
                    self.server.shown, post.subject
                )),
                _ => {
                    self.may_go_on("publish to", &post.subject)?;
                    self.wait(&format!(
                        "{} does not take {} yet: {}",
                        self.server.shown,
                        post.subject,
                        causes(&error)
                    ));
                }
            }
            if halt.why().is_some() {
                return Ok(None);
            }
            halt.rest(backoff.after(Duration::ZERO)).await;
            if halt.why().is_some() {
                return Ok(None);
            }
        }
    }

    async fn once(&self, post: &Post) -> Result<u64, PublishError> {
        let mut message = PublishMessage::build()
            .payload(post.payload.clone().into())
            .message_id(&post.id);
        if let Some(after) = post.after {
            message = message.expected_last_subject_sequence(after);
        }
        for (name, value) in &post.headers {
            message = message.header(*name, value.as_str());
        }
        let sent = self.jetstream.send_publish(post.subject.clone(), message);
        Ok(sent.await?.await?.sequence)
    }

    /// The last message on a subject. The outer one is none where it was halted before.
    ///
    /// # Errors
    /// Where waiting does not help.
    pub(crate) async fn last(
        &self,
        stream: Stream,
        subject: &str,
        halt: &mut Halt,
    ) -> anyhow::Result<Option<Option<StreamMessage>>> {
        let name = self.names.stream(stream);
        let stream = self.jetstream.get_stream_no_info(&name).await?;
        let mut backoff = Backoff::new(FIRST, MOST);
        loop {
            *lock(&self.server.complaint) = None;
            let error = match stream.get_last_raw_message_by_subject(subject).await {
                Ok(message) => {
                    self.is_well();
                    return Ok(Some(Some(message)));
                }
                Err(error) => error,
            };
            match error.kind() {
                LastRawMessageErrorKind::NoMessageFound => {
                    self.is_well();
                    return Ok(Some(None));
                }
                LastRawMessageErrorKind::JetStream(e)
                    if e.error_code() == ErrorCode::STREAM_NOT_FOUND && !self.patient =>
                {
                    return Err(self.without(&name));
                }
                _ => {
                    self.may_go_on("read", &name)?;
                    self.wait(&format!(
                        "{} does not answer: {}",
                        self.server.shown,
                        causes(&error)
                    ));
                }
            }
            if halt.why().is_some() {
                return Ok(None);
            }
            halt.rest(backoff.after(Duration::ZERO)).await;
            if halt.why().is_some() {
                return Ok(None);
            }
        }
    }

    /// What is said where a stream is missing.
    pub(crate) fn without(&self, stream: &str) -> anyhow::Error {
        anyhow!(
            "{} has no stream {stream}: `liveness-fleet setup` makes it",
            self.server.shown
        )
    }

    /// Whether the server has only not answered, and has not said that it will not.
    ///
    /// # Errors
    /// What it said.
    pub(crate) fn may_go_on(&self, what: &str, whom: &str) -> anyhow::Result<()> {
        let complaint = lock(&self.server.complaint).clone();
        match complaint.filter(|c| c.to_lowercase().contains("permissions violation")) {
            None => Ok(()),
            Some(said) => Err(anyhow!(
                "{} does not let this user {what} {whom} ({said}): give the user the permissions in docs/fleet.md",
                self.server.shown
            )),
        }
    }

    /// Says what is waited for, once.
    pub(crate) fn wait(&self, text: &str) {
        let mut said = lock(&self.said);
        if said.as_deref() != Some(text) {
            say(&format!("{text}. Waiting"));
            *said = Some(text.to_owned());
        }
    }

    /// What was waited for is over.
    fn is_well(&self) {
        if lock(&self.said).take().is_some() {
            say(&format!("{} answers again", self.server.shown));
        }
    }
}
