// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers that nobody can guess, from the system.

use anyhow::Context;
use data_encoding::BASE64URL_NOPAD;

/// So many random bytes.
///
/// # Errors
/// Where the system has none.
pub(crate) fn bytes<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("the system gives no random numbers")?;
    Ok(bytes)
}

/// Bytes of a token.
const TOKEN: usize = 32;

/// A name that nobody can guess, of letters that may stand in a cookie.
///
/// # Errors
/// Where the system has no random numbers.
pub(crate) fn token() -> anyhow::Result<String> {
    Ok(BASE64URL_NOPAD.encode(&bytes::<TOKEN>()?))
}

/// Whether a text could be a token of ours.
pub(crate) fn is_token(text: &str) -> bool {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes());
    bytes.is_ok_and(|b| b.len() == TOKEN)
}

/// A number below `end`, all alike.
///
/// # Errors
/// Where the system has no random numbers.
pub(crate) fn below(end: usize) -> anyhow::Result<usize> {
    // Of 64 bits, what the division leaves over matters to nobody.
    let number = u64::from_le_bytes(bytes()?) % (end.max(1) as u64);
    Ok(number as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_are_recognised() {
        let (a, b) = (token().unwrap(), token().unwrap());
        assert_ne!(a, b);
        assert!(is_token(&a) && !is_token(&a[1..]) && !is_token("") && !is_token("ä"));
    }

    #[test]
    fn every_number_below_comes() {
        let mut seen = [false; 3];
        for _ in 0..200 {
            seen[below(3).unwrap()] = true;
        }
        assert_eq!(seen, [true; 3]);
        assert_eq!(below(0).unwrap(), 0);
    }
}
