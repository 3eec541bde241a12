// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pictures that lie on their sides and say so: everything that is told of them is told of the upright picture.

use super::*;

/// The pixels of an upright picture as they are stored with this EXIF orientation. By the words of the standard (CIPA DC-008, 4.6.4): where
/// the stored picture's first row and first column lie in the upright one.
fn stored(upright: &RgbImage, orientation: u8) -> RgbImage {
    let (w, h) = upright.dimensions();
    let size = if orientation < 5 { (w, h) } else { (h, w) };
    RgbImage::from_fn(size.0, size.1, |x, y| {
        let (x, y) = match orientation {
            1 => (x, y),                 // top, left
            2 => (w - 1 - x, y),         // top, right
            3 => (w - 1 - x, h - 1 - y), // bottom, right
            4 => (x, h - 1 - y),         // bottom, left
            5 => (y, x),                 // left, top
            6 => (w - 1 - y, x),         // right, top
            7 => (w - 1 - y, h - 1 - x), // right, bottom
            8 => (y, h - 1 - x),         // left, bottom
            other => panic!("there is no orientation {other}"),
        };
        upright[(x, y)]
    })
}

/// A TIFF header with one entry, the orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0]);
    tiff
}

/// A JPEG file of a picture that is stored so.
fn jpeg(upright: &RgbImage, orientation: u8) -> Vec<u8> {
    let mut out = Vec::new();
    let coder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, 98);
    stored(upright, orientation)
        .write_with_encoder(coder)
        .unwrap();
    let segment = [b"Exif\0\0".to_vec(), exif(orientation)].concat();
    let head = [0xff, 0xe1, 0, segment.len() as u8 + 2];
    [&out[..2], &head, &segment, &out[2..]].concat()
}

/// A PNG file of a picture that is stored so.
fn png(upright: &RgbImage, orientation: u8) -> Vec<u8> {
    let mut out = Vec::new();
    let mut coder = image::codecs::png::PngEncoder::new(&mut out);
    image::ImageEncoder::set_exif_metadata(&mut coder, exif(orientation)).unwrap();
    stored(upright, orientation)
        .write_with_encoder(coder)
        .unwrap();
    out
}

/// How far two pictures differ in the mean, in levels.
fn difference(a: &RgbImage, b: &RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let both = a.as_raw().iter().zip(b.as_raw());
    let sum: u64 = both.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.as_raw().len() as f64
}

/// All eight, in both codings: their lines, and their copies.
fn all_eight(
    ground: &Ground,
    upright: &RgbImage,
    tool: impl Fn() -> Tool,
) -> Vec<(Value, RgbImage)> {
    let mut all = Vec::new();
    for orientation in 1..=8 {
        ground.write(
            format!("set/{orientation}.jpg"),
            &jpeg(upright, orientation),
        );
        ground.write(format!("set/{orientation}.png"), &png(upright, orientation));
    }
    let tool = tool()
        .arg("--json")
        .arg("--annotate")
        .arg(ground.path("out"));
    let ended = tool.arg(ground.path("set")).run().cleanly(&[0]);
    for line in lines(&ended) {
        let copy = image::open(line["annotated"].as_str().unwrap()).unwrap();
        all.push((line, copy.into_rgb8()));
    }
    assert_eq!(all.len(), 16);
    all
}

#[test]
fn a_face_is_where_it_is_in_the_upright_picture() {
    let Some(ground) = Ground::new() else { return };
    // Dark, but for the place of the detector's second face: turned in any other way, there is none of it there.
    let (width, height) = (240, 200);
    let bright = |x, y| (12..36).contains(&x) && (12..48).contains(&y);
    let upright = RgbImage::from_fn(width, height, |x, y| {
        Rgb([if bright(x, y) { 230 } else { 30 }; 3])
    });
    for (line, copy) in all_eight(&ground, &upright, with_boxes) {
        assert_eq!(
            (&line["width"], &line["height"]),
            (&json!(240), &json!(200)),
            "{line}"
        );
        assert_eq!(labels(&line), ["spoof", "live"], "{line}");
        let [_, [x, y, w, h]] = boxes(&line)[..] else {
            panic!("{line}");
        };
        let wanted = [12.0, 12.0, 24.0, 36.0];
        let near = |(a, b): (f64, f64)| (a - b).abs() < 1.0;
        assert!([x, y, w, h].into_iter().zip(wanted).all(near), "{line}");
        // Drawn where it is, and saying nothing of being turned any more.
        assert_eq!(copy.dimensions(), (width, height));
        let middle = copy[(24, 30)].0;
        assert!(middle.iter().all(|v| v.abs_diff(230) < 12), "{middle:?}");
        let edge = (9..16).map(|x| copy[(x, 30)].0);
        assert!(
            edge.into_iter().any(|p| p[1] > p[0].saturating_add(60)),
            "{line}"
        );
    }
}

#[test]
fn the_astronaut_is_found_however_she_lies() {
    let (Some(ground), Some(astronaut)) = (Ground::new(), astronaut()) else {
        return;
    };
    // Not square, so that sides cannot be mixed up.
    let upright = image::imageops::crop_imm(&astronaut, 60, 0, 400, 480).to_image();
    let all = all_eight(&ground, &upright, program);
    let plain = ground.write("plain.png", &coded(&upright, ImageFormat::Png));
    let wanted = line(&program().arg("--json").arg(plain).run().cleanly(&[0]));
    let [face] = boxes(&wanted)[..] else {
        panic!("{wanted}");
    };
    let (_, first) = &all[0];
    for (line, copy) in &all {
        let [found] = boxes(line)[..] else {
            panic!("{line}");
        };
        let near = |(a, b): (f64, f64)| (a - b).abs() < 3.0;
        assert!(
            found.into_iter().zip(face).all(near),
            "{line} is not {face:?}"
        );
        assert_eq!(labels(line), labels(&wanted), "{line}");
        let points = |l: &Value| -> [[f64; 2]; 5] {
            serde_json::from_value(l["faces"][0]["landmarks"].clone()).unwrap()
        };
        let both = points(line)
            .concat()
            .into_iter()
            .zip(points(&wanted).concat());
        assert!(both.into_iter().all(near), "{line}");
        let off = difference(copy, first);
        assert!(off < 5.0, "{line}: {off} levels");
    }
}
