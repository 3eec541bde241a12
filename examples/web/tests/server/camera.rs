// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pictures in, verdicts out.

use super::*;
use crate::support::jpeg;

#[tokio::test]
async fn pictures_become_verdicts() {
    let Some(server) = Server::tiny(&[]) else {
        return;
    };
    for (level, label) in [(205, "live"), (60, "spoof")] {
        let mut camera = server.camera().await;
        let hello = camera.start("watch").await;
        assert_eq!(
            (&hello["protocol"], &hello["credits"], &hello["mode"]),
            (&json!(1), &json!(2), &json!("watch"))
        );
        let picture = grey(160, 160, level);
        let first = camera.look(&picture).await;
        assert_eq!(count(&first), 2);
        let large = face(&first);
        assert_eq!(
            (&large["label"], &large["reason"], &large["box"]),
            (
                &json!("uncertain"),
                &json!("collecting"),
                &json!([0.25, 0.25, 0.5, 0.5])
            )
        );
        assert_eq!(
            (&first["width"], &first["height"]),
            (&json!(160), &json!(160))
        );
        let mut last = first;
        for _ in 0..9 {
            last = camera.look(&picture).await;
        }
        assert_eq!(face(&last)["label"], label, "{last}");
        assert_eq!(
            (&last["credits"], &last["dropped"], &last["throttled"]),
            (&json!(1), &json!(0), &json!(false))
        );
        assert!(face(&last)["track"].is_u64());
    }
}

#[tokio::test]
async fn what_is_no_picture_is_said_and_harms_nothing() {
    let Some(server) = Server::tiny(&[]) else {
        return;
    };
    let mut camera = server.camera().await;
    camera.start("watch").await;
    let good = grey(160, 120, 200);
    let plain = image::RgbImage::new(3000, 1000);
    // Its head and its end are there; in between is noise.
    let mut noise = good.clone();
    let data = noise.windows(2).position(|w| w == [0xff, 0xda]).unwrap() + 14;
    let end = noise.len() - 2;
    noise[data..end].fill(0xa7);
    for (bytes, said) in [
        (b"no picture at all".to_vec(), "no JPEG"),
        (good[..good.len() - 40].to_vec(), "cut off"),
        (vec![0xff, 0xd8, 0xff, 0xd9], "damaged"),
        (jpeg(&plain), "too large"),
        (grey(8, 8, 200), "too small"),
        (Vec::new(), "no JPEG"),
    ] {
        let answer = camera.look(&bytes).await;
        let error = answer["error"].as_str().unwrap();
        assert!(error.contains(said), "{error} instead of {said}");
        assert_eq!((count(&answer), &answer["credits"]), (0, &json!(1)));
        assert_eq!(count(&camera.look(&good).await), 2);
    }
    camera.look(&noise).await;
    assert_eq!(count(&camera.look(&good).await), 2);
    // The telephone is turned.
    let turned = camera.look(&grey(120, 160, 200)).await;
    assert_eq!((&turned["width"], count(&turned)), (&json!(120), 2));
}

#[tokio::test]
async fn a_huge_picture_ends_the_session() {
    let Some(server) = Server::tiny(&[]) else {
        return;
    };
    for bytes in [(1 << 20) + 1, 3 << 20] {
        let mut camera = server.camera().await;
        camera.start("watch").await;
        camera.send(&vec![0; bytes]).await;
        let over = camera.over().await;
        assert_eq!(
            (&*over.reason, over.code),
            ("too-large", Some(1009)),
            "{bytes}: {over:?}"
        );
    }
    // Nobody else is harmed.
    let mut camera = server.camera().await;
    camera.start("watch").await;
    camera.look(&grey(96, 96, 200)).await;
}

#[tokio::test]
async fn what_is_not_asked_for_ends_the_session() {
    let Some(server) = Server::tiny(&[]) else {
        return;
    };
    for first in ["hello", "{}", r#"{"type":"start","mode":"admin"}"#] {
        let mut camera = server.camera().await;
        camera.text(first).await;
        let over = camera.over().await;
        assert_eq!(
            (&*over.reason, over.code),
            ("protocol", Some(1008)),
            "{first}"
        );
    }
    let mut camera = server.camera().await;
    camera.send(&grey(96, 96, 200)).await;
    assert_eq!(
        camera.over().await.reason,
        "protocol",
        "a picture before the start"
    );
    let mut camera = server.camera().await;
    camera.start("watch").await;
    camera.text("and now?").await;
    assert_eq!(
        camera.over().await.reason,
        "protocol",
        "a text among the pictures"
    );
    let mut camera = server.camera().await;
    camera
        .say(&json!({"type": "start", "mode": "face", "ticket": "t"}))
        .await;
    assert_eq!(camera.over().await.reason, "off");
}

#[tokio::test]
async fn there_are_only_so_many_places_and_they_are_given_back() {
    let Some(server) = Server::tiny(&["--max-sessions", "2"]) else {
        return;
    };
    let (mut first, mut second) = (server.camera().await, server.camera().await);
    first.start("watch").await;
    second.start("watch").await;
    let mut third = server.camera().await;
    let over = third.over().await;
    assert_eq!((&*over.reason, over.code), ("busy", Some(1013)));
    assert!(over.text.contains("2 places"), "{}", over.text);
    let answer = second.look(&grey(96, 96, 200)).await;
    assert_eq!(answer["sessions"], 2);

    drop(first);
    // A place is free when the pipeline is gone, which takes a moment.
    let begun = Instant::now();
    loop {
        let mut next = server.camera().await;
        next.say(&json!({"type": "start", "mode": "watch"})).await;
        if next
            .hear()
            .await
            .is_some_and(|said| said["type"] == "hello")
        {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "the place is not given back");
    }
}

#[tokio::test]
async fn who_sends_without_credit_or_does_not_listen_fills_no_queue() {
    let Some(server) = Server::tiny(&[]) else {
        return;
    };
    let mut camera = server.camera().await;
    camera.start("watch").await;
    let picture = grey(640, 480, 200);
    let mut sent = 0;
    for _ in 0..60 {
        sent += u64::from(camera.send(&picture).await);
    }
    assert_eq!(sent, 60);
    // Another one is served meanwhile.
    let mut other = server.camera().await;
    other.start("watch").await;
    other.look(&picture).await;
    // Nobody knows how many were looked at, but each one was looked at or thrown away.
    let (mut looked, mut last) = (0, 0);
    let dropped = loop {
        let answer = camera.hear().await.unwrap();
        looked += 1;
        let number = answer["frame"].as_u64().unwrap();
        assert!(number > last, "{number} comes behind {last}");
        last = number;
        let dropped = answer["dropped"].as_u64().unwrap();
        if looked + dropped == sent {
            break dropped;
        }
    };
    assert!(dropped >= 20, "{dropped} of {sent} were thrown away");
    // And it goes on.
    let answer = camera.look(&picture).await;
    assert_eq!(answer["dropped"], dropped);

    // Who never stops is sent away.
    for _ in 0..400 {
        if !camera.send(&picture).await {
            break;
        }
    }
    assert_eq!(camera.over().await.reason, "protocol");
}

#[tokio::test]
async fn a_session_ends_in_its_time() {
    let Some(server) = Server::tiny(&["--session-seconds", "1"]) else {
        return;
    };
    let mut camera = server.camera().await;
    camera.start("watch").await;
    let picture = grey(96, 96, 200);
    let over = loop {
        if !camera.send(&picture).await {
            break camera.over().await;
        }
        match camera.hear().await {
            Some(said) if said["type"] == "result" => {}
            Some(said) => {
                assert_eq!(said["reason"], "time");
                break camera.over().await;
            }
            None => panic!("the server hung up without a word"),
        }
    };
    assert_eq!(over.code, Some(1000));
}
