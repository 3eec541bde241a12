// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a user sees while it runs, on standard error: bars on a terminal, lines elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::fit::{Row, Watch};

/// How often bars are drawn.
const REDRAW: Duration = Duration::from_millis(200);

fn bar(length: u64, template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(5));
    // The template is ours; with a fault in it the plain style is no loss.
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─");
    bar.set_style(style);
    bar.enable_steady_tick(REDRAW);
    bar
}

/// A bar over things that are counted, such as pictures.
pub(super) fn count(what: &str, length: usize) -> ProgressBar {
    let bar = bar(
        length as u64,
        "  {prefix:<12} {bar:30.cyan} {pos}/{len} · {eta} left",
    );
    bar.set_prefix(what.to_owned());
    bar
}

/// Shows how a net is trained.
pub(super) struct Fitting {
    bar: ProgressBar,
    prefix: String,
    epochs: usize,
    best: Option<(usize, f64)>,
    loss: f64,
    started: bool,
}

impl Fitting {
    /// For so many epochs; `what` is trained.
    pub(super) fn new(what: &str, epochs: usize) -> Self {
        let bar = bar(
            0,
            "  {prefix:<12} {bar:30.cyan} {percent:>3} % · {eta} left · {msg}",
        );
        bar.set_prefix(what.to_owned());
        Self {
            bar,
            prefix: what.to_owned(),
            epochs,
            best: None,
            loss: f64::NAN,
            started: false,
        }
    }

    fn message(&self, epoch: usize) -> String {
        let best = match self.best {
            Some((at, acer)) => format!(" · best ACER {:.1} % at {at}", 100.0 * acer),
            None => String::new(),
        };
        format!(
            "epoch {epoch}/{} · loss {:.3}{best}",
            self.epochs, self.loss
        )
    }
}

impl Watch for Fitting {
    fn batch(&mut self, epoch: usize, batch: usize, batches: usize, loss: f64) {
        // A running mean: single batches jump about.
        self.loss = match self.loss.is_nan() {
            true => loss,
            false => self.loss + 0.05 * (loss - self.loss),
        };
        let done = ((epoch - 1) * batches + batch) as u64;
        if !self.started {
            self.started = true;
            self.bar.set_length((self.epochs * batches) as u64);
            // What an earlier run did took no time of this one.
            self.bar.set_position(done - 1);
            self.bar.reset_eta();
        }
        self.bar.set_position(done);
        self.bar.set_message(self.message(epoch));
    }

    fn epoch(&mut self, row: &Row, best: bool) {
        if best {
            self.best = Some((row.epoch, row.valid.acer));
        }
        if self.bar.is_hidden() {
            eprintln!(
                "{}: epoch {}/{}: loss {:.3}, validation loss {:.3}, ACER {:.1} %, AUC {:.3}{}, {:.1} s",
                self.prefix,
                row.epoch,
                self.epochs,
                row.train_loss,
                row.valid.loss,
                100.0 * row.valid.acer,
                row.valid.auc,
                if best { ", best" } else { "" },
                row.seconds
            );
        }
        self.bar.set_message(self.message(row.epoch));
    }
}

impl Drop for Fitting {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
