// SPDX-License-Identifier: MIT OR Apache-2.0
//! A place where the newest wins: what could not be taken in time is thrown away, and counted. Knows GStreamer alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gst::prelude::*;

use crate::film::make;

/// A queue for one buffer, in which a new one takes the place of one that waits. Adds those that are lost to `dropped`.
///
/// # Errors
/// Where the element is not installed.
pub(super) fn newest(dropped: &Arc<AtomicU64>) -> anyhow::Result<gst::Element> {
    let queue = make("queue")?;
    queue.set_property_from_str("leaky", "downstream");
    queue.set_property("max-size-buffers", 1_u32);
    queue.set_property("max-size-bytes", 0_u32);
    queue.set_property("max-size-time", 0_u64);
    let dropped = dropped.clone();
    // Emitted for each buffer that finds another one waiting, just before that one goes.
    queue.connect("overrun", false, move |_| {
        dropped.fetch_add(1, Ordering::Relaxed);
        None
    });
    Ok(queue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_frame_wins_and_the_others_are_counted() {
        gst::init().unwrap();
        let dropped = Arc::default();
        let queue = newest(&dropped).unwrap();
        let pipeline = gst::Pipeline::new();
        let source = gst_app::AppSrc::builder().format(gst::Format::Time).build();
        let sink = gst_app::AppSink::builder()
            .sync(false)
            .async_(false)
            .build();
        pipeline
            .add_many([source.upcast_ref(), &queue, sink.upcast_ref()])
            .unwrap();
        gst::Element::link_many([source.upcast_ref(), &queue, sink.upcast_ref()]).unwrap();
        // A consumer that is busy with the first frame, until it is told to go on.
        let (taken, took) = std::sync::mpsc::channel();
        let (go, wait) = std::sync::mpsc::channel::<()>();
        let wait = std::sync::Mutex::new(wait);
        let exit = queue.static_pad("src").unwrap();
        exit.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            let pts = info.buffer().and_then(|b| b.pts()).unwrap();
            taken.send(pts.mseconds()).unwrap();
            if pts.is_zero() {
                wait.lock().unwrap().recv().unwrap();
            }
            gst::PadProbeReturn::Ok
        });
        let (arrive, arrived) = std::sync::mpsc::channel();
        let entry = queue.static_pad("sink").unwrap();
        let peer = entry.peer().unwrap();
        peer.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            arrive.send(()).unwrap();
            gst::PadProbeReturn::Ok
        });
        pipeline.set_state(gst::State::Playing).unwrap();
        let push = |ms| {
            let mut buffer = gst::Buffer::new();
            buffer
                .get_mut()
                .unwrap()
                .set_pts(gst::ClockTime::from_mseconds(ms));
            source.push_buffer(buffer).unwrap();
            arrived.recv().unwrap();
        };
        push(0);
        assert_eq!(took.recv().unwrap(), 0);
        (1..10).for_each(push);
        // Comes behind the last of them.
        source.end_of_stream().unwrap();
        while !entry.pad_flags().contains(gst::PadFlags::EOS) {
            std::thread::yield_now();
        }
        go.send(()).unwrap();
        assert_eq!(took.recv().unwrap(), 9);
        assert_eq!(dropped.load(Ordering::Relaxed), 8);
        while sink.pull_sample().is_ok() {}
        assert!(took.try_recv().is_err(), "there was a third one");
        pipeline.set_state(gst::State::Null).unwrap();
    }
}
