// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program as its users have it: how it is called, and films that it reads to their end.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod ground;

use std::fs;

use ground::common;
use ground::marks::{assert_judged, watch};
use ground::plugin::Plugin;
use ground::{Ground, of, program, quick, read, state, valid};

mod usage {
    //! How it is called.
    use super::*;

    #[test]
    fn help_shows_examples_and_the_exit_status() {
        let help = program().arg("--help").run().cleanly(&[0]).stdout;
        for word in [
            "--url http://phone.local:8080/shot.jpg",
            "--record door.mkv",
            "LIVENESS_PASSWORD",
            "Ctrl-C",
            "--threshold",
            "docs/watch.md",
        ] {
            assert!(help.contains(word), "{word}: {help}");
        }
        assert_eq!(help.lines().find(|l| l.chars().count() > 100), None);
    }

    #[test]
    fn wrong_use_is_refused() {
        for (words, said) in [
            (
                &["--camera", "0", "--file", "a.mp4"][..],
                "cannot be used with",
            ),
            (&["--record", "a.mp4"], "must end in .mkv"),
            (&["--threshold", "2"], "must be from 0 to 1"),
            (&["--file", "a.mp4", "--user", "joe"], "cannot be used with"),
        ] {
            program().args(words).run().cleanly(&[2]).says(&[said]);
        }
        for (words, said) in [
            (&["--url", "ftp://cam/x"][..], "rtsp:// and http:// are"),
            (
                &["--url", "rtsp://cam/x", "--user", "joe"],
                "LIVENESS_PASSWORD",
            ),
            (
                &["--url", "rtsp://joe@cam/x"],
                "there is no password for joe",
            ),
        ] {
            program().args(words).run().cleanly(&[1]).says(&[said]);
        }
    }

    #[test]
    fn a_password_in_an_address_is_never_shown() {
        for words in [
            &["--url", "rtsp://joe:s3cret@cam:99999/x"][..],
            &["--url", "joe:s3cret@cam/x"],
            &["--url", "rtsp://joe:s3cret@cam/x", "--camera"],
            &[
                "--url",
                "rtsp://joe:s3cret@cam/x",
                "--record",
                "/no/where/a.mkv",
            ],
        ] {
            let ended = program().args(words).run().cleanly(&[1, 2]);
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(!said.contains("s3cret"), "{said}");
        }
    }

    #[test]
    fn what_would_fail_later_fails_at_once() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let film = ground.film("a.mkv", 5);
        let tool = || program().arg("--file").arg(&film);
        let out = ground.path("out.mkv");
        let model = tool()
            .args(["--model", "/no/model.onnx"])
            .arg("--record")
            .arg(&out);
        model.run().cleanly(&[1]).says(&["/no/model.onnx"]);
        assert!(!out.exists(), "it would be in the way of the next try");
        let detector = tool().args(["--detector", "/no/face.onnx"]).run();
        detector.cleanly(&[1]).says(&["/no/face.onnx"]);
        let before = fs::read(&film).unwrap();
        let there = tool().arg("--record").arg(&film).run();
        there.cleanly(&[1]).says(&["is there already"]);
        assert_eq!(fs::read(&film).unwrap(), before);
        let nowhere = tool().args(["--record", "/no/where/a.mkv"]).run();
        nowhere
            .cleanly(&[1])
            .says(&["cannot write /no/where/a.mkv"]);
    }

    /// What README and docs/watch.md show is what there is.
    #[test]
    fn documents_show_options_that_exist() {
        let help = program().arg("--help").run().cleanly(&[0]).stdout;
        let mut found = 0;
        for document in ["README.md", "docs/watch.md"] {
            let text = fs::read_to_string(common::root().join(document)).unwrap();
            for command in text
                .lines()
                .filter_map(|l| l.trim().strip_prefix("liveness-watch "))
            {
                let options = command.split_whitespace().filter(|w| w.starts_with("--"));
                for option in options {
                    found += 1;
                    assert!(help.contains(option), "{document}: {option}");
                }
            }
        }
        assert!(found >= 3, "{found}");
    }
}

mod films {
    //! Read to the end.
    use super::*;

    /// The person on the left is live, the telephone on the right is not: in the lines as in the picture.
    #[test]
    fn a_film_is_watched_to_its_end() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let clip = common::root().join(".setup/clips/demo.mp4");
        if !clip.is_file() {
            common::skip("no .setup/clips/demo.mp4 (scripts/setup.sh --assets makes it)");
            return;
        }
        let film = ground.path("out.mkv");
        let tool = program().arg("--json").arg("--file").arg(&clip);
        let ended = tool.arg("--record").arg(&film).run().cleanly(&[0]);
        let lines = valid(&ended);
        let (faces, verdicts) = (of(&lines, "face"), of(&lines, "verdict"));
        assert_eq!(faces.len(), 2, "{faces:?}");
        let left = |line: &serde_json::Value| line["box"][0].as_f64().unwrap() < 480.0;
        for verdict in &verdicts {
            let right = if left(verdict) { "live" } else { "spoof" };
            assert_eq!(verdict["verdict"], right, "{verdict}");
        }
        assert!(verdicts.iter().any(|v| left(v)) && !verdicts.iter().all(|v| left(v)));
        assert_eq!(of(&lines, "gone").len(), 2);
        assert_eq!(lines.last().unwrap()["state"], "ended");
        // Seven seconds, whatever time it took.
        let end = lines.last().unwrap()["at"].as_f64().unwrap();
        assert!((6.9..7.0).contains(&end), "{end}");
        read(&film).assert_whole(&ended);
        let (seen, frames) = watch(&film);
        assert_eq!(frames, 175);
        assert_judged(&seen);
    }

    /// A still picture is a film, too.
    #[test]
    fn a_picture_is_watched() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let picture = ground.pictures().join("000.jpg");
        let ended = quick().arg("--file").arg(&picture).run().cleanly(&[0]);
        let lines = valid(&ended);
        let ended = ended.says(&["there is no display"]);
        assert!(!ended.stderr.contains("latency"), "a film has none");
        assert_eq!(of(&lines, "face").len(), 2);
        assert_eq!(lines.last().unwrap()["source"], picture.to_str().unwrap());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let whole = fs::read(ground.film("whole.mkv", 250)).unwrap();
        fs::write(ground.path("text.mp4"), "this is a text").unwrap();
        fs::write(ground.path("empty.mp4"), "").unwrap();
        fs::write(ground.path("cut.mkv"), &whole[..whole.len() / 2]).unwrap();
        for (name, said) in [
            ("none.mp4", "No such file"),
            ("text.mp4", "text.mp4"),
            ("empty.mp4", "it is empty"),
            ("cut.mkv", "cut.mkv"),
            (".", "it is no regular file"),
        ] {
            let film = ground.path("out.mkv");
            let tool = quick().arg("--file").arg(ground.path(name));
            let ended = tool.arg("--record").arg(&film).run().cleanly(&[3]);
            let lines = valid(&ended);
            assert_eq!(state(&lines, "lost").len(), 1, "{name}: {lines:?}");
            let ended = ended.says(&["cannot read ", said]);
            // What came before the cut is there.
            match name {
                "cut.mkv" => {
                    read(&film).assert_whole(&ended);
                    fs::remove_file(&film).unwrap();
                }
                _ => assert!(!film.exists(), "{name}"),
            }
        }
    }

    /// Nobody has ever seen the persons of these clips in training.
    #[test]
    fn clips_of_persons_and_of_replays_are_watched() {
        let Some(assets) = common::assets() else {
            return;
        };
        for (clip, verdict) in [("wolf_live.mp4", "live"), ("wolf_replay.mp4", "spoof")] {
            let clip = assets.join("vid_fas").join(clip);
            let ended = program()
                .arg("--json")
                .arg("--file")
                .arg(clip)
                .run()
                .cleanly(&[0]);
            let lines = valid(&ended);
            let said = of(&lines, "verdict");
            assert!(said.iter().any(|v| v["verdict"] == verdict), "{said:?}");
        }
    }
}

/// Whoever reads the lines may go: that is an error with a reason, and no panic.
#[test]
fn lines_that_nobody_reads_end_it() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let film = ground.film("a.mkv", 100);
    let shell = "set -o pipefail; \"$@\" | true";
    let data = common::root().join("tests/data");
    let tool = Plugin::shared().command("bash").args(["-c", shell, "bash"]);
    let tool =
        tool.arg(env!("CARGO_BIN_EXE_liveness-watch"))
            .args(["--headless", "--json", "--detector"]);
    let tool = tool.arg(data.join("boxes.onnx")).arg("--file").arg(film);
    tool.run()
        .cleanly(&[1])
        .says(&["standard output", "Broken pipe"]);
}
