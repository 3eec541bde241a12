// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether all that a configuration names is there. Makes nothing, and asks nobody in the network.

use std::path::Path;

use liveness_app::files;

use crate::act::mail::Sender;
use crate::act::webhook::Poster;
use crate::config::Config;
use crate::queue::Spool;

/// What is missing, each with what it is for.
pub(crate) fn check(config: &Config) -> Vec<String> {
    let mut missing = Vec::new();
    let mut note = |what: &str, found: Result<(), String>| {
        missing.extend(found.err().map(|reason| format!("{what}: {reason}")));
    };
    if let Some(path) = config
        .audit
        .path
        .as_deref()
        .filter(|p| p.as_os_str() != "-")
    {
        note("[audit]", writable(path));
    }
    if let Some(voice) = &config.voice {
        note("[voice]", program(&voice.program));
    }
    for command in &config.command {
        note("[[command]]", program(&command.program));
    }
    // These name their section by themselves.
    let mut secrets = Vec::new();
    if let Some(mail) = &config.mail {
        note("[mail]", Spool::check(&mail.queue));
        secrets.extend(Sender::new(mail).err());
    }
    if let Some(webhook) = &config.webhook {
        note("[webhook]", Spool::check(&webhook.queue));
        secrets.extend(Poster::new(webhook).err());
    }
    missing.extend(secrets.iter().map(|e| format!("{e:#}")));
    missing
}

fn program(name: &Path) -> Result<(), String> {
    let found = which::which(name).map(drop);
    found.map_err(|_| format!("there is no program {}", name.display()))
}

fn writable(path: &Path) -> Result<(), String> {
    let said =
        |e: std::io::Error| format!("cannot write {}: {}", path.display(), files::reason(&e));
    match path.exists() {
        true => std::fs::OpenOptions::new()
            .append(true)
            .open(path)
            .map(drop)
            .map_err(said),
        false => files::check_place(path).map_err(said),
    }
}
