// SPDX-License-Identifier: MIT OR Apache-2.0
//! Runs any program, told the facts by variables.

use std::io::Write;
use std::process;

use liveness_app::files;
use tempfile::NamedTempFile;

use super::{Action, Went, child};
use crate::config;
use crate::facts::Facts;
use crate::policy::Kind;
use crate::stop::Stop;

/// A program of the user's.
#[derive(Debug)]
pub(crate) struct Command {
    config: config::Command,
    name: String,
    /// Variables that it must not see.
    secrets: Vec<String>,
}

impl Command {
    pub(crate) fn new(config: config::Command, secrets: Vec<String>) -> Self {
        let program = config.program.file_name().unwrap_or_default();
        let name = config.name.clone();
        let name = name.unwrap_or_else(|| program.to_string_lossy().into_owned());
        Self {
            name: format!("command {name}"),
            config,
            secrets,
        }
    }
}

impl Action for Command {
    fn name(&self) -> &str {
        &self.name
    }

    fn on(&self) -> &[Kind] {
        self.config.on.kinds()
    }

    fn run(&mut self, facts: &Facts, stop: &Stop) -> Result<Went, String> {
        let mut command = process::Command::new(&self.config.program);
        command
            .args(&self.config.args)
            .env("LIVENESS_ID", &facts.id)
            .env("LIVENESS_DECISION", facts.decision.as_str())
            .env("LIVENESS_TRACK", facts.track.to_string())
            .env(
                "LIVENESS_SCORE",
                facts.live.map(|p| p.to_string()).unwrap_or_default(),
            )
            .env("LIVENESS_TIME", &facts.time);
        for name in &self.secrets {
            command.env_remove(name);
        }
        let picture = facts.snapshot.as_ref().map(|jpeg| keep(jpeg)).transpose()?;
        match &picture {
            Some(file) => command.env("LIVENESS_SNAPSHOT", file.path()),
            None => command.env_remove("LIVENESS_SNAPSHOT"),
        };
        child::run(&mut command, self.config.seconds.time(), stop)?;
        Ok(Went::Done)
    }
}

/// A picture in a file that goes away by itself, for its owner alone.
fn keep(jpeg: &[u8]) -> Result<NamedTempFile, String> {
    let said = |e: std::io::Error| format!("the snapshot cannot be written: {}", files::reason(&e));
    let file = tempfile::Builder::new()
        .prefix("liveness-guard-")
        .suffix(".jpg")
        .tempfile();
    let mut file = file.map_err(said)?;
    file.write_all(jpeg)
        .and_then(|()| file.flush())
        .map_err(said)?;
    Ok(file)
}
