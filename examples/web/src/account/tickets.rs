// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tickets: who gave the right password gets one, shows a face with it, and is let in when the face was the right one. A ticket belongs to one
//! browser, is good for one try, and ends by itself.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use liveness::sync::lock;

use super::store::Account;
use crate::identity::Embedding;
use crate::random;

/// How long a ticket is good, with all that is done with it.
const LASTS: Duration = Duration::from_secs(180);

/// Tickets that are out at once.
const MOST: usize = 1000;

/// What a ticket is for.
#[derive(Clone, Debug)]
pub(crate) enum Errand {
    /// Make an account with this name and the hash of the password.
    Enrol { name: String, password: String },
    /// Log in.
    LogIn(Account),
}

#[derive(Debug)]
struct Ticket {
    /// The cookie of the browser.
    visitor: String,
    errand: Errand,
    state: State,
    until: Instant,
}

#[derive(Debug)]
enum State {
    /// No face was shown yet.
    New,
    /// One is being looked at.
    Shown,
    /// It was the right one: its vector.
    Granted(Embedding),
}

/// All tickets that are out.
#[derive(Debug, Default)]
pub(crate) struct Tickets {
    all: Mutex<HashMap<String, Ticket>>,
}

impl Tickets {
    /// A new one; none where too many are out.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub(crate) fn issue(
        &self,
        visitor: &str,
        errand: Errand,
        now: Instant,
    ) -> anyhow::Result<Option<String>> {
        let name = random::token()?;
        let mut all = lock(&self.all);
        all.retain(|_, ticket| ticket.until > now);
        if all.len() >= MOST {
            return Ok(None);
        }
        let ticket = Ticket {
            visitor: visitor.to_owned(),
            errand,
            state: State::New,
            until: now + LASTS,
        };
        all.insert(name.clone(), ticket);
        Ok(Some(name))
    }

    /// What is to be done, once: the same ticket is not taken a second time.
    pub(crate) fn show(&self, name: &str, visitor: &str, now: Instant) -> Option<Errand> {
        let mut all = lock(&self.all);
        let ticket = all
            .get_mut(name)
            .filter(|t| t.visitor == visitor && t.until > now)?;
        if !matches!(ticket.state, State::New) {
            return None;
        }
        ticket.state = State::Shown;
        Some(ticket.errand.clone())
    }

    /// The face was the right one.
    pub(crate) fn grant(&self, name: &str, face: Embedding) {
        if let Some(ticket) = lock(&self.all).get_mut(name)
            && matches!(ticket.state, State::Shown)
        {
            ticket.state = State::Granted(face);
        }
    }

    /// It was not, or nobody goes on with it.
    pub(crate) fn drop(&self, name: &str) {
        lock(&self.all).remove(name);
    }

    /// What was granted, once.
    pub(crate) fn redeem(
        &self,
        name: &str,
        visitor: &str,
        now: Instant,
    ) -> Option<(Errand, Embedding)> {
        let mut all = lock(&self.all);
        let ticket = all.get(name)?;
        let is_good = ticket.visitor == visitor && ticket.until > now;
        if !is_good || !matches!(ticket.state, State::Granted(_)) {
            return None;
        }
        match all.remove(name)? {
            Ticket {
                errand,
                state: State::Granted(face),
                ..
            } => Some((errand, face)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errand() -> Errand {
        Errand::Enrol {
            name: "anna".into(),
            password: String::new(),
        }
    }

    fn face() -> Embedding {
        Embedding::new(vec![1.0]).unwrap()
    }

    #[test]
    fn a_ticket_goes_its_way_once() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let name = tickets.issue("me", errand(), now).unwrap().unwrap();
        tickets.grant(&name, face());
        assert!(
            tickets.redeem(&name, "me", now).is_none(),
            "no face was shown"
        );
        assert!(tickets.show(&name, "me", now).is_some());
        assert!(tickets.show(&name, "me", now).is_none(), "twice");
        assert!(tickets.redeem(&name, "me", now).is_none(), "not granted");
        tickets.grant(&name, face());
        assert!(tickets.redeem(&name, "me", now).is_some());
        assert!(tickets.redeem(&name, "me", now).is_none(), "twice");
    }

    #[test]
    fn nobody_else_can_use_it_and_it_ends() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        let name = tickets.issue("me", errand(), now).unwrap().unwrap();
        assert!(tickets.show(&name, "you", now).is_none());
        assert!(tickets.show("other", "me", now).is_none());
        assert!(tickets.show(&name, "me", now + LASTS).is_none());
        assert!(tickets.show(&name, "me", now).is_some());
        tickets.grant(&name, face());
        assert!(tickets.redeem(&name, "you", now).is_none());
        assert!(tickets.redeem(&name, "me", now + LASTS).is_none());
        tickets.drop(&name);
        assert!(tickets.redeem(&name, "me", now).is_none());
    }

    #[test]
    fn only_so_many_are_out() {
        let (tickets, now) = (Tickets::default(), Instant::now());
        for _ in 0..MOST {
            assert!(tickets.issue("me", errand(), now).unwrap().is_some());
        }
        assert!(tickets.issue("me", errand(), now).unwrap().is_none());
        assert!(
            tickets
                .issue("me", errand(), now + LASTS)
                .unwrap()
                .is_some()
        );
    }
}
