// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a frame to a detector's input, beside copying the bytes that have to be read: `cargo bench --bench preprocess`.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // A program that prints and may fail.

use std::hint::black_box;
use std::time::Instant;

use liveness::image::{ChromaSite, ColorModel, Component, Layout, Plane, Range, Sample, View};
use liveness::letterbox::Letterbox;
use liveness::resize::{Channels, Resizer, TensorFormat};

const ROUNDS: usize = 60;

/// Plane, offset, step, subsampling in x and y of each component.
type Parts = [(usize, usize, usize, u32, u32); 3];

const FORMATS: [(&str, Parts); 4] = [
    ("I420", [(0, 0, 1, 0, 0), (1, 0, 1, 1, 1), (2, 0, 1, 1, 1)]),
    ("NV12", [(0, 0, 1, 0, 0), (1, 0, 2, 1, 1), (1, 1, 2, 1, 1)]),
    ("YUY2", [(0, 0, 2, 0, 0), (0, 1, 4, 1, 0), (0, 3, 4, 1, 0)]),
    ("RGB", [(0, 0, 3, 0, 0), (0, 1, 3, 0, 0), (0, 2, 3, 0, 0)]),
];

fn main() {
    println!("to 320x192 f32 NCHW, best of {ROUNDS}: ms, ms to copy the frame's bytes, ratio");
    for (width, height) in [(1280, 720), (1920, 1080), (3840, 2160)] {
        for (name, parts) in FORMATS {
            let layout = Layout {
                width,
                height,
                sample: Sample::U8,
                components: parts
                    .map(|(plane, offset, step, sub_x, sub_y)| Component {
                        plane,
                        offset,
                        step,
                        sub_x,
                        sub_y,
                        depth: 8,
                        shift: 0,
                    })
                    .to_vec(),
                color: match name {
                    "RGB" => ColorModel::Rgb,
                    _ => ColorModel::Yuv {
                        kr: 0.2126,
                        kb: 0.0722,
                    },
                },
                range: Range::Limited,
                chroma_site: ChromaSite::default(),
            };
            let planes: Vec<(Vec<u8>, usize)> = (0..=parts[2].0)
                .map(|plane| {
                    let stride = layout.row_samples(plane);
                    let c = layout.components.iter().find(|c| c.plane == plane).unwrap();
                    let size = stride * layout.component_size(c).1;
                    ((0..size).map(|i| (i * 7 % 251) as u8).collect(), stride)
                })
                .collect();
            let views: Vec<Plane> = planes
                .iter()
                .map(|(data, stride)| Plane {
                    data,
                    stride: *stride,
                })
                .collect();
            let view = View::new(&layout, &views).unwrap();
            let format = TensorFormat {
                width: 320,
                height: 192,
                planar: true,
                channels: Channels::Bgr,
                mean: [0.0; 3],
                scale: [1.0; 3],
            };
            let letterbox = Letterbox::fit((width, height), 1.0, (320, 192));
            let mut tensor = vec![0.0; format.len()];
            let mut resizer = Resizer::new();
            let fill = best(|| {
                letterbox.fill(&mut resizer, &view, &format, false, black_box(&mut tensor))
            });
            let bytes: Vec<u8> = planes.iter().flat_map(|(data, _)| data.clone()).collect();
            let mut copy = vec![0u8; bytes.len()];
            let read = best(|| copy.copy_from_slice(black_box(&bytes)));
            println!(
                "{width}x{height} {name:>5} {fill:>8.3} {read:>8.3} {:>6.1}",
                fill / read
            );
            black_box(&copy);
        }
    }
}

fn best(mut f: impl FnMut()) -> f64 {
    f();
    (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            f();
            1e3 * start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}
