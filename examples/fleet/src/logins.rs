// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who looks at which camera: a file in the form of `.netrc`, which holds what has no place in the queue. Pure parsing.

use std::fmt;
use std::path::Path;

use anyhow::{Context, bail};
use liveness_app::files;
use liveness_app::live::{Address, Login, PASSWORD};

/// One `machine` of the file; the name of `default` is none.
struct Machine {
    host: Option<String>,
    user: Option<String>,
    password: Option<String>,
}

/// The file's machines.
#[derive(Default)]
pub(crate) struct Logins(Vec<Machine>);

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logins({})", self.0.len())
    }
}

impl Logins {
    /// Reads a file.
    ///
    /// # Errors
    /// Where it cannot be read, or is none of this form. No password is in what is said.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|e| anyhow::anyhow!(files::reason(&e)));
        text.and_then(|text| Self::parse(&text))
            .with_context(|| format!("--logins {}", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut words = text
            .lines()
            .filter(|l| !l.trim_start().starts_with('#'))
            .flat_map(str::split_whitespace);
        let mut machines: Vec<Machine> = Vec::new();
        while let Some(word) = words.next() {
            let mut value = || {
                let value = words.next().map(str::to_owned);
                value.with_context(|| format!("nothing follows the last `{word}`"))
            };
            let host = match word {
                "machine" => Some(Some(value()?)),
                "default" => Some(None),
                _ => None,
            };
            if let Some(host) = host {
                machines.push(Machine {
                    host,
                    user: None,
                    password: None,
                });
                continue;
            }
            let machine = machines.last_mut();
            let machine = machine.context("it does not start with `machine HOST`")?;
            match word {
                "login" => machine.user = Some(value()?),
                "password" => machine.password = Some(value()?),
                // Not repeated: it may be a part of a password.
                _ => bail!(
                    "a word that is none of `machine`, `default`, `login` and `password` (a password has no blanks)"
                ),
            }
        }
        Ok(Self(machines))
    }

    /// Puts user and password to an address that has none.
    pub(crate) fn apply(&self, address: &mut Address) {
        let host = address.host().0.to_owned();
        let machine = self.0.iter().find(|m| {
            let fits = m.host.as_ref().is_none_or(|h| *h == host);
            let asked = address.user.as_ref();
            fits && asked.is_none_or(|user| m.user.as_ref() == Some(user))
        });
        let from_file = machine.and_then(|m| {
            let (user, password) = (m.user.clone()?, m.password.clone()?);
            Some(Login { user, password })
        });
        let from_variable = || {
            let user = address.user.clone()?;
            let password = std::env::var(PASSWORD).ok()?;
            Some(Login { user, password })
        };
        address.login = from_file.or_else(from_variable);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_camera_gets_its_own() {
        let text = "# cameras\nmachine door login joe password a\nmachine yard\n  login ann\n  password b\ndefault login x password c\n";
        let logins = Logins::parse(text).unwrap();
        let login = |url: &str| {
            let mut address = Address::parse(url).unwrap();
            logins.apply(&mut address);
            address.login.map(|l| (l.user, l.password))
        };
        let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(login("rtsp://door/1"), pair("joe", "a"));
        assert_eq!(login("rtsp://ann@yard/1"), pair("ann", "b"));
        assert_eq!(login("rtsp://cellar/1"), pair("x", "c"));
        assert_eq!(login("rtsp://eve@door/1"), None, "nobody knows her");
        assert!(!format!("{logins:?}").contains("joe"));
    }

    #[test]
    fn what_is_no_such_file_is_refused_without_its_passwords() {
        for wrong in [
            "login joe",
            "machine",
            "machine a password",
            "machine a password s3 cret",
        ] {
            let error = Logins::parse(wrong).unwrap_err().to_string();
            assert!(!error.contains("cret"), "{error}");
        }
        assert!(Logins::read(Path::new("/no/file")).is_err());
    }
}
