// SPDX-License-Identifier: MIT OR Apache-2.0
//! appsrc ! queue leaky
//!
//! Where frames of sources that come and go enter the pipeline that stands: in its time, one after the other, in caps that change no more than
//! they must. Knows GStreamer; nothing of sources.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::Context;
use gst::prelude::*;
use gst_app::AppSrc;
use gst_video::{VideoFormat, VideoInfo};
use liveness::sync::lock;

use super::newest::newest;

/// A frame that claims to be older than this has a wrong clock.
const OLDEST: gst::ClockTime = gst::ClockTime::from_seconds(10);

/// From a frame to the next one, at least: what files of films can tell apart.
const STEP: gst::ClockTime = gst::ClockTime::from_mseconds(1);

/// The entry.
#[derive(Debug)]
pub(super) struct Gate {
    source: AppSrc,
    queue: gst::Element,
    dropped: Arc<AtomicU64>,
    last: Mutex<Last>,
}

/// What came last.
#[derive(Debug, Default)]
struct Last {
    stamp: Option<gst::ClockTime>,
    /// As the source had them, and as they were handed on.
    caps: Option<(gst::Caps, gst::Caps)>,
}

impl Gate {
    /// # Errors
    /// Where an element is not installed.
    pub(super) fn new() -> anyhow::Result<Self> {
        let dropped = Arc::default();
        let source = AppSrc::builder().format(gst::Format::Time).is_live(true);
        Ok(Self {
            source: source.build(),
            queue: newest(&dropped)?,
            dropped,
            last: Mutex::default(),
        })
    }

    /// Puts it into a pipeline, before `entry`.
    ///
    /// # Errors
    /// Where it cannot be linked.
    pub(super) fn join(&self, pipeline: &gst::Pipeline, entry: &gst::Pad) -> anyhow::Result<()> {
        pipeline.add_many([self.source.upcast_ref(), &self.queue])?;
        self.source.link(&self.queue)?;
        let exit = self
            .queue
            .static_pad("src")
            .context("a queue without a pad")?;
        exit.link(entry)?;
        Ok(())
    }

    /// Counts frames that were thrown away, here and wherever else somebody adds to it.
    pub(super) fn dropped(&self) -> &Arc<AtomicU64> {
        &self.dropped
    }

    /// Hands on a frame, unless its source is `over` by then. An error means that nobody takes any more.
    pub(super) fn push(
        &self,
        sample: &gst::Sample,
        over: &AtomicBool,
    ) -> Result<(), gst::FlowError> {
        let (Some(mut buffer), Some(caps)) = (sample.buffer_owned(), sample.caps_owned()) else {
            return Ok(());
        };
        let segment = sample
            .segment()
            .and_then(|s| s.downcast_ref::<gst::ClockTime>());
        let told = segment.and_then(|s| s.to_running_time(buffer.pts()));
        let mut last = lock(&self.last);
        // Asked within the lock: it was set before `black_out` came in here, or it is not set yet.
        if over.load(Ordering::Relaxed) {
            return Err(gst::FlowError::Flushing);
        }
        let caps = last.steady(caps);
        self.hand_on(&mut last, &mut buffer, &caps, told)
    }

    /// One black frame, as large as the last one: in it nobody is seen, and no window goes on showing who was there when the source was lost.
    pub(super) fn black_out(&self) {
        let mut last = lock(&self.last);
        let caps = last.caps.take().map(|(_, caps)| caps);
        if let Some((mut buffer, caps)) = caps.and_then(|caps| black(&caps)) {
            // Where nobody takes it any more, nobody shows anything.
            let _ = self.hand_on(&mut last, &mut buffer, &caps, None);
        }
    }

    /// No more frames: lets all that was begun come to its end.
    pub(super) fn end(&self) {
        // Where that fails, the pipeline has ended already.
        let _ = self.source.end_of_stream();
    }

    fn hand_on(
        &self,
        last: &mut Last,
        buffer: &mut gst::Buffer,
        caps: &gst::Caps,
        told: Option<gst::ClockTime>,
    ) -> Result<(), gst::FlowError> {
        let now = self.source.current_running_time().unwrap_or_default();
        let stamp = stamp(told, now, last.stamp);
        last.stamp = Some(stamp);
        let times = buffer.make_mut();
        times.set_pts(stamp);
        times.set_dts(gst::ClockTime::NONE);
        times.set_duration(gst::ClockTime::NONE);
        let sample = gst::Sample::builder().buffer(buffer).caps(caps).build();
        self.source.push_sample(&sample).map(drop)
    }
}

impl Last {
    /// Caps without what a live source cannot promise: a rate that it keeps. Each change of caps ends all tracks, and a film cannot change its rate.
    fn steady(&mut self, caps: gst::Caps) -> gst::Caps {
        if let Some((_, steady)) = self.caps.as_ref().filter(|(before, _)| *before == caps) {
            return steady.clone();
        }
        let mut steady = caps.clone();
        for structure in steady.make_mut().iter_mut() {
            structure.set("framerate", gst::Fraction::new(0, 1));
            structure.remove_field("max-framerate");
        }
        self.caps = Some((caps, steady.clone()));
        steady
    }
}

/// When a frame came: as its source says, where that can be true, and always behind the frame before.
fn stamp(
    told: Option<gst::ClockTime>,
    now: gst::ClockTime,
    last: Option<gst::ClockTime>,
) -> gst::ClockTime {
    let possible = told.filter(|told| *told <= now && now - *told <= OLDEST);
    let stamp = possible.unwrap_or(now);
    last.map_or(stamp, |last| stamp.max(last + STEP))
}

/// A black frame of the size and the shape of pixels of these caps.
fn black(caps: &gst::CapsRef) -> Option<(gst::Buffer, gst::Caps)> {
    let like = VideoInfo::from_caps(caps).ok()?;
    // In RGB, unlike in YUV, black is zero.
    let info = VideoInfo::builder(VideoFormat::Rgb, like.width(), like.height());
    let info = info
        .par(like.par())
        .fps(gst::Fraction::new(0, 1))
        .build()
        .ok()?;
    Some((
        gst::Buffer::from_slice(vec![0; info.size()]),
        info.to_caps().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> gst::ClockTime {
        gst::ClockTime::from_mseconds(n)
    }

    #[test]
    fn times_are_believed_where_they_can_be_true_and_only_grow() {
        let now = ms(20_000);
        let told = |told: u64, last| stamp(Some(ms(told)), now, last).mseconds();
        assert_eq!(told(19_900, None), 19_900);
        assert_eq!(told(19_900, Some(ms(19_000))), 19_900);
        assert_eq!(
            told(19_900, Some(ms(19_950))),
            19_951,
            "behind the one before"
        );
        assert_eq!(told(20_001, None), 20_000, "from the future");
        assert_eq!(told(9_999, None), 20_000, "too old");
        assert_eq!(stamp(None, now, None), now);
    }

    /// Frames of two sources, whose times and rates are their own, come out as those of one.
    #[test]
    fn sources_follow_each_other_in_the_time_of_the_pipeline() {
        gst::init().unwrap();
        let gate = Gate::new().unwrap();
        let pipeline = gst::Pipeline::new();
        let sink = gst_app::AppSink::builder()
            .sync(false)
            .async_(false)
            .build();
        pipeline.add(&sink).unwrap();
        gate.join(&pipeline, &sink.static_pad("sink").unwrap())
            .unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let mut stamps = Vec::new();
        let mut caps = Vec::new();
        let mut see = || {
            let sample = sink.pull_sample().unwrap();
            stamps.push(sample.buffer().unwrap().pts().unwrap());
            let structure = sample.caps().unwrap().structure(0).unwrap().to_owned();
            caps.push((
                structure.get::<String>("format").unwrap(),
                structure.get::<gst::Fraction>("framerate").unwrap(),
            ));
            let map = sample.buffer().unwrap().map_readable().unwrap();
            map.iter().all(|b| *b == 0)
        };
        for (rate, start) in [(25, 0), (30, 7_200_000)] {
            let info =
                VideoInfo::builder(VideoFormat::I420, 64, 48).fps(gst::Fraction::new(rate, 1));
            let info = info.build().unwrap();
            let mut segment = gst::FormattedSegment::<gst::ClockTime>::new();
            segment.set_start(ms(start));
            for n in 0..2 {
                let mut buffer = gst::Buffer::from_slice(vec![9_u8; info.size()]);
                buffer.get_mut().unwrap().set_pts(ms(start + 40 * n));
                let sample = gst::Sample::builder().buffer(&buffer).segment(&segment);
                let sample = sample.caps(&info.to_caps().unwrap()).build();
                gate.push(&sample, &AtomicBool::new(false)).unwrap();
                // Of a source that is over.
                assert!(gate.push(&sample, &AtomicBool::new(true)).is_err());
                assert!(!see());
            }
            gate.black_out();
            assert!(see(), "all black");
            // Nothing is shown that could be taken away.
            gate.black_out();
        }
        gate.end();
        assert!(sink.pull_sample().is_err() && sink.is_eos());
        assert!(stamps.is_sorted_by(|a, b| a < b), "{stamps:?}");
        let formats: Vec<_> = caps.iter().map(|(format, _)| &**format).collect();
        assert_eq!(formats, ["I420", "I420", "RGB", "I420", "I420", "RGB"]);
        assert!(caps.iter().all(|(_, rate)| rate.numer() == 0), "{caps:?}");
        assert_eq!(gate.dropped().load(Ordering::Relaxed), 0);
        pipeline.set_state(gst::State::Null).unwrap();
    }
}
