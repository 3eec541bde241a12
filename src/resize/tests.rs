// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fast path against a plain one that is written the way the definition reads.

use super::color::yuv_to_rgb;
use super::*;
use crate::image::{ChromaSite, ColorModel, Plane, Range, View};
use proptest::prelude::*;

/// Any layout that GStreamer's formats have: planar, semi-planar, packed, 8 to 16 bits, odd sizes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Gray8,
    Gray16Be,
    Rgb,
    Bgrx,
    Gbr,
    I420,
    Nv12,
    Y444,
    Yuy2,
    Yuv9,
    P010,
    I42210Be,
}

const KINDS: [Kind; 12] = [
    Kind::Gray8,
    Kind::Gray16Be,
    Kind::Rgb,
    Kind::Bgrx,
    Kind::Gbr,
    Kind::I420,
    Kind::Nv12,
    Kind::Y444,
    Kind::Yuy2,
    Kind::Yuv9,
    Kind::P010,
    Kind::I42210Be,
];

/// Plane, offset, step, subsampling in x and y.
type Part = (usize, usize, usize, u32, u32);

fn layout(kind: Kind, width: usize, height: usize, range: Range, site: ChromaSite) -> Layout {
    // plane, offset, step, sub_x, sub_y
    let (sample, depth, shift, parts): (_, _, _, &[Part]) = match kind {
        Kind::Gray8 => (Sample::U8, 8, 0, &[(0, 0, 1, 0, 0)]),
        Kind::Gray16Be => (Sample::U16Be, 16, 0, &[(0, 0, 1, 0, 0)]),
        Kind::Rgb => (
            Sample::U8,
            8,
            0,
            &[(0, 0, 3, 0, 0), (0, 1, 3, 0, 0), (0, 2, 3, 0, 0)],
        ),
        Kind::Bgrx => (
            Sample::U8,
            8,
            0,
            &[(0, 2, 4, 0, 0), (0, 1, 4, 0, 0), (0, 0, 4, 0, 0)],
        ),
        Kind::Gbr => (
            Sample::U8,
            8,
            0,
            &[(2, 0, 1, 0, 0), (0, 0, 1, 0, 0), (1, 0, 1, 0, 0)],
        ),
        Kind::I420 => (
            Sample::U8,
            8,
            0,
            &[(0, 0, 1, 0, 0), (1, 0, 1, 1, 1), (2, 0, 1, 1, 1)],
        ),
        Kind::Nv12 => (
            Sample::U8,
            8,
            0,
            &[(0, 0, 1, 0, 0), (1, 0, 2, 1, 1), (1, 1, 2, 1, 1)],
        ),
        Kind::Y444 => (
            Sample::U8,
            8,
            0,
            &[(0, 0, 1, 0, 0), (1, 0, 1, 0, 0), (2, 0, 1, 0, 0)],
        ),
        Kind::Yuy2 => (
            Sample::U8,
            8,
            0,
            &[(0, 0, 2, 0, 0), (0, 1, 4, 1, 0), (0, 3, 4, 1, 0)],
        ),
        Kind::Yuv9 => (
            Sample::U8,
            8,
            0,
            &[(0, 0, 1, 0, 0), (1, 0, 1, 2, 2), (2, 0, 1, 2, 2)],
        ),
        Kind::P010 => (
            Sample::U16Le,
            10,
            6,
            &[(0, 0, 1, 0, 0), (1, 0, 2, 1, 1), (1, 1, 2, 1, 1)],
        ),
        Kind::I42210Be => (
            Sample::U16Be,
            10,
            0,
            &[(0, 0, 1, 0, 0), (1, 0, 1, 1, 0), (2, 0, 1, 1, 0)],
        ),
    };
    Layout {
        width,
        height,
        sample,
        components: parts
            .iter()
            .map(|&(plane, offset, step, sub_x, sub_y)| Component {
                plane,
                offset,
                step,
                sub_x,
                sub_y,
                depth,
                shift,
            })
            .collect(),
        color: match kind {
            Kind::Gray8 | Kind::Gray16Be => ColorModel::Gray,
            Kind::Rgb | Kind::Bgrx | Kind::Gbr => ColorModel::Rgb,
            _ => ColorModel::Yuv {
                kr: 0.2126,
                kb: 0.0722,
            },
        },
        range,
        chroma_site: site,
    }
}

/// Noise planes with `pad` bytes after each row and `skip` bytes before the first.
fn planes(layout: &Layout, pad: usize, skip: usize, seed: u64) -> Vec<(Vec<u8>, usize)> {
    let mut state = seed | 1;
    let mut noise = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    let count = layout.components.iter().map(|c| c.plane).max().unwrap() + 1;
    (0..count)
        .map(|plane| {
            let stride = layout.row_samples(plane) * layout.sample.bytes() + pad;
            let rows = layout
                .components
                .iter()
                .filter(|c| c.plane == plane)
                .map(|c| layout.component_size(c).1)
                .max()
                .unwrap();
            let mut bytes: Vec<u8> = (0..skip + stride * rows).map(|_| noise()).collect();
            // Legal values only: the padding bits of a sample are 0.
            if layout.sample != Sample::U8 {
                let c = layout.components[0];
                for s in bytes[skip..].chunks_exact_mut(2) {
                    let v = u16::from_ne_bytes([s[0], s[1]]) >> (16 - c.depth) << c.shift;
                    let v = match layout.sample {
                        Sample::U16Be => v.to_be_bytes(),
                        _ => v.to_le_bytes(),
                    };
                    s.copy_from_slice(&v);
                }
            }
            (bytes, stride)
        })
        .collect()
}

/// The samples that make target pixel `i` along one axis, and their weights.
fn taps(
    (rows, sparse): (bool, bool),
    (start, span): (i64, i64),
    sub: u32,
    cosited: bool,
    target: usize,
    i: usize,
) -> Vec<(i64, f64)> {
    let unit = f64::from(1u32 << sub);
    let site = if cosited {
        (1.0 - 1.0 / unit) / 2.0
    } else {
        0.0
    };
    let step = span as f64 / unit / target as f64;
    let support = step.max(1.0);
    let center = start as f64 / unit + site + (i as f64 + 0.5) * step;
    let (lo, hi) = (
        (start as f64 / unit).floor() as i64,
        ((start + span) as f64 / unit).ceil() as i64,
    );
    // Where more than eight samples would lie under the filter: every so many.
    let every = if sparse {
        (support / 4.0).ceil() as i64
    } else {
        1
    };
    let mut taps: Vec<(i64, f64)> = (lo..hi)
        .filter(|j| j.rem_euclid(every) == 0)
        .map(|j| (j, 1.0 - ((j as f64 + 0.5 - center) / support).abs()))
        .filter(|(_, w)| *w > 0.0)
        .collect();
    if taps.is_empty() {
        taps.push((lo, 1.0));
    }
    let sum: f64 = taps.iter().map(|(_, w)| w).sum();
    taps.iter_mut().for_each(|(_, w)| *w /= sum);
    if rows && sparse && support > 2.0 {
        // Where the filter is over more than four rows, they are weighed in whole 256ths of the sum so far.
        let mut exact = 0.0;
        for (_, w) in &mut taps {
            let before = (exact * 256.0f64 + 1e-9).round();
            exact += *w;
            *w = ((exact * 256.0 + 1e-9).round() - before) / 256.0;
        }
    }
    taps
}

/// The definition: for each target pixel, each component's triangle-weighted mean over the window, then colour.
fn reference(
    sparse: bool,
    src: &dyn Pixels,
    window: Window,
    border: Border,
    format: &TensorFormat,
    (width, height): (usize, usize),
) -> Vec<f32> {
    let layout = src.layout();
    let mut tensor = vec![f32::NAN; format.len()];
    let mut scratch = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let mut level = [0f64; 3];
            for (i, c) in layout.components.iter().enumerate() {
                let (n_cols, n_rows) = layout.component_size(c);
                let levels = Levels::of(layout, i);
                let site = layout.chroma_site;
                let mut mean = 0.0;
                for (row, wy) in taps(
                    (true, sparse),
                    (window.y, window.h),
                    c.sub_y,
                    site.cosited_y,
                    height,
                    y,
                ) {
                    for (col, wx) in taps(
                        (false, sparse),
                        (window.x, window.w),
                        c.sub_x,
                        site.cosited_x,
                        width,
                        x,
                    ) {
                        let value = match (
                            inside(row, n_rows as i64, border),
                            inside(col, n_cols as i64, border),
                        ) {
                            (Some(row), Some(col)) => {
                                let bytes = src.row(c.plane, row, &mut scratch);
                                let at = (c.offset + col * c.step) * layout.sample.bytes();
                                match layout.sample {
                                    Sample::U8 => f64::from(bytes[at]),
                                    Sample::U16Le => {
                                        f64::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
                                    }
                                    Sample::U16Be => {
                                        f64::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]))
                                    }
                                }
                            }
                            _ => f64::from(levels.black),
                        };
                        mean += wy * wx * value;
                    }
                }
                level[i] = (mean - f64::from(levels.offset)) * f64::from(levels.factor);
            }
            let [l0, l1, l2] = level.map(|v| v as f32);
            let rgb = match layout.color {
                ColorModel::Gray => [l0; 3],
                ColorModel::Rgb => [l0, l1, l2],
                ColorModel::Yuv { kr, kb } => yuv_to_rgb(kr, kb, l0, l1, l2),
            }
            .map(|v| v.clamp(0.0, 255.0));
            let n = format.channels.count();
            for c in 0..n {
                let v = match format.channels {
                    Channels::Rgb => rgb[c],
                    Channels::Bgr => rgb[2 - c],
                    Channels::Gray => 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2],
                };
                let at = if format.planar {
                    c * format.width * format.height + y * format.width + x
                } else {
                    (y * format.width + x) * n + c
                };
                tensor[at] = (v - format.mean[c]) * format.scale[c];
            }
        }
    }
    tensor
}

prop_compose! {
    fn windows(width: i64, height: i64)(
        x in -width..width, y in -height..height, w in 1..width * 2 + 1, h in 1..height * 2 + 1,
    ) -> Window {
        Window { x, y, w, h }
    }
}

fn formats() -> impl Strategy<Value = TensorFormat> {
    (
        1usize..24,
        1usize..24,
        any::<bool>(),
        prop_oneof![
            Just(Channels::Rgb),
            Just(Channels::Bgr),
            Just(Channels::Gray)
        ],
    )
        .prop_map(|(width, height, planar, channels)| TensorFormat {
            width,
            height,
            planar,
            channels,
            mean: [104.0, 117.0, 123.0],
            scale: [1.0, 0.5, 2.0],
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn fast_equals_plain(
        kind in proptest::sample::select(&KINDS[..]),
        (width, height, window) in (1usize..40, 1usize..40)
            .prop_flat_map(|(w, h)| (Just(w), Just(h), windows(w as i64, h as i64))),
        border in prop_oneof![Just(Border::Black), Just(Border::Reflect), Just(Border::Replicate)],
        limited in any::<bool>(),
        cosited_x in any::<bool>(),
        cosited_y in any::<bool>(),
        format in formats(),
        (pad, skip) in (0usize..9, 0usize..5),
        sparse in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let range = if limited { Range::Limited } else { Range::Full };
        let layout = layout(kind, width, height, range, ChromaSite { cosited_x, cosited_y });
        let memory = planes(&layout, pad, skip, seed);
        let planes: Vec<Plane> = memory
            .iter()
            .map(|(bytes, stride)| Plane { data: &bytes[skip..], stride: *stride })
            .collect();
        let view = View::new(&layout, &planes).unwrap();
        let size = (format.width, format.height);
        let mut tensor = vec![f32::NAN; format.len()];
        let mut resizer = Resizer { sparse, ..Resizer::new() };
        // Twice with another geometry in between: scratch memory must not remember.
        resizer.run(&view, Window { x: 0, y: 0, w: width as i64, h: height as i64 }, border, &format, (1, 1), &mut tensor);
        resizer.run(&view, window, border, &format, size, &mut tensor);
        let wanted = reference(sparse, &view, window, border, &format, size);
        for (i, (got, want)) in tensor.iter().zip(&wanted).enumerate() {
            prop_assert!((got - want).abs() < 0.05, "{i}: {got} instead of {want}");
        }
    }
}

proptest! {
    /// A pixel of a whole number of samples: most cameras' frames, and where many pixels are weighed at once.
    #[test]
    fn whole_steps_equal_plain(
        kind in proptest::sample::select(&KINDS[..]),
        step in 1usize..14,
        (across, down) in (1usize..30, 1usize..8),
        (left, right) in (0usize..9, 0usize..9),
        sparse in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let (width, height) = (left + step * across + right, step * down);
        let layout = layout(kind, width, height, Range::Full, ChromaSite::default());
        let memory = planes(&layout, 0, 0, seed);
        let planes: Vec<Plane> = memory
            .iter()
            .map(|(data, stride)| Plane { data, stride: *stride })
            .collect();
        let view = View::new(&layout, &planes).unwrap();
        let format = TensorFormat::levels(across, down, Channels::Rgb);
        let window = Window { x: left as i64, y: 0, w: (step * across) as i64, h: height as i64 };
        let mut tensor = vec![f32::NAN; format.len()];
        Resizer { sparse, ..Resizer::new() }.run(&view, window, Border::Replicate, &format, (across, down), &mut tensor);
        let wanted = reference(sparse, &view, window, Border::Replicate, &format, (across, down));
        for (i, (got, want)) in tensor.iter().zip(&wanted).enumerate() {
            prop_assert!((got - want).abs() < 0.05, "{i}: {got} instead of {want}");
        }
    }
}

#[test]
fn a_smaller_target_leaves_the_rest_alone() {
    let layout = Layout::rgb8(4, 4);
    let data = vec![255u8; 48];
    let view = View::new(
        &layout,
        &[Plane {
            data: &data,
            stride: 12,
        }],
    )
    .unwrap();
    let format = TensorFormat {
        width: 3,
        height: 3,
        planar: true,
        channels: Channels::Rgb,
        mean: [127.0; 3],
        scale: [1.0; 3],
    };
    let mut tensor = vec![0.0; format.len()];
    format.fill_black(&mut tensor);
    assert!(tensor.iter().all(|&v| v == -127.0));
    let window = Window {
        x: 0,
        y: 0,
        w: 4,
        h: 4,
    };
    Resizer::new().run(&view, window, Border::Black, &format, (2, 3), &mut tensor);
    for (i, &v) in tensor.iter().enumerate() {
        assert_eq!(v, if i % 3 == 2 { -127.0 } else { 128.0 }, "number {i}");
    }
}

/// Levels and colours that ITU-R BT.601 and BT.709 name: white, black and the primaries in limited range.
#[test]
fn colours_come_out_as_the_standards_say() {
    for (kr, kb, yuv, rgb) in [
        (0.299, 0.114, [235, 128, 128], [255.0, 255.0, 255.0]),
        (0.299, 0.114, [16, 128, 128], [0.0, 0.0, 0.0]),
        (0.299, 0.114, [81, 90, 240], [255.0, 0.0, 0.0]),
        (0.2126, 0.0722, [63, 102, 240], [255.0, 0.0, 0.0]),
        (0.2126, 0.0722, [173, 42, 26], [0.0, 255.0, 0.0]),
    ] {
        let mut layout = layout(
            Kind::Y444,
            1,
            1,
            Range::Limited,
            crate::image::ChromaSite::default(),
        );
        layout.color = ColorModel::Yuv { kr, kb };
        let bytes: [[u8; 1]; 3] = yuv.map(|v: u8| [v]);
        let planes = bytes.each_ref().map(|data| Plane { data, stride: 1 });
        let view = View::new(&layout, &planes).unwrap();
        let format = TensorFormat {
            width: 1,
            height: 1,
            planar: true,
            channels: Channels::Rgb,
            mean: [0.0; 3],
            scale: [1.0; 3],
        };
        let mut tensor = [0.0; 3];
        let window = Window {
            x: 0,
            y: 0,
            w: 1,
            h: 1,
        };
        Resizer::new().run(&view, window, Border::Black, &format, (1, 1), &mut tensor);
        for (got, want) in tensor.iter().zip(rgb) {
            assert!((got - want).abs() < 2.5, "{yuv:?}: {tensor:?} for {rgb:?}");
        }
    }
}
