// SPDX-License-Identifier: MIT OR Apache-2.0
//! A film in memory, so that no decoding is counted, and pipelines that are fed with it over and over.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use gst::prelude::*;

/// Longest wait for a frame that was put in to come out.
const LIMIT: Duration = Duration::from_secs(60);

/// Frames of one size, some seconds of a clip.
pub(crate) struct Film {
    pub(crate) caps: gst::Caps,
    pub(crate) frames: Vec<gst::Buffer>,
}

/// The clip that all is measured with: `CLIP`, or the one that set-up renders (a person, then a telephone that shows her).
pub(crate) fn clip() -> PathBuf {
    std::env::var_os("CLIP").map_or_else(|| super::root().join(".setup/clips/demo.mp4"), Into::into)
}

impl Film {
    /// The first `count` frames of a clip, as NV12 in this size.
    pub(crate) fn read(clip: &Path, (width, height): (u32, u32), count: usize) -> Self {
        assert!(
            clip.is_file(),
            "{} is missing: run scripts/setup.sh --assets",
            clip.display()
        );
        let pipeline = gst::parse::launch(&format!(
            "filesrc name=file ! decodebin ! videoconvert ! videoscale \
             ! video/x-raw,format=NV12,width={width},height={height},pixel-aspect-ratio=1/1 \
             ! appsink name=out sync=false max-buffers=4"
        ))
        .unwrap()
        .downcast::<gst::Bin>()
        .unwrap();
        pipeline
            .by_name("file")
            .unwrap()
            .set_property("location", clip);
        let sink = pipeline.by_name("out").unwrap();
        let sink = sink.downcast::<gst_app::AppSink>().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let (mut frames, mut caps) = (Vec::new(), None);
        while frames.len() < count {
            let Ok(sample) = sink.pull_sample() else {
                break;
            };
            caps = sample.caps_owned().or(caps);
            // Without what belongs to the clip's own time.
            let mut frame = sample.buffer().unwrap().copy_deep().unwrap();
            let about = frame.get_mut().unwrap();
            about.set_pts(None);
            about.set_dts(None);
            frames.push(frame);
        }
        pipeline.set_state(gst::State::Null).unwrap();
        assert!(!frames.is_empty(), "{} has no frames", clip.display());
        Self {
            caps: caps.unwrap(),
            frames,
        }
    }

    /// Frame number `n` of a film without end, at this many frames a second. Its pixels are those of the film, not copies.
    pub(crate) fn frame(&self, n: u64, rate: u64) -> gst::Buffer {
        let mut frame = self.frames[(n % self.frames.len() as u64) as usize].copy();
        let about = frame.get_mut().unwrap();
        about.set_pts(gst::ClockTime::SECOND * n / rate);
        about.set_duration(gst::ClockTime::SECOND / rate);
        frame
    }
}

/// Frames a second that frames are stamped with where they are pushed as fast as they go.
const RATE: u64 = 25;

/// A pipeline with an elements' chain in it that takes frames from this program.
pub(crate) struct Feed {
    pipeline: gst::Pipeline,
    source: gst_app::AppSrc,
    film: Arc<Film>,
    /// Frames that came out, and who waits for them.
    out: Arc<(Mutex<u64>, Condvar)>,
    put: u64,
}

impl Feed {
    /// For elements as gst-launch names them.
    pub(crate) fn launch(film: &Arc<Film>, chain: &str) -> Self {
        let chain = gst::parse::bin_from_description(chain, true).unwrap();
        Self::new(film, &chain.upcast())
    }

    /// For an element, or a bin of several.
    pub(crate) fn new(film: &Arc<Film>, chain: &gst::Element) -> Self {
        let source = gst_app::AppSrc::builder()
            .caps(&film.caps)
            .format(gst::Format::Time)
            // All that one round takes waits in it: these are references.
            .max_bytes(0)
            .build();
        let sink = gst::ElementFactory::make("fakesink")
            .property("sync", false)
            .build()
            .unwrap();
        let pipeline = gst::Pipeline::new();
        pipeline
            .add_many([source.upcast_ref(), chain, &sink])
            .unwrap();
        gst::Element::link_many([source.upcast_ref(), chain, &sink]).unwrap();
        let out = Arc::new((Mutex::new(0), Condvar::new()));
        let came = out.clone();
        let pad = sink.static_pad("sink").unwrap();
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            *came.0.lock().unwrap() += 1;
            came.1.notify_one();
            gst::PadProbeReturn::Ok
        });
        pipeline.set_state(gst::State::Playing).unwrap();
        Self {
            pipeline,
            source,
            film: film.clone(),
            out,
            put: 0,
        }
    }

    /// An element of it.
    pub(crate) fn element(&self, name: &str) -> gst::Element {
        self.pipeline.by_name(name).unwrap()
    }

    /// Puts `count` frames in, stamped with `rate` frames a second.
    pub(crate) fn put(&mut self, count: u64, rate: u64) {
        for _ in 0..count {
            self.source
                .push_buffer(self.film.frame(self.put, rate))
                .unwrap();
            self.put += 1;
        }
    }

    /// Waits until all that was put in has come out.
    pub(crate) fn wait(&self) {
        let start = Instant::now();
        let mut out = self.out.0.lock().unwrap();
        while *out < self.put {
            (out, _) = self.out.1.wait_timeout(out, LIMIT / 60).unwrap();
            let bus = self.pipeline.bus().unwrap();
            if let Some(message) = bus.pop_filtered(&[gst::MessageType::Error])
                && let gst::MessageView::Error(e) = message.view()
            {
                panic!("{} {:?}", e.error(), e.debug());
            }
            assert!(start.elapsed() < LIMIT, "no frame came out");
        }
    }

    /// Puts `count` frames in at once and waits for them.
    pub(crate) fn run(&mut self, count: u64) -> Duration {
        super::turns::time(|| {
            self.put(count, RATE);
            self.wait();
        })
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}
