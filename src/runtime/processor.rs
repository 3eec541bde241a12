// SPDX-License-Identifier: MIT OR Apache-2.0
//! What this machine's processor can do.

/// Whether it sums products of 8-bit integers in one instruction (VNNI, or Arm's dot product). Models in such integers are faster than in floats
/// only where it does.
pub fn has_integer_products() -> bool {
    #[cfg(target_arch = "x86_64")]
    let has = is_x86_feature_detected!("avx512vnni") || is_x86_feature_detected!("avxvnni");
    #[cfg(target_arch = "aarch64")]
    let has = std::arch::is_aarch64_feature_detected!("dotprod");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let has = false;
    has
}
