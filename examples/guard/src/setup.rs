// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the configuration to the threads that act.

use std::sync::{Arc, Mutex};

use anyhow::Error;

use crate::act::command::Command;
use crate::act::crew::Crew;
use crate::act::lock::Lock;
use crate::act::voice::Voice;
use crate::act::{mail, webhook};
use crate::config::Config;
use crate::queue::{Courier, Limits, Spool};
use crate::record::Record;
use crate::stop::Stop;

/// Bytes that may wait in a queue, at the most.
const BYTES: u64 = 256 << 20;

/// All who act.
///
/// # Errors
/// Where a password, a certificate or a queue is not what it should be.
pub(crate) fn crew(config: &Config, record: &Arc<Record>) -> anyhow::Result<Crew> {
    let secrets = config.secret_variables();
    let bell = Arc::new(Stop::default());
    let mut crew = Crew::new(record.clone(), bell.clone());
    let open = |folder, files| {
        let limits = Limits {
            files,
            bytes: BYTES,
        };
        Spool::open(folder, limits).map(|spool| Arc::new(Mutex::new(spool)))
    };
    if let Some(voice) = &config.voice {
        crew.add(Voice::new(voice.clone(), secrets.clone()));
    }
    for command in &config.command {
        crew.add(Command::new(command.clone(), secrets.clone()));
    }
    if let Some(lock) = &config.lock {
        crew.add(Lock::new(lock.clone()));
    }
    if let Some(told) = &config.mail {
        let sender = mail::Sender::new(told)?;
        let spool = open(&told.queue, told.most).map_err(Error::msg)?;
        let place = config.place.clone();
        crew.add(mail::Writer::new(
            told.clone(),
            place,
            spool.clone(),
            record.clone(),
        ));
        crew.add_courier(Courier::start(
            "mail",
            spool,
            sender,
            record.clone(),
            bell.clone(),
        ));
    }
    if let Some(told) = &config.webhook {
        let poster = webhook::Poster::new(told)?;
        let spool = open(&told.queue, told.most).map_err(Error::msg)?;
        let place = config.place.clone();
        crew.add(webhook::Writer::new(
            told.clone(),
            place,
            spool.clone(),
            record.clone(),
        ));
        crew.add_courier(Courier::start(
            "webhook",
            spool,
            poster,
            record.clone(),
            bell,
        ));
    }
    Ok(crew)
}
