// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong, each with what to do about it. Knows nothing else of the crate.

use std::path::PathBuf;

/// Result with the crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. The text names the thing and the cure: it is shown to users as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// ONNX Runtime's shared library could not be loaded.
    #[error(
        "ONNX Runtime could not be loaded: {reason}. Install version 1.20 or newer (`make install` puts it beside the plugin), \
         or point ORT_DYLIB_PATH at the libonnxruntime.so to use"
    )]
    Runtime {
        /// Which paths were tried and what each answered.
        reason: String,
    },
    /// A model file could not be read.
    #[error("cannot read the model {}: {reason}", path.display())]
    ModelFile {
        /// The file.
        path: PathBuf,
        /// What the system said. Not called `source`: whoever prints the chain of causes would print it twice.
        reason: std::io::Error,
    },
    /// A file is not a model that ONNX Runtime can load.
    #[error("{model} is not a model that can be loaded: {reason}. An ONNX file is needed")]
    NotAModel {
        /// The model, as the user named it.
        model: String,
        /// What ONNX Runtime said.
        reason: String,
    },
    /// A model file that demands what no model of this field needs: it was not loaded.
    #[error("{model} is refused: {reason}")]
    RefusedModel {
        /// The model, as the user named it.
        model: String,
        /// What it demands, and what to do about it.
        reason: String,
    },
    /// A model whose inputs and outputs do not fit the task.
    #[error("{model} does not fit {task}: {reason}")]
    UnfitModel {
        /// The model, as the user named it.
        model: String,
        /// What was wanted of it.
        task: &'static str,
        /// What is unfit, with the shapes.
        reason: String,
    },
    /// A model that does not say how its input must be prepared.
    #[error(
        "{model} does not say how to use it: missing {}. Write them into the model's metadata_props (as `liveness.NAME`) \
         or into {sidecar} (as `NAME = value`)", missing.join(", ")
    )]
    MissingFacts {
        /// The model, as the user named it.
        model: String,
        /// Names of the facts that are missing, each with its legal values.
        missing: Vec<String>,
        /// Where to write them.
        sidecar: String,
    },
    /// A model card (metadata or sidecar file) that cannot be understood.
    #[error("{origin}: {reason}")]
    Card {
        /// Where it was read.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Inference failed.
    #[error("inference with {model} failed: {reason}")]
    Inference {
        /// The model, as the user named it.
        model: String,
        /// What ONNX Runtime said.
        reason: String,
    },
    /// A data set that cannot be read or written.
    #[error("{}: {reason}", path.display())]
    DataSet {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
        /// What the system said, where it was asked.
        kind: Option<std::io::ErrorKind>,
    },
    /// A frame whose layout contradicts its data.
    #[error("unfit frame: {0}")]
    Frame(String),
    /// An option outside its legal range.
    #[error("{0}")]
    Option(String),
}

impl Error {
    /// A data set that is not as it must be.
    pub fn data_set(path: &std::path::Path, reason: impl Into<String>) -> Self {
        let (path, reason) = (path.to_owned(), reason.into());
        Self::DataSet {
            path,
            reason,
            kind: None,
        }
    }

    /// What the system said about a file of a data set that was to be `what`, such as "read".
    pub fn data_set_io(path: &std::path::Path, what: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as E;
        let cure = match error.kind() {
            E::StorageFull | E::QuotaExceeded => ". Make room there, or choose another folder",
            E::PermissionDenied | E::ReadOnlyFilesystem => {
                ". Choose a folder that this user may write to"
            }
            E::NotFound => ". Was it removed or renamed?",
            E::NotADirectory | E::AlreadyExists => ". A folder is needed there",
            _ => "",
        };
        Self::DataSet {
            path: path.to_owned(),
            reason: format!("cannot be {what}: {error}{cure}"),
            kind: Some(error.kind()),
        }
    }
}
