// SPDX-License-Identifier: MIT OR Apache-2.0
//! The element behind `livenessclassify`: knows the glue and `liveness::liveness`, no other element.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;
use liveness::face::Label;
use liveness::liveness::{Classifier, Judge, OverTime};
use liveness::model::{ModelFile, Pins};
use liveness::runtime::Options;
use liveness::sync::lock;

use crate::caps;
use crate::device::Device;
use crate::error;
use crate::frame::Format;
use crate::lateness::{self, Lateness};
use crate::message::{PostMessages, Poster};
use crate::meta::{self, Analysis, Here};
use crate::properties::{self, AUTO};
use crate::segment::continues;
use crate::stats::Stats;

use super::{Cues, Precision};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "livenessclassify",
        gst::DebugColorFlags::empty(),
        Some("Liveness: live or spoof"),
    )
});

#[derive(Clone, Debug)]
struct Settings {
    /// One model, or several separated by commas.
    model: Option<PathBuf>,
    model_info: Option<PathBuf>,
    model_sha256: Option<String>,
    precision: Precision,
    threshold: f32,
    over: OverTime,
    min_face_size: u32,
    cues: Cues,
    hold_suspect_stream: bool,
    device: Device,
    threads: u32,
    max_lateness: i64,
    post_messages: PostMessages,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            model: None,
            model_info: None,
            model_sha256: None,
            precision: Precision::default(),
            threshold: AUTO,
            over: OverTime::default(),
            min_face_size: 0,
            cues: Cues::empty(),
            hold_suspect_stream: false,
            device: Device::Cpu,
            threads: 1,
            max_lateness: lateness::DEFAULT,
            post_messages: PostMessages::None,
        }
    }
}

/// Longest half-life of evidence that may be asked for, in seconds: a face is seldom seen for longer.
const LONGEST_SMOOTHING: f32 = 60.0;

/// What lives from start to stop.
struct State {
    judge: Judge,
    lateness: Lateness,
    format: Option<Format>,
    poster: Poster,
    scratch: Vec<u8>,
    /// An answer that is no number was warned about.
    warned: bool,
}

#[derive(Default)]
pub struct LivenessClassify {
    /// Behind an `Arc`, so that a frame's snapshot copies no names and paths.
    settings: Mutex<Arc<Settings>>,
    state: Mutex<Option<State>>,
    /// Apart from the state, so that they can be read while a frame is looked at.
    stats: Mutex<Stats>,
}

#[glib::object_subclass]
impl ObjectSubclass for LivenessClassify {
    const NAME: &'static str = "GstLivenessClassify";
    type Type = super::LivenessClassify;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for LivenessClassify {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
            use crate::properties as p;
            vec![
                p::text(
                    "model",
                    "Model",
                    "ONNX file of a liveness model, or several separated by commas, which are fused (default: the one that ships)",
                ),
                p::text(
                    "model-info",
                    "Model info",
                    "TOML file with the facts about the model, for one model alone (default: beside each, with the ending .toml, where that exists)",
                ),
                p::model_sha256(),
                glib::ParamSpecEnum::builder_with_default("precision", Precision::default())
                    .nick("Precision")
                    .blurb("In what numbers the model that ships works: integers take little more than half of the time, where the processor has instructions for them. Not for models that are named")
                    .mutable_ready()
                    .build(),
                p::threshold(
                    "threshold",
                    "Threshold",
                    "Probability of live from which on a face is live, 0..1 (-1: what the model's card recommends, else 0.5)",
                ),
                p::limit(
                    "smoothing",
                    "Smoothing",
                    "Seconds after which a look at a face that is followed counts half: longer is steadier, and slower to notice that a replay has taken its place (0: each frame is judged by itself)",
                    (0.0, LONGEST_SMOOTHING),
                    OverTime::default().smoothing,
                ),
                p::count(
                    "reclassify-interval",
                    "Reclassify interval",
                    "A face that is followed and whose verdict stands is looked at in every Nth frame, sooner when its size, pose or light changes, and once a second at least; the frames in between carry the verdict (0 and 1: every frame)",
                    (0, u32::MAX),
                    OverTime::default().reclassify_interval,
                ),
                p::count(
                    "min-face-size",
                    "Minimum face size",
                    "Shortest side of a face that is judged, in pixels of the frame; smaller ones are uncertain",
                    (0, u32::MAX),
                    0,
                ),
                glib::ParamSpecFlags::builder::<Cues>("cues")
                    .nick("Cues")
                    .blurb("What is measured of each face beside the models, joined by +: written into the metadata, the verdict does not rest on it. Planar motion and blinking need faces that are followed, with landmarks")
                    .mutable_playing()
                    .build(),
                p::switch(
                    "hold-suspect-stream",
                    "Hold suspect streams",
                    "Call nobody live, but uncertain (suspect-stream), while the stream looks as one that was injected: frozen, looped, or with times that run backwards. For cameras: a picture that is shown for a while is such a stream",
                    false,
                ),
                p::device(),
                p::threads(),
                p::max_lateness(),
                p::post_messages(),
                p::stats(
                    "Frames, frames in which a model looked at faces, frames that were late, faces that were looked at, and mean milliseconds per such frame: preprocess, inference, decode, metadata",
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
            "precision" => s.precision = value.get().unwrap_or_default(),
            "threshold" => s.threshold = value.get().unwrap_or(AUTO),
            "smoothing" => s.over.smoothing = value.get().unwrap_or_default(),
            "reclassify-interval" => {
                s.over.reclassify_interval = value.get().unwrap_or_default();
            }
            "min-face-size" => s.min_face_size = value.get().unwrap_or_default(),
            "cues" => s.cues = value.get().unwrap_or(Cues::empty()),
            "hold-suspect-stream" => {
                // What cannot be read must not open a door.
                s.hold_suspect_stream = value.get().unwrap_or(true);
            }
            "device" => s.device = value.get().unwrap_or_default(),
            "threads" => s.threads = value.get().unwrap_or(1),
            "max-lateness" => s.max_lateness = value.get().unwrap_or(lateness::DEFAULT),
            "post-messages" => s.post_messages = value.get().unwrap_or_default(),
            other => gst::warning!(CAT, imp = self, "unknown property {other}"),
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        if pspec.name() == "stats" {
            return lock(&self.stats)
                .structure("application/x-livenessclassify-stats")
                .to_value();
        }
        let s = lock(&self.settings);
        match pspec.name() {
            "model" => s.model.to_value(),
            "model-info" => s.model_info.to_value(),
            "model-sha256" => s.model_sha256.to_value(),
            "precision" => s.precision.to_value(),
            "threshold" => s.threshold.to_value(),
            "smoothing" => s.over.smoothing.to_value(),
            "reclassify-interval" => s.over.reclassify_interval.to_value(),
            "min-face-size" => s.min_face_size.to_value(),
            "cues" => s.cues.to_value(),
            "hold-suspect-stream" => s.hold_suspect_stream.to_value(),
            "device" => s.device.to_value(),
            "threads" => s.threads.to_value(),
            "max-lateness" => s.max_lateness.to_value(),
            "post-messages" => s.post_messages.to_value(),
            _ => pspec.default_value().clone(),
        }
    }
}

impl GstObjectImpl for LivenessClassify {}

impl ElementImpl for LivenessClassify {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Liveness classifier",
                "Filter/Analyzer/Video",
                "Judges whether each face is live or a spoof (print, replay, mask)",
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

impl BaseTransformImpl for LivenessClassify {
    // In place, so that metadata can be written; never writing pixels, so that frames behind a tee are shared, not copied.
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let settings = lock(&self.settings).clone();
        let classifier = open(&settings).map_err(|e| error::message(&e))?;
        for model in classifier.models() {
            let name = model.name();
            match model.family() {
                Some(family) => gst::info!(
                    CAT,
                    imp = self,
                    "{name}: what its card leaves open is taken from the family {family:?}"
                ),
                None => gst::info!(CAT, imp = self, "{name}: described by its card"),
            }
        }
        *lock(&self.stats) = Stats::default();
        *lock(&self.state) = Some(State {
            judge: Judge::new(classifier),
            lateness: Lateness::default(),
            format: None,
            poster: Poster::default(),
            scratch: Vec::new(),
            warned: false,
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
            state.lateness.reset();
            state.judge.reset();
        }
        Ok(())
    }

    fn sink_event(&self, event: gst::Event) -> bool {
        let (anew, elsewhere) = match event.view() {
            gst::EventView::FlushStop(_) => (true, true),
            gst::EventView::Segment(e) => (true, !continues(&self.obj().segment(), e.segment())),
            _ => (false, false),
        };
        if let (true, Some(state)) = (anew, lock(&self.state).as_mut()) {
            state.poster.reset();
            state.lateness.reset();
            if elsewhere {
                state.judge.reset();
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
        let result = self.judge(&mut state, &settings, buffer);
        *lock(&self.state) = Some(state);
        *lock(&self.stats) += result.map_err(|message| error::post(self, message))?;
        Ok(gst::FlowSuccess::Ok)
    }
}

/// Reads and opens the models that the settings name, or the one that ships.
fn open(settings: &Settings) -> liveness::Result<Classifier> {
    let pins = properties::pins(settings.model_sha256.as_deref())?;
    let files = match &settings.model {
        Some(_) if settings.precision == Precision::Int8 => {
            return Err(liveness::Error::Option(
                "precision=int8 names a version of the model that ships, and model names another one: leave one of them out".into(),
            ));
        }
        Some(list) => read(
            &pins,
            &ModelFile::paths(list),
            settings.model_info.as_deref(),
        )?,
        None => vec![settings.precision.model().file()],
    };
    pins.admit(&files)?;
    let options = Options {
        device: settings.device.into(),
        threads: settings.threads as usize,
        ..Options::default()
    };
    Classifier::open(&files, options)
}

fn read(pins: &Pins, paths: &[PathBuf], info: Option<&Path>) -> liveness::Result<Vec<ModelFile>> {
    if info.is_some() && paths.len() > 1 {
        return Err(liveness::Error::Option(
            "model-info describes one model, and several are named: put a .toml file beside each instead".into(),
        ));
    }
    pins.read(paths, info)
}

impl LivenessClassify {
    /// One frame: judges its faces and writes the verdicts.
    fn judge(
        &self,
        state: &mut State,
        settings: &Settings,
        buffer: &mut gst::BufferRef,
    ) -> Result<Stats, gst::ErrorMessage> {
        let State {
            judge,
            lateness,
            format,
            poster,
            scratch,
            warned,
        } = state;
        let format = format.as_ref().ok_or_else(error::no_format)?;
        let mut stats = Stats::of_frame();
        let start = Instant::now();
        let fail = |reason: String| error::message(&liveness::Error::Frame(reason));
        let time = buffer.pts().map(Duration::from);
        let analysis = meta::read(buffer);
        let here = meta::faces_of(analysis.as_ref(), buffer, format, scratch).map_err(fail)?;
        let Some(here) = here else {
            // Nobody looked for faces in this frame.
            judge.pass(time);
            return Ok(stats);
        };
        let Here { mut faces, lost } = here;
        stats.metadata = start.elapsed();
        if faces.is_empty() {
            judge.pass(time);
        } else {
            let wanted = liveness::liveness::Settings {
                threshold: properties::told(settings.threshold),
                min_face_size: settings.min_face_size as f32,
                is_live: lateness.is_live(&*self.obj()),
                hold_suspect_stream: settings.hold_suspect_stream,
            };
            let cues = settings.cues.into();
            let mut over = settings.over;
            let is_late = lateness.is_late(&*self.obj(), buffer, settings.max_lateness);
            if is_late && over.smoothing > 0.0 {
                // Who is known waits for a frame that comes in time; who is not is looked at all the same.
                over.reclassify_interval = u32::MAX;
                stats.late = 1;
            }
            let looked = format
                .read(buffer, |pixels| {
                    judge.look(pixels, &mut faces, time, &wanted, &over, cues)
                })
                .map_err(liveness::Error::Frame)
                .flatten()
                .map_err(|e| error::message(&e))?;
            match looked.asked {
                // What it cost to see that no model needs to be asked counts with the looks.
                0 => stats.timing += looked.timing,
                asked => stats.look(asked, looked.timing),
            }
            if !*warned
                && faces.iter().any(|f| {
                    // A model was asked: the face was in sight.
                    f.verdict.label == Label::Unchecked && f.verdict.model.is_some()
                })
            {
                *warned = true;
                gst::warning!(
                    CAT,
                    imp = self,
                    "{} gave no number for a face, which stays unchecked",
                    judge.classifier().name()
                );
            }
        }
        let start = Instant::now();
        match analysis {
            Some(mut analysis) => {
                for face in &mut analysis.faces {
                    // A face that could not be looked at must not keep a verdict of before.
                    let judged = faces.iter().find(|f| f.id == face.id);
                    face.verdict = judged.map(|f| f.verdict.clone()).unwrap_or_default();
                }
                meta::write_verdicts(buffer, &analysis);
                faces = analysis.faces;
            }
            None => {
                let signature = format
                    .read(buffer, |pixels| {
                        liveness::signature::Signature::of(pixels, scratch)
                    })
                    .ok();
                let analysis = Analysis {
                    faces,
                    ..Analysis::new(format, signature)
                };
                meta::adopt(buffer);
                meta::write_verdicts(buffer, &analysis);
                faces = analysis.faces;
            }
        }
        gst::trace!(
            CAT,
            imp = self,
            "{} faces, {} of them at unknown places",
            faces.len(),
            lost.len()
        );
        poster.post(
            self,
            "GstLivenessClassify",
            settings.post_messages,
            buffer,
            &self.obj().segment(),
            &faces,
        );
        stats.metadata += start.elapsed();
        Ok(stats)
    }
}
