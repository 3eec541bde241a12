// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ctrl-C and its kin.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::exit;

use crate::status;

/// Signals that follow each other so closely are one: `timeout` and some shells send each of them to the program and to its group.
const ONE: Duration = Duration::from_millis(300);

/// A flag that Ctrl-C, a closed terminal and a plain `kill` set. The second of them ends the program at once.
///
/// # Errors
/// Where the system takes no handlers.
pub fn stop() -> anyhow::Result<Arc<AtomicBool>> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    std::thread::spawn(move || {
        let mut first = None;
        for _ in &mut signals {
            flag.store(true, Ordering::Relaxed);
            let first: &mut Instant = first.get_or_insert_with(Instant::now);
            if first.elapsed() > ONE {
                exit(status::INTERRUPTED.into());
            }
        }
    });
    Ok(stop)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    use super::*;

    const DEAF: &str = "LIVENESS_TEST_DEAF";

    #[test]
    #[ignore = "a program that does not heed its flag; another test starts it"]
    fn deaf() {
        if std::env::var_os(DEAF).is_some() {
            let _stop = stop().unwrap();
            println!("ready");
            loop {
                std::thread::park();
            }
        }
    }

    fn interrupt(program: &Child) {
        let target = program.id().to_string();
        let sent = Command::new("kill").args(["-s", "INT", &target]).status();
        assert!(sent.unwrap().success());
    }

    #[test]
    fn the_second_signal_ends_a_program_and_an_echo_of_the_first_does_not() {
        let mut program = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "signals::tests::deaf",
                "--ignored",
                "--nocapture",
            ])
            .env(DEAF, "")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(program.stdout.take().unwrap()).lines();
        assert!(said.map_while(Result::ok).any(|l| l.contains("ready")));
        interrupt(&program);
        interrupt(&program);
        // Time is what tells them apart.
        std::thread::sleep(2 * ONE);
        assert!(program.try_wait().unwrap().is_none(), "it has ended");
        interrupt(&program);
        let code = program.wait().unwrap().code();
        assert_eq!(code, Some(status::INTERRUPTED.into()));
    }
}
