// SPDX-License-Identifier: MIT OR Apache-2.0
//! The audit log, when the disk is full and when it is not.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::ground::{Ground, decisions, program, stdout};
use crate::plugin::Plugin;

#[test]
fn without_a_log_there_is_no_guard() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let film = ground.intruder();
    for (place, said) in [
        ("/no/where/log", "cannot write /no/where/log"),
        ("/dev/full", "does not start"),
    ] {
        let config = ground.path("none.toml");
        fs::write(&config, format!("[audit]\npath = '{place}'")).unwrap();
        let tool = program().arg("--headless").arg("--config").arg(&config);
        tool.arg("--file")
            .arg(&film)
            .run()
            .cleanly(&[1])
            .says(&[said]);
    }
}

#[test]
fn the_log_is_standard_output_where_nobody_says_otherwise() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let data = crate::common::root().join("tests/data");
    let tool = program().args(["--headless", "--quiet", "--detector"]);
    let tool = tool
        .arg(data.join("boxes.onnx"))
        .arg("--model")
        .arg(data.join("bright.onnx"));
    let ended = tool
        .arg("--file")
        .arg(ground.intruder())
        .run()
        .cleanly(&[0]);
    let lines = stdout(&ended);
    assert_eq!(decisions(&lines), [("intruder", true)]);
    assert_eq!(
        (&lines[0]["event"], &lines.last().unwrap()["frames"]),
        (&"start".into(), &40.into())
    );
}

#[test]
fn it_is_added_to_and_its_owners_alone() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let film = ground.nothing();
    for _ in 0..2 {
        ground
            .quick("")
            .arg("--file")
            .arg(&film)
            .run()
            .cleanly(&[0]);
    }
    assert_eq!(
        ground
            .log()
            .iter()
            .filter(|l| l["event"] == "start")
            .count(),
        2
    );
    let mode = fs::metadata(ground.path("audit.jsonl"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// A disk that is full when something is decided: nobody is granted, and an intruder is acted upon all the same.
#[test]
fn who_cannot_be_written_down_is_not_granted() {
    const KIB: usize = 64;
    const ROOM: usize = 300;
    let Some(ground) = Ground::new() else {
        return;
    };
    for (film, kind) in [
        (ground.granted(), "granted"),
        (ground.intruder(), "intruder"),
    ] {
        let mark = ground.path(format!("mark-{kind}"));
        let config = format!(
            "[[command]]\non = ['granted', 'intruder']\nprogram = 'touch'\nargs = ['{}']",
            mark.display()
        );
        let tool = |limit: &str| {
            // The signal that a full disk does not send.
            let shell = format!("trap '' XFSZ; {limit} exec \"$@\"");
            let data = crate::common::root().join("tests/data");
            let tool = Plugin::shared()
                .command("bash")
                .args(["-c", &shell, "bash"]);
            let tool = tool.arg(env!("CARGO_BIN_EXE_liveness-guard")).args([
                "--headless",
                "--quiet",
                "--detector",
            ]);
            let tool = tool
                .arg(data.join("boxes.onnx"))
                .arg("--model")
                .arg(data.join("bright.onnx"));
            tool.arg("--config")
                .arg(ground.config(&config))
                .arg("--file")
                .arg(&film)
        };
        // There is room for the first line, and not for the second one.
        let line = r#"{"event":"stop","time":"2026-01-01T00:00:00.000Z","reason":"ended","frames":0,"dropped":0}"#;
        let mut text = format!("{line}\n").repeat((KIB * 1024 - ROOM) / (line.len() + 1) - 1);
        let rest = KIB * 1024 - ROOM - text.len() - line.len() - 1;
        text += &format!("{}{line}\n", " ".repeat(rest));
        fs::write(ground.path("audit.jsonl"), &text).unwrap();
        let full = tool(&format!("ulimit -f {KIB};")).run().cleanly(&[0]);
        let full = full.says(&["THE AUDIT LOG FAILS", "Nobody is granted"]);
        assert_eq!(mark.exists(), kind == "intruder", "{kind}: {}", full.stderr);
        assert!(!full.stderr.contains("GRANTED"), "{}", full.stderr);
        // There is room again; what was begun is closed.
        let _ = fs::remove_file(&mark);
        tool("").run().cleanly(&[0]);
        assert!(mark.exists(), "{kind}");
        let text = fs::read_to_string(ground.path("audit.jsonl")).unwrap();
        let odd = text
            .lines()
            .filter(|l| serde_json::from_str::<serde_json::Value>(l).is_err());
        assert!(odd.count() <= 1, "{text}");
        assert!(text.lines().last().unwrap().contains("stop"));
    }
}
