// SPDX-License-Identifier: MIT OR Apache-2.0
//! The element behind `livenessoverlay`: knows the glue and the drawing beside it, no other element.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;
use gst_video::{
    CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION as ATTACHED, VideoOverlayComposition,
    VideoOverlayCompositionMeta,
};

use liveness::sync::lock;

use super::draw::{Area, Look};
use super::ink::Ink;
use super::privacy::{self, Coverer};
use super::scene::{Picture, Scene};
use super::settings::{self, Settings};
use crate::frame::{self, Format};
use crate::{caps, error, meta};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "livenessoverlay",
        gst::DebugColorFlags::empty(),
        Some("Liveness: overlay"),
    )
});

/// What lives from start to stop.
#[derive(Default)]
struct State {
    format: Option<Format>,
    /// The colours of that format, known from the first frame that is drawn on.
    ink: Option<Ink>,
    /// Whether upstream's caps say that compositions are attached: then downstream has taken that.
    upstream: bool,
    /// Whether to attach the composition instead of blending it.
    attach: bool,
    scene: Scene,
    coverer: Coverer,
    scratch: Vec<u8>,
}

/// Totals since the element was started.
#[derive(Clone, Copy, Debug, Default)]
struct Stats {
    frames: u64,
    faces: u64,
    overlay: Duration,
}

/// See [`super`].
#[derive(Default)]
pub struct LivenessOverlay {
    /// Behind an `Arc`, so that a frame's snapshot copies no texts.
    settings: Mutex<Arc<Settings>>,
    state: Mutex<State>,
    /// Whether downstream has been asked, since the caps changed or it wanted to be asked again. Apart from the state, which the
    /// streaming thread holds while it draws: downstream asks from another one.
    negotiated: AtomicBool,
    /// Apart from the state, so that they can be read while a frame is drawn on.
    stats: Mutex<Stats>,
}

#[glib::object_subclass]
impl ObjectSubclass for LivenessOverlay {
    const NAME: &'static str = "GstLivenessOverlay";
    type Type = super::LivenessOverlay;
    type ParentType = gst_base::BaseTransform;
}

impl ObjectImpl for LivenessOverlay {
    fn properties() -> &'static [glib::ParamSpec] {
        static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(settings::properties);
        &PROPERTIES
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        if !Arc::make_mut(&mut lock(&self.settings)).set(pspec.name(), value) {
            gst::warning!(CAT, imp = self, "unknown property {}", pspec.name());
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        if pspec.name() == "stats" {
            let stats = *lock(&self.stats);
            let ms = 1e3 * stats.overlay.as_secs_f64() / stats.frames.max(1) as f64;
            return gst::Structure::builder("application/x-livenessoverlay-stats")
                .field("frames", stats.frames)
                .field("faces", stats.faces)
                .field("overlay-ms", ms)
                .build()
                .to_value();
        }
        let value = lock(&self.settings).get(pspec.name());
        value.unwrap_or_else(|| pspec.default_value().clone())
    }
}

impl GstObjectImpl for LivenessOverlay {}

impl ElementImpl for LivenessOverlay {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Liveness overlay",
                "Filter/Editor/Video",
                "Draws faces and whether they are live; hides faces for privacy",
                env!("CARGO_PKG_AUTHORS"),
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let mut caps = caps::raw_video();
            caps.merge(with_attached(&caps));
            let mut templates = caps::pad_template("sink", gst::PadDirection::Sink, &caps);
            templates.extend(caps::pad_template("src", gst::PadDirection::Src, &caps));
            templates
        });
        &TEMPLATES
    }
}

impl BaseTransformImpl for LivenessOverlay {
    // In place: what is not drawn on is not copied, and frames behind a tee are copied only where something is drawn.
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = false;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        *lock(&self.stats) = Stats::default();
        self.negotiated.store(false, Ordering::Release);
        *lock(&self.state) = State::default();
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *lock(&self.state) = State::default();
        Ok(())
    }

    /// Downstream of frames without attached compositions there may be frames with these, which is tried first.
    fn transform_caps(
        &self,
        direction: gst::PadDirection,
        caps: &gst::Caps,
        filter: Option<&gst::Caps>,
    ) -> Option<gst::Caps> {
        let mut other = if direction == gst::PadDirection::Sink {
            with_attached(caps)
        } else {
            without_attached(caps)
        };
        other.merge(caps.clone());
        Some(match filter {
            Some(filter) => filter.intersect_with_mode(&other, gst::CapsIntersectMode::First),
            None => other,
        })
    }

    fn set_caps(&self, incaps: &gst::Caps, _: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = caps::video_info(incaps).map_err(|e| error::refuse_caps(self, *CAT, e))?;
        let mut state = lock(&self.state);
        state.format = Some(Format::new(&info));
        state.ink = None;
        state.upstream = is_attached(incaps);
        self.negotiated.store(false, Ordering::Release);
        Ok(())
    }

    fn src_event(&self, event: gst::Event) -> bool {
        if let gst::EventView::Reconfigure(_) = event.view() {
            self.negotiated.store(false, Ordering::Release);
        }
        self.parent_src_event(event)
    }

    fn transform_ip(
        &self,
        buffer: &mut gst::BufferRef,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let start = Instant::now();
        let settings = lock(&self.settings).clone();
        if !self.negotiated.swap(true, Ordering::AcqRel) {
            self.negotiate();
        }
        let drawn = lock(&self.state).draw(&settings, buffer);
        let faces = drawn.map_err(|message| error::post(self, message))?;
        let mut stats = lock(&self.stats);
        stats.frames += 1;
        stats.faces += faces;
        stats.overlay += start.elapsed();
        Ok(gst::FlowSuccess::Ok)
    }
}

impl LivenessOverlay {
    /// Attaches where both the caps and the allocation query say that downstream takes it. Where only the caps do, frames go
    /// on without that feature, as GStreamer's textoverlay does it. Base transforms that work in place leave the query to us.
    fn negotiate(&self) {
        let upstream = lock(&self.state).upstream;
        let obj = self.obj();
        let pad = obj.src_pad();
        let caps = pad.current_caps().filter(|c| is_attached(c));
        let attach = caps.is_some_and(|caps| {
            let mut query = gst::query::Allocation::new(Some(&caps), false);
            let asked = pad.peer_query(&mut query)
                && query
                    .find_allocation_meta::<VideoOverlayCompositionMeta>()
                    .is_some();
            let plain = without_attached(&caps);
            if !asked && !upstream && pad.peer_query_accept_caps(&plain) {
                gst::debug!(CAT, imp = self, "nobody asks for attaching: {plain}");
                pad.push_event(gst::event::Caps::new(&plain));
            }
            asked || upstream
        });
        gst::info!(
            CAT,
            imp = self,
            "{} compositions",
            if attach { "attaching" } else { "blending" }
        );
        lock(&self.state).attach = attach;
    }
}

impl State {
    /// Draws on a frame, and says how many faces it has.
    fn draw(
        &mut self,
        settings: &Settings,
        buffer: &mut gst::BufferRef,
    ) -> Result<u64, gst::ErrorMessage> {
        let failed = |reason: String| gst::error_msg!(gst::StreamError::Failed, ("{reason}"));
        let format = self.format.as_ref().ok_or_else(error::no_format)?;
        let info = format.info();
        let here = meta::faces_here(buffer, format, &mut self.scratch).map_err(failed)?;
        let look = Look::new(
            (info.width() as i32, info.height() as i32),
            caps::pixel_aspect(info),
            settings.text_scale,
            &settings.font,
        );
        let covers = if settings.blur {
            let areas = privacy::areas(here.as_ref(), &look);
            covers(&mut self.coverer, format, buffer, areas, &look, settings)?
        } else {
            None
        };
        let here = here.unwrap_or_default();
        let faces = here.faces.len() + here.lost.len();
        let scene = if faces == 0 {
            None
        } else {
            let ink = match self.ink {
                // Downstream knows nothing of the frame's colours.
                _ if self.attach => Ink::Painted,
                Some(ink) => ink,
                None => {
                    let ink = format.read(buffer, |pixels| Ink::of(pixels.layout()));
                    *self.ink.insert(ink.map_err(failed)?)
                }
            };
            let scene = self.scene.compose(&look, ink, &settings.show, &here);
            scene.map_err(failed)?
        };
        let (attached, blended) = if self.attach {
            (scene, None)
        } else {
            (None, scene)
        };
        // A cover that is attached would leave the face in the pixels.
        let blended: Vec<_> = covers.into_iter().chain(blended).collect();
        if !blended.is_empty() {
            blend(buffer, info, &blended)?;
        }
        if let Some(composition) = attached {
            attach(buffer, &composition);
        }
        Ok(faces as u64)
    }
}

/// What hides `areas`.
fn covers(
    coverer: &mut Coverer,
    format: &Format,
    buffer: &gst::BufferRef,
    areas: Vec<Area>,
    look: &Look,
    settings: &Settings,
) -> Result<Option<VideoOverlayComposition>, gst::ErrorMessage> {
    if areas.is_empty() {
        return Ok(None);
    }
    let rectangles = format.read(buffer, |pixels| {
        areas
            .into_iter()
            .map(|area| {
                let cover = coverer.cover(pixels, area, look.across, settings.blur_style);
                let size = (cover.area.w, cover.area.h);
                let picture = Picture::new(cover.ink, size, cover.data)?;
                Ok(picture.at(cover.area.x, cover.area.y))
            })
            .collect::<Result<Vec<_>, String>>()
    });
    let rectangles = rectangles
        .flatten()
        .map_err(|reason| gst::error_msg!(gst::StreamError::Failed, ("{reason}")))?;
    // By reference: gstreamer-video 0.25.4 leaks rectangles that are collected by value.
    Ok(Some(rectangles.iter().collect()))
}

/// Draws into the frame's pixels.
fn blend(
    buffer: &mut gst::BufferRef,
    info: &gst_video::VideoInfo,
    compositions: &[VideoOverlayComposition],
) -> Result<(), gst::ErrorMessage> {
    let failed = |what: &str| {
        gst::error_msg!(
            gst::StreamError::Failed,
            (
                "{what} a {} frame of {}x{}: put videoconvert before this element",
                info.format(),
                info.width(),
                info.height()
            )
        )
    };
    let mut frame = gst_video::VideoFrameRef::from_buffer_ref_writable(buffer, info)
        .map_err(|_| failed("cannot write into"))?;
    frame::whole(&frame)
        .map_err(|reason| gst::error_msg!(gst::StreamError::Format, ("{reason}")))?;
    for composition in compositions {
        composition
            .blend(&mut frame)
            .map_err(|_| failed("cannot draw on"))?;
    }
    Ok(())
}

/// Leaves the drawing to downstream, on top of what upstream left to it.
fn attach(buffer: &mut gst::BufferRef, composition: &VideoOverlayComposition) {
    if let Some(mut meta) = buffer.meta_mut::<VideoOverlayCompositionMeta>() {
        let all: Vec<_> = meta.overlay().iter().chain(composition.iter()).collect();
        // By reference: see above.
        meta.set_overlay(&all.iter().collect());
    } else {
        VideoOverlayCompositionMeta::add(buffer, composition);
    }
}

fn is_attached(caps: &gst::CapsRef) -> bool {
    caps.features(0).is_some_and(|f| f.contains(ATTACHED))
}

/// `caps` with all features changed by `change`.
fn changed(caps: &gst::CapsRef, change: impl Fn(&mut gst::CapsFeatures)) -> gst::Caps {
    caps.iter_with_features()
        .map(|(structure, features)| {
            let mut features = features.to_owned();
            if !features.is_any() {
                change(&mut features);
            }
            (structure.to_owned(), features)
        })
        .collect()
}

fn with_attached(caps: &gst::CapsRef) -> gst::Caps {
    changed(caps, |f| {
        if !f.contains(ATTACHED) {
            f.add(ATTACHED);
        }
    })
}

fn without_attached(caps: &gst::CapsRef) -> gst::Caps {
    changed(caps, |f| f.remove(ATTACHED))
}
