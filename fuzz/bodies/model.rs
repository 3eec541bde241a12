// SPDX-License-Identifier: MIT OR Apache-2.0
//! An ONNX file, as far as it is read before ONNX Runtime gets it.

pub(crate) fn run(data: &[u8]) {
    // Whether it is refused does not matter here: it has to come back, without running over and without filling the memory.
    if let Err(fault) = liveness::onnx::check(data) {
        assert!(!fault.to_string().is_empty());
    }
}
