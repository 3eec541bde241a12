// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ctrl-C and its kin.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::status;

/// A flag that Ctrl-C, a closed terminal and a plain `kill` set. The second of them ends the program at once.
///
/// # Errors
/// Where the system takes no handlers.
pub fn stop() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // In this order: the first one is asked whether the flag was set before.
        let now = i32::from(status::INTERRUPTED);
        signal_hook::flag::register_conditional_shutdown(signal, now, stop.clone())?;
        signal_hook::flag::register(signal, stop.clone())?;
    }
    Ok(stop)
}
