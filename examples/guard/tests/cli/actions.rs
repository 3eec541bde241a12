// SPDX-License-Identifier: MIT OR Apache-2.0
//! Voice, commands and the lock of the session, each with the real thing.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::common;
use crate::ground::{Ground, LIMIT, PYTHON, Server, has_module, has_program};

#[test]
fn it_speaks() {
    let Some(ground) = Ground::new().filter(|_| has_program("espeak-ng")) else {
        return;
    };
    let wav = ground.path("said.wav");
    let config = format!(
        "[voice]\nargs = ['-w', '{}']\nintruder = '-q is no option here'\n",
        wav.display()
    );
    ground
        .quick(&config)
        .arg("--file")
        .arg(ground.intruder())
        .run()
        .cleanly(&[0]);
    assert_eq!(ground.actions(), ["voice done"]);
    let sound = fs::read(&wav).unwrap();
    assert_eq!(&sound[..4], b"RIFF");
    let loudest = sound[44..]
        .as_chunks::<2>()
        .0
        .iter()
        .map(|b| i16::from_le_bytes(*b).unsigned_abs())
        .max();
    assert!(
        sound.len() > 20_000 && loudest > Some(1000),
        "{} {loudest:?}",
        sound.len()
    );
}

#[test]
fn a_command_is_told_the_facts_and_no_secret() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let (facts, picture) = (ground.path("facts"), ground.path("picture.jpg"));
    let script = format!(
        "env > {}; cp \"$LIVENESS_SNAPSHOT\" {}",
        facts.display(),
        picture.display()
    );
    let config = format!(
        "[[command]]\nname = 'tell'\non = ['intruder']\nprogram = 'sh'\nargs = ['-c', '{script}']\n\
         [webhook]\nurl = 'http://127.0.0.1:9/'\nqueue = 'queue'\ntoken-env = 'GUARD_TEST_TOKEN'\non = ['granted']\n"
    );
    let tool = ground
        .quick(&config)
        .env("GUARD_TEST_TOKEN", "t0ken")
        .env("LIVENESS_PASSWORD", "s3cret");
    tool.arg("--file")
        .arg(ground.intruder())
        .run()
        .cleanly(&[0]);
    assert_eq!(ground.actions(), ["command tell done"]);
    let text = fs::read_to_string(&facts).unwrap();
    let value = |name: &str| {
        let line = text
            .lines()
            .find_map(|l| l.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("{name}: {text}")).to_owned()
    };
    let log = ground.log();
    let made = log.iter().find(|l| l["event"] == "decision").unwrap();
    assert_eq!(value("LIVENESS_DECISION"), "intruder");
    assert_eq!(value("LIVENESS_ID"), made["id"].as_str().unwrap());
    assert_eq!(value("LIVENESS_TRACK"), made["track"].to_string());
    assert_eq!(value("LIVENESS_SCORE"), made["live"].to_string());
    assert_eq!(value("LIVENESS_TIME"), made["time"].as_str().unwrap());
    assert!(
        !text.contains("s3cret") && !text.contains("t0ken"),
        "{text}"
    );
    assert!(image::open(&picture).is_ok());
    assert!(
        !std::path::Path::new(&value("LIVENESS_SNAPSHOT")).exists(),
        "it is taken away"
    );
}

/// One that hangs is ended, one that is not there is named, and neither keeps the third from its work.
#[test]
fn commands_that_fail_hold_up_nobody() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let mark = ground.path("mark");
    let config = format!(
        "[[command]]\nname = 'hangs'\non = ['intruder']\nprogram = 'sleep'\nargs = ['3600']\nseconds = 0.5\n\
         [[command]]\nname = 'absent'\non = ['intruder']\nprogram = '/no/such/program'\n\
         [[command]]\nname = 'works'\non = ['intruder']\nprogram = 'touch'\nargs = ['{}']\n\
         [[command]]\nname = 'other'\non = ['granted']\nprogram = 'touch'\nargs = ['{}']\n",
        mark.display(),
        ground.path("other").display()
    );
    let ended = ground
        .quick(&config)
        .arg("--file")
        .arg(ground.intruder())
        .run()
        .cleanly(&[0]);
    ended.says(&[
        "sleep was ended after 0.5 s",
        "/no/such/program cannot be started",
    ]);
    let mut actions = ground.actions();
    actions.sort();
    assert_eq!(
        actions,
        [
            "command absent failed",
            "command hangs failed",
            "command works done"
        ]
    );
    assert!(mark.exists() && !ground.path("other").exists());
    assert_eq!(ground.log().last().unwrap()["frames"], 40);
}

/// A bus of its own, and services on it as python-dbusmock has them.
struct Bus {
    _services: Server,
    _daemon: Server,
    address: String,
    calls: std::path::PathBuf,
}

impl Bus {
    fn new(ground: &Ground) -> Self {
        let config = ground.path("bus.conf");
        let policy = "<policy context='default'><allow send_destination='*'/><allow receive_sender='*'/><allow own='*'/></policy>";
        let listen = format!("<listen>unix:tmpdir={}</listen>", ground.path("").display());
        fs::write(
            &config,
            format!("<busconfig><type>system</type>{listen}{policy}</busconfig>"),
        )
        .unwrap();
        let mut daemon = Command::new("dbus-daemon");
        daemon.arg(format!("--config-file={}", config.display()));
        let daemon = Server::start(daemon.args(["--nofork", "--print-address"]));
        let calls = ground.path("calls");
        let script = common::root().join("examples/guard/tests/cli/bus.py");
        let mut services = Command::new(PYTHON);
        services
            .arg(script)
            .arg(&calls)
            .env("DBUS_SYSTEM_BUS_ADDRESS", &daemon.said);
        Self {
            _services: Server::start(&mut services),
            address: daemon.said.clone(),
            _daemon: daemon,
            calls,
        }
    }
}

#[test]
fn it_locks_the_session() {
    let Some(ground) =
        Ground::new().filter(|_| has_program("dbus-daemon") && has_module("dbusmock"))
    else {
        return;
    };
    let bus = Bus::new(&ground);
    let film = ground.intruder();
    for (config, session, locked) in [
        ("[lock]\nsession = 'c7'", "", "LockSession \"c7\""),
        ("[lock]", "c8", "LockSession \"c8\""),
        // The one that logind finds by the number of the process.
        ("[lock]", "", "LockSession \"c1\""),
    ] {
        let tool = ground
            .quick(config)
            .env("DBUS_SYSTEM_BUS_ADDRESS", &bus.address);
        let tool = tool.env("XDG_SESSION_ID", session);
        tool.arg("--file").arg(&film).run().cleanly(&[0]);
        let calls = fs::read_to_string(&bus.calls).unwrap();
        assert!(calls.lines().last().unwrap().ends_with(locked), "{calls}");
        assert_eq!(ground.actions().last().unwrap(), "lock done");
    }
}

#[test]
fn it_asks_geoclue_where_it_is() {
    let here = || has_program("dbus-daemon") && has_module("dbusmock");
    let Some(ground) = Ground::new().filter(|_| here()) else {
        return;
    };
    let bus = Bus::new(&ground);
    let config = "[place]\naddress = '1 High Street'\ngeoclue = true\n[webhook]\nurl = 'http://127.0.0.1:9/'\nqueue = 'queue'\n";
    let film = ground.intruder();
    for (address, location) in [
        (
            &*bus.address,
            "1 High Street; 51.50000, -0.12500 (GeoClue, within 25 m)",
        ),
        (
            "unix:path=/no/bus",
            "1 High Street; GeoClue does not know it: ",
        ),
    ] {
        let tool = ground.quick(config).env("DBUS_SYSTEM_BUS_ADDRESS", address);
        tool.arg("--file").arg(&film).run().cleanly(&[0]);
        let mut waiting = ground.queued();
        waiting.sort();
        let text = fs::read_to_string(waiting.last().unwrap()).unwrap();
        let (_, body) = text.split_once('\n').unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        let said = body["place"]["location"].as_str().unwrap();
        assert!(said.starts_with(location), "{said}");
    }
}

/// No bus is said, and no reason not to go on.
#[test]
fn without_a_bus_all_else_is_done() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let mark = ground.path("mark");
    let config = format!(
        "[lock]\n[[command]]\nname = 'x'\non = ['intruder']\nprogram = 'touch'\nargs = ['{}']\n",
        mark.display()
    );
    let tool = ground
        .quick(&config)
        .env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/no/bus");
    let ended = tool
        .arg("--file")
        .arg(ground.intruder())
        .run()
        .cleanly(&[0]);
    ended.says(&["lock: failed: logind"]);
    assert!(mark.exists());
}

/// Ctrl-C ends what hangs, and says what became of it.
#[test]
fn ctrl_c_ends_it_cleanly() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let config = "[[command]]\nname = 'hangs'\non = ['intruder']\nprogram = 'sleep'\nargs = ['3600']\nseconds = 3600\n";
    let mut guard = ground
        .quick(config)
        .arg("--file")
        .arg(ground.intruder())
        .start(LIMIT);
    guard.until("decide", || {
        let text = fs::read_to_string(ground.path("audit.jsonl")).unwrap_or_default();
        text.contains("\"decision\"")
    });
    guard.interrupt();
    let ended = guard.end().cleanly(&[0, 130]);
    ended.says(&["sleep was ended with the guard"]);
    let log = ground.log();
    let state = |l: &&Value| l["state"] == "failed";
    assert_eq!(log.iter().filter(state).count(), 1);
    assert_eq!(log.last().unwrap()["event"], "stop");
}
