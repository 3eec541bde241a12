// SPDX-License-Identifier: MIT OR Apache-2.0
//! Locks the session: asks logind to, over D-Bus.

use std::time::Duration;

use zbus::zvariant::OwnedObjectPath;

use super::{Action, Went};
use crate::bus;
use crate::config;
use crate::facts::Facts;
use crate::policy::Kind;
use crate::stop::Stop;

const LOGIND: &str = "org.freedesktop.login1";
const MANAGER: &str = "/org/freedesktop/login1";
const INTERFACE: &str = "org.freedesktop.login1.Manager";

/// Who locks.
#[derive(Debug)]
pub(crate) struct Lock {
    config: config::Lock,
}

impl Lock {
    pub(crate) fn new(config: config::Lock) -> Self {
        Self { config }
    }
}

impl Action for Lock {
    fn name(&self) -> &str {
        "lock"
    }

    fn on(&self) -> &[Kind] {
        self.config.on.kinds()
    }

    fn run(&mut self, _: &Facts, _: &Stop) -> Result<Went, String> {
        let told = self.config.session.as_deref();
        lock(told, self.config.seconds.time())
            .map_err(|e| format!("logind: {}", bus::reason(&e)))?;
        Ok(Went::Done)
    }
}

/// Locks the session of this name, else that of this program.
fn lock(told: Option<&str>, limit: Duration) -> zbus::Result<()> {
    let bus = bus::system(limit)?;
    let session = match told.map(str::to_owned).or_else(named) {
        Some(session) => session,
        None => {
            let process = std::process::id();
            let path = bus.call_method(
                Some(LOGIND),
                MANAGER,
                Some(INTERFACE),
                "GetSessionByPID",
                &process,
            )?;
            let path: OwnedObjectPath = path.body().deserialize()?;
            let id = bus::property(&bus, LOGIND, &path, "org.freedesktop.login1.Session", "Id")?;
            String::try_from(id)?
        }
    };
    bus.call_method(
        Some(LOGIND),
        MANAGER,
        Some(INTERFACE),
        "LockSession",
        &session,
    )?;
    Ok(())
}

/// What the session is called in which this program was started.
fn named() -> Option<String> {
    let session = std::env::var("XDG_SESSION_ID").ok();
    session.filter(|s| !s.is_empty())
}
