// SPDX-License-Identifier: MIT OR Apache-2.0
//! The work on one item, from the message that brought it to the server's word that it is done with.
//!
//! In this order: claimed, looked at and told, concluded, acknowledged. Whatever ends in between, the server hands the item out again, and who takes
//! it finds what is written already: nothing is lost, and nothing is written twice.

use std::time::{Duration, Instant};

use async_nats::jetstream::{AckKind, Message};
use liveness_app::lines::round;
use liveness_app::live::events::Events;
use liveness_app::live::{Address, Event, Input, Origin};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::halt::{Halt, Halter, Why, halt};
use crate::item::Item;
use crate::ledger::{Ledger, Wrote, conclude, concluded};
use crate::link::Link;
use crate::look::{End, Look, Sight, Wanted};
use crate::names::Kind;
use crate::report::{Outcome, Status, Tally};
use crate::server::{causes, say};
use crate::work::Worker;

/// Lines of frames are published together: so many bytes, or those of a second.
const BYTES: usize = 128 * 1024;
const SECOND: Duration = Duration::from_secs(1);

/// Nobody waits longer for another try.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// How often the server is asked to take the last word.
const ACKS: usize = 5;

/// What became of it.
#[derive(Debug)]
pub(crate) enum Became {
    /// This is said of it.
    Concluded(Box<Outcome>),
    /// It is left to others.
    Left,
}

/// How the look at it ended.
enum Finish {
    End(End),
    /// Another worker has it.
    Lost,
    Halted,
}

/// Works on an item.
///
/// # Errors
/// Where this worker cannot go on, with this or any other item.
pub(crate) async fn work(
    worker: &Worker,
    kind: Kind,
    message: Message,
    stop: &Halt,
) -> anyhow::Result<Became> {
    let id = message.subject.rsplit('.').next().unwrap_or_default();
    let parsed = Item::parse(&message.payload);
    let item = match parsed {
        Ok(item) if item.id == id && item.kind == kind => item,
        other => {
            let reason = match other {
                Ok(_) => "it says that it is another one than its subject says".into(),
                Err(error) => format!("{error:#}"),
            };
            let item = Item {
                id: id.into(),
                kind,
                location: String::new(),
                added: String::new(),
            };
            let outcome = Outcome::new(item, Status::Failed, Some(reason));
            return end(worker, &message, &outcome, "unread", &mut stop.clone()).await;
        }
    };
    let (halter, halt) = halt();
    let _beat = Beat(tokio::spawn(beat(
        message.clone(),
        worker.link.clone(),
        item.id.clone(),
        worker.ack_wait / 3,
        halter,
        stop.clone(),
    )));
    let job = Job {
        worker,
        run: worker.run(),
        item: &item,
        message: &message,
        start: Instant::now(),
    };
    job.work(halt).await
}

/// Tells the server that the item is being worked on, until it is dropped.
struct Beat(JoinHandle<()>);

impl Drop for Beat {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn beat(
    message: Message,
    link: Link,
    id: String,
    every: Duration,
    halter: Halter,
    mut stop: Halt,
) {
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stopped = false;
    loop {
        tokio::select! {
            why = stop.said(), if !stopped => {
                halter.say(why);
                stopped = true;
            }
            _ = tick.tick() => {
                // Where that does not reach the server, another worker gets the item, and this one is told when it writes.
                let _ = message.ack_with(AckKind::Progress).await;
                if let Ok(Some(Some(outcome))) = concluded(&link, &id, &mut stop.clone()).await {
                    halter.say(Why::Concluded(outcome.status));
                }
            }
        }
    }
}

struct Job<'a> {
    worker: &'a Worker,
    run: String,
    item: &'a Item,
    message: &'a Message,
    start: Instant,
}

impl Job<'_> {
    async fn work(&self, mut halt: Halt) -> anyhow::Result<Became> {
        let (worker, item) = (self.worker, self.item);
        match concluded(&worker.link, &item.id, &mut halt).await? {
            None => return self.leave(AckKind::Nak(None)).await,
            Some(None) => (),
            // Whoever said it died before the server had its last word.
            Some(Some(outcome)) => return self.conclude(&outcome, &mut halt).await,
        }
        let ledger = Ledger::open(&worker.link, item, self.run.clone(), &mut halt).await?;
        let Some(mut ledger) = ledger else {
            return self.leave(AckKind::Nak(None)).await;
        };
        let attempt = ledger.attempt();
        if item.kind == Kind::Recording && attempt > worker.tries {
            let reason = match ledger.before() {
                Some(reason) => format!("given up after {} tries: {reason}", worker.tries),
                None => format!(
                    "given up: {} tries in a row ended with their workers, and came no further than frame {}",
                    worker.tries,
                    ledger.from()
                ),
            };
            return self.fail(reason, &mut halt).await;
        }
        match ledger.start(&worker.name, &mut halt).await? {
            Wrote::All => (),
            Wrote::Lost => return Ok(self.lost()),
            Wrote::Halted => return self.leave(AckKind::Nak(None)).await,
        }
        if item.kind == Kind::Camera && attempt > 1 {
            halt.rest(rest(attempt - 1)).await;
        }
        let mut tally = Tally::default();
        let finish = match self.origin() {
            Ok(origin) => {
                self.look(origin, &mut ledger, &mut tally, &mut halt)
                    .await?
            }
            Err(reason) => Finish::End(End::Unreadable(reason)),
        };
        match finish {
            Finish::End(End::Ended) => {
                let mut outcome = self.outcome(Status::Done, None);
                outcome.seen = Some(tally.seen());
                outcome.attempt = Some(attempt);
                self.conclude(&outcome, &mut halt).await
            }
            Finish::End(End::Unreadable(reason)) => self.fail(reason, &mut halt).await,
            // It may be there for others: a folder that is not mounted here.
            Finish::End(End::Absent(reason)) => {
                self.try_again(&mut ledger, &reason, &mut halt).await
            }
            Finish::End(End::Failed(reason)) => match worker.check() {
                Ok(()) => self.try_again(&mut ledger, &reason, &mut halt).await,
                Err(error) => {
                    let given = ledger.give_back(&worker.name, &reason, false, &mut halt);
                    given.await?;
                    self.leave(AckKind::Nak(None)).await?;
                    Err(error)
                }
            },
            Finish::Lost => Ok(self.lost()),
            Finish::Halted => {
                let (reason, ack) = match halt.why() {
                    Some(Why::Concluded(Status::Removed)) => ("it was removed", AckKind::Ack),
                    Some(Why::Concluded(_)) => ("another worker has finished it", AckKind::Ack),
                    _ => ("its worker was stopped", AckKind::Nak(None)),
                };
                let given = ledger.give_back(&worker.name, reason, false, &mut halt);
                if given.await? == Wrote::Lost {
                    // What another worker has is not this one's to give.
                    return Ok(self.lost());
                }
                say(&format!("{}: given back: {reason}", item.id));
                self.leave(ack).await
            }
        }
    }

    /// What is looked at.
    fn origin(&self) -> Result<Wanted, String> {
        let item = self.item;
        match item.kind {
            Kind::Recording => Ok(Wanted::Recording(item.clone(), self.worker.root.clone())),
            Kind::Camera => {
                let address = Address::parse(&item.location);
                let mut address = address.map_err(|e| format!("{e:#}"))?;
                self.worker.logins.apply(&mut address);
                Ok(Wanted::Camera(Origin::Address(address)))
            }
        }
    }

    async fn look(
        &self,
        wanted: Wanted,
        ledger: &mut Ledger<'_>,
        tally: &mut Tally,
        halt: &mut Halt,
    ) -> anyhow::Result<Finish> {
        // Of a recording, nothing but that it is one is told apart here.
        let shown = self.item.shown();
        let input = match &wanted {
            Wanted::Recording(..) => Input::Film(shown.clone().into()),
            Wanted::Camera(origin) => Input::Live(origin.clone()),
        };
        let mut events = Events::new(&input);
        let models = self.worker.models.clone();
        let mut look = Look::start(wanted, models, self.worker.timeout, shown);
        let finish = self
            .watch(&mut look, &mut events, ledger, tally, halt)
            .await;
        look.end().await;
        finish
    }

    async fn watch(
        &self,
        look: &mut Look,
        events: &mut Events,
        ledger: &mut Ledger<'_>,
        tally: &mut Tally,
        halt: &mut Halt,
    ) -> anyhow::Result<Finish> {
        let mut tick = tokio::time::interval(SECOND);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let mut flush = false;
            let mut end = None;
            let mut lines = Vec::new();
            tokio::select! {
                biased;
                _ = halt.said() => return Ok(Finish::Halted),
                _ = tick.tick() => flush = true,
                sight = look.next() => match sight {
                    Sight::Frame(faces, line) => {
                        tally.add(&faces);
                        flush = ledger.frame(line) >= BYTES;
                        let at = faces.at;
                        lines = events.see(&Event::Faces(faces), at);
                    }
                    Sight::Source(event, now) => lines = events.see(&event, now),
                    Sight::End(ended) => {
                        if ended == End::Ended {
                            lines = events.end(Duration::ZERO);
                        }
                        flush = true;
                        end = Some(ended);
                    }
                },
            }
            for line in lines {
                match ledger.tell(&line, halt).await? {
                    Wrote::All => (),
                    Wrote::Lost => return Ok(Finish::Lost),
                    Wrote::Halted => return Ok(Finish::Halted),
                }
            }
            if flush {
                match ledger.flush(halt).await? {
                    Wrote::All => (),
                    Wrote::Lost => return Ok(Finish::Lost),
                    Wrote::Halted => return Ok(Finish::Halted),
                }
            }
            if let Some(end) = end {
                return Ok(Finish::End(end));
            }
        }
    }

    fn outcome(&self, status: Status, reason: Option<String>) -> Outcome {
        let mut outcome = Outcome::new(self.item.clone(), status, reason);
        outcome.worker = Some(self.worker.name.clone());
        outcome.took = Some(round(self.start.elapsed().as_secs_f64(), 3));
        outcome.models = self.worker.known.clone();
        outcome
    }

    async fn fail(&self, reason: String, halt: &mut Halt) -> anyhow::Result<Became> {
        let outcome = self.outcome(Status::Failed, Some(reason));
        self.conclude(&outcome, halt).await
    }

    async fn conclude(&self, outcome: &Outcome, halt: &mut Halt) -> anyhow::Result<Became> {
        end(self.worker, self.message, outcome, &self.run, halt).await
    }

    /// Gives it back after a try that failed.
    async fn try_again(
        &self,
        ledger: &mut Ledger<'_>,
        reason: &str,
        halt: &mut Halt,
    ) -> anyhow::Result<Became> {
        let worker = self.worker;
        let reason = format!("{reason} (on {})", worker.name);
        say(&format!("{}: given back: {reason}", self.item.id));
        if ledger.give_back(&worker.name, &reason, true, halt).await? == Wrote::Lost {
            return Ok(self.lost());
        }
        let wait = rest(ledger.attempt());
        self.leave(AckKind::Nak(Some(wait))).await
    }

    async fn leave(&self, how: AckKind) -> anyhow::Result<Became> {
        // Where that does not reach the server, it finds out by itself.
        let _ = self.message.ack_with(how).await;
        Ok(Became::Left)
    }

    fn lost(&self) -> Became {
        say(&format!(
            "{}: another worker has taken it over",
            self.item.id
        ));
        Became::Left
    }
}

/// How long to wait before the next try.
fn rest(attempt: u64) -> Duration {
    let seconds = 1_u64 << attempt.min(6);
    Duration::from_secs(seconds).min(LONGEST_REST)
}

/// Says what became of an item, and takes it out of the queue.
async fn end(
    worker: &Worker,
    message: &Message,
    outcome: &Outcome,
    run: &str,
    halt: &mut Halt,
) -> anyhow::Result<Became> {
    let Some(said) = conclude(&worker.link, outcome, run, halt).await? else {
        return Ok(Became::Left);
    };
    for _ in 0..ACKS {
        match message.double_ack().await {
            Ok(()) => break,
            // It stays said, and whoever gets the item again finds it.
            Err(error) => worker
                .link
                .may_go_on("acknowledge", &message.subject)
                .map_err(|e| e.context(causes(&*error)))?,
        }
        if halt.why().is_some() {
            break;
        }
    }
    Ok(Became::Concluded(Box::new(said)))
}
