// SPDX-License-Identifier: MIT OR Apache-2.0
//! A person and a telephone at the door, with the models that ship, and everything that is done about them.

use std::fs;
use std::path::PathBuf;

use crate::common;
use crate::ground::{Ground, decisions, has_module, program};
use crate::mail::Post;
use crate::marks::{Marks, assert_judged, watch};

/// The person on the left is live, the telephone on the right is not.
fn clip() -> Option<PathBuf> {
    let clip = common::root().join(".setup/clips/demo.mp4");
    if !clip.is_file() {
        common::skip("no .setup/clips/demo.mp4 (scripts/setup.sh --assets makes it)");
        return None;
    }
    Some(clip)
}

#[test]
fn who_is_live_is_granted_and_the_telephone_is_an_intruder() {
    let (Some(ground), Some(clip)) = (Ground::new(), clip()) else {
        return;
    };
    if !has_module("aiosmtpd") {
        return;
    }
    let post = Post::open(&ground, "tls", &["--login", "joe", "s3cret"]);
    let config = format!(
        "[policy]\nalone = false\n[place]\nname = 'Front door'\naddress = '1 High Street'\n\
         [mail]\non = ['granted', 'intruder']\nuser = 'joe'\npassword-env = 'GUARD_TEST_PASSWORD'\n{}",
        post.config()
    );
    let film = ground.path("out.mkv");
    let tool = program()
        .args(["--headless", "--quiet", "--config"])
        .arg(ground.config(&config));
    let tool = tool.arg("--file").arg(clip).arg("--record").arg(&film);
    let ended = tool
        .env("GUARD_TEST_PASSWORD", "s3cret")
        .run()
        .cleanly(&[0]);
    ended.says(&["GRANTED: face", "INTRUDER: face"]);
    let log = ground.log();
    assert!(
        !fs::read_to_string(ground.path("audit.jsonl"))
            .unwrap()
            .contains("s3cret")
    );
    let mut made = decisions(&log);
    made.sort_unstable();
    assert_eq!(made, [("granted", true), ("intruder", true)]);
    for line in log.iter().filter(|l| l["event"] == "decision") {
        let is_left = line["box"][0].as_f64().unwrap() < 480.0;
        assert_eq!(is_left, line["decision"] == "granted", "{line}");
    }
    let end = log.last().unwrap();
    assert_eq!(
        (&end["reason"], &end["frames"]),
        (&"ended".into(), &175.into())
    );
    // The mails, over TLS to somebody who logged in.
    let mails = post.mails();
    assert_eq!(mails.len(), 2, "{log:?}");
    for mail in &mails {
        assert_eq!(mail.about["login"], true);
        for word in ["Front door", "1 High Street", "Computer:", "Addresses:"] {
            assert!(mail.text().contains(word), "{word}: {}", mail.text());
        }
        let picture = ground.path("snapshot.jpg");
        fs::write(&picture, mail.snapshot()).unwrap();
        let (marks, width, height) = Marks::of_picture(&picture);
        assert_eq!((width, height), (960, 540));
        if mail.text().contains("Granted at Front door") {
            assert!(marks.are_right(), "{marks:?}");
        }
    }
    let (seen, frames) = watch(&film);
    assert_eq!(frames, 175);
    assert_judged(&seen);
    // The words are longer than those of the verdicts, from the decisions on: after 0.8 s, and at the end.
    let (before, after) = (seen[2], seen[seen.len() - 1]);
    assert!(
        4 * after.live[0] > 5 * before.live[0],
        "{before:?} {after:?}"
    );
    assert!(4 * after.spoof[1] > 5 * seen[1].spoof[1], "{seen:?}");
}

/// Unless it is allowed, for as long as the telephone is in the picture nobody is granted.
#[test]
fn beside_the_telephone_nobody_is_granted() {
    let (Some(ground), Some(clip)) = (Ground::new(), clip()) else {
        return;
    };
    let tool = program()
        .args(["--headless", "--quiet", "--config"])
        .arg(ground.config(""));
    tool.arg("--file").arg(clip).run().cleanly(&[0]);
    assert_eq!(decisions(&ground.log()), [("intruder", true)]);
}
