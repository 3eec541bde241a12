// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a user sees while it runs, on standard error: bars on a terminal, a line per finished input elsewhere.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::pipeline::Progress;
use crate::report;

/// A bar's full length.
const FULL: u64 = 1000;

/// Longest name on a bar, in columns.
const NAME: usize = 24;

/// Shows how far the inputs are. An input counts for as much as its file is large.
#[derive(Debug)]
pub(crate) struct Board {
    bars: Option<Bars>,
    inputs: usize,
    finished: AtomicUsize,
    /// Bytes of the inputs that have ended.
    ended: AtomicU64,
    /// Bytes that each job has read of its input.
    running: Vec<AtomicU64>,
}

#[derive(Debug)]
struct Bars {
    multi: MultiProgress,
    total: ProgressBar,
    /// One for each job: inputs come and go in it.
    jobs: Vec<ProgressBar>,
    /// Nothing is drawn any more.
    frozen: AtomicBool,
}

/// An input that runs, in the bar of its job.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    board: &'a Board,
    job: usize,
    bytes: u64,
    start: Instant,
}

impl Board {
    /// For so many inputs with so many bytes, read by so many jobs.
    pub(crate) fn new(inputs: usize, bytes: u64, jobs: usize) -> Self {
        let bars = std::io::stderr()
            .is_terminal()
            .then(|| Bars::new(bytes, jobs));
        Self {
            bars,
            inputs,
            finished: AtomicUsize::new(0),
            ended: AtomicU64::new(0),
            running: (0..jobs).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// An input starts in this job.
    pub(crate) fn start(&self, job: usize, name: &str, bytes: u64) -> Running<'_> {
        if let Some(bar) = self.bar(job) {
            bar.reset();
            bar.set_style(style(false));
            bar.set_prefix(report::fit(name, NAME));
            bar.set_message("");
        }
        Running {
            board: self,
            job,
            bytes,
            start: Instant::now(),
        }
    }

    /// Says something that stays, above the bars.
    pub(crate) fn say(&self, text: &str) {
        match &self.bars {
            Some(bars) if !bars.frozen.load(Ordering::Relaxed) => drop(bars.multi.println(text)),
            _ => eprintln!("{text}"),
        }
    }

    /// This job has nothing more to do.
    pub(crate) fn rest(&self, job: usize) {
        if let Some(bar) = self.bar(job) {
            bar.finish_and_clear();
        }
    }

    /// The user stopped it, and it takes a moment. The bars stay as they are: what the terminal wrote for the key that was pressed has
    /// moved them, and they could not be drawn anew in their place.
    pub(crate) fn freeze(&self) {
        if let Some(bars) = &self.bars
            && !bars.frozen.swap(true, Ordering::Relaxed)
        {
            bars.multi.set_draw_target(ProgressDrawTarget::hidden());
            eprintln!("\n  stopping: what is being written is finished");
        }
    }

    /// Takes the bars away.
    pub(crate) fn clear(&self) {
        if let Some(bars) = &self.bars {
            let all = bars.jobs.iter().chain([&bars.total]);
            all.for_each(ProgressBar::finish_and_clear);
            // A terminal that is gone is no reason to fail.
            let _ = bars.multi.clear();
        }
    }

    fn bar(&self, job: usize) -> Option<&ProgressBar> {
        self.bars.as_ref().and_then(|b| b.jobs.get(job))
    }

    fn advance(&self) {
        if let Some(bars) = &self.bars {
            let running = self.running.iter().map(|r| r.load(Ordering::Relaxed));
            let bytes = self.ended.load(Ordering::Relaxed) + running.sum::<u64>();
            bars.total.set_position(bytes);
            let (finished, inputs) = (self.finished.load(Ordering::Relaxed), self.inputs);
            bars.total
                .set_prefix(format!("{finished} of {inputs} inputs"));
        }
    }
}

impl Running<'_> {
    /// How far it is.
    pub(crate) fn see(&self, progress: Progress) {
        let Some(bar) = self.board.bar(self.job) else {
            return;
        };
        bar.set_style(style(progress.part.is_some()));
        let part = progress.part.unwrap_or(0.0);
        bar.set_position((part * FULL as f64) as u64);
        let (frames, saved) = (progress.frames, progress.saved);
        let rate = rate(frames, self.start.elapsed());
        bar.set_message(format!("{frames} frames · {rate} · {saved} saved"));
        if let Some(read) = self.board.running.get(self.job) {
            read.store((part * self.bytes as f64) as u64, Ordering::Relaxed);
        }
        self.board.advance();
    }

    /// It has ended: `line` says how, without a terminal; `always` on one, too.
    pub(crate) fn end(self, line: &str, frames: u64, always: bool) {
        let board = self.board;
        if let Some(read) = board.running.get(self.job) {
            read.store(0, Ordering::Relaxed);
        }
        board.ended.fetch_add(self.bytes, Ordering::Relaxed);
        let finished = board.finished.fetch_add(1, Ordering::Relaxed) + 1;
        if board.bars.is_none() {
            let rate = rate(frames, self.start.elapsed());
            let rate = if frames > 1 {
                format!(" ({rate})")
            } else {
                String::new()
            };
            board.say(&format!("[{finished}/{}] {line}{rate}", board.inputs));
        } else if always {
            board.say(line);
        }
        board.advance();
    }
}

fn rate(frames: u64, time: Duration) -> String {
    format!(
        "{:.0} frames/s",
        frames as f64 / time.as_secs_f64().max(1e-3)
    )
}

impl Bars {
    fn new(bytes: u64, jobs: usize) -> Self {
        let multi = MultiProgress::new();
        let job = |_| multi.add(ProgressBar::new(FULL).with_style(style(false)));
        let jobs = (0..jobs).map(job).collect();
        let total = multi.add(ProgressBar::new(bytes));
        total.set_style(template(
            "  {prefix:24.bold} {bar:20.green/240} {percent:>3} %  {elapsed} · {eta} left  {wide_msg:.yellow}",
        ));
        Self {
            multi,
            total,
            jobs,
            frozen: AtomicBool::new(false),
        }
    }
}

/// Without a known length there is nothing to fill a bar by.
fn style(measured: bool) -> ProgressStyle {
    if measured {
        template("  {prefix:24} {bar:20.cyan/240} {percent:>3} %  {wide_msg:.dim}")
    } else {
        template("  {prefix:24} {spinner:.cyan} {wide_msg:.dim}")
    }
}

fn template(text: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(text);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("━╸─")
}
