// SPDX-License-Identifier: MIT OR Apache-2.0
//! Says it aloud, by espeak-ng or spd-say.

use std::process;

use super::{Action, Went, child};
use crate::config;
use crate::facts::Facts;
use crate::policy::Kind;
use crate::stop::Stop;

/// Who speaks.
#[derive(Debug)]
pub(crate) struct Voice {
    config: config::Voice,
    /// Variables that it must not see.
    secrets: Vec<String>,
}

impl Voice {
    pub(crate) fn new(config: config::Voice, secrets: Vec<String>) -> Self {
        Self { config, secrets }
    }
}

impl Action for Voice {
    fn name(&self) -> &str {
        "voice"
    }

    fn on(&self) -> &[Kind] {
        self.config.on.kinds()
    }

    fn run(&mut self, facts: &Facts, stop: &Stop) -> Result<Went, String> {
        let mut command = process::Command::new(&self.config.program);
        // Whatever the text begins with, it is no option.
        let text = ["--", self.config.text(facts.decision)];
        command.args(&self.config.args).args(text);
        for name in &self.secrets {
            command.env_remove(name);
        }
        child::run(&mut command, self.config.seconds.time(), stop)?;
        Ok(Went::Done)
    }
}
