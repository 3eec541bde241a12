// SPDX-License-Identifier: MIT OR Apache-2.0
//! recordings, cameras → work queue of NATS JetStream → workers: facedetect ! livenessclassify ! livenessmetaconvert → events, frames, results
//!
//! Cameras and recordings as work items that any number of machines work on: `liveness-fleet add FILE|FOLDER|ADDRESS`, `liveness-fleet work`
//!
//! Each item has one result, whoever dies in between: `ledger` says how. `--help` and `docs/fleet.md` tell the rest.

mod add;
mod cli;
mod halt;
mod item;
mod job;
mod ledger;
mod link;
mod logins;
mod look;
mod names;
mod report;
mod results;
mod server;
mod setup;
mod status;
mod work;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use liveness_app::{runtime, signals, status as exit};

use add::Ended;
use cli::{Cli, Command};
use halt::{Halt, Halter, halt};
use link::Link;

fn main() -> ExitCode {
    run(Cli::parse()).unwrap_or_else(|error| {
        server::say(&format!("{error:#}"));
        exit::ERROR.into()
    })
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let stop = signals::stop()?;
    if let Command::Work(_) = &cli.command {
        gst::init().context("GStreamer does not start")?;
        gstliveness::plugin_register_static().context("the elements do not register")?;
        runtime::search();
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no thread for the network")?;
    runtime.block_on(async {
        let (halter, halt) = halt();
        tokio::spawn(halter.clone().when(stop));
        command(cli, halter, halt).await
    })
}

async fn command(cli: Cli, halter: Halter, mut halt: Halt) -> anyhow::Result<ExitCode> {
    let ended = match cli.command {
        Command::Setup(command) => {
            let server = command.server.connect("liveness-fleet setup", None).await?;
            let link = Link::new(server, command.server.fleet);
            setup::setup(&link, &command.limits, true).await?;
            let swept = setup::sweep(&link, &mut halt).await?;
            if swept > 0 {
                server::say(&format!(
                    "{swept} items that are concluded were in the queue still, and are taken out of it"
                ));
            }
            Ended::Well
        }
        Command::Work(command) => {
            work::run(&command.server, &command.work, &halter, &halt).await?;
            Ended::Well
        }
        Command::Add(command) => add::add(&command, halt).await?,
        Command::Remove(command) => add::remove(&command, halt).await?,
        Command::Results(command) => results::results(&command, halt).await?,
        Command::Status(command) => {
            let told = status::status(&command, halt.clone());
            tokio::select! {
                biased;
                _ = halt.said() => Ended::Halted,
                told = told => told.map(|()| Ended::Well)?,
            }
        }
    };
    Ok(match ended {
        Ended::Well => ExitCode::SUCCESS,
        Ended::SomeFailed => exit::SOME_FAILED.into(),
        Ended::Halted => exit::INTERRUPTED.into(),
    })
}
