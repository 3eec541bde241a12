// SPDX-License-Identifier: MIT OR Apache-2.0
//! The element behind `livenessmetaattach`: knows the glue and `liveness::json`, no other element.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;
use liveness::face::{Face, Verdict};
use liveness::geometry::Point;
use liveness::json::Frame;
use liveness::signature::Signature;
use liveness::sync::lock;

use super::Match;
use super::lines::Source;
use crate::caps::{self, pixel_aspect};
use crate::error;
use crate::frame::Format;
use crate::message::Times;
use crate::meta::{self, Analysis};
use crate::properties as p;
use crate::segment::continues;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "livenessmetaattach",
        gst::DebugColorFlags::empty(),
        Some("Liveness: faces from JSON"),
    )
});

/// How far a line may be from a frame that has no duration, in a stream that has no rate: half a frame of 25 a second.
const NEAR: gst::ClockTime = gst::ClockTime::from_mseconds(20);

#[derive(Clone, Debug, Default)]
struct Settings {
    location: Option<PathBuf>,
    matching: Match,
    verdicts: bool,
}

/// What lives from start to stop.
struct State {
    source: Source,
    format: Option<Format>,
    /// The file has to be read from its start again.
    anew: bool,
    scratch: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Stats {
    frames: u64,
    attached: u64,
    faces: u64,
    left_out: u64,
}

/// See [`super`].
#[derive(Default)]
pub struct LivenessMetaAttach {
    /// Behind an `Arc`, so that a frame's snapshot copies no paths.
    settings: Mutex<Arc<Settings>>,
    state: Mutex<Option<State>>,
    /// Apart from the state, so that they can be read at any time, also after the end.
    stats: Mutex<Stats>,
}

#[glib::object_subclass]
impl ObjectSubclass for LivenessMetaAttach {
    const NAME: &'static str = "GstLivenessMetaAttach";
    type Type = super::LivenessMetaAttach;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for LivenessMetaAttach {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            vec![
                p::text(
                    "location",
                    "Location",
                    "File of JSON lines, as livenessmetaconvert or DL Streamer's gvametapublish (file-format=json-lines) writes it",
                ),
                glib::ParamSpecEnum::builder_with_default("match", Match::default())
                    .nick("Match")
                    .blurb("Which line belongs to a frame")
                    .mutable_ready()
                    .build(),
                p::switch(
                    "verdicts",
                    "Verdicts",
                    "Take the verdicts, too; else faces are unchecked. Only for files that nobody else can write",
                    false,
                ),
                p::stats(
                    "Frames, frames that got a line, their faces, and lines that belonged to no frame",
                ),
            ]
        });
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let mut settings = lock(&self.settings);
        let s = Arc::make_mut(&mut settings);
        // GLib has checked types and ranges: these reads cannot fail.
        match pspec.name() {
            "location" => s.location = p::path(value),
            "match" => s.matching = value.get().unwrap_or_default(),
            "verdicts" => s.verdicts = value.get().unwrap_or_default(),
            other => gst::warning!(CAT, imp = self, "unknown property {other}"),
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        if pspec.name() == "stats" {
            let stats = *lock(&self.stats);
            return gst::Structure::builder("application/x-livenessmetaattach-stats")
                .field("frames", stats.frames)
                .field("attached", stats.attached)
                .field("faces", stats.faces)
                .field("left-out", stats.left_out)
                .build()
                .to_value();
        }
        let s = lock(&self.settings);
        match pspec.name() {
            "location" => s.location.to_value(),
            "match" => s.matching.to_value(),
            "verdicts" => s.verdicts.to_value(),
            _ => pspec.default_value().clone(),
        }
    }
}

impl GstObjectImpl for LivenessMetaAttach {}

impl ElementImpl for LivenessMetaAttach {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Faces from JSON",
                "Filter/Analyzer/Video",
                "Gives frames the faces that a file of JSON lines has for them",
                env!("CARGO_PKG_AUTHORS"),
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(caps::video_in_video_out);
        &TEMPLATES
    }
}

impl BaseTransformImpl for LivenessMetaAttach {
    // In place, so that metadata can be written; never writing pixels, so that frames behind a tee are shared, not copied.
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let location = settings.location.as_deref().ok_or_else(|| {
            let reason = "location is not set: name a file of JSON lines, such as livenessmetaconvert writes";
            error::message(&liveness::Error::Option(reason.into()))
        })?;
        let source = Source::open(location).map_err(|e| error::message(&e))?;
        *lock(&self.stats) = Stats::default();
        *lock(&self.state) = Some(State {
            source,
            format: None,
            anew: false,
            scratch: Vec::new(),
        });
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *lock(&self.state) = None;
        Ok(())
    }

    fn set_caps(&self, incaps: &gst::Caps, _: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = caps::video_info(incaps).map_err(|e| error::refuse_caps(self, *CAT, e))?;
        if let Some(state) = lock(&self.state).as_mut() {
            state.format = Some(Format::new(&info));
        }
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        let elsewhere = match event.view() {
            gst::EventView::FlushStop(_) => true,
            gst::EventView::Segment(e) => !continues(&self.obj().segment(), e.segment()),
            _ => false,
        };
        // A stream starts with a segment: nothing has been read by then.
        if let (true, Some(state)) = (elsewhere, lock(&self.state).as_mut()) {
            state.anew = true;
        }
        if let gst::EventView::Eos(_) = event.view() {
            self.end();
        }
        self.parent_sink_event(event)
    }

    fn transform_ip(
        &self,
        buffer: &mut gst::BufferRef,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let settings = lock(&self.settings).clone();
        // Taken out for the time of the frame: no lock is held while the file is read.
        let mut state = lock(&self.state).take().ok_or(gst::FlowError::Flushing)?;
        let times = Times::of(buffer, &self.obj().segment());
        let attached = attach(&mut state, &settings, buffer, &times);
        let left_out = state.source.left_out;
        *lock(&self.state) = Some(state);
        let faces = attached.map_err(|message| error::post(self, message))?;
        let mut stats = lock(&self.stats);
        stats.frames += 1;
        stats.attached += u64::from(faces.is_some());
        stats.faces += faces.unwrap_or_default() as u64;
        stats.left_out = left_out;
        Ok(gst::FlowSuccess::Ok)
    }
}

impl LivenessMetaAttach {
    /// The end of the stream: a file that was of no use is hardly the one that was meant.
    fn end(&self) {
        let stats = *lock(&self.stats);
        let location = lock(&self.settings).location.clone().unwrap_or_default();
        if stats.frames > 0 && stats.attached == 0 {
            gst::element_imp_warning!(
                self,
                gst::StreamError::Failed,
                (
                    "{} had no line for any of {} frames: is it of this stream? match=order goes by order in place of time",
                    location.display(),
                    stats.frames
                )
            );
        }
    }
}

/// Writes the faces of a frame's line; their number, `None` where it has no line or nobody looked for faces.
fn attach(
    state: &mut State,
    settings: &Settings,
    buffer: &mut gst::BufferRef,
    times: &Times,
) -> Result<Option<usize>, gst::ErrorMessage> {
    let State {
        source,
        format,
        anew,
        scratch,
    } = state;
    let format = format.as_ref().ok_or_else(error::no_format)?;
    let fail = |e: liveness::Error| error::message(&e);
    if std::mem::take(anew) {
        source.rewind().map_err(fail)?;
    }
    let time = times.stream_time.map(gst::ClockTime::nseconds);
    let near = near(times, format.info()).nseconds();
    let frame = source.of(settings.matching, time, near).map_err(fail)?;
    let Some(frame) = frame else {
        return Ok(None);
    };
    if !same_shape(&frame, format.info()) {
        let info = format.info();
        return Err(fail(source.error(format_args!(
            "is of a frame of {}x{}, this one has {}x{}: crop and turn frames behind livenessmetaattach, not before",
            frame.width,
            frame.height,
            info.width(),
            info.height()
        ))));
    }
    let Frame {
        width,
        height,
        faces,
        ..
    } = frame;
    let Some(mut faces) = faces else {
        return Ok(None);
    };
    let scale = (
        format.info().width() as f32 / width as f32,
        format.info().height() as f32 / height as f32,
    );
    for face in &mut faces {
        *face = placed(face, scale);
        if !settings.verdicts {
            face.verdict = Verdict::default();
        }
    }
    // Only faces have a place that can get lost.
    let signature = if faces.is_empty() {
        None
    } else {
        format
            .read(buffer, |pixels| Signature::of(pixels, scratch))
            .ok()
    };
    let count = faces.len();
    let analysis = Analysis {
        faces,
        ..Analysis::new(format, signature)
    };
    meta::write(buffer, &analysis);
    Ok(Some(count))
}

/// Half of the time that a frame is shown.
fn near(times: &Times, info: &gst_video::VideoInfo) -> gst::ClockTime {
    let fps = info.fps();
    let by_rate = || {
        let (n, d) = (
            u64::try_from(fps.numer()).ok()?,
            u64::try_from(fps.denom()).ok()?,
        );
        gst::ClockTime::SECOND.mul_div_floor(d, n.checked_mul(2).filter(|n| *n > 0)?)
    };
    times
        .duration
        .map(|d| d / 2)
        .or_else(by_rate)
        .unwrap_or(NEAR)
}

/// Whether a frame may be the one that a line is of: scaled, with pixels of the same shape or of one that makes up for it.
fn same_shape(line: &Frame, info: &gst_video::VideoInfo) -> bool {
    let then = f64::from(line.width) / f64::from(line.height);
    let now = f64::from(info.width()) / f64::from(info.height());
    let least = f64::from(
        line.height
            .min(line.width)
            .min(info.width())
            .min(info.height()),
    );
    [now, now * pixel_aspect(info)]
        .iter()
        .any(|now| (then / now - 1.0).abs() < 2.0 / least)
}

/// The face in a frame that is so many times as large.
fn placed(face: &Face, (sx, sy): (f32, f32)) -> Face {
    Face {
        rect: face.rect.scaled(sx, sy),
        landmarks: face.landmarks.map(|points| {
            points.map(|p| Point {
                x: p.x * sx,
                y: p.y * sy,
            })
        }),
        ..face.clone()
    }
}
