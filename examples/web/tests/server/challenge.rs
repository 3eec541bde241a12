// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is asked for. Who passes is seen in the browser's test: it takes a head that turns.

use super::*;
use crate::support::faces::{LIVE, astronaut, lit, nearer};
use crate::support::jpeg;

#[tokio::test]
async fn who_does_nothing_fails_and_is_not_called_live() {
    let Some(picture) = astronaut() else {
        return;
    };
    let bright = tiny("bright.onnx");
    let Some(server) = Server::start(&["--model", path(&bright), "--challenge-seconds", "1"])
    else {
        return;
    };
    let mut camera = server.camera().await;
    camera.start("challenge").await;
    let still = jpeg(&lit(&picture, LIVE));
    let mut asked = None;
    let failed = loop {
        let answer = camera.look(&still).await;
        assert_ne!(face(&answer)["label"], "live", "{answer}");
        let stage = &answer["challenge"];
        match stage["state"].as_str().unwrap() {
            "waiting" => assert!(stage["hint"].is_string(), "{stage}"),
            "step" => asked = Some(stage["step"].as_str().unwrap().to_owned()),
            "failed" => break answer,
            other => panic!("{other}"),
        }
    };
    let asked = asked.unwrap();
    assert!(
        ["turn-left", "turn-right", "come-closer"].contains(&&*asked),
        "{asked}"
    );
    assert_eq!(failed["challenge"]["reason"], "too-late");
    // The model calls the face live: the challenge keeps it from being told so.
    let face = face(&failed);
    assert_eq!(
        (&face["label"], &face["reason"]),
        (&json!("uncertain"), &json!("challenge-open")),
        "{failed}"
    );
    assert!(face["live"].as_f64().unwrap() > 0.5);
}

#[tokio::test]
async fn coming_closer_is_seen() {
    let Some(picture) = astronaut() else {
        return;
    };
    let bright = tiny("bright.onnx");
    let Some(server) = Server::start(&["--model", path(&bright), "--challenge-seconds", "60"])
    else {
        return;
    };
    let picture = lit(&picture, LIVE);
    let step = |times: f32| jpeg(&nearer(&picture, times, (0.45, 0.25)));
    let nearer: Vec<_> = (0..=10).map(|i| step(1.0 + 0.04 * i as f32)).collect();
    // Which steps are drawn is a matter of luck: until this one is the first.
    for _ in 0..40 {
        let mut camera = server.camera().await;
        camera.start("challenge").await;
        let mut stage = json!({"state": "waiting"});
        while stage["state"] == "waiting" {
            stage = camera.look(&nearer[0]).await["challenge"].clone();
        }
        assert_eq!(
            (&stage["number"], &stage["of"]),
            (&json!(1), &json!(2)),
            "{stage}"
        );
        if stage["step"] != "come-closer" {
            continue;
        }
        let mut progress = 0.0;
        let held = std::iter::repeat_n(&nearer[10], 1000);
        for picture in nearer.iter().chain(held) {
            stage = camera.look(picture).await["challenge"].clone();
            if stage["number"] == 2 {
                assert!(progress > 0.5, "{progress}");
                assert_ne!(stage["step"], "come-closer");
                return;
            }
            progress = stage["progress"].as_f64().unwrap();
        }
        panic!("{stage}");
    }
    panic!("coming closer was never asked for");
}
