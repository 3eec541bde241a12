// SPDX-License-Identifier: MIT OR Apache-2.0
//! appsrc ! jpegdec ! videoconvert ! facedetect ! livenessclassify ! appsink
//!
//! The pipeline of one camera. One picture is in it at a time, and for each there is one answer, also where it cannot be decoded: jpegdec says
//! nothing then, or that it cannot go on, which is not so; but appsrc asks for the next picture when all elements are done with the one before.
//! What the other elements cannot do, they say on the bus.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use axum::body::Bytes;
use gst::prelude::*;
use gst_app::{AppSink, AppSinkCallbacks, AppSrc, AppSrcCallbacks};
use liveness::face::Face;
use liveness::sync::lock;
use liveness_app::film::end::take_down;
use liveness_app::film::faults::text;
use liveness_app::film::make;
use tokio::sync::mpsc;

use super::{Models, faces};

/// Longest time for one picture. It takes a hundredth: this is for a machine that has gone to sleep.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the pipeline says.
enum Event {
    /// It is done with a picture; nothing came out where it could not be decoded.
    Done(Option<gst::Sample>),
    /// It will do nothing any more.
    Broken(String),
}

/// The picture that is in the pipeline.
#[derive(Default)]
struct Passing {
    /// It has left the source.
    is_under_way: bool,
    /// It has come out at the end.
    sample: Option<gst::Sample>,
}

/// What was seen in a picture.
#[derive(Debug)]
pub(crate) struct Look {
    /// The faces, in pixels.
    pub(crate) faces: Vec<Face>,
    /// Width and height of the picture.
    pub(crate) frame: (u32, u32),
    /// The picture itself, as it was decoded.
    pub(crate) sample: gst::Sample,
}

/// A camera's pipeline.
pub(crate) struct Eye {
    pipeline: gst::Pipeline,
    source: AppSrc,
    events: mpsc::UnboundedReceiver<Event>,
    started: Instant,
    last: gst::ClockTime,
}

impl Drop for Eye {
    fn drop(&mut self) {
        take_down(vec![self.pipeline.clone().upcast()]);
    }
}

impl Eye {
    /// A pipeline that waits for pictures. Blocks while it starts, and so does dropping it.
    ///
    /// # Errors
    /// Where an element is missing or does not start.
    pub(crate) fn open(models: &Models) -> anyhow::Result<Self> {
        let (said, events) = mpsc::unbounded_channel();
        let passing = Arc::new(Mutex::new(Passing::default()));
        // Each picture is whole: the decoder need not look for its end.
        let caps = gst::Caps::builder("image/jpeg").field("parsed", true);
        let caps = caps.field("framerate", gst::Fraction::new(30, 1)).build();
        let source = AppSrc::builder().caps(&caps).format(gst::Format::Time);
        let source = source.build();
        let sink = AppSink::builder().sync(false).build();
        // It need not wait for a first picture.
        sink.set_property("async", false);

        let entry = source.static_pad("src").context("a source without a pad")?;
        let begun = passing.clone();
        entry.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            lock(&begun).is_under_way = true;
            gst::PadProbeReturn::Ok
        });
        let seen = passing.clone();
        sink.set_callbacks(
            AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                    lock(&seen).sample = Some(sample);
                    Ok(gst::FlowSuccess::Ok)
                })
                .build(),
        );
        let done = said.clone();
        source.set_callbacks(
            AppSrcCallbacks::builder()
                .need_data(move |_, _| {
                    // It asks again whenever it is woken: what counts is the first time behind a picture.
                    let passed = std::mem::take(&mut *lock(&passing));
                    if passed.is_under_way {
                        // Nobody listens any more where the session has ended.
                        let _ = done.send(Event::Done(passed.sample));
                    }
                })
                .build(),
        );

        let pipeline = gst::Pipeline::new();
        let [detect, classify] = models.elements(true)?;
        let decode = decoder()?;
        let parts = [
            source.upcast_ref(),
            &decode,
            &make("videoconvert")?,
            &detect,
            &classify,
            sink.upcast_ref(),
        ];
        pipeline.add_many(parts)?;
        gst::Element::link_many(parts)?;
        let bus = pipeline.bus().context("a pipeline without a bus")?;
        bus.set_sync_handler(move |_, message| {
            if message.type_() == gst::MessageType::Error {
                let _ = said.send(Event::Broken(text(message)));
            }
            gst::BusSyncReply::Drop
        });
        let started = pipeline.set_state(gst::State::Playing);
        let mut eye = Self {
            pipeline,
            source,
            events,
            started: Instant::now(),
            last: gst::ClockTime::ZERO,
        };
        match (started, eye.events.try_recv()) {
            (Ok(_), Err(_)) => Ok(eye),
            (_, Ok(Event::Broken(reason))) => bail!("{reason}"),
            _ => bail!("the pipeline of a camera does not start"),
        }
    }

    /// Looks at a picture; none where it cannot be decoded.
    ///
    /// # Errors
    /// Where the pipeline cannot go on.
    pub(crate) async fn look(&mut self, jpeg: Bytes) -> anyhow::Result<Option<Look>> {
        let mut buffer = gst::Buffer::from_slice(jpeg);
        let now = gst::ClockTime::try_from(self.started.elapsed())?;
        // Time stands still nowhere, and what came later is later.
        self.last = now.max(self.last + gst::ClockTime::USECOND);
        buffer
            .get_mut()
            .context("a buffer that somebody else has")?
            .set_pts(self.last);
        // What does not take it has said why.
        let _ = self.source.push_buffer(buffer);
        match tokio::time::timeout(PATIENCE, self.events.recv()).await {
            Ok(Some(Event::Done(None))) => Ok(None),
            Ok(Some(Event::Done(Some(sample)))) => {
                let (faces, frame) = faces(&sample)?;
                Ok(Some(Look {
                    faces,
                    frame,
                    sample,
                }))
            }
            Ok(Some(Event::Broken(reason))) => bail!("{reason}"),
            Ok(None) => bail!("the pipeline says nothing any more"),
            Err(_) => bail!("the pipeline gave no answer for {} s", PATIENCE.as_secs()),
        }
    }
}

/// jpegdec, which goes on behind pictures that it cannot decode.
fn decoder() -> anyhow::Result<gst::Element> {
    let decode = make("jpegdec")?;
    // However many in a row.
    decode.set_property("max-errors", -1);
    let pad = |name| decode.static_pad(name).context("a decoder without a pad");
    let (sink, src) = (pad("sink")?, pad("src")?);
    let bin = gst::Bin::new();
    bin.add(&decode)?;
    // GStreamer's errorignore lets nothing through any more behind the first error.
    let entry = gst::GhostPad::builder_with_target(&sink)?.chain_function(|pad, parent, buffer| {
        match gst::ProxyPad::chain_default(pad, parent, buffer) {
            Err(gst::FlowError::Error) => Ok(gst::FlowSuccess::Ok),
            other => other,
        }
    });
    bin.add_pad(&entry.name("sink").build())?;
    bin.add_pad(&gst::GhostPad::with_target(&src)?)?;
    Ok(bin.upcast())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_picture_gets_one_answer_and_broken_ones_harm_no_other() {
        let Some(models) = testing::tiny() else {
            return;
        };
        let mut eye = tokio::task::spawn_blocking(move || Eye::open(&models).unwrap())
            .await
            .unwrap();
        let good = testing::jpeg(160, 120, 200);
        let half = good.slice(..good.len() / 2);
        // A scan whose data are noise.
        let mut noise = good.to_vec();
        let middle = noise.len() / 2;
        noise[middle..].fill(0x55);
        for round in 0..3 {
            let look = eye.look(good.clone()).await.unwrap().unwrap();
            assert_eq!((look.frame, look.faces.len()), ((160, 120), 2), "{round}");
            assert!(
                eye.look(Bytes::from_static(b"no picture"))
                    .await
                    .unwrap()
                    .is_none()
            );
            // What can be made of these is the decoder's business: an answer is all that counts.
            let _ = eye.look(half.clone()).await.unwrap();
            let _ = eye.look(noise.clone().into()).await.unwrap();
        }
        // Another size in the middle.
        let look = eye.look(testing::jpeg(96, 128, 200)).await.unwrap();
        assert_eq!(look.unwrap().frame, (96, 128));
        tokio::task::spawn_blocking(move || drop(eye))
            .await
            .unwrap();
    }

    #[test]
    fn a_model_that_is_none_is_said() {
        if testing::tiny().is_none() {
            return;
        }
        let models = Models {
            liveness: Some(testing::data("make.py")),
            ..Models::default()
        };
        let said = models.hold().unwrap_err().to_string();
        assert!(said.contains("make.py"), "{said}");
        let said = Eye::open(&models).err().unwrap().to_string();
        assert!(said.contains("make.py"), "{said}");
    }
}
