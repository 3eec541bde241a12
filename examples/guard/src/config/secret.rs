// SPDX-License-Identifier: MIT OR Apache-2.0
//! Passwords and tokens: in a variable or in a file of their own, never in the configuration.

use std::path::PathBuf;

use anyhow::{Context, bail};
use liveness_app::files;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny};

/// Where a secret is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Secret {
    pub(crate) variable: Option<String>,
    pub(crate) file: Option<PathBuf>,
}

impl Secret {
    pub(crate) fn is_named(&self) -> bool {
        self.variable.is_some() || self.file.is_some()
    }

    /// The secret; none where none is named.
    ///
    /// # Errors
    /// Where it is not where it should be.
    pub(crate) fn read(&self) -> anyhow::Result<Option<String>> {
        let found = match (&self.variable, &self.file) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => bail!("a secret is either in a variable or in a file"),
            (Some(name), None) => std::env::var(name)
                .ok()
                .with_context(|| format!("the variable {name} is not set"))?,
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path).map_err(|e| {
                    anyhow::anyhow!(
                        "cannot read the secret in {}: {}",
                        path.display(),
                        files::reason(&e)
                    )
                })?;
                text.lines().next().unwrap_or_default().to_owned()
            }
        };
        if found.is_empty() {
            bail!("the secret in {} is empty", self.place());
        }
        Ok(Some(found))
    }

    fn place(&self) -> String {
        match (&self.variable, &self.file) {
            (Some(name), _) => format!("the variable {name}"),
            (_, Some(path)) => path.display().to_string(),
            (None, None) => "no place".into(),
        }
    }
}

/// A field that must not be there. Its value is not looked at.
#[derive(Clone, Debug)]
pub(super) struct Never;

impl<'de> Deserialize<'de> for Never {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(from)?;
        Err(D::Error::custom(
            "no secret may stand in this file: name the variable that holds it (`password-env`, `token-env`) or a file with nothing else in it (`password-file`, `token-file`)",
        ))
    }
}
