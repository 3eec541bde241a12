// SPDX-License-Identifier: MIT OR Apache-2.0
//! All inputs, several at once: each worker takes the next one until there are none left, or the user stops it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Context;
use liveness::sync::lock;

use crate::cli::Extract;
use crate::inputs::{Found, Input};
use crate::journal::{self, Journal, Key, Totals};
use crate::pipeline::{End, Player};
use crate::progress::Board;
use crate::report::{self, Outcome, Row};

/// What became of a run.
#[derive(Debug, Default)]
pub(crate) struct Finish {
    /// The inputs that were looked at, in the order in which the user named them.
    pub(crate) rows: Vec<Row>,
    /// Inputs that are not done, since the user stopped the run.
    pub(crate) left: usize,
    /// Why the run had to stop.
    pub(crate) serious: Option<String>,
}

impl Finish {
    pub(crate) fn failed(&self) -> usize {
        let failed = |r: &&Row| matches!(r.outcome, Outcome::Failed(_));
        self.rows.iter().filter(failed).count()
    }

    pub(crate) fn saved_any(&self) -> bool {
        let pictures = |r: &Row| r.totals.saved + r.totals.already_there > 0;
        self.rows.iter().any(pictures)
    }

    /// The sources of this run.
    pub(crate) fn sources(&self) -> BTreeSet<String> {
        self.rows.iter().map(|r| r.source.clone()).collect()
    }
}

/// One input that is to be read.
struct Job {
    /// Its place among all.
    place: usize,
    input: Input,
    session: String,
    key: Key,
}

impl Job {
    fn row(&self, totals: Totals, outcome: Outcome) -> (usize, Row) {
        let row = Row {
            path: self.input.path.clone(),
            kind: Some(self.input.kind),
            source: self.input.source.clone(),
            session: self.session.clone(),
            totals,
            outcome,
        };
        (self.place, row)
    }
}

/// What the workers share.
struct Shared<'a> {
    extract: &'a Extract,
    journal: &'a Journal,
    board: Board,
    queue: Mutex<std::vec::IntoIter<Job>>,
    rows: Mutex<Vec<(usize, Row)>>,
    serious: Mutex<Option<String>>,
    /// Set by the user.
    stop: &'a AtomicBool,
    /// Set where nothing more can be saved.
    halt: AtomicBool,
}

/// Reads all inputs that are not done already.
///
/// # Errors
/// Where the model cannot be read.
pub(crate) fn run(
    extract: &Extract,
    found: Found,
    journal: &Journal,
    stop: &AtomicBool,
) -> anyhow::Result<Finish> {
    let options = options(extract)?;
    let mut rows = Vec::new();
    let mut jobs = Vec::new();
    for (place, input) in found.inputs.into_iter().enumerate() {
        let session = extract.session.clone().unwrap_or_else(|| input.session());
        let key = Key::new(&input, &extract.label, &session, &options);
        let done = journal.done(&key).filter(|_| !extract.again).cloned();
        let job = Job {
            place,
            input,
            session,
            key,
        };
        match done {
            Some(totals) => rows.push(job.row(totals, Outcome::DoneBefore)),
            None => jobs.push(job),
        }
    }
    let bytes = jobs.iter().map(|j| j.input.size).sum();
    let workers = extract.jobs.min(jobs.len());
    let board = Board::new(jobs.len(), bytes, workers);
    if !rows.is_empty() {
        let before = report::count(rows.len(), "input");
        board.say(&format!(
            "{before} already done in an earlier run (--again reads them again)"
        ));
    }
    let refused: Vec<Row> = found.refused.into_iter().map(refused).collect();
    for row in &refused {
        board.say(&report::line(row));
    }

    let shared = Shared {
        extract,
        journal,
        board,
        queue: Mutex::new(jobs.into_iter()),
        rows: Mutex::new(rows),
        serious: Mutex::new(None),
        stop,
        halt: AtomicBool::new(false),
    };
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let shared = &shared;
            scope.spawn(move || work(shared, worker));
        }
    });
    shared.board.clear();

    let mut rows = shared
        .rows
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    rows.sort_by_key(|(place, _)| *place);
    let mut rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    let stopped = rows
        .iter()
        .filter(|r| r.outcome == Outcome::Stopped)
        .count();
    // What could not even be looked at comes last.
    rows.extend(refused);
    Ok(Finish {
        rows,
        left: stopped + lock(&shared.queue).len(),
        serious: lock(&shared.serious).take(),
    })
}

/// A file that could not be looked at.
fn refused((path, reason): (PathBuf, String)) -> Row {
    Row {
        path,
        kind: None,
        source: String::new(),
        session: String::new(),
        totals: Totals::default(),
        outcome: Outcome::Failed(reason),
    }
}

/// A digest of all that decides what is saved of an input.
fn options(extract: &Extract) -> anyhow::Result<String> {
    let model = match &extract.model {
        Some(path) => std::fs::read(path)
            .with_context(|| format!("cannot read the model {}", path.display()))?,
        None => Vec::new(),
    };
    let said = extract.properties.iter().chain(&extract.detection);
    let said = said.map(|(name, value)| (*name, value.as_bytes()));
    Ok(journal::digest(said.chain([("model", &model[..])])))
}

/// One worker, from its first input to its last.
fn work(shared: &Shared, worker: usize) {
    // Before anything is drawn again.
    let stopped = || {
        let stopped = shared.stop.load(Ordering::Relaxed);
        if stopped {
            shared.board.freeze();
        }
        stopped
    };
    let stop = || stopped() || shared.halt.load(Ordering::Relaxed);
    let mut player = Player::new(shared.extract);
    while !stop() {
        let Some(job) = lock(&shared.queue).next() else {
            break;
        };
        let name = job.input.path.file_name().unwrap_or_default();
        let running = shared
            .board
            .start(worker, &name.to_string_lossy(), job.input.size);
        let see = |progress| {
            if !stopped() {
                running.see(progress);
            }
        };
        let (end, totals) = player.play(&job.input, &job.session, &stop, &see);
        let outcome = match end {
            End::Done => Outcome::Done,
            End::Stopped => Outcome::Stopped,
            End::Failed(reason) => Outcome::Failed(reason),
            End::Serious(reason) => {
                halt(shared, reason);
                Outcome::Stopped
            }
        };
        let frames = totals.frames;
        let row = job.row(totals, outcome);
        let failed = matches!(row.1.outcome, Outcome::Failed(_));
        running.end(&report::line(&row.1), frames, failed);
        if row.1.outcome == Outcome::Done {
            let noted = shared.journal.add(job.key, row.1.totals.clone());
            noted.unwrap_or_else(|error| halt(shared, format!("{error:#}")));
        }
        lock(&shared.rows).push(row);
    }
    shared.board.rest(worker);
}

/// Stops all workers. The first reason counts: the others follow from it.
fn halt(shared: &Shared, reason: String) {
    lock(&shared.serious).get_or_insert(reason);
    shared.halt.store(true, Ordering::Relaxed);
}
