// SPDX-License-Identifier: MIT OR Apache-2.0
//! What each cue beside the models costs per face: `cargo bench --bench cues`.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // A program that prints and may fail.

use std::hint::black_box;
use std::time::Instant;

use liveness::face::Face;
use liveness::geometry::{Point, Rect};
use liveness::image::{ChromaSite, ColorModel, Component, Layout, Plane, Range, Sample, View};
use liveness::liveness::cues::{Course, Gauge, Wanted};

const ROUNDS: usize = 200;

fn main() {
    println!("milliseconds per face, best of {ROUNDS}, frames in I420");
    println!(
        "{:>12} {:>6} {:>7} {:>7} {:>14} {:>7}",
        "frame", "face", "moire", "border", "planar-motion", "blink"
    );
    for (width, height, side) in [
        (640, 480, 60.0),
        (640, 480, 180.0),
        (1280, 720, 250.0),
        (1920, 1080, 400.0),
        (3840, 2160, 900.0),
    ] {
        let component = |plane, sub| Component {
            plane,
            offset: 0,
            step: 1,
            sub_x: sub,
            sub_y: sub,
            depth: 8,
            shift: 0,
        };
        let layout = Layout {
            width,
            height,
            sample: Sample::U8,
            components: vec![component(0, 0), component(1, 1), component(2, 1)],
            color: ColorModel::Yuv {
                kr: 0.2126,
                kb: 0.0722,
            },
            range: Range::Limited,
            chroma_site: ChromaSite::default(),
        };
        // Smooth, with as many edges as a room has, and noise.
        let bytes: Vec<u8> = (0..width * height)
            .map(|i| {
                let at = |i: usize| 40.0 * i as f32 / side;
                let (x, y) = (at(i % width), at(i / width));
                let shape = 60.0 * (0.37 * x).sin() + 40.0 * (0.5 * y + 0.2 * x).cos();
                (120.0 + shape + (i * i / 7 % 9) as f32) as u8
            })
            .collect();
        let chroma = Plane {
            data: &bytes,
            stride: width / 2,
        };
        let luma = Plane {
            data: &bytes,
            stride: width,
        };
        let view = View::new(&layout, &[luma, chroma, chroma]).unwrap();
        let (x, y) = ((width as f32 - side) / 2.0, (height as f32 - side) / 2.0);
        let at = |a: f32, b: f32| Point {
            x: x + a * side,
            y: y + b * side,
        };
        let face = Face {
            rect: Rect::new(x, y, side, side),
            landmarks: Some([
                at(0.3, 0.4),
                at(0.7, 0.4),
                at(0.5, 0.6),
                at(0.35, 0.8),
                at(0.65, 0.8),
            ]),
            ..Face::default()
        };
        print!("{:>12} {side:>6}", format!("{width}x{height}"));
        let none = Wanted::default();
        let (mut gauge, mut course, mut now) = (Gauge::default(), Course::default(), 0.0);
        for (wanted, column) in [
            (
                Wanted {
                    moire: true,
                    ..none
                },
                7,
            ),
            (
                Wanted {
                    border: true,
                    ..none
                },
                7,
            ),
            (
                Wanted {
                    planar_motion: true,
                    ..none
                },
                14,
            ),
            (
                Wanted {
                    blink: true,
                    ..none
                },
                7,
            ),
        ] {
            let times = (0..ROUNDS).map(|_| {
                let start = Instant::now();
                black_box(gauge.picture(&view, &face.rect, wanted));
                if wanted.planar_motion || wanted.blink {
                    now += 1.0 / 30.0;
                    course.add(&gauge.moment(&view, &face, wanted), now);
                    black_box(course.cues(wanted));
                }
                1e3 * start.elapsed().as_secs_f64()
            });
            let best = times.fold(f64::INFINITY, f64::min);
            print!(" {best:>column$.3}");
        }
        println!();
    }
}
