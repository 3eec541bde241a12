// SPDX-License-Identifier: MIT OR Apache-2.0
//! How strongly a JPEG file was compressed, as its tables say.

/// The luminance table of ITU-T T.81, annex K.1, which the Independent JPEG Group's quality scales. Its sum is all that is needed.
const STANDARD_SUM: f32 = 3688.0;

/// Quality 1..=100 that gives a file's first table with the encoder of the Independent JPEG Group; none where it is no JPEG, or has no table
/// of 8 bits before its first scan.
pub(super) fn quality(bytes: &[u8]) -> Option<u8> {
    const START: [u8; 3] = [0xff, 0xd8, 0xff];
    if !bytes.starts_with(&START) {
        return None;
    }
    let mut at = 2;
    while let Some(&[0xff, marker]) = bytes.get(at..at + 2) {
        match marker {
            // Fill bytes before a marker.
            0xff => at += 1,
            // The picture's end, or its first scan.
            0xd9 | 0xda => return None,
            0x01 | 0xd0..=0xd8 => at += 2,
            _ => {
                let &[high, low] = bytes.get(at + 2..at + 4)? else {
                    return None;
                };
                let length = usize::from(u16::from_be_bytes([high, low])).max(2);
                if marker == 0xdb {
                    return bytes.get(at + 4..at + 2 + length).and_then(of_table);
                }
                at += 2 + length;
            }
        }
    }
    None
}

/// The quality of the first table of a DQT segment, the one for luma.
fn of_table(segment: &[u8]) -> Option<u8> {
    let (&head, table) = segment.split_first()?;
    let table = table.get(..64)?;
    if head != 0 {
        return None;
    }
    let sum: f32 = table.iter().map(|&v| f32::from(v)).sum();
    // `jpeg_quality_scaling` of libjpeg, the other way round: percent = 5000 / q below 50, 200 - 2 q above.
    let percent = 100.0 * sum / STANDARD_SUM;
    let quality = if percent > 100.0 {
        5000.0 / percent
    } else {
        (200.0 - percent) / 2.0
    };
    Some(quality.round().clamp(1.0, 100.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(quality: u8) -> Vec<u8> {
        let pixels: Vec<u8> = (0..40 * 30 * 3).map(|i| (i * 7 % 251) as u8).collect();
        let mut bytes = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, quality);
        // The tables of the Independent JPEG Group; the crate's default are others.
        let table = jpeg_encoder::QuantizationTableType::Default;
        encoder.set_quantization_tables(table.clone(), table);
        encoder
            .encode(&pixels, 40, 30, jpeg_encoder::ColorType::Rgb)
            .unwrap();
        bytes
    }

    #[test]
    fn the_quality_comes_back() {
        for wanted in [30, 50, 75, 90, 95] {
            let told = quality(&file(wanted)).unwrap();
            assert!(told.abs_diff(wanted) <= 2, "{told} for {wanted}");
        }
        assert_eq!(quality(b"hello"), None);
        assert_eq!(quality(&[]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked_through(tail in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut bytes = vec![0xff, 0xd8, 0xff];
            bytes.extend(tail);
            let quality = quality(&bytes);
            prop_assert!(quality.is_none_or(|q| (1..=100).contains(&q)));
        }
    }
}
