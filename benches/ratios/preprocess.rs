// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a frame to the detector's input, beside reading its bytes once, and beside GStreamer's own elements.

use std::hint::black_box;
use std::time::Duration;

use gst_video::VideoFormat;
use liveness::letterbox::Letterbox;
use liveness::resize::{Channels, Resizer, TensorFormat};

use super::picture::{FORMATS, Pictures, SIZES, Watched, sum};
use super::table::{Row, Wanted, print};
use super::turns::{Compared, compare, ms, time};

const ROUNDS: usize = 41;
/// These take so much longer that fewer will do.
const SLOW_ROUNDS: usize = 11;

/// The detector's input for frames of 16:9, and the part of it that they fill.
const INPUT: (usize, usize) = (320, 192);
const FILLED: (usize, usize) = (320, 180);

/// What the detector does before it asks its model.
struct Fill {
    letterbox: Letterbox,
    format: TensorFormat,
    resizer: Resizer,
    tensor: Vec<f32>,
}

impl Fill {
    fn new(pictures: &Pictures) -> Self {
        let format = TensorFormat {
            width: INPUT.0,
            height: INPUT.1,
            planar: true,
            channels: Channels::Bgr,
            mean: [0.0; 3],
            scale: [1.0; 3],
        };
        let size = (pictures.layout.width, pictures.layout.height);
        Self {
            letterbox: Letterbox::fit(size, 1.0, INPUT),
            resizer: Resizer::sparse(),
            tensor: vec![0.0; format.len()],
            format,
        }
    }

    fn run(&mut self, frame: &dyn liveness::image::Pixels) {
        let (resizer, tensor) = (&mut self.resizer, black_box(&mut self.tensor));
        self.letterbox
            .fill(resizer, frame, &self.format, false, tensor);
    }

    fn time(&mut self, pictures: &Pictures, n: usize) -> Duration {
        let view = pictures.view(n);
        time(|| self.run(&view))
    }
}

pub(crate) fn run() {
    for (format, parts) in &FORMATS {
        let is_rgb = *format == VideoFormat::Rgb;
        let all = SIZES.map(|size| Pictures::new(parts, is_rgb, size));
        for pictures in &all {
            against_reading(*format, pictures);
        }
        large(*format, &all[1], &all[2]);
        for pictures in &all {
            against_elements(*format, pictures);
        }
    }
}

fn name(format: VideoFormat, pictures: &Pictures) -> String {
    format!("{}p {format}", pictures.layout.height)
}

fn against_reading(format: VideoFormat, pictures: &Pictures) {
    let mut fill = Fill::new(pictures);
    let view = pictures.view(0);
    let watched = Watched::new(&view);
    fill.run(&watched);
    let rows = watched.rows();
    let mut compared = |step: usize| -> Compared {
        let (mut a, mut b) = (0, 0);
        compare(
            ROUNDS,
            || {
                a += step;
                fill.time(pictures, a)
            },
            || {
                // Half of all frames away from the other one.
                b += step;
                let view = pictures.view(b + step * pictures.frames.len() / 2);
                time(|| {
                    black_box(sum(&view, &rows));
                })
            },
        )
    };
    // Each time another frame, from memory; then the same again and again, from the cache.
    let (fresh, cached) = (compared(1), compared(0));
    let wanted = match (format, pictures.layout.height) {
        (VideoFormat::Nv12, 1080) => Wanted::AtMost(1.5),
        _ => Wanted::Any,
    };
    let all: usize = view_rows(pictures);
    print(
        &Row::ratio(
            format!(
                "{} to the detector's input, in times of reading it",
                name(format, pictures)
            ),
            fresh.ratio,
            wanted,
        )
        .note(format!(
            "{:.2} and {:.2} ms, {} of {all} rows; from the cache {:.2} ({:.2} and {:.2} ms)",
            ms(fresh.first),
            ms(fresh.second),
            rows.len(),
            cached.ratio.middle,
            ms(cached.first),
            ms(cached.second)
        )),
    );
}

/// Rows of all planes.
fn view_rows(pictures: &Pictures) -> usize {
    let layout = &pictures.layout;
    let mut planes: Vec<_> = layout
        .components
        .iter()
        .map(|c| (c.plane, layout.component_size(c).1))
        .collect();
    planes.dedup();
    planes.iter().map(|(_, rows)| rows).sum()
}

/// 4K beside 1080p.
fn large(format: VideoFormat, hd: &Pictures, uhd: &Pictures) {
    let (mut small, mut big) = (Fill::new(hd), Fill::new(uhd));
    let (mut a, mut b) = (0, 0);
    let compared = compare(
        ROUNDS,
        || {
            a += 1;
            big.time(uhd, a)
        },
        || {
            b += 1;
            small.time(hd, b)
        },
    );
    let wanted = match format {
        VideoFormat::Nv12 => Wanted::AtMost(1.3),
        _ => Wanted::Any,
    };
    let what = format!("2160p {format}, in times of 1080p's cost");
    print(&Row::ratio(what, compared.ratio, wanted));
}

/// Beside GStreamer's elements, which give bytes where the model wants numbers.
fn against_elements(format: VideoFormat, pictures: &Pictures) {
    let mut fill = Fill::new(pictures);
    let size = (pictures.layout.width as u32, pictures.layout.height as u32);
    let info = gst_video::VideoInfo::builder(format, size.0, size.1)
        .fps(gst::Fraction::new(25, 1))
        .build()
        .unwrap();
    let frames = pictures.frames.iter().map(|f| {
        assert_eq!(f.len(), info.size(), "as GStreamer lays it out");
        gst::Buffer::from_slice(f.clone())
    });
    // One order is what most pipelines have, the other the cheaper one.
    let frames: Vec<_> = frames.collect();
    let [usual, cheap] = ["videoconvert ! videoscale", "videoscale ! videoconvert"].map(|chain| {
        let mut harness = gst_check::Harness::new_parse(&format!(
            "{chain} ! capsfilter caps=video/x-raw,format=BGR,width={},height={}",
            FILLED.0, FILLED.1
        ));
        harness.set_src_caps(info.to_caps().unwrap());
        let (mut a, mut b) = (0, 0);
        compare(
            SLOW_ROUNDS,
            || {
                a += 1;
                let frame = frames[a % frames.len()].clone();
                time(|| {
                    harness.push(frame).unwrap();
                    harness.pull().unwrap();
                })
            },
            || {
                b += 1;
                fill.time(pictures, b)
            },
        )
    });
    print(
        &Row::ratio(
            format!(
                "videoconvert ! videoscale, in times of ours, {}",
                name(format, pictures)
            ),
            usual.ratio,
            Wanted::Any,
        )
        .note(format!(
            "{:.2} and {:.2} ms; videoscale ! videoconvert {:.2}",
            ms(usual.first),
            ms(usual.second),
            cheap.ratio.middle
        )),
    );
}
