// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a user reads on standard error: what happens, and how fast it is: one line that stays on a terminal, a line a second elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::{Input, Numbers, Recorded};

/// From one look at the numbers to the next.
const SECOND: Duration = Duration::from_secs(1);

/// Where it is written.
#[derive(Debug)]
pub struct Board {
    program: &'static str,
    quiet: bool,
    bar: Option<ProgressBar>,
    last: Instant,
    faces: usize,
    /// There have been pictures before.
    played: bool,
}

impl Board {
    /// For the program of this name; a `quiet` one does not tell how fast it is.
    pub fn new(program: &'static str, quiet: bool) -> Self {
        let bar = || {
            let style = ProgressStyle::with_template("{wide_msg}");
            ProgressBar::new_spinner()
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
        };
        Self {
            program,
            quiet,
            bar: (!quiet && std::io::stderr().is_terminal()).then(bar),
            last: Instant::now(),
            faces: 0,
            played: false,
        }
    }

    /// Says something that stays.
    pub fn say(&self, text: &str) {
        let text = format!("{}: {text}", self.program);
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }

    /// A live source gives pictures, after so long without.
    pub fn playing(&mut self, source: &Input, away: Duration) {
        match std::mem::replace(&mut self.played, true) {
            true => self.say(&format!("{source}: back after {:.1} s", away.as_secs_f64())),
            false => self.say(&format!("{source}: there are pictures")),
        }
    }

    /// A live source gives no pictures.
    pub fn lost(&mut self, source: &Input, reason: &str) {
        self.faces = 0;
        self.say(&format!(
            "{source}: {reason}. Trying again until there are pictures"
        ));
    }

    /// So many faces are in the picture.
    pub fn faces(&mut self, faces: usize) {
        self.faces = faces;
    }

    /// Shows the numbers, once a second.
    pub fn see(&mut self, numbers: impl FnOnce() -> Numbers) {
        if self.quiet || self.last.elapsed() < SECOND {
            return;
        }
        self.last = Instant::now();
        let text = text(&numbers(), self.faces);
        match &self.bar {
            Some(bar) => {
                bar.set_message(text);
                bar.tick();
            }
            None => eprintln!("{text}"),
        }
    }

    /// Takes away what does not stay.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn text(numbers: &Numbers, faces: usize) -> String {
    let mut parts = vec![format!("{:.1} frames/s", numbers.rate)];
    if let Some(latency) = numbers.latency {
        parts.push(format!("latency {} ms", latency.as_millis()));
    }
    parts.push(format!("{} dropped", numbers.dropped));
    parts.push(match faces {
        1 => "1 face".into(),
        n => format!("{n} faces"),
    });
    parts.join(" · ")
}

/// What is said of a recording.
pub fn recorded(recorded: &Recorded) -> String {
    match recorded.frames {
        0 => "nothing was recorded: no picture came".into(),
        frames => format!("{frames} frames are in {}", recorded.path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_one_line() {
        let live = Numbers {
            frames: 1000,
            rate: 24.96,
            latency: Some(Duration::from_micros(62_400)),
            dropped: 3,
        };
        assert_eq!(
            text(&live, 1),
            "25.0 frames/s · latency 62 ms · 3 dropped · 1 face"
        );
        let film = Numbers {
            latency: None,
            dropped: 0,
            ..live
        };
        assert_eq!(text(&film, 2), "25.0 frames/s · 0 dropped · 2 faces");
    }
}
