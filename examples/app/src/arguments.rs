// SPDX-License-Identifier: MIT OR Apache-2.0
//! What options take in several programs.

/// A number from 0 to 1.
///
/// # Errors
/// Where it is none.
pub fn unit(text: &str) -> Result<f32, String> {
    let number = text.parse::<f32>().ok();
    let number = number.filter(|n| (0.0..=1.0).contains(n));
    number.ok_or("must be from 0 to 1".into())
}
