// SPDX-License-Identifier: MIT OR Apache-2.0
//! Passwords, hashed with Argon2id as OWASP asks for it (19 MiB, two passes): the crate's default. A few at a time: each takes memory and a core.

use std::time::Duration;

use anyhow::Context;
use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use tokio::sync::Semaphore;

use crate::random;

/// Passwords that are hashed at once.
const AT_ONCE: usize = 2;

/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// Too many passwords at once.
#[derive(Debug)]
pub(crate) struct Busy;

/// Hashes and checks passwords.
#[derive(Debug)]
pub(crate) struct Hasher {
    places: Semaphore,
    /// The hash of a password that nobody has.
    nobody: String,
}

impl Hasher {
    /// # Errors
    /// Where the system has no random numbers.
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            places: Semaphore::new(AT_ONCE),
            nobody: hash(&random::token()?)?,
        })
    }

    /// The hash of a new password, with everything that it takes to check it.
    ///
    /// # Errors
    /// [`Busy`], and inside of it what the system says.
    pub(crate) async fn hash(&self, password: String) -> Result<anyhow::Result<String>, Busy> {
        self.run(move || hash(&password)).await
    }

    /// Whether a password is the one that was hashed. Where there is no such account, the answer takes as long.
    ///
    /// # Errors
    /// [`Busy`].
    pub(crate) async fn verify(
        &self,
        password: String,
        hashed: Option<String>,
    ) -> Result<bool, Busy> {
        let is_known = hashed.is_some();
        let hashed = hashed.unwrap_or_else(|| self.nobody.clone());
        let fits = self.run(move || verify(&password, &hashed)).await?;
        Ok(is_known && fits)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let place = tokio::time::timeout(PATIENCE, self.places.acquire()).await;
        let _place = place.map_err(|_| Busy)?.map_err(|_| Busy)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| Busy)
    }
}

fn hash(password: &str) -> anyhow::Result<String> {
    let salt: [u8; 16] = random::bytes()?;
    let salt = SaltString::encode_b64(&salt)
        .ok()
        .context("a salt that is none")?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
    Ok(hash
        .ok()
        .context("a password that cannot be hashed")?
        .to_string())
}

fn verify(password: &str, hashed: &str) -> bool {
    let hashed = PasswordHash::new(hashed);
    hashed.is_ok_and(|h| {
        Argon2::default()
            .verify_password(password.as_bytes(), &h)
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_itself_fits_and_no_hash_is_like_another() {
        let hasher = Hasher::new().unwrap();
        let hash = |text: &str| hasher.hash(text.to_owned());
        let (a, b) = (hash("correct horse").await, hash("correct horse").await);
        let (a, b) = (a.unwrap().unwrap(), b.unwrap().unwrap());
        assert!(a.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{a}");
        assert_ne!(a, b, "each has a salt of its own");
        let verify = |text: &str, hashed: Option<&str>| {
            hasher.verify(text.to_owned(), hashed.map(str::to_owned))
        };
        assert!(verify("correct horse", Some(&a)).await.unwrap());
        assert!(!verify("Correct horse", Some(&a)).await.unwrap());
        assert!(!verify("correct horse", Some("nonsense")).await.unwrap());
        assert!(!verify("correct horse", None).await.unwrap());
    }
}
