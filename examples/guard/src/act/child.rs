// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program that is run for a limited time, and whatever it starts with it. Without a shell: its arguments are what they are.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use liveness_app::files;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::stop::Stop;

/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);

/// Runs a program to its end. Its output goes nowhere, what it complains of to standard error.
///
/// # Errors
/// Where it cannot be started, fails, or takes longer than `limit`: then it is killed with all that it has started.
pub(crate) fn run(command: &mut Command, limit: Duration, stop: &Stop) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // All that it starts can be ended with it.
        .process_group(0)
        .spawn()
        .map_err(|e| format!("{program} cannot be started: {}", files::reason(&e)))?;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("{program} failed: {status}")),
            Ok(None) => (),
            Err(e) => return Err(format!("{program}: {}", files::reason(&e))),
        }
        let late = stop.deadline().is_some_and(|d| Instant::now() >= d);
        if start.elapsed() >= limit || late {
            kill(&mut child);
            return Err(match late {
                true => format!("{program} was ended with the guard"),
                false => format!("{program} was ended after {} s", limit.as_secs_f64()),
            });
        }
        std::thread::sleep(LOOK);
    }
}

/// Its group has its number for as long as it is not waited for: nobody else can have it.
fn kill(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // Whoever is left has ended by himself.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration, stop: &Stop) -> Result<(), String> {
        run(Command::new("sh").args(["-c", script]), limit, stop)
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn it_is_told_how_it_ended() {
        let stop = Stop::default();
        shell("exit 0", LONG, &stop).unwrap();
        assert!(
            shell("exit 3", LONG, &stop)
                .unwrap_err()
                .contains("exit status: 3")
        );
        let absent = run(&mut Command::new("/no/program"), LONG, &stop).unwrap_err();
        assert!(
            absent.contains("/no/program cannot be started: No such file"),
            "{absent}"
        );
    }

    #[test]
    fn what_takes_too_long_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 3600 & echo $! > {}; wait", file.display());
        let error = shell(&script, Duration::from_millis(500), &Stop::default()).unwrap_err();
        assert!(error.contains("was ended after 0.5 s"), "{error}");
        let pid = std::fs::read_to_string(&file).unwrap();
        let stat = format!("/proc/{}/stat", pid.trim());
        // It is dead, whoever has to bury it.
        let state = || std::fs::read_to_string(&stat).unwrap_or(") Z".into());
        let start = Instant::now();
        while !state().contains(") Z") {
            assert!(start.elapsed() < LONG, "{}", state());
            std::thread::yield_now();
        }
    }

    #[test]
    fn it_ends_with_the_guard() {
        let stop = Stop::default();
        stop.by(Instant::now());
        let error = shell("sleep 3600", LONG, &stop).unwrap_err();
        assert!(error.contains("was ended with the guard"), "{error}");
    }
}
