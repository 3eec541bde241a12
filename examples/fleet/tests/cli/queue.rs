// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes into the queue, and what comes out of it when all goes well, or when an item does not.

use std::fs;

use crate::ground::{Ground, number};

#[test]
fn what_is_added_twice_is_done_once() {
    let Some(ground) = Ground::new() else {
        return;
    };
    ground.setup();
    let films = ground.films(3, 40);
    let first = ground.add(&films);
    assert_eq!(first.len(), 3);
    assert!(first.iter().all(|l| l.ends_with("added")), "{first:?}");
    let second = ground.add(&films);
    assert!(
        second
            .iter()
            .all(|l| l.ends_with("is in the queue already")),
        "{second:?}"
    );
    let work = ["--jobs", "2", "--until-empty"];
    ground.worker(&work).run().cleanly(&[0]);
    let third = ground.add(&films);
    assert!(
        third.iter().all(|l| l.contains("is done already")),
        "{third:?}"
    );
    ground.worker(&work).run().cleanly(&[0]);
    let results = ground.results();
    assert_eq!(results.len(), 3);
    for result in results.values() {
        assert_eq!(result["status"], "done");
        assert_eq!(result["seen"]["frames"], 40);
        assert_eq!(result["seen"]["faces"], 2);
        assert_eq!(result["models"][0]["name"], "boxes");
        assert_eq!(result["models"][1]["sha256"].as_str().unwrap().len(), 64);
    }
    let items: Vec<String> = first.iter().map(|l| number(l)).collect();
    assert_eq!(ground.assert_alike(&items, 40), 3, "each was begun once");

    // Done again only where that is asked for, and then all of it.
    let again = ground.fleet(&["add", "--again"]).arg(&films);
    let again = again.run().cleanly(&[0]).stdout;
    assert_eq!(again.matches("  added").count(), 3, "{again}");
    assert_eq!(ground.results().len(), 0, "it is forgotten");
    ground.worker(&work).run().cleanly(&[0]);
    assert_eq!(ground.results().len(), 3);
    assert_eq!(ground.assert_alike(&items, 40), 3);
}

/// The lines that are published are those of the element: DL Streamer's layout, as it is documented.
#[test]
fn frames_are_as_they_are_documented() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let film = ground.film("a.mkv", 30);
    let item = number(&ground.add(&film)[0]);
    ground.worker(&["--until-empty"]).run().cleanly(&[0]);
    let lines = ground.read("frames", Some(&item));
    assert_eq!(lines.len(), 30);
    for line in &lines {
        assert_eq!(line["source"], film.to_str().unwrap());
        let objects = line["objects"].as_array().unwrap();
        assert_eq!(objects.len(), 2, "{line}");
        assert!(line["lost"].is_null(), "no place got lost");
    }
}

#[test]
fn an_item_that_cannot_be_done_has_failed_with_its_reason() {
    let Some(ground) = Ground::new() else {
        return;
    };
    ground.setup();
    let films = ground.films(2, 40);
    fs::write(films.join("text.mp4"), "this is a text").unwrap();
    let whole = fs::read(films.join("000.mkv")).unwrap();
    fs::write(films.join("cut.mkv"), &whole[..whole.len() / 2]).unwrap();
    fs::write(films.join("gone.mkv"), &whole).unwrap();
    assert_eq!(ground.add(&films).len(), 5);
    fs::remove_file(films.join("gone.mkv")).unwrap();
    let worker = ground.worker(&["--until-empty", "--tries", "2"]);
    worker.run().cleanly(&[0]);
    let results = ground.results();
    let of = |name: &str| {
        let found = results.values().filter(|r| {
            let location = r["location"].as_str().unwrap();
            location.ends_with(name)
        });
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), 1, "{name}");
        (
            found[0]["status"].as_str().unwrap(),
            found[0]["reason"].as_str(),
        )
    };
    assert_eq!(of("000.mkv"), ("done", None));
    assert_eq!(of("001.mkv"), ("done", None));
    assert_eq!(of("text.mp4").0, "failed");
    let (status, reason) = of("cut.mkv");
    assert_eq!(status, "failed");
    assert!(reason.unwrap().contains("cut short"), "{reason:?}");
    let (status, reason) = of("gone.mkv");
    assert_eq!(status, "failed");
    let reason = reason.unwrap();
    assert!(
        reason.contains("after 2 tries: No such file"),
        "it may have been there for others: {reason}"
    );
    assert_eq!(ground.read("failed", None).len(), 3);
    let status = ground.status();
    assert_eq!(status["failed"], 3, "{status}");
    assert_eq!(
        status["recordings"]["waiting"], 0,
        "nothing is in the queue for ever"
    );
    assert_eq!(status["recordings"]["taken"], 0);

    // Mended and asked for again, it is done.
    fs::write(films.join("text.mp4"), &whole).unwrap();
    let again = ground.fleet(&["add", "--wait"]).arg(films.join("text.mp4"));
    let again = again.start(crate::ground::LIMIT);
    ground.worker(&["--until-empty"]).run().cleanly(&[0]);
    let told = again.end().cleanly(&[0]).stdout;
    assert!(told.contains("40 frames, 2 faces"), "{told}");
}

/// Recordings that lie somewhere else on each machine; and a worker reads nothing but what is below its folder.
#[test]
fn a_recording_is_found_below_the_root_and_nowhere_else() {
    let Some(ground) = Ground::new() else {
        return;
    };
    ground.setup();
    let films = ground.films(1, 30);
    let outside = ground.film("outside.mkv", 30);
    let root = |root: &str| ground.path(root).to_str().unwrap().to_owned();
    fs::create_dir(ground.path("mount")).unwrap();
    fs::copy(films.join("000.mkv"), ground.path("mount/000.mkv")).unwrap();
    let added = ground.fleet(&["add", "--root", &root("films")]).arg(&films);
    let added = added.run().cleanly(&[0]).stdout;
    assert!(added.contains("  000.mkv  added"), "{added}");
    let refused = ground
        .fleet(&["add", "--root", &root("films")])
        .arg(&outside);
    refused.run().cleanly(&[3]).says(&["is not below --root"]);
    ground.add(&outside);
    let work = ["--until-empty", "--tries", "1", "--root", &root("mount")];
    ground.worker(&work).run().cleanly(&[0]);
    let results = ground.results();
    let of = |location: &str| {
        let mut all = results.values();
        let found = all.find(|r| r["location"] == location);
        found.unwrap()["reason"]
            .as_str()
            .unwrap_or("done")
            .to_owned()
    };
    assert_eq!(of("000.mkv"), "done");
    let refused = of(outside.to_str().unwrap());
    assert!(refused.contains("is not below --root"), "{refused}");
}

/// One who adds more than the queue takes waits until somebody has worked on it.
#[test]
fn a_full_queue_is_waited_for() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let setup = ground.fleet(&["setup", "--max-items", "3"]);
    setup.run().cleanly(&[0]);
    let films = ground.films(6, 20);
    let adding = ground.fleet(&["add", "--wait"]).arg(&films);
    let mut adding = adding.start(crate::ground::LIMIT);
    adding.until_it_says("maximum messages exceeded");
    assert_eq!(ground.status()["recordings"]["waiting"], 3);
    let worker = ground.start(&["--jobs", "2"]);
    let added = adding.end().cleanly(&[0]);
    assert_eq!(
        added.stdout.matches("  added").count(),
        6,
        "{}",
        added.stdout
    );
    assert_eq!(added.stdout.matches("20 frames").count(), 6);
    assert_eq!(ground.results().len(), 6);
    worker.interrupt();
    worker.end().cleanly(&[0]);
}

#[test]
fn an_item_that_waits_can_be_removed() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let film = ground.film("a.mkv", 20);
    let item = number(&ground.add(&film)[0]);
    let removed = ground.fleet(&["remove", &item]).run().cleanly(&[0]);
    assert!(removed.stdout.contains("removed"), "{}", removed.stdout);
    ground.worker(&["--until-empty"]).run().cleanly(&[0]);
    assert_eq!(ground.results()[&item]["status"], "removed");
    assert_eq!(ground.read("frames", None).len(), 0, "nobody looked at it");
    let gone = ground.fleet(&["remove", &item]).run();
    gone.cleanly(&[3]).says(&["is not in the queue"]);
}

/// What is concluded and in the queue still, as with a server that forgot what was acknowledged, is taken out of it.
#[test]
fn what_is_concluded_does_not_stay_in_the_queue() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let film = ground.film("a.mkv", 20);
    let item = number(&ground.add(&film)[0]);
    let remove = || ground.fleet(&["remove", &item]).run().cleanly(&[0]);
    let waiting = || ground.status()["recordings"]["waiting"].as_u64();
    remove();
    assert_eq!(waiting(), Some(1));
    let setup = ground.fleet(&["setup"]).run().cleanly(&[0]);
    setup.says(&["1 items that are concluded"]);
    assert_eq!(waiting(), Some(0));
    let again = || {
        let again = ground.fleet(&["add", "--again"]).arg(&film).run();
        assert!(again.cleanly(&[0]).stdout.contains("  added"));
    };
    again();
    remove();
    again();
    assert_eq!(waiting(), Some(1), "the old one is gone");
    let setup = ground.fleet(&["setup"]).run().cleanly(&[0]);
    assert!(!setup.stderr.contains("concluded"), "{}", setup.stderr);
    let worker = ground.worker(&["--until-empty"]).run().cleanly(&[0]);
    worker.says(&["20 frames, 2 faces"]);
}

/// Two fleets share a server, and know nothing of each other.
#[test]
fn fleets_do_not_meet() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let film = ground.film("a.mkv", 20);
    let added = ground.fleet(&["add", "--fleet", "night-shift"]).arg(&film);
    added.run().cleanly(&[0]);
    ground.setup();
    assert_eq!(ground.status()["recordings"]["waiting"], 0);
    ground.worker(&["--until-empty"]).run().cleanly(&[0]);
    assert_eq!(ground.results().len(), 0);
    let worker = ground
        .worker(&["--until-empty"])
        .env("LIVENESS_FLEET", "night-shift");
    worker.run().cleanly(&[0]).says(&["20 frames, 2 faces"]);
    assert_eq!(ground.results().len(), 0);
    let theirs = ground.fleet(&["results", "--fleet", "night-shift"]).run();
    assert!(theirs.cleanly(&[0]).stdout.contains("20 frames"));
}

/// What others write to the queue does not stay there, and takes no worker down.
#[test]
fn what_is_no_item_has_failed() {
    let Some(ground) = Ground::new() else {
        return;
    };
    ground.setup();
    let film = ground.film("a.mkv", 20);
    let item = r#"{"id":"other","kind":"recording","location":"/x","added":""}"#;
    for (id, payload) in [("text", "what is this"), ("empty", ""), ("lies", item)] {
        let subject = format!("liveness.work.recording.{id}");
        ground.server.publish(&subject, payload);
    }
    ground.server.publish("liveness.work.camera.film", item);
    let item = number(&ground.add(&film)[0]);
    let worker = ground.start(&[]);
    ground.until_concluded(5);
    let results = ground.results();
    for (id, said) in [
        ("text", "it is no item"),
        ("empty", "it is no item"),
        ("lies", "another one than its subject says"),
        ("film", "another one than its subject says"),
    ] {
        assert_eq!(results[id]["status"], "failed");
        let reason = results[id]["reason"].as_str().unwrap();
        assert!(reason.contains(said), "{id}: {reason}");
    }
    assert_eq!(results[&item]["status"], "done");
    worker.interrupt();
    worker.end().cleanly(&[0]);
}
