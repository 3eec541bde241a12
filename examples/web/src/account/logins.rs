// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is logged in: cookies and the accounts behind them, for as long as the server runs.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use liveness::sync::lock;

/// How long somebody stays logged in.
const LASTS: Duration = Duration::from_secs(12 * 3600);

/// Who can be logged in at once.
const MOST: usize = 10_000;

/// The cookies of those who are logged in.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    by_cookie: Mutex<HashMap<String, Login>>,
}

#[derive(Debug)]
struct Login {
    account: i64,
    until: Instant,
}

impl Logins {
    /// Logs an account in. False where there are too many.
    pub(crate) fn add(&self, cookie: String, account: i64, now: Instant) -> bool {
        let mut all = lock(&self.by_cookie);
        if all.len() >= MOST {
            all.retain(|_, login| login.until > now);
        }
        let has_room = all.len() < MOST;
        if has_room {
            let until = now + LASTS;
            all.insert(cookie, Login { account, until });
        }
        has_room
    }

    /// Who has this cookie.
    pub(crate) fn account(&self, cookie: &str, now: Instant) -> Option<i64> {
        let all = lock(&self.by_cookie);
        let login = all.get(cookie).filter(|login| login.until > now);
        login.map(|login| login.account)
    }

    /// Logs one out.
    pub(crate) fn remove(&self, cookie: &str) {
        lock(&self.by_cookie).remove(cookie);
    }

    /// Logs an account out wherever it is logged in.
    pub(crate) fn remove_account(&self, account: i64) {
        lock(&self.by_cookie).retain(|_, login| login.account != account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_ends_by_itself_and_with_its_account() {
        let (logins, now) = (Logins::default(), Instant::now());
        for (cookie, account) in [("a", 1), ("b", 1), ("c", 2), ("d", 3)] {
            assert!(logins.add(cookie.into(), account, now));
        }
        assert_eq!(logins.account("a", now), Some(1));
        assert_eq!(logins.account("x", now), None);
        logins.remove_account(1);
        assert_eq!(
            (logins.account("a", now), logins.account("b", now)),
            (None, None)
        );
        logins.remove("c");
        assert_eq!(logins.account("c", now), None);
        assert_eq!(logins.account("d", now + LASTS / 2), Some(3));
        assert_eq!(logins.account("d", now + LASTS), None);
    }
}
