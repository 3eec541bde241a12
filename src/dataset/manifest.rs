// SPDX-License-Identifier: MIT OR Apache-2.0
//! `manifest.jsonl`: one [`Record`] a line, in the order in which the pictures were saved.

use std::path::Path;

use super::record::{Record, VERSION};
use crate::error::{Error, Result};

/// Name of the manifest in the data set's folder.
pub const NAME: &str = "manifest.jsonl";

/// The records of the data set in `folder`. A last line that was cut off, because its writer was killed, is left out.
///
/// # Errors
/// [`Error::DataSet`] where there is no manifest, it cannot be read, or a line is not a record of a known version.
pub fn read(folder: &Path) -> Result<Vec<Record>> {
    let path = folder.join(NAME);
    let bytes = std::fs::read(&path).map_err(|e| Error::data_set_io(&path, "read", &e))?;
    let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
    bytes[..whole]
        .split(|&b| b == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
        .map(|(i, line)| {
            parse(line).map_err(|e| Error::data_set(&path, format!("line {}: {e}", i + 1)))
        })
        .collect()
}

/// One line.
fn parse(line: &[u8]) -> std::result::Result<Record, String> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: u32,
    }
    let Versioned { version } = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    if version > VERSION {
        return Err(format!(
            "version {version} is newer than {VERSION}, the last one known here: update this software"
        ));
    }
    serde_json::from_slice(line).map_err(|e| e.to_string())
}
