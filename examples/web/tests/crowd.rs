// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many cameras at once, as browsers have them: a picture for each credit, the newest one, at most twenty a second; and some that send without
//! credit. All are served alike, nobody has more than the bounded queue, and all are told that the server is busy.
//!
//! ```text
//! SESSIONS=50 SECONDS=30 cargo test -p liveness-web --test crowd -- --ignored --nocapture
//! ```
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

#[path = "../../../tests/common/mod.rs"]
mod common;
#[path = "../../../tests/common/plugin.rs"]
mod plugin;
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Camera, Server, faces, jpeg};

/// Shortest time between two pictures of a browser.
const GAP: Duration = Duration::from_millis(45);

/// What became of one camera.
#[derive(Debug, Default)]
struct Served {
    answers: u64,
    throttled: u64,
    /// Answers without a live face: nobody in the crowd is told something wrong.
    live: u64,
    /// Pictures on their way at once, at the most.
    most_on_their_way: u64,
    dropped: u64,
    waits: Vec<u64>,
    /// From sending to hearing, in milliseconds.
    latencies: Vec<u64>,
}

impl Served {
    fn hear(&mut self, answer: &Value) {
        self.answers += 1;
        self.throttled += u64::from(answer["throttled"] == true);
        self.live += u64::from(answer["faces"][0]["label"] == "live");
        self.dropped = answer["dropped"].as_u64().unwrap();
        self.waits.push(answer["waited_ms"].as_u64().unwrap());
    }
}

/// A browser: it sends when it has credit and the camera has a new picture.
async fn browser(mut camera: Camera, picture: Arc<Vec<u8>>, until: Instant) -> Served {
    let mut served = Served::default();
    let mut credits = 2;
    let mut sent = std::collections::VecDeque::new();
    let mut next = Instant::now();
    while Instant::now() < until {
        let now = Instant::now();
        if credits > 0 && now >= next {
            assert!(camera.send(&picture).await);
            credits -= 1;
            sent.push_back(Instant::now());
            served.most_on_their_way = served.most_on_their_way.max(sent.len() as u64);
            next = now + GAP;
            continue;
        }
        let wait = if credits > 0 { next - now } else { until - now };
        if let Ok(answer) = tokio::time::timeout(wait, camera.hear()).await {
            let answer = answer.expect("the server goes on");
            credits += answer["credits"].as_u64().unwrap();
            served.hear(&answer);
            let then: Instant = sent.pop_front().unwrap();
            served.latencies.push(then.elapsed().as_millis() as u64);
        }
    }
    served
}

/// One that sends without credit, five times as many as a browser has.
async fn flood(mut camera: Camera, picture: Arc<Vec<u8>>, until: Instant) -> Served {
    let mut served = Served::default();
    while Instant::now() < until && served.dropped < 150 {
        for _ in 0..10 {
            if !camera.send(&picture).await {
                return served;
            }
        }
        for _ in 0..2 {
            match camera.hear().await {
                Some(answer) if answer["type"] == "result" => served.hear(&answer),
                _ => return served,
            }
        }
    }
    served
}

/// Lets so many cameras be looked at for so long, some of them without manners.
async fn crowd(
    server: &Server,
    sessions: usize,
    rude: usize,
    time: Duration,
    picture: Vec<u8>,
) -> (Vec<Served>, Vec<Served>) {
    let picture = Arc::new(picture);
    let mut cameras = Vec::new();
    for _ in 0..sessions + rude {
        let mut camera = server.camera().await;
        camera.start("watch").await;
        cameras.push(camera);
    }
    let until = Instant::now() + time;
    let rude = cameras.split_off(sessions);
    let rude: Vec<_> = rude
        .into_iter()
        .map(|c| tokio::spawn(flood(c, picture.clone(), until)))
        .collect();
    let polite: Vec<_> = cameras
        .into_iter()
        .map(|c| tokio::spawn(browser(c, picture.clone(), until)))
        .collect();
    let mut served = (Vec::new(), Vec::new());
    for task in polite {
        served.0.push(task.await.unwrap());
    }
    for task in rude {
        served.1.push(task.await.unwrap());
    }
    served
}

#[tokio::test]
async fn a_few_are_served_alike() {
    let Some(server) = Server::tiny(&[]) else {
        return;
    };
    let picture = support::grey(640, 480, 200);
    let (served, rude) = crowd(&server, 6, 1, Duration::from_secs(4), picture).await;
    let counts: Vec<_> = served.iter().map(|s| s.answers).collect();
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    assert!(*least > 0 && most <= &(2 * least + 2), "{counts:?}");
    assert!(
        served
            .iter()
            .all(|s| s.most_on_their_way <= 2 && s.dropped == 0)
    );
    assert!(rude[0].dropped > 0, "{rude:?}");
}

/// The middle one, and that which nine of ten are below.
fn middle(mut values: Vec<u64>) -> (u64, u64) {
    values.sort_unstable();
    let at = |share: usize| {
        values
            .get(values.len() * share / 100)
            .copied()
            .unwrap_or_default()
    };
    (at(50), at(90))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement that takes a whole machine"]
async fn a_crowd_is_measured() {
    let number = |name, default: &str| -> usize {
        let text = std::env::var(name).unwrap_or_else(|_| default.into());
        text.parse().unwrap()
    };
    let (sessions, seconds) = (number("SESSIONS", "50"), number("SECONDS", "30"));
    let most = (sessions + 2).to_string();
    let (Some(server), Some(face)) = (
        Server::start(&["--max-sessions", &most]),
        faces::astronaut(),
    ) else {
        return;
    };
    let picture = image::imageops::resize(&face, 640, 640, image::imageops::FilterType::Triangle);
    let picture = jpeg(&image::imageops::crop_imm(&picture, 0, 0, 640, 480).to_image());
    let before = server.figure("VmRSS");
    let time = Duration::from_secs(seconds as u64);
    let (served, rude) = crowd(&server, sessions, 2, time, picture).await;
    let during = server.figure("VmRSS");
    let counts: Vec<u64> = served.iter().map(|s| s.answers).collect();
    let (least, most) = (*counts.iter().min().unwrap(), *counts.iter().max().unwrap());
    let all: u64 = counts.iter().sum();
    let of = |value: fn(&Served) -> Vec<u64>| middle(served.iter().flat_map(value).collect());
    let (wait, latency) = (of(|s| s.waits.clone()), of(|s| s.latencies.clone()));
    let throttled = served.iter().filter(|s| s.throttled > 0).count();
    println!("{sessions} browsers and 2 that send without credit, {seconds} s:");
    println!(
        "  answers each: least {least}, most {most}, all {all} ({:.1} a second)",
        all as f64 / seconds as f64
    );
    println!(
        "  waited for a turn: {} ms in the middle, 90 % below {} ms",
        wait.0, wait.1
    );
    println!(
        "  answer after: {} ms in the middle, 90 % below {} ms",
        latency.0, latency.1
    );
    println!("  told that the server is busy: {throttled} of {sessions}");
    println!(
        "  on their way at once: {} at the most",
        served.iter().map(|s| s.most_on_their_way).max().unwrap()
    );
    println!(
        "  without credit: answers {:?}, thrown away {:?}",
        rude.iter().map(|s| s.answers).collect::<Vec<_>>(),
        rude.iter().map(|s| s.dropped).collect::<Vec<_>>()
    );
    println!(
        "  memory of the server: {before:?} kB before, {during:?} kB during; threads {:?}",
        server.figure("Threads")
    );
    assert!(most <= 2 * least, "{counts:?}");
    assert_eq!(throttled, sessions);
    assert!(
        served
            .iter()
            .all(|s| s.most_on_their_way <= 2 && s.dropped == 0)
    );
}
