// SPDX-License-Identifier: MIT OR Apache-2.0
//! The log-in demo: a password and a living face. Accounts, who is logged in, and what it takes to become so. Knows no HTTP.

mod gate;
mod limit;
mod logins;
mod password;
mod store;
mod tickets;

use std::path::Path;
use std::time::Duration;

pub(crate) use gate::{Gate, Outcome, Standing};
pub(crate) use limit::{Limiter, owner};
pub(crate) use logins::Logins;
pub(crate) use password::{Busy, Hasher};
pub(crate) use store::{Account, Fault, Store};
pub(crate) use tickets::{Errand, Tickets};

use crate::identity::Matcher;

/// Tries to log in or enrol from one address, and with one name, within [`WINDOW`].
const TRIES_OF_ADDRESS: u32 = 30;
const TRIES_OF_NAME: u32 = 10;
const WINDOW: Duration = Duration::from_secs(300);

/// Everything that the log-in demo needs.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) matcher: Matcher,
    pub(crate) store: Store,
    pub(crate) hasher: Hasher,
    pub(crate) tickets: Tickets,
    pub(crate) logins: Logins,
    /// By the visitor's address.
    pub(crate) addresses: Limiter,
    /// By the name that was typed, whoever typed it.
    pub(crate) names: Limiter,
}

impl Desk {
    /// With this model and these accounts.
    ///
    /// # Errors
    /// Where the model or the database cannot be used.
    pub(crate) fn open(embedding: &Path, threshold: f32, database: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            matcher: Matcher::open(embedding, threshold)?,
            store: Store::open(database)?,
            hasher: Hasher::new()?,
            tickets: Tickets::default(),
            logins: Logins::default(),
            addresses: Limiter::new(TRIES_OF_ADDRESS, WINDOW),
            names: Limiter::new(TRIES_OF_NAME, WINDOW),
        })
    }
}

/// What a name may be: how it is stored, with small letters and without spaces around it.
///
/// # Errors
/// A sentence where it may not.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let name = text.trim().to_lowercase();
    let length = name.chars().count();
    if !(1..=64).contains(&length) || name.chars().any(char::is_control) {
        return Err("A name has 1 to 64 letters.".into());
    }
    Ok(name)
}

/// Whether somebody may have this password.
///
/// # Errors
/// A sentence where not.
pub(crate) fn check_password(text: &str) -> Result<(), String> {
    match text.chars().count() {
        0..8 => Err("A password has 8 characters or more.".into()),
        8..=128 => Ok(()),
        _ => Err("A password has at most 128 characters.".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_however_they_are_typed() {
        assert_eq!(name("  Änna Müller ").unwrap(), "änna müller");
        for wrong in ["", "   ", "a\nb", &"x".repeat(65)] {
            assert!(name(wrong).is_err(), "{wrong:?}");
        }
        assert!(check_password("12345678").is_ok());
        assert!(check_password("1234567").is_err());
        assert!(check_password(&"x".repeat(129)).is_err());
    }
}
