// SPDX-License-Identifier: MIT OR Apache-2.0
//! How often something may be tried: so many times in any stretch of time, for each address or name. Knows time alone.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use liveness::sync::lock;

/// Names and addresses that are remembered at once. Beyond that nobody new may try: better than to forget who tried too often.
const MOST: usize = 20_000;

/// Counts tries.
#[derive(Debug)]
pub(crate) struct Limiter {
    most: usize,
    window: Duration,
    tries: Mutex<HashMap<String, VecDeque<Instant>>>,
}

impl Limiter {
    /// So many in any stretch of this length.
    pub(crate) fn new(most: u32, window: Duration) -> Self {
        Self {
            most: most as usize,
            window,
            tries: Mutex::default(),
        }
    }

    /// Counts a try.
    ///
    /// # Errors
    /// Where there were too many: how long to wait. Such a try is not counted.
    pub(crate) fn take(&self, who: &str, now: Instant) -> Result<(), Duration> {
        let mut tries = lock(&self.tries);
        let is_old = |then: &Instant| now.saturating_duration_since(*then) >= self.window;
        if tries.len() >= MOST && !tries.contains_key(who) {
            tries.retain(|_, times| times.back().is_some_and(|t| !is_old(t)));
            if tries.len() >= MOST {
                return Err(self.window);
            }
        }
        let times = tries.entry(who.to_owned()).or_default();
        while times.front().is_some_and(is_old) {
            times.pop_front();
        }
        match times.front() {
            Some(first) if times.len() >= self.most => Err(self
                .window
                .saturating_sub(now.saturating_duration_since(*first))),
            _ => {
                times.push_back(now);
                Ok(())
            }
        }
    }
}

/// Who an address belongs to: of IPv6, the network, since everybody has as many addresses in it as there are grains of sand.
pub(crate) fn owner(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_tries_must_wait_for_the_first_to_be_old() {
        let limiter = Limiter::new(3, Duration::from_secs(60));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        for seconds in [0, 10, 20] {
            assert_eq!(limiter.take("a", at(seconds)), Ok(()));
        }
        assert_eq!(limiter.take("a", at(25)), Err(Duration::from_secs(35)));
        assert_eq!(
            limiter.take("b", at(25)),
            Ok(()),
            "others are not concerned"
        );
        assert_eq!(limiter.take("a", at(60)), Ok(()));
        assert_eq!(limiter.take("a", at(61)), Err(Duration::from_secs(9)));
    }

    #[test]
    fn memory_is_bounded_and_the_old_are_forgotten() {
        let limiter = Limiter::new(1, Duration::from_secs(60));
        let start = Instant::now();
        for who in 0..MOST {
            assert_eq!(limiter.take(&who.to_string(), start), Ok(()));
        }
        assert!(limiter.take("new", start).is_err());
        let later = start + Duration::from_secs(61);
        assert_eq!(limiter.take("new", later), Ok(()));
        assert_eq!(lock(&limiter.tries).len(), 1);
    }

    #[test]
    fn a_network_of_ipv6_is_one() {
        let owner = |text: &str| owner(text.parse().unwrap());
        assert_eq!(owner("2001:db8::1"), owner("2001:db8::ffff:2"));
        assert_ne!(owner("2001:db8::1"), owner("2001:db8:0:1::1"));
        assert_ne!(owner("10.0.0.1"), owner("10.0.0.2"));
        assert_eq!(owner("::ffff:10.0.0.1"), owner("10.0.0.1"));
    }
}
