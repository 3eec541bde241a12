// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who a browser is: a cookie that nobody can guess, and the word that goes with it, which other sites cannot know and so cannot send. Nothing is
//! remembered of a visitor: the word is a keyed digest of the cookie (HMAC-SHA-256), with a key that lives as long as the server.

use anyhow::Context;
use axum::http::{HeaderMap, header};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::random;

/// Name of the cookie.
const COOKIE: &str = "liveness";

/// Makes and checks words.
#[derive(Debug)]
pub(crate) struct Visitors {
    mac: Hmac<Sha256>,
}

impl Visitors {
    /// With a new key.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let key: [u8; 32] = random::bytes()?;
        let mac = Hmac::new_from_slice(&key)
            .ok()
            .context("a key that is none")?;
        Ok(Self { mac })
    }

    /// The word that goes with a cookie.
    pub(crate) fn word(&self, cookie: &str) -> String {
        let mac = self.mac.clone().chain_update(cookie);
        BASE64URL_NOPAD.encode(&mac.finalize().into_bytes())
    }

    /// Whether this is the word that goes with a cookie. Takes as long for each that is not.
    pub(crate) fn is_word(&self, cookie: &str, word: &[u8]) -> bool {
        let mac = self.mac.clone().chain_update(cookie);
        let word = BASE64URL_NOPAD.decode(word);
        word.is_ok_and(|w| mac.verify_slice(&w).is_ok())
    }
}

/// The visitor's cookie, where it is one of ours.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let mut pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|p| p.split_once('='));
    let ours = pairs.find(|(name, value)| name.trim() == COOKIE && random::is_token(value.trim()));
    ours.map(|(_, value)| value.trim().to_owned())
}

/// The line that gives a browser its cookie: no script can read it, no other site sends it along, and it goes over no wire unencrypted (browsers
/// take this machine itself for a safe wire).
pub(crate) fn set_cookie(value: &str) -> String {
    format!("{COOKIE}={value}; Path=/; HttpOnly; Secure; SameSite=Strict")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_goes_with_one_cookie_of_one_server() {
        let (visitors, others) = (Visitors::new().unwrap(), Visitors::new().unwrap());
        let word = visitors.word("a");
        assert!(visitors.is_word("a", word.as_bytes()));
        assert!(!visitors.is_word("b", word.as_bytes()));
        assert!(!others.is_word("a", word.as_bytes()));
        assert!(!visitors.is_word("a", b"") && !visitors.is_word("a", b"\xff"));
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let token = random::token().unwrap();
        let headers = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, line.parse().unwrap());
            }
            headers
        };
        let ours = format!("{COOKIE}={token}");
        assert_eq!(cookie(&headers(&[&ours])), Some(token.clone()));
        assert_eq!(
            cookie(&headers(&["a=b", &format!("c=d; {ours}; e=f")])),
            Some(token.clone())
        );
        for wrong in ["liveness=x", "", "liveness", &format!("other={token}")] {
            assert_eq!(cookie(&headers(&[wrong])), None, "{wrong}");
        }
        let set = set_cookie(&token);
        for flag in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
            assert!(set.contains(flag), "{set}");
        }
    }
}
