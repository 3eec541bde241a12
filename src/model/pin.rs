// SPDX-License-Identifier: MIT OR Apache-2.0
//! Models that a user has pinned: the SHA-256 of each file, and no other file is looked into.

use std::path::{Path, PathBuf};

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use sha2::{Digest, Sha256};

use super::ModelFile;
use crate::error::{Error, Result};

/// What the files must be, in their order; empty: anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins(Vec<[u8; 32]>);

impl Pins {
    /// Reads sums separated by commas, each 64 hexadecimal digits, as `sha256sum` prints them.
    ///
    /// # Errors
    /// [`Error::Option`] for anything else: a pin that is misspelt must not be none.
    pub fn parse(text: &str) -> Result<Self> {
        let sums = text.split(',').map(|sum| {
            let sum = sum.trim();
            let bytes = HEXLOWER_PERMISSIVE.decode(sum.as_bytes());
            bytes.ok().and_then(|b| b.try_into().ok()).ok_or_else(|| {
                Error::Option(format!(
                    "`{sum}` is no SHA-256: 64 hexadecimal digits are needed, as `sha256sum FILE` prints them, separated by commas \
                     where several models are named"
                ))
            })
        });
        sums.collect::<Result<_>>().map(Self)
    }

    /// Reads the models in `paths`. Of pinned ones no sidecar file is taken but the one that `info` names: whoever could replace the one beside
    /// a model could turn its meaning round.
    ///
    /// # Errors
    /// Those of [`ModelFile::read`] and [`Pins::admit`].
    pub fn read(&self, paths: &[PathBuf], info: Option<&Path>) -> Result<Vec<ModelFile>> {
        let read = |path: &PathBuf| match self.0.is_empty() {
            true => ModelFile::read(path, info),
            false => ModelFile::read_alone(path, info),
        };
        let files = paths.iter().map(read).collect::<Result<Vec<_>>>()?;
        self.admit(&files)?;
        Ok(files)
    }

    /// Whether these are the files that were pinned.
    ///
    /// # Errors
    /// [`Error::RefusedModel`] with both sums where one is another, [`Error::Option`] where there are fewer or more.
    pub fn admit(&self, files: &[ModelFile]) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        if self.0.len() != files.len() {
            return Err(Error::Option(format!(
                "{} models are pinned by their SHA-256, and {} are used: give one for each, in their order",
                self.0.len(),
                files.len()
            )));
        }
        for (wanted, file) in self.0.iter().zip(files) {
            let sum: [u8; 32] = Sha256::digest(&file.bytes).into();
            if sum != *wanted {
                return Err(Error::RefusedModel {
                    model: file.name.clone(),
                    reason: format!(
                        "its SHA-256 is {}, and {} is pinned: it is another file, or was changed",
                        HEXLOWER.encode(&sum),
                        HEXLOWER.encode(wanted)
                    ),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_sums_are_pins() {
        let sum = "0123456789abcdef".repeat(4);
        assert_eq!(Pins::parse(&sum).unwrap().0.len(), 1);
        let two = format!(" {sum} , {} ", sum.to_uppercase());
        let pins = Pins::parse(&two).unwrap();
        assert_eq!(pins.0[0], pins.0[1]);
        let short = &sum[1..];
        let long = format!("{sum}0");
        let odd = format!("{short}g");
        for wrong in ["", ",", short, &long, &odd, &format!("{sum},"), "é"] {
            let error = Pins::parse(wrong).unwrap_err().to_string();
            assert!(error.contains("64 hexadecimal digits"), "{error}");
        }
    }

    #[test]
    fn another_file_is_refused_and_what_lies_beside_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.onnx");
        std::fs::write(&path, "a model").unwrap();
        let sum = HEXLOWER.encode(&Sha256::digest("a model"));
        let pins = Pins::parse(&sum).unwrap();
        let paths = [path.clone()];
        // Would be an error, where it were read.
        std::fs::write(dir.path().join("m.toml"), "classes = [").unwrap();
        assert!(ModelFile::read(&path, None).is_err());
        assert!(pins.read(&paths, None).is_ok());
        assert!(pins.read(&paths, Some(&dir.path().join("m.toml"))).is_err());
        assert!(pins.read(&[], None).is_err(), "fewer than are pinned");
        std::fs::write(&path, "a modem").unwrap();
        let text = pins.read(&paths, None).unwrap_err().to_string();
        assert!(text.contains("m.onnx") && text.contains(&sum), "{text}");
        assert!(Pins::default().admit(&[]).is_ok());
    }
}
