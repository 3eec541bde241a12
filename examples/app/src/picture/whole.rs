// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the end of a JPEG file is there: decoders fill what is missing with grey and say nothing.

/// Whether a JPEG file ends before its picture does. What is no JPEG is not.
pub(super) fn cut_off(bytes: &[u8]) -> bool {
    const START: [u8; 3] = [0xff, 0xd8, 0xff];
    if !bytes.starts_with(&START) {
        return false;
    }
    // From segment to segment (ITU-T T.81, annex B): a thumbnail within one has an end of its own.
    let mut at = 2;
    while let Some(&[0xff, marker]) = bytes.get(at..at + 2) {
        match marker {
            // Fill bytes before a marker.
            0xff => at += 1,
            0xd9 => return false,
            // Scans follow, in which no marker but restarts and the next segments can stand.
            0xda => {
                let rest = bytes.get(at..).unwrap_or_default();
                return !rest.windows(2).any(|w| w == [0xff, 0xd9]);
            }
            0x01 | 0xd0..=0xd8 => at += 2,
            _ => {
                let Some(&[high, low]) = bytes.get(at + 2..at + 4) else {
                    break;
                };
                at += 2 + usize::from(u16::from_be_bytes([high, low])).max(2);
            }
        }
    }
    true
}
