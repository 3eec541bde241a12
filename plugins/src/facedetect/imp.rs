// SPDX-License-Identifier: MIT OR Apache-2.0
//! The element behind `facedetect`: knows the glue, `liveness::detect` and `liveness::track`, no other element.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;
use liveness::cadence::{Cadence, Due};
use liveness::detect::{self, Detector, InputSize};
use liveness::geometry::Rect;
use liveness::image::Pixels;
use liveness::letterbox::PixelAspect;
use liveness::runtime::{Options, Timing};
use liveness::signature::Signature;
use liveness::sync::lock;
use liveness::track::{FAINT, Tracker};
use liveness_models::FACE_DETECTOR;

use crate::caps::{self, pixel_aspect};
use crate::device::Device;
use crate::error;
use crate::frame::Format;
use crate::lateness::{self, Lateness};
use crate::message::{MessageFormat, PostMessages, Poster};
use crate::meta::{self, Analysis};
use crate::properties::{self, AUTO};
use crate::segment::continues;
use crate::stats::Stats;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        // `facedetect` is the OpenCV element's category.
        "livenessfacedetect",
        gst::DebugColorFlags::empty(),
        Some("Liveness: face detector"),
    )
});

/// `inference-interval` that leaves it to [`Cadence`].
const AS_NEEDED: u32 = 0;

/// Longest side that `input-size` may ask for: the largest at which the small detectors of this field were evaluated is half
/// of it.
const LARGEST_INPUT: u32 = 4096;

#[derive(Clone, Debug)]
struct Settings {
    model: Option<PathBuf>,
    model_info: Option<PathBuf>,
    model_sha256: Option<String>,
    threshold: f32,
    nms_threshold: f32,
    inference_interval: u32,
    min_face_size: u32,
    max_faces: u32,
    input_size: u32,
    tracking: bool,
    device: Device,
    threads: u32,
    max_lateness: i64,
    post_messages: PostMessages,
    message_format: MessageFormat,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: None,
            model_info: None,
            model_sha256: None,
            threshold: AUTO,
            nms_threshold: AUTO,
            inference_interval: 1,
            min_face_size: 0,
            max_faces: 0,
            input_size: 0,
            tracking: true,
            device: Device::Cpu,
            threads: 1,
            max_lateness: lateness::DEFAULT,
            post_messages: PostMessages::None,
            message_format: MessageFormat::Liveness,
        }
    }
}

impl Settings {
    fn detection(&self) -> detect::Settings {
        detect::Settings {
            threshold: properties::told(self.threshold),
            nms_threshold: properties::told(self.nms_threshold),
            min_face_size: self.min_face_size as f32,
            max_faces: self.max_faces as usize,
            input_size: match self.input_size {
                0 => InputSize::Auto,
                n => InputSize::LongSide(n as usize),
            },
        }
    }
}

/// What lives from start to stop.
struct State {
    detector: Detector,
    format: Option<Format>,
    /// What the last look saw, and how many frames ago that was.
    last: Option<(Analysis, u32)>,
    cadence: Cadence,
    lateness: Lateness,
    tracker: Tracker,
    poster: Poster,
    scratch: Vec<u8>,
}

#[derive(Default)]
pub struct FaceDetect {
    /// Behind an `Arc`, so that a frame's snapshot copies no names and paths.
    settings: Mutex<Arc<Settings>>,
    state: Mutex<Option<State>>,
    /// Apart from the state, so that they can be read while a frame is looked at.
    stats: Mutex<Stats>,
}

#[glib::object_subclass]
impl ObjectSubclass for FaceDetect {
    const NAME: &'static str = "GstLivenessFaceDetect";
    type Type = super::FaceDetect;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for FaceDetect {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            use crate::properties as p;
            let any = (0, u32::MAX);
            vec![
                p::text(
                    "model",
                    "Model",
                    "ONNX file of a face detector (YuNet, SCRFD, UltraFace, RetinaFace, BlazeFace, SSD); by default the one that ships with this element",
                ),
                p::text(
                    "model-info",
                    "Model info",
                    "TOML file with the facts about the model (default: beside it, with the ending .toml, where that exists)",
                ),
                p::model_sha256(),
                p::threshold(
                    "threshold",
                    "Threshold",
                    "Lowest confidence of a face, 0..1 (-1: what the model recommends); with tracking, one that is followed stays down to 0.8 times that",
                ),
                p::threshold(
                    "nms-threshold",
                    "NMS threshold",
                    "Highest overlap (IoU) of two faces, 0..1 (-1: what the model's family recommends)",
                ),
                p::count(
                    "inference-interval",
                    "Inference interval",
                    "Look at every Nth frame (0: where something changes or somebody is in doubt, and twice a second; only at the part of it that holds the faces and all changes, where it is small); the frames in between get the faces of the last look, with tracking moved on as they were moving",
                    any,
                    1,
                ),
                p::count(
                    "min-face-size",
                    "Minimum face size",
                    "Shortest side of a face in pixels of the frame",
                    any,
                    0,
                ),
                p::count(
                    "max-faces",
                    "Maximum faces",
                    "Most faces per frame, those with the highest confidence (0: all)",
                    any,
                    0,
                ),
                p::count(
                    "input-size",
                    "Input size",
                    "Long side of the model's input in pixels, rounded up to a multiple of 32; larger finds smaller faces and takes longer (0: 320, or what the model is fixed to)",
                    (0, LARGEST_INPUT),
                    0,
                ),
                glib::ParamSpecBoolean::builder("tracking")
                    .nick("Tracking")
                    .blurb("Follow the faces: each gets a number that stays the same from frame to frame")
                    .default_value(true)
                    .mutable_playing()
                    .build(),
                p::device(),
                p::threads(),
                p::max_lateness(),
                p::post_messages(),
                glib::ParamSpecEnum::builder_with_default("message-format", MessageFormat::default())
                    .nick("Message format")
                    .blurb("How messages are laid out, for applications that were written for another element")
                    .mutable_playing()
                    .build(),
                p::stats(
                    "Frames, looks, looks at a part of a frame, frames that were too late for one, faces, and mean milliseconds per look: preprocess, inference, decode, metadata",
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
            "model" => s.model = properties::path(value),
            "model-info" => s.model_info = properties::path(value),
            "model-sha256" => s.model_sha256 = properties::string(value),
            "threshold" => s.threshold = value.get().unwrap_or(AUTO),
            "nms-threshold" => s.nms_threshold = value.get().unwrap_or(AUTO),
            "inference-interval" => s.inference_interval = value.get().unwrap_or(1),
            "min-face-size" => s.min_face_size = value.get().unwrap_or_default(),
            "max-faces" => s.max_faces = value.get().unwrap_or_default(),
            "input-size" => s.input_size = value.get().unwrap_or_default(),
            "tracking" => s.tracking = value.get().unwrap_or(true),
            "device" => s.device = value.get().unwrap_or_default(),
            "threads" => s.threads = value.get().unwrap_or(1),
            "max-lateness" => s.max_lateness = value.get().unwrap_or(lateness::DEFAULT),
            "post-messages" => s.post_messages = value.get().unwrap_or_default(),
            "message-format" => s.message_format = value.get().unwrap_or_default(),
            other => gst::warning!(CAT, imp = self, "unknown property {other}"),
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        if pspec.name() == "stats" {
            let stats = *lock(&self.stats);
            let mut structure = stats.structure("application/x-facedetect-stats");
            structure.set("parts", stats.parts);
            return structure.to_value();
        }
        let s = lock(&self.settings);
        match pspec.name() {
            "model" => s.model.to_value(),
            "model-info" => s.model_info.to_value(),
            "model-sha256" => s.model_sha256.to_value(),
            "threshold" => s.threshold.to_value(),
            "nms-threshold" => s.nms_threshold.to_value(),
            "inference-interval" => s.inference_interval.to_value(),
            "min-face-size" => s.min_face_size.to_value(),
            "max-faces" => s.max_faces.to_value(),
            "input-size" => s.input_size.to_value(),
            "tracking" => s.tracking.to_value(),
            "device" => s.device.to_value(),
            "threads" => s.threads.to_value(),
            "max-lateness" => s.max_lateness.to_value(),
            "post-messages" => s.post_messages.to_value(),
            "message-format" => s.message_format.to_value(),
            _ => pspec.default_value().clone(),
        }
    }
}

impl GstObjectImpl for FaceDetect {}

impl ElementImpl for FaceDetect {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Face detector",
                "Filter/Analyzer/Video",
                "Finds the faces of each frame, follows them, and writes them as metadata",
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

impl BaseTransformImpl for FaceDetect {
    // In place, so that metadata can be written; never writing pixels, so that frames behind a tee are shared, not copied.
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let options = Options {
            device: settings.device.into(),
            threads: settings.threads as usize,
            ..Options::default()
        };
        let detector = open(&settings, options).map_err(|e| error::message(&e))?;
        gst::info!(
            CAT,
            imp = self,
            "{} is a {} model, threshold {}",
            detector.name(),
            detector.family().as_str(),
            detector.default_threshold()
        );
        *lock(&self.stats) = Stats::default();
        *lock(&self.state) = Some(State {
            detector,
            format: None,
            last: None,
            cadence: Cadence::default(),
            lateness: Lateness::default(),
            tracker: Tracker::new(),
            poster: Poster::default(),
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
            state.last = None;
            state.cadence.reset();
            state.lateness.reset();
            state.tracker.reset();
        }
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        let (anew, elsewhere) = match event.view() {
            gst::EventView::FlushStop(_) => (true, true),
            gst::EventView::Segment(e) => (true, !continues(&self.obj().segment(), e.segment())),
            gst::EventView::Gap(_) => (true, false),
            _ => (false, false),
        };
        if let (true, Some(state)) = (anew, lock(&self.state).as_mut()) {
            state.last = None;
            state.cadence.reset();
            state.lateness.reset();
            state.poster.reset();
            if elsewhere {
                state.tracker.reset();
            }
        }
        self.parent_sink_event(event)
    }

    fn transform_ip(
        &self,
        buffer: &mut gst::BufferRef,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let settings = lock(&self.settings).clone();
        // Taken out for the time of the frame: no lock is held over inference.
        let mut state = lock(&self.state).take().ok_or(gst::FlowError::Flushing)?;
        let result = self.look(&mut state, &settings, buffer);
        *lock(&self.state) = Some(state);
        *lock(&self.stats) += result.map_err(|message| error::post(self, message))?;
        Ok(gst::FlowSuccess::Ok)
    }
}

/// Reads and opens the model that the settings name, or the one that ships.
fn open(settings: &Settings, options: Options) -> liveness::Result<Detector> {
    let pins = properties::pins(settings.model_sha256.as_deref())?;
    let files = match &settings.model {
        Some(path) => {
            let paths = std::slice::from_ref(path);
            pins.read(paths, settings.model_info.as_deref())?
        }
        None => vec![FACE_DETECTOR.file()],
    };
    pins.admit(&files)?;
    Detector::open(&files[0], options)
}

impl FaceDetect {
    /// One frame: looks at it where that is due, and writes what is known.
    fn look(
        &self,
        state: &mut State,
        settings: &Settings,
        buffer: &mut gst::BufferRef,
    ) -> Result<Stats, gst::ErrorMessage> {
        let State {
            detector,
            format,
            last,
            cadence,
            lateness,
            tracker,
            poster,
            scratch,
        } = state;
        let format = format.as_ref().ok_or_else(error::no_format)?;
        let mut stats = Stats::of_frame();
        let sure = properties::told(settings.threshold).unwrap_or(detector.default_threshold());
        let mut timed = None;
        let time = buffer.pts().map(Duration::from);
        let start = Instant::now();
        let is_late = lateness.is_late(&*self.obj(), buffer, settings.max_lateness);
        stats.late = is_late.into();
        let due = match settings.inference_interval {
            AS_NEEDED => format
                .read(buffer, |pixels| cadence.due(pixels, time, scratch))
                .map_err(|e| error::message(&liveness::Error::Frame(e)))?,
            interval => {
                cadence.reset();
                match last {
                    Some((_, age)) if age.saturating_add(1) < interval => Due::Nothing,
                    _ => Due::Whole,
                }
            }
        };
        stats.metadata = start.elapsed();
        let (mut analysis, age) = match last.take() {
            Some((mut analysis, age)) if is_late || due == Due::Nothing => {
                // Another frame than the one looked at: its own signature tells whether it gets turned later on.
                if !analysis.faces.is_empty() {
                    let signature = format.read(buffer, |pixels| Signature::of(pixels, scratch));
                    analysis.signature = signature.ok();
                }
                (analysis, age.saturating_add(1))
            }
            _ => {
                let mut wanted = settings.detection();
                if settings.tracking {
                    // Who is followed may be fainter than who is found anew.
                    wanted.threshold = Some(sure * FAINT);
                }
                let par = pixel_aspect(format.info());
                let looked = format.read(buffer, |pixels| {
                    let (faces, timing) = match due {
                        Due::Part(part) if detector.takes_parts() => {
                            let known = cadence.faces();
                            let (timing, is_part) =
                                near(detector, pixels, par, &part, known, &wanted)?;
                            stats.parts = is_part.into();
                            (detector.faces(), timing)
                        }
                        _ => detector.detect(pixels, par, &wanted)?,
                    };
                    let start = Instant::now();
                    // Only faces have a place that can get lost.
                    let signature = (!faces.is_empty()).then(|| Signature::of(pixels, scratch));
                    Ok::<_, liveness::Error>((faces.to_vec(), signature, timing, start.elapsed()))
                });
                let (faces, signature, timing, signed) = looked
                    .map_err(liveness::Error::Frame)
                    .flatten()
                    .map_err(|e| error::message(&e))?;
                stats.metadata += signed;
                timed = Some(timing);
                let analysis = Analysis {
                    faces,
                    ..Analysis::new(format, signature)
                };
                (analysis, 0)
            }
        };
        let start = Instant::now();
        if settings.tracking {
            let sure = (age == 0).then_some(sure);
            follow(tracker, &mut analysis, sure, time);
        } else {
            tracker.reset();
            analysis.faces.iter_mut().for_each(|f| f.track = None);
        }
        if let Some(timing) = timed {
            cadence.looked(&analysis.faces, sure);
            stats.look(analysis.faces.len(), timing);
        }
        meta::write(buffer, &analysis);
        let (mode, segment) = (settings.post_messages, &self.obj().segment());
        let faces = &analysis.faces;
        match settings.message_format {
            MessageFormat::Liveness => {
                poster.post(self, "GstLivenessFaceDetect", mode, buffer, segment, faces);
            }
            MessageFormat::OpenCv => {
                let size = (analysis.width, analysis.height);
                poster.post_as_opencv(self, mode, buffer, segment, size, faces);
            }
        }
        stats.metadata += start.elapsed();
        *last = Some((analysis, age));
        Ok(stats)
    }
}

/// Looks at a part of a frame, and at the whole where fewer than the `known` faces are there. What it cost, and whether the part was enough.
fn near(
    detector: &mut Detector,
    pixels: &dyn Pixels,
    par: PixelAspect,
    part: &Rect,
    known: usize,
    wanted: &liveness::detect::Settings,
) -> liveness::Result<(Timing, bool)> {
    let (faces, mut timing) = detector.detect_near(pixels, par, part, wanted)?;
    let is_enough = faces.len() >= known;
    if !is_enough {
        let (_, whole) = detector.detect(pixels, par, wanted)?;
        timing += whole;
    }
    Ok((timing, is_enough))
}

/// Sets the tracks of the faces that were just seen, where a new one is one from the score `sure` on; or else moves those that were seen earlier
/// to where they should be by now.
fn follow(
    tracker: &mut Tracker,
    analysis: &mut Analysis,
    sure: Option<f32>,
    time: Option<Duration>,
) {
    let faces = &mut analysis.faces;
    if let Some(sure) = sure {
        tracker.update(faces, sure, time);
    } else {
        tracker.predict(faces, time);
        // Who walks out of the picture is not there any more.
        let (width, height) = (analysis.width as f32, analysis.height as f32);
        faces.retain(|f| f.rect.clamped(width, height).is_some());
    }
}
