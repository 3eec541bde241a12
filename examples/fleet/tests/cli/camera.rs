// SPDX-License-Identifier: MIT OR Apache-2.0
//! A camera is an item without an end: watched by one worker after the other, until it is removed.

use std::fs;

use crate::cameras::Telephone;
use crate::ground::{Ground, LIMIT, number};
use crate::plugin::Running;

/// Pictures that a telephone shows.
fn pictures(ground: &Ground) -> Vec<Vec<u8>> {
    let film = ground.film("pictures.mkv", 25);
    // Each picture of such a film is a JPEG file: from its first two bytes to its last two.
    let bytes = fs::read(film).unwrap();
    let starts = bytes.windows(3).enumerate();
    let starts = starts.filter(|(_, w)| w == b"\xff\xd8\xff").map(|(i, _)| i);
    let pictures: Vec<_> = starts
        .filter_map(|start| {
            let end = bytes[start..].windows(2).position(|w| w == b"\xff\xd9")?;
            Some(bytes[start..start + end + 2].to_vec())
        })
        .collect();
    assert_eq!(pictures.len(), 25);
    pictures
}

fn events(ground: &Ground, item: &str, event: &str) -> usize {
    let events = ground.read("events", Some(item));
    events.iter().filter(|e| e["event"] == event).count()
}

#[test]
fn a_camera_is_watched_by_whoever_lives_until_it_is_removed() {
    let Some(ground) = Ground::new() else {
        return;
    };
    ground.setup();
    let login = Some(("joe", "s3cret"));
    let telephone = Telephone::new(0, pictures(&ground), login);
    let place = format!("127.0.0.1:{}/video", telephone.port());
    let told = ground.fleet(&["add", &format!("http://joe:s3cret@{place}")]);
    let told = told.run().cleanly(&[3]);
    assert!(!format!("{}{}", told.stdout, told.stderr).contains("s3cret"));
    told.says(&["--logins"]);
    let added = ground.fleet(&["add", &format!("http://joe@{place}")]).run();
    let item = number(&added.cleanly(&[0]).stdout);
    let logins = ground.path("logins");
    fs::write(&logins, "machine 127.0.0.1 login joe password s3cret\n").unwrap();
    let logins = logins.to_str().unwrap();
    let start = |name: &str| -> Running {
        let worker = ground.worker(&["--name", name, "--logins", logins, "--jobs", "0"]);
        let mut worker = worker.start(LIMIT);
        worker.until_it_says("works for");
        worker
    };
    let first = start("first");
    ground.until("faces", || events(&ground, &item, "face") >= 2);
    ground.until("frames", || ground.read("frames", Some(&item)).len() > 20);
    let second = start("second");
    first.send("KILL");
    assert_eq!(first.end().code(), None);
    ground.until("the second one's faces", || {
        events(&ground, &item, "face") >= 4
    });
    assert_eq!(events(&ground, &item, "started"), 2);
    // Being taken over is no failed try, however often.
    let before = ground.read("frames", Some(&item)).len();
    ground.until("more frames", || {
        ground.read("frames", Some(&item)).len() > before + 20
    });
    let status = ground.status();
    assert_eq!(status["cameras"]["taken"], 1, "{status}");
    let removed = ground.fleet(&["remove", &item]).run().cleanly(&[0]);
    assert!(removed.stdout.contains("removed"));
    ground.until("the end of the camera", || {
        ground.status()["cameras"]["taken"] == 0
    });
    assert_eq!(ground.results()[&item]["status"], "removed");
    let all = ground.fleet(&["results", "--of", "events"]).run();
    assert!(!all.cleanly(&[0]).stdout.contains("s3cret"));
    second.interrupt();
    second
        .end()
        .cleanly(&[0])
        .says(&["given back: it was removed"]);
}

/// The camera goes away and comes back: that is told, and it stays an item.
#[test]
fn a_camera_that_is_lost_is_told_and_found_again() {
    let Some(ground) = Ground::new() else {
        return;
    };
    ground.setup();
    let pictures = pictures(&ground);
    let telephone = Telephone::new(0, pictures.clone(), None);
    let port = telephone.port();
    let added = ground.fleet(&["add", &format!("http://127.0.0.1:{port}/video")]);
    let item = number(&added.run().cleanly(&[0]).stdout);
    let worker = ground.start(&["--jobs", "0"]);
    let states = |state: &str| {
        let events = ground.read("events", Some(&item));
        events.iter().filter(|e| e["state"] == state).count()
    };
    ground.until("pictures", || states("playing") == 1);
    drop(telephone);
    ground.until("the loss", || states("lost") >= 1);
    let telephone = Telephone::new(port, pictures, None);
    ground.until("pictures again", || states("playing") == 2);
    assert_eq!(events(&ground, &item, "started"), 1);
    worker.interrupt();
    worker
        .end()
        .cleanly(&[0])
        .says(&["given back: its worker was stopped"]);
    assert_eq!(
        ground.status()["cameras"]["taken"],
        1,
        "for the next worker"
    );
    drop(telephone);
}
