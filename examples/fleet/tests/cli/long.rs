// SPDX-License-Identifier: MIT OR Apache-2.0
//! The long test: `cargo test -p liveness-fleet --test cli -- --ignored --nocapture`
//!
//! 100 clips, four workers, and one of them killed every few seconds at a moment that nobody knows. FLEET_CLIPS, FLEET_FRAMES, FLEET_WORKERS,
//! FLEET_EVERY (milliseconds between two kills, in the mean) and FLEET_SERVER (the server is killed at every Nth of them, by chance) make
//! it another one.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::ground::{Ground, number};
use crate::plugin::Running;

/// Longest time for all of it.
const ALL: Duration = Duration::from_secs(3600);

fn of(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(default, |t| t.parse().unwrap())
}

/// Each line that a worker has said, with its name before it.
fn by(said: &str) -> String {
    let name = said.lines().find_map(|l| {
        let said = l.strip_prefix("liveness-fleet: ")?;
        said.split_once(" works for").map(|(name, _)| name)
    });
    let lines = said.lines();
    lines
        .map(|l| format!("{} {l}\n", name.unwrap_or_default()))
        .collect()
}

/// Numbers that nobody can foresee, but can be had again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

#[test]
#[ignore = "takes minutes"]
fn a_hundred_clips_have_a_hundred_results_whoever_is_killed() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    let clips = of("FLEET_CLIPS", 100);
    let frames = u32::try_from(of("FLEET_FRAMES", 500)).unwrap();
    let many = of("FLEET_WORKERS", 4);
    let every = of("FLEET_EVERY", 3000);
    let server = of("FLEET_SERVER", 0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = of("FLEET_SEED", now.as_nanos() as u64 | 1);
    let mut dice = Dice(seed);
    eprintln!("FLEET_SEED={seed}");
    ground.setup();
    let films = ground.films(usize::try_from(clips).unwrap(), frames);
    let items: Vec<String> = ground.add(&films).iter().map(|l| number(l)).collect();
    let start = |ground: &Ground, n: u64| -> Running {
        let name = format!("worker-{n}");
        // A kill is nobody's fault: even one whom it hits ten times in a row is not given up.
        let worker = ground.worker(&["--name", &name, "--tries", "50"]);
        worker.start(ALL)
    };
    let mut started = many;
    let mut workers: Vec<Running> = (0..many).map(|n| start(&ground, n)).collect();
    let begin = Instant::now();
    let (mut kills, mut servers) = (0, 0);
    // What each worker has said of items that were concluded in its eyes.
    let mut told = String::new();
    let mut next = begin + Duration::from_millis(1 + dice.below(2 * every));
    while ground.status()["concluded"] != clips {
        assert!(begin.elapsed() < ALL, "{}", ground.status());
        if Instant::now() < next {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        }
        next = Instant::now() + Duration::from_millis(1 + dice.below(2 * every));
        if server > 0 && dice.below(server) == 0 {
            ground.server.kill();
            ground.server.start_again();
            servers += 1;
            continue;
        }
        let place = usize::try_from(dice.below(many)).unwrap();
        let new = start(&ground, started);
        started += 1;
        let old = std::mem::replace(&mut workers[place], new);
        old.send("KILL");
        let ended = old.end();
        assert_eq!(ended.code(), None, "it was killed, and had not ended");
        told += &by(&ended.stderr);
        kills += 1;
    }
    let took = begin.elapsed();
    if servers > 0 {
        // One that was killed may not remember what was acknowledged.
        ground.setup();
    }
    // What died behind its result is taken out of the queue by the next worker.
    ground.until("an empty queue", || {
        let status = ground.status();
        status["recordings"]["taken"] == 0 && status["recordings"]["waiting"] == 0
    });
    for worker in workers {
        worker.interrupt();
        told += &by(&worker.end().cleanly(&[0]).stderr);
    }
    let results = ground.results();
    assert_eq!(results.len() as u64, clips);
    for (item, result) in &results {
        assert_eq!(result["status"], "done", "{item}: {result}");
        assert_eq!(result["seen"]["frames"], frames);
    }
    // Killed behind the result and before the server had the last word of it: the next worker found it.
    let found = |(item, result): &(&String, &serde_json::Value)| {
        let worker = result["worker"].as_str().unwrap();
        told.lines()
            .any(|l| l.contains(&format!(": {item}: ")) && !l.starts_with(&format!("{worker} ")))
    };
    let found = results.iter().filter(found).count();
    let begun = ground.assert_alike(&items, frames);
    eprintln!(
        "{clips} clips of {frames} frames, {many} workers: {kills} kills, of the server {servers}, in {:.0} s; begun {begun} times, {found} results found by another worker, \
         each done once",
        took.as_secs_f64()
    );
}
