// SPDX-License-Identifier: MIT OR Apache-2.0
//! The metadata through the elements of others: verdicts are still there, and a face is either where it belongs or known to be
//! lost.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod common;
#[path = "common/video.rs"]
mod video;

use gstliveness::frame::Format;
use gstliveness::meta::{self, Here};
use liveness::face::Label;
use liveness::geometry::Rect;
use video::{astronaut, collect, init, tiny};

/// What becomes of the faces.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    /// They are where they belong, to two pixels.
    Placed,
    /// Their verdicts are there, their places are not known.
    Lost,
    /// Nothing is left.
    Gone,
}
use Outcome::{Gone, Lost, Placed};

/// Size of the astronaut's picture.
const SIDE: f32 = 512.0;

/// Where the tiny detector sees its first face in a square picture, in parts of it.
const FACE: Rect = Rect::new(0.25, 0.25, 0.5, 0.5);

/// Sends analysed pictures through `chain` and tells what comes out at its end.
fn outcome(chain: &str) -> Outcome {
    init();
    let description = format!(
        "filesrc location={} ! pngdec ! imagefreeze num-buffers=3 ! videoconvert ! video/x-raw,format=I420,framerate=25/1 \
         ! livenessfacedetect model={} ! livenessclassify model={} smoothing=0 ! {chain} ! fakesink name=s",
        astronaut().display(),
        tiny("boxes.onnx"),
        tiny("bright.onnx"),
    );
    let outcomes = collect(&description, |buffer, caps| {
        let info = gst_video::VideoInfo::from_caps(caps).unwrap();
        let Some(analysis) = meta::read(buffer) else {
            return Gone;
        };
        assert_eq!(analysis.faces.len(), 2);
        for face in &analysis.faces {
            assert!(
                matches!(face.verdict.label, Label::Live | Label::Spoof),
                "a verdict is gone"
            );
        }
        let here = meta::faces_here(buffer, &Format::new(&info), &mut Vec::new());
        let Here { faces, lost } = here.unwrap().unwrap();
        if faces.is_empty() {
            assert_eq!(lost.len(), 2);
            return Lost;
        }
        let (w, h) = (info.width() as f32, info.height() as f32);
        let (want, got) = (FACE.scaled(w, h), faces[0].rect);
        for d in [
            got.x - want.x,
            got.y - want.y,
            got.right() - want.right(),
            got.bottom() - want.bottom(),
        ] {
            assert!(
                d.abs() <= 2.0,
                "{got:?} instead of {want:?} in {w}x{h} of {SIDE}x{SIDE}"
            );
        }
        Placed
    });
    assert!(!outcomes.is_empty(), "nothing came through {chain}");
    assert!(outcomes.iter().all(|o| *o == outcomes[0]), "{outcomes:?}");
    outcomes[0]
}

macro_rules! matrix {
    ($($name:ident: $chain:expr => $outcome:expr;)*) => {
        $(#[test]
        fn $name() {
            assert_eq!(outcome($chain), $outcome, "{}", $chain);
        })*
    };
}

matrix! {
    nothing: "identity" => Placed;
    convert_to_rgb: "videoconvert ! video/x-raw,format=RGB" => Placed;
    convert_to_ten_bits: "videoconvert ! video/x-raw,format=P010_10LE" => Placed;
    convert_to_grey_and_back: "videoconvert ! video/x-raw,format=GRAY8 ! videoconvert ! video/x-raw,format=NV12" => Placed;
    scale_down: "videoscale ! video/x-raw,width=160,height=160" => Placed;
    scale_up: "videoscale ! video/x-raw,width=1000,height=1000" => Placed;
    // The pixels' shape makes up for it: displayed, it is the same picture.
    scale_to_other_pixels: "videoscale ! video/x-raw,width=320,height=160,pixel-aspect-ratio=1/2" => Placed;
    letterbox: "videoscale add-borders=true ! video/x-raw,width=640,height=360,pixel-aspect-ratio=1/1" => Lost;
    squash: "videoscale add-borders=false ! video/x-raw,width=640,height=360,pixel-aspect-ratio=1/1" => Lost;
    crop: "videocrop left=40 right=40 top=40 bottom=40" => Lost;
    crop_one_side: "videocrop left=64" => Lost;
    crop_to_aspect: "aspectratiocrop aspect-ratio=16/9" => Lost;
    border: "videobox left=-20 right=-20 top=-20 bottom=-20" => Lost;
    mirror: "videoflip video-direction=horiz" => Lost;
    upside_down: "videoflip video-direction=vert" => Lost;
    half_turn: "videoflip video-direction=180" => Lost;
    quarter_turn: "videoflip video-direction=90r" => Lost;
    quarter_turn_back: "videoflip video-direction=90l" => Lost;
    transpose: "videoflip video-direction=ul-lr" => Lost;
    no_turn: "videoflip video-direction=identity" => Placed;
    turned_and_turned_back: "videoflip video-direction=90r ! videoflip video-direction=90l" => Placed;
    rate: "videorate ! video/x-raw,framerate=50/1" => Placed;
    queue: "queue" => Placed;
    tee: "tee ! queue" => Placed;
    light: "videobalance brightness=0.2 contrast=0.7 saturation=0.3" => Placed;
    gamma: "gamma gamma=1.6" => Placed;
    deinterlace: "deinterlace" => Placed;
    text: "textoverlay text=hello" => Placed;
    jpeg: "jpegenc quality=40 ! jpegdec" => Placed;
    h264: "x264enc tune=zerolatency bitrate=300 ! avdec_h264" => Placed;
    compositor: "compositor" => Gone;
}
