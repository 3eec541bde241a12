// SPDX-License-Identifier: MIT OR Apache-2.0
//! A worker: takes items, as many at a time as it can work on, and says that it is there. Knows the queue, nothing of pictures.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::PullConsumer;
use clap::Args;
use futures_util::StreamExt;
use liveness::detect::Detector;
use liveness::liveness::Classifier;
use liveness::runtime::Options;
use liveness::sync::lock;
use liveness_app::live::{Backoff, ModelOptions};
use tokio::task::JoinSet;

use crate::halt::{Halt, Halter, Why};
use crate::job::{self, Became};
use crate::link::Link;
use crate::logins::Logins;
use crate::names::{Kind, Stream, is_token};
use crate::report::{Model, Presence, Status};
use crate::server::{ServerOptions, causes, say};
use crate::setup;

/// How long the server keeps a request for an item that it does not have; shorter where the end is waited for.
const PULL: Duration = Duration::from_secs(5);
const LAST_PULL: Duration = Duration::from_secs(1);

/// And up to so much longer: nats-server 2.9 loses an item for a while that is handed out again in the moment in which a request ends, and those who
/// ask in step with what they gave back meet that moment again and again.
const JITTER: u32 = 1_000_000_000;

/// How long the last words may take.
const GRACE: Duration = Duration::from_secs(2);

/// How often a worker says that it is there.
const PRESENCE: Duration = Duration::from_secs(5);

/// What was typed about a worker.
#[derive(Args, Clone, Debug)]
pub(crate) struct WorkOptions {
    /// Recordings at a time
    #[arg(long, value_name = "N", default_value = "1")]
    jobs: usize,

    /// Cameras at a time: each takes a place until it is removed
    #[arg(long, value_name = "N", default_value = "1")]
    cameras: usize,

    /// The folder below which recordings lie on this machine. Nothing else is read
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,

    /// Users and passwords of cameras, in the form of a .netrc: machine HOST login USER password PASSWORD. For a user who stands in an address
    /// alone, the variable LIVENESS_PASSWORD does
    #[arg(long, value_name = "FILE")]
    logins: Option<PathBuf>,

    /// A recording that failed in so many tries in a row, none of which came further than the one before, is given up
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u64).range(1..))]
    tries: u64,

    /// A camera that gives no picture for so many seconds is taken for lost, and tried again
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = clap::value_parser!(u16).range(1..))]
    timeout: u16,

    /// What this worker is called [default: the machine's name and the number of the process]
    #[arg(long, value_name = "NAME", value_parser = token)]
    name: Option<String>,

    /// End when no recording waits, and none is worked on elsewhere, or none was handed out for three times --ack-wait
    #[arg(long)]
    until_empty: bool,

    #[command(flatten)]
    models: ModelOptions,
}

fn token(text: &str) -> Result<String, String> {
    match is_token(text) {
        true => Ok(text.into()),
        false => Err("must be of letters, digits, `-` and `_`".into()),
    }
}

/// What all jobs of a worker share.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) name: String,
    pub(crate) link: Link,
    pub(crate) models: ModelOptions,
    pub(crate) known: Vec<Model>,
    pub(crate) root: Option<PathBuf>,
    pub(crate) logins: Logins,
    pub(crate) tries: u64,
    pub(crate) timeout: Duration,
    /// How long the server waits for a word of who works on an item.
    pub(crate) ack_wait: Duration,
    runs: AtomicU64,
    present: Mutex<Presence>,
}

impl Worker {
    /// A name for one job's work on one item, which no other has.
    pub(crate) fn run(&self) -> String {
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_nanos();
        format!("{}-{now:x}-{number}", self.name)
    }

    /// Whether this worker could look at anything.
    ///
    /// # Errors
    /// What is missing.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        check(&self.models).map(drop)
    }

    fn begin(&self, id: &str, kind: Kind) {
        lock(&self.present).working.insert(id.into(), kind);
    }

    fn end(&self, id: &str, became: &Became) {
        let mut present = lock(&self.present);
        present.working.remove(id);
        if let Became::Concluded(outcome) = became {
            match outcome.status {
                Status::Done => present.done += 1,
                Status::Failed => present.failed += 1,
                Status::Removed => (),
            }
        }
    }
}

/// Opens the models once: a worker that cannot must not take items.
fn check(models: &ModelOptions) -> anyhow::Result<Vec<Model>> {
    let (detector, liveness) = models.files()?;
    Detector::open(&detector, Options::default())?;
    Classifier::open(&liveness, Options::default())?;
    let all = std::iter::once(&detector).chain(&liveness);
    Ok(all.map(Model::of).collect())
}

/// Works until it is stopped.
///
/// # Errors
/// Where it cannot go on.
pub(crate) async fn run(
    server: &ServerOptions,
    options: &WorkOptions,
    halter: &Halter,
    stop: &Halt,
) -> anyhow::Result<()> {
    let counts = [
        (Kind::Recording, options.jobs),
        (Kind::Camera, options.cameras),
    ];
    if counts.iter().all(|(_, n)| *n == 0) {
        bail!("neither recordings (--jobs) nor cameras (--cameras) are to be worked on");
    }
    let known = check(&options.models)?;
    let logins = options.logins.as_deref().map(Logins::read).transpose()?;
    if let Some(root) = options.root.as_ref().filter(|r| !r.is_dir()) {
        bail!("--root {} is no folder", root.display());
    }
    let name = options.name.clone().unwrap_or_else(own_name);
    let connected = server
        .connect(&format!("liveness-fleet {name}"), Some(stop.clone()))
        .await?;
    let link = Link::new(connected, server.fleet.clone()).patient();
    let mut consumers = Vec::new();
    let mut ack_wait = Duration::MAX;
    for (kind, n) in counts.into_iter().filter(|(_, n)| *n > 0) {
        let consumer = setup::consumer(&link, kind).await?;
        ack_wait = ack_wait.min(consumer.cached_info().config.ack_wait);
        consumers.extend((0..n).map(|_| (kind, consumer.clone())));
    }
    let worker = Arc::new(Worker {
        present: Mutex::new(Presence {
            worker: name.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            recordings: options.jobs,
            cameras: options.cameras,
            working: Default::default(),
            done: 0,
            failed: 0,
        }),
        name,
        link,
        models: options.models.clone(),
        known,
        root: options.root.clone(),
        logins: logins.unwrap_or_default(),
        tries: options.tries,
        timeout: Duration::from_secs(options.timeout.into()),
        ack_wait,
        runs: AtomicU64::new(0),
    });
    say(&format!(
        "{} works for {}, at {} recordings and {} cameras at a time",
        worker.name, worker.link.server.shown, options.jobs, options.cameras
    ));
    let present = tokio::spawn(presence(worker.clone()));
    let mut loops = JoinSet::new();
    for (kind, consumer) in consumers {
        let (worker, stop) = (worker.clone(), stop.clone());
        let until_empty = options.until_empty && kind == Kind::Recording;
        loops.spawn(async move { take(&worker, kind, &consumer, until_empty, stop).await });
    }
    let mut became = Ok(());
    let mut recordings = options.jobs;
    while let Some(ended) = loops.join_next().await {
        match ended.context("a job broke").and_then(|ended| ended) {
            Ok(Kind::Recording) => recordings -= 1,
            Ok(Kind::Camera) => (),
            Err(error) => {
                became = became.and(Err(error));
                halter.say(Why::Stop);
            }
        }
        // Cameras have no end of their own.
        if options.until_empty && recordings == 0 {
            halter.say(Why::Stop);
        }
    }
    present.abort();
    leave(&worker).await;
    became
}

/// The machine's name and the number of the process.
fn own_name() -> String {
    let system = rustix::system::uname();
    let machine = system.nodename().to_string_lossy().into_owned();
    let fits = |c: char| c.is_ascii_alphanumeric();
    let machine: String = machine
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect();
    format!("{machine}-{}", std::process::id())
}

/// Takes items of one kind, one after the other.
async fn take(
    worker: &Worker,
    kind: Kind,
    consumer: &PullConsumer,
    until_empty: bool,
    mut stop: Halt,
) -> anyhow::Result<Kind> {
    let mut backoff = Backoff::default();
    let mut still = Still::default();
    while stop.why().is_none() {
        let pull = pull(consumer, if until_empty { LAST_PULL } else { PULL });
        let message = tokio::select! {
            biased;
            // What the server hands out in this very moment goes to others when it was not heard of for long enough.
            _ = stop.said() => break,
            message = pull => message,
        };
        let message = match message {
            Ok(message) => message,
            Err(error) => {
                worker.link.may_go_on("take from", kind.consumer())?;
                worker.link.wait(&format!(
                    "{} hands out no {}: {}",
                    worker.link.server.shown,
                    kind.consumer(),
                    causes(&*error)
                ));
                stop.rest(backoff.after(Duration::ZERO)).await;
                continue;
            }
        };
        backoff = Backoff::default();
        let Some(message) = message else {
            // One who may not ask gets no answer.
            worker.link.may_go_on("take from", kind.consumer())?;
            if until_empty && still.is_empty(consumer, 3 * worker.ack_wait).await {
                break;
            }
            continue;
        };
        let id = message.subject.rsplit('.').next().unwrap_or_default();
        let id = id.to_owned();
        worker.begin(&id, kind);
        let became = job::work(worker, kind, message, &stop).await?;
        worker.end(&id, &became);
        if let Became::Concluded(outcome) = &became {
            say(&outcome.text());
        }
    }
    Ok(kind)
}

/// The next item, where one comes in time.
async fn pull(
    consumer: &PullConsumer,
    time: Duration,
) -> Result<Option<Message>, async_nats::Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let jitter = now.unwrap_or_default().subsec_nanos() % JITTER;
    let time = time + Duration::from_nanos(jitter.into());
    let batch = consumer.batch().max_messages(1).expires(time);
    let mut batch = batch.messages().await?;
    batch.next().await.transpose()
}

/// Whether there is anything to wait for.
#[derive(Debug, Default)]
struct Still {
    /// How many items were handed out, and since when it is no more.
    handed: Option<(u64, Instant)>,
}

impl Still {
    /// None waits; and none is taken, or none was handed out for so long: whoever has one works on it, or the server remembers in vain.
    async fn is_empty(&mut self, consumer: &PullConsumer, long: Duration) -> bool {
        let Ok(info) = consumer.get_info().await else {
            return false;
        };
        let handed = info.delivered.consumer_sequence;
        let since = match self.handed {
            Some((before, since)) if before == handed => since,
            _ => self.handed.insert((handed, Instant::now())).1,
        };
        let is_still = info.num_ack_pending == 0 || since.elapsed() >= long;
        info.num_pending == 0 && is_still
    }
}

/// Says again and again that the worker is there.
async fn presence(worker: Arc<Worker>) {
    let mut tick = tokio::time::interval(PRESENCE);
    loop {
        tick.tick().await;
        let present = serde_json::to_vec(&*lock(&worker.present));
        tell(&worker, present.unwrap_or_default()).await;
    }
}

async fn tell(worker: &Worker, payload: Vec<u8>) {
    let subject = worker.link.names.subject(Stream::Workers, &worker.name);
    let client = &worker.link.server.client;
    // Who is not heard of is not counted, and works all the same.
    let _ = client.publish(subject, payload.into()).await;
}

/// Says that it goes, and waits for a moment until the server has heard all.
async fn leave(worker: &Worker) {
    tell(worker, Vec::new()).await;
    let client = worker.link.server.client.clone();
    if let Ok(Err(error)) = tokio::time::timeout(GRACE, client.flush()).await {
        say(&format!(
            "the last words did not reach the server: {}",
            causes(&error)
        ));
    }
}
