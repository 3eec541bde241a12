// SPDX-License-Identifier: MIT OR Apache-2.0
//! Workers that die, freeze or are stopped, and a server that goes away: each item is done once, and each frame and event is told once.

use crate::ground::{Ground, LIMIT, LONG, number};
use crate::plugin::Running;

fn kill(worker: Running) {
    worker.send("KILL");
    assert_eq!(worker.end().code(), None, "it was killed");
}

#[test]
fn a_worker_that_is_killed_leaves_its_items_to_others() {
    let Some(ground) = Ground::new() else {
        return;
    };
    ground.setup();
    let films = ground.films(12, LONG);
    let items: Vec<String> = ground.add(&films).iter().map(|l| number(l)).collect();
    let first = ground.start(&["--name", "first"]);
    let second = ground.start(&["--name", "second"]);
    // In the middle of an item: some of its frames are published, and not all.
    ground.until("work of the first", || {
        let events = ground.read("events", None);
        let claim = events.iter().find(|e| e["worker"] == "first");
        let faces = events.iter().filter(|e| e["event"] == "face");
        claim.is_some_and(|c| faces.clone().any(|f| f["item"] == c["item"]))
    });
    kill(first);
    ground.until_concluded(12);
    let begun = ground.assert_alike(&items, LONG);
    assert!(
        begun >= 13,
        "the item of the first was begun again: {begun}"
    );
    let results = ground.results();
    assert_eq!(results.len(), 12);
    assert!(results.values().all(|r| r["status"] == "done"));
    assert!(results.values().any(|r| r["worker"] == "second"));
    second.interrupt();
    second.end().cleanly(&[0]).says(&["second"]);
    let status = ground.status();
    assert_eq!(status["recordings"]["taken"], 0, "{status}");
    assert_eq!(status["concluded"], 12);
}

#[test]
fn a_worker_that_is_stopped_gives_back_what_it_has() {
    let Some(ground) = Ground::new() else {
        return;
    };
    // For so long that nobody would wait for it.
    let setup = ground.fleet(&["setup", "--ack-wait", "1h"]);
    setup.run().cleanly(&[0]);
    let film = ground.film("a.mkv", 4 * LONG);
    let item = number(&ground.add(&film)[0]);
    let worker = ground.start(&["--name", "first"]);
    ground.until("the first frames", || {
        !ground.read("frames", None).is_empty()
    });
    worker.send("TERM");
    let ended = worker.end().cleanly(&[0]);
    ended.says(&["given back: its worker was stopped"]);
    assert_eq!(ground.results().len(), 0);
    let second = ground.worker(&["--until-empty", "--tries", "1"]);
    second.run().cleanly(&[0]);
    let result = &ground.results()[&item];
    assert_eq!(result["status"], "done", "being stopped is no failed try");
    assert_eq!(result["seen"]["frames"], 4 * LONG);
    assert_eq!(ground.assert_alike(&[item], 4 * LONG), 2);
}

/// A worker that is frozen for longer than the server waits, as with a machine that sleeps, comes back when another one has the item.
#[test]
fn a_worker_that_was_thought_dead_writes_nothing_twice() {
    let Some(ground) = Ground::new() else {
        return;
    };
    ground.setup();
    let film = ground.film("a.mkv", 4 * LONG);
    let item = number(&ground.add(&film)[0]);
    let mut frozen = ground.start(&["--name", "frozen"]);
    ground.until("the first frames", || {
        !ground.read("frames", None).is_empty()
    });
    frozen.send("STOP");
    let other = ground.start(&["--name", "other"]);
    ground.until("the other one's claim", || {
        let events = ground.read("events", Some(&item));
        events
            .iter()
            .any(|e| e["event"] == "started" && e["worker"] == "other")
    });
    frozen.send("CONT");
    ground.until_concluded(1);
    frozen.until("see that it has lost the item, or that it is done", {
        let file = frozen.stderr_file();
        let said = move || std::fs::read_to_string(&file).unwrap_or_default();
        move || said().contains(&item)
    });
    let item = ground.results().into_keys().next().unwrap();
    assert_eq!(ground.results()[&item]["seen"]["frames"], 4 * LONG);
    assert_eq!(ground.assert_alike(&[item], 4 * LONG), 2);
    for worker in [frozen, other] {
        worker.interrupt();
        worker.end().cleanly(&[0]);
    }
}

/// Nor does it take the item away from the one who has it now, when it is stopped before it has seen that.
#[test]
fn a_worker_that_was_thought_dead_gives_nothing_back() {
    let Some(ground) = Ground::new() else {
        return;
    };
    ground.setup();
    let film = ground.film("a.mkv", 4 * LONG);
    let item = number(&ground.add(&film)[0]);
    let frozen = ground.start(&["--name", "frozen"]);
    ground.until("the first frames", || {
        !ground.read("frames", None).is_empty()
    });
    frozen.send("STOP");
    let others = [
        ground.start(&["--jobs", "1"]),
        ground.start(&["--jobs", "1"]),
    ];
    let claims = || {
        let events = ground.read("events", Some(&item));
        events.iter().filter(|e| e["event"] == "started").count()
    };
    ground.until("another one's claim", || claims() == 2);
    frozen.send("TERM");
    frozen.send("CONT");
    frozen.end().cleanly(&[0]);
    ground.until_concluded(1);
    assert_eq!(ground.assert_alike(&[item], 4 * LONG), 2);
    for worker in others {
        worker.interrupt();
        worker.end().cleanly(&[0]);
    }
}

/// A film at which each worker dies at the same place is given up.
#[test]
fn an_item_that_kills_its_workers_is_given_up() {
    let Some(ground) = Ground::new() else {
        return;
    };
    ground.setup();
    let film = ground.film("a.mkv", 4 * LONG);
    let item = number(&ground.add(&film)[0]);
    let claims = || {
        let events = ground.read("events", Some(&item));
        events.iter().filter(|e| e["event"] == "started").count()
    };
    // Each is killed when it has claimed the item. Where one was so quick that it came further, counting starts anew.
    for _ in 0..20 {
        let before = claims();
        let worker = ground.start(&["--tries", "3"]);
        ground.until("the claim, or the end", || {
            claims() > before || ground.status()["concluded"] == 1
        });
        kill(worker);
        if ground.status()["concluded"] == 1 {
            break;
        }
    }
    let result = &ground.results()[&item];
    assert_eq!(result["status"], "failed", "{result}");
    let reason = result["reason"].as_str().unwrap();
    assert!(reason.contains("3 tries in a row"), "{reason}");
    assert_eq!(ground.read("failed", None).len(), 1);
}

#[test]
fn a_server_that_goes_away_is_waited_for() {
    let Some(mut ground) = Ground::new() else {
        return;
    };
    ground.setup();
    let films = ground.films(4, LONG);
    let items: Vec<String> = ground.add(&films).iter().map(|l| number(l)).collect();
    let mut worker = ground.start(&["--jobs", "2"]);
    let following = ground.fleet(&["results", "--json", "--follow"]);
    let mut following = following.start(LIMIT);
    ground.until("the first frames", || {
        !ground.read("frames", None).is_empty()
    });
    ground.server.kill();
    worker.until_it_says("is lost");
    // A worker that is started now waits for it.
    let mut late = ground.worker(&["--name", "late"]).start(LIMIT);
    late.until_it_says("Trying again until it is there");
    // And who does not work says so at once.
    let status = ground.fleet(&["status"]).run();
    status
        .cleanly(&[1])
        .says(&["cannot reach", "nats-server running"]);
    ground.server.start_again();
    worker.until_it_says("is back");
    late.until_it_says("works for");
    ground.until_concluded(4);
    assert_eq!(ground.results().len(), 4);
    ground.assert_alike(&items, LONG);
    let told = following.stdout_file();
    let told = || std::fs::read_to_string(&told).unwrap_or_default();
    following.until("tell all four", || told().lines().count() == 4);
    for program in [worker, late, following] {
        program.interrupt();
        program.end().cleanly(&[0, 130]);
    }
}

/// The moment between the result and the acknowledgement: this worker never gets any further.
#[test]
fn a_worker_that_dies_behind_its_result_is_not_followed_by_a_second_one() {
    let config = "no_auth_user: all\nauthorization { users: [ { user: all, password: x }, \
        { user: mute, password: s3cret, permissions: { publish: { deny: [\"$JS.ACK.>\"] } } } ] }";
    let Some(ground) = Ground::with(config, "nats://127.0.0.1") else {
        return;
    };
    ground.setup();
    let film = ground.film("a.mkv", 40);
    let item = number(&ground.add(&film)[0]);
    let mute = ["--name", "mute", "--user", "mute", "--cameras", "0"];
    let mute = ground.worker(&mute);
    let mute = mute.env("NATS_PASSWORD", "s3cret").run().cleanly(&[1]);
    mute.says(&["does not let this user acknowledge"]);
    assert_eq!(ground.results()[&item]["worker"], "mute");
    assert_eq!(
        ground.status()["recordings"]["taken"],
        1,
        "it is handed out still"
    );
    let heir = ground.worker(&["--name", "heir", "--until-empty"]);
    heir.run().cleanly(&[0]).says(&["40 frames, 2 faces"]);
    assert_eq!(ground.results()[&item]["worker"], "mute");
    assert_eq!(ground.status()["recordings"]["taken"], 0);
    assert_eq!(ground.assert_alike(&[item], 40), 1, "nobody began it again");
}
