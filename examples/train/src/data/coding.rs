// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a JPEG file says about itself before it is decoded: whether it is whole, and how strongly it was compressed.

/// What was read of a JPEG file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Jpeg {
    /// The picture's end was found. Decoders fill what is missing with grey and say nothing.
    pub(super) whole: bool,
    /// Quality 1..=100 that gives this table with the encoder of the Independent JPEG Group; none without a table of 8 bits.
    pub(super) quality: Option<u8>,
}

/// The luminance table of ITU-T T.81, annex K.1, which the Independent JPEG Group's quality scales. Its sum is all that is needed.
const STANDARD_SUM: f32 = 3688.0;

/// Walks through the segments of a file; none where it is no JPEG.
pub(super) fn inspect(bytes: &[u8]) -> Option<Jpeg> {
    const START: [u8; 3] = [0xff, 0xd8, 0xff];
    if !bytes.starts_with(&START) {
        return None;
    }
    let mut jpeg = Jpeg {
        whole: false,
        quality: None,
    };
    let mut at = 2;
    while let Some(&[0xff, marker]) = bytes.get(at..at + 2) {
        match marker {
            // Fill bytes before a marker.
            0xff => at += 1,
            0xd9 => {
                jpeg.whole = true;
                break;
            }
            // Scans follow, in which no marker but restarts and the next segments can stand.
            0xda => {
                jpeg.whole = bytes[at..].windows(2).any(|w| w == [0xff, 0xd9]);
                break;
            }
            0x01 | 0xd0..=0xd8 => at += 2,
            _ => {
                let Some(&[high, low]) = bytes.get(at + 2..at + 4) else {
                    break;
                };
                let length = usize::from(u16::from_be_bytes([high, low])).max(2);
                if marker == 0xdb && jpeg.quality.is_none() {
                    jpeg.quality = bytes.get(at + 4..at + 2 + length).and_then(quality);
                }
                at += 2 + length;
            }
        }
    }
    Some(jpeg)
}

/// The quality of the first table of a DQT segment, the one for luma.
fn quality(segment: &[u8]) -> Option<u8> {
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
    fn the_quality_comes_back_and_a_cut_file_is_noticed() {
        for quality in [30, 50, 75, 90, 95] {
            let bytes = file(quality);
            let jpeg = inspect(&bytes).unwrap();
            assert!(jpeg.whole);
            let told = jpeg.quality.unwrap();
            assert!(told.abs_diff(quality) <= 2, "{told} for {quality}");
            let cut = inspect(&bytes[..bytes.len() - 40]).unwrap();
            assert!(!cut.whole);
        }
        assert_eq!(inspect(b"hello"), None);
        assert_eq!(inspect(&[]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked_through(tail in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut bytes = vec![0xff, 0xd8, 0xff];
            bytes.extend(tail);
            prop_assert!(inspect(&bytes).is_some());
        }
    }
}
