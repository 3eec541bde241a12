// SPDX-License-Identifier: MIT OR Apache-2.0
//! The models that a user named, or those that ship.

use std::path::Path;

use liveness::error::Result;
use liveness::model::ModelFile;
use liveness_models::{FACE_DETECTOR, LIVENESS};

/// The face detector in this file, or the one that ships.
///
/// # Errors
/// Those of [`ModelFile::read`].
pub fn detector(named: Option<&Path>) -> Result<ModelFile> {
    named.map_or_else(
        || Ok(FACE_DETECTOR.file()),
        |path| ModelFile::read(path, None),
    )
}

/// The liveness models in this list, see [`ModelFile::paths`], or the one that ships.
///
/// # Errors
/// Those of [`ModelFile::read`].
pub fn liveness(named: Option<&Path>) -> Result<Vec<ModelFile>> {
    let Some(list) = named else {
        return Ok(vec![LIVENESS.file()]);
    };
    let paths = ModelFile::paths(list);
    paths.iter().map(|p| ModelFile::read(p, None)).collect()
}
