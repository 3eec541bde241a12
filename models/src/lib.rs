// SPDX-License-Identifier: MIT OR Apache-2.0
//! The weights that ship, as bytes inside the program: nothing to install, nothing to lose. Their cards lie beside them in `models/`.

use std::sync::{Arc, OnceLock};

use liveness::model::{Card, ModelFile};

/// A model that ships.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// What it is called in messages and on the command line.
    pub name: &'static str,
    /// What it is for, in a few words.
    pub purpose: &'static str,
    bytes: &'static [u8],
    /// Made once: all users of a model share its bytes, and so one engine.
    shared: fn() -> &'static OnceLock<Arc<[u8]>>,
}

/// The face detector, with five landmarks: `models/facedetect/README.md`.
pub const FACE_DETECTOR: Shipped = Shipped {
    name: "facedetect",
    purpose: "finds faces and five points in each",
    bytes: include_bytes!("../facedetect/facedetect.onnx"),
    shared: || {
        static SHARED: OnceLock<Arc<[u8]>> = OnceLock::new();
        &SHARED
    },
};

/// The liveness model: `models/liveness/README.md`.
pub const LIVENESS: Shipped = Shipped {
    name: "liveness",
    purpose: "tells live faces from prints and screens",
    bytes: include_bytes!("../liveness/liveness.onnx"),
    shared: || {
        static SHARED: OnceLock<Arc<[u8]>> = OnceLock::new();
        &SHARED
    },
};

/// The liveness model in 8-bit integers: the same net, quantised; its accuracy stands beside the other's in `models/liveness/README.md`.
pub const LIVENESS_INT8: Shipped = Shipped {
    name: "liveness-int8",
    purpose: "tells live faces from prints and screens, in 8-bit integers",
    bytes: include_bytes!("../liveness/liveness-int8.onnx"),
    shared: || {
        static SHARED: OnceLock<Arc<[u8]>> = OnceLock::new();
        &SHARED
    },
};

/// All that ship.
pub const ALL: [Shipped; 3] = [FACE_DETECTOR, LIVENESS, LIVENESS_INT8];

impl Shipped {
    /// The model as the library opens it.
    pub fn file(&self) -> ModelFile {
        let shared = (self.shared)().get_or_init(|| self.bytes.into());
        ModelFile {
            name: format!("the shipped model {}", self.name),
            bytes: shared.clone(),
            sidecar: Card::default(),
            // Never read: what ships describes itself.
            sidecar_path: format!("{}.toml", self.name).into(),
        }
    }
}
