// SPDX-License-Identifier: MIT OR Apache-2.0
//! appsrc ! livenessoverlay ! appsink
//!
//! Draws on a picture what was found in it, with the very element that draws on films. Knows GStreamer, no files and no models.

use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, bail};
use gst::prelude::*;
use gst_app::{AppSink, AppSrc};
use gst_video::{VideoFormat, VideoFrameFlags, VideoInfo, VideoMeta};
use gstliveness::meta::{self, Analysis};
use liveness::face::Face;
use liveness_app::film::end::{self, LOOK};
use liveness_app::film::{faults, frame, make};
use liveness_app::picture::Picture;

/// How long a picture is waited for.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Draws on one picture after the other.
pub(crate) struct Painter {
    /// Stands as long as all goes well.
    line: Option<Line>,
}

impl Painter {
    /// # Errors
    /// Where GStreamer does not start, or lacks an element.
    pub(crate) fn new() -> Result<Self> {
        gst::init().context("GStreamer does not start")?;
        gstliveness::plugin_register_static().context("the elements do not register")?;
        let line = Some(Line::new()?);
        Ok(Self { line })
    }

    /// The picture with its faces drawn.
    ///
    /// # Errors
    /// Where it cannot be drawn on; others can.
    pub(crate) fn paint(&mut self, picture: Picture, faces: &[Face]) -> Result<Picture> {
        let line = match self.line.take() {
            Some(line) => line,
            None => Line::new()?,
        };
        let painted = line.paint(picture, faces)?;
        self.line = Some(line);
        Ok(painted)
    }
}

/// The pipeline.
struct Line {
    pipeline: gst::Pipeline,
    bus: gst::Bus,
    source: AppSrc,
    sink: AppSink,
}

impl Drop for Line {
    fn drop(&mut self) {
        end::take_down(vec![self.pipeline.clone().upcast()]);
    }
}

impl Line {
    fn new() -> Result<Self> {
        let pipeline = gst::Pipeline::new();
        let source = AppSrc::builder().format(gst::Format::Time).build();
        let overlay = make("livenessoverlay")?;
        let sink = AppSink::builder().sync(false).build();
        pipeline.add_many([source.upcast_ref(), &overlay, sink.upcast_ref()])?;
        gst::Element::link_many([source.upcast_ref(), &overlay, sink.upcast_ref()])?;
        let line = Self {
            bus: pipeline.bus().context("a pipeline without a bus")?,
            pipeline,
            source,
            sink,
        };
        line.pipeline.set_state(gst::State::Playing)?;
        Ok(line)
    }

    fn paint(&self, picture: Picture, faces: &[Face]) -> Result<Picture> {
        let (width, height) = picture.size();
        let (width, height) = (u32::try_from(width)?, u32::try_from(height)?);
        let too_large = || format!("GStreamer takes no picture of {width}x{height} pixels");
        let info = VideoInfo::builder(VideoFormat::Rgb, width, height).build();
        let info = info.with_context(too_large)?;
        let analysis = Analysis {
            width,
            height,
            par: info.par(),
            // Nobody touches it on its way to the element.
            signature: None,
            faces: faces.to_vec(),
        };
        // Rows without padding, as the picture has them: not copied.
        let stride = i32::try_from(3 * width).ok().with_context(too_large)?;
        let mut buffer = gst::Buffer::from_mut_slice(picture.into_rgb().into_raw());
        let writable = buffer.get_mut().context("a buffer of somebody else's")?;
        let flags = VideoFrameFlags::empty();
        let rows = VideoMeta::add_full(
            writable,
            flags,
            info.format(),
            width,
            height,
            &[0],
            &[stride],
        );
        rows.with_context(too_large)?;
        meta::write(writable, &analysis);
        self.source.set_caps(Some(&info.to_caps()?));
        let pushed = self.source.push_buffer(buffer);
        let drawn = self.drawn()?;
        pushed?;
        Ok(drawn)
    }

    /// What comes out, or why nothing does.
    fn drawn(&self) -> Result<Picture> {
        let wait = gst::ClockTime::try_from(LOOK)?;
        let start = Instant::now();
        while start.elapsed() < TIMEOUT {
            if let Some(sample) = self.sink.try_pull_sample(wait) {
                let (picture, _) = frame::picture(&sample).map_err(Error::msg)?;
                return Ok(picture);
            }
            if let Some(error) = self.bus.pop_filtered(&[gst::MessageType::Error]) {
                bail!(faults::text(&error));
            }
        }
        bail!(end::given_up(TIMEOUT))
    }
}
