// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a stream goes on where it was, for elements that remember what they saw.

/// Whether `now` goes on where the segment `before` was, as when only its end or its duration has become known.
pub fn continues(before: &gst::Segment, now: &gst::Segment) -> bool {
    let place = |s: &gst::Segment| (s.base(), s.start(), s.time(), s.offset());
    place(before) == place(now)
        && (before.rate(), before.applied_rate()) == (now.rate(), now.applied_rate())
}
