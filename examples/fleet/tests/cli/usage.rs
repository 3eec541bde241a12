// SPDX-License-Identifier: MIT OR Apache-2.0
//! How it is called, and that what documents and examples show is what there is.

use std::fs;
use std::process::Command;

use yaml_rust2::{Yaml, YamlLoader};

use crate::common;
use crate::ground::{has_program, program};

const COMMANDS: [&str; 6] = ["setup", "add", "work", "remove", "results", "status"];

fn help(command: &str) -> String {
    program()
        .args([command, "--help"])
        .run()
        .cleanly(&[0])
        .stdout
}

fn deploy(name: &str) -> String {
    let path = common::root().join("examples/fleet/deploy").join(name);
    fs::read_to_string(path).unwrap()
}

#[test]
fn help_shows_examples_and_the_exit_status() {
    let all = program().arg("--help").run().cleanly(&[0]).stdout;
    for word in [
        "--until-empty",
        "nats-server -js",
        "docs/fleet.md",
        "Exit status",
    ] {
        assert!(all.contains(word), "{word}: {all}");
    }
    assert_eq!(all.lines().find(|l| l.chars().count() > 100), None);
    for command in COMMANDS {
        assert!(all.contains(&format!("\n  {command} ")), "{command}");
        let help = help(command);
        for word in [
            "--server",
            "NATS_URL",
            "NATS_CREDS",
            "--nkey-file",
            "--tls-ca",
        ] {
            assert!(help.contains(word), "{command} {word}: {help}");
        }
    }
}

#[test]
fn wrong_use_is_refused() {
    for (words, said) in [
        (&["add"][..], "required"),
        (&["work", "--password-file", "p"], "--user"),
        (&["work", "--name", "a b"], "must be of letters"),
        (&["setup", "--ack-wait", "soon"], "it is written so: 30s"),
        (&["status", "--fleet", "A.B"], "must be of small letters"),
    ] {
        program().args(words).run().cleanly(&[2]).says(&[said]);
    }
    // Before anybody is asked in the network.
    for (words, said) in [
        (
            &["work", "--jobs", "0", "--cameras", "0"][..],
            "neither recordings",
        ),
        (&["work", "--model", "/no/model.onnx"], "/no/model.onnx"),
        (&["status", "--user", "joe"], "NATS_PASSWORD"),
        (&["work", "--logins", "/no/logins"], "/no/logins"),
        (&["work", "--root", "/no/root"], "is no folder"),
        (
            &["status", "--server", "http://host"],
            "no address such as nats://",
        ),
        (&["status", "--server", ","], "names no server"),
        (&["remove", "a.b"], "is no number of an item"),
        (
            &[
                "add",
                "/proc/self/environ/x",
                "--server",
                "nats://127.0.0.1:1",
            ],
            "cannot reach nats://127.0.0.1:1",
        ),
    ] {
        program().args(words).run().cleanly(&[1]).says(&[said]);
    }
}

/// Each option that stands behind the program's name.
fn options(text: &str) -> Vec<(String, Vec<String>)> {
    let whole = text.replace("\\\n", " ");
    let commands = whole
        .lines()
        .filter_map(|l| l.split("liveness-fleet ").nth(1));
    let words = commands.map(|c| c.split_whitespace().map(str::to_owned));
    words
        .filter_map(|mut words| {
            let command = words.next()?;
            let options = words.filter(|w| w.starts_with("--"));
            let options = options.map(|w| w.split('=').next().unwrap_or_default().to_owned());
            COMMANDS
                .contains(&&*command)
                .then(|| (command, options.collect()))
        })
        .collect()
}

#[test]
fn documents_and_examples_show_options_that_exist() {
    let mut found = 0;
    let mut check = |place: &str, command: &str, all: &[String]| {
        let help = help(command);
        for option in all {
            found += 1;
            let option = option.trim_matches(|c: char| !c.is_alphanumeric() && c != '-');
            assert!(help.contains(option), "{place}: {command} {option}");
        }
    };
    for document in ["README.md", "docs/fleet.md"] {
        let text = fs::read_to_string(common::root().join(document)).unwrap();
        for (command, all) in options(&text) {
            check(document, &command, &all);
        }
    }
    for (command, all) in options(&deploy("liveness-fleet.service")) {
        check("liveness-fleet.service", &command, &all);
    }
    for (place, words) in [
        ("compose.yaml", commands(&deploy("compose.yaml"), "command")),
        (
            "kubernetes.yaml",
            commands(&deploy("kubernetes.yaml"), "args"),
        ),
    ] {
        assert!(words.len() >= 2, "{place}: {words:?}");
        for line in words.iter().filter(|l| COMMANDS.contains(&&*l[0])) {
            let all = line.iter().filter(|w| w.starts_with("--"));
            let all: Vec<_> = all
                .map(|w| w.split('=').next().unwrap_or_default().to_owned())
                .collect();
            check(place, &line[0], &all);
        }
    }
    assert!(found >= 20, "{found}");
}

/// The lists of words that stand under this name, anywhere.
fn commands(text: &str, name: &str) -> Vec<Vec<String>> {
    fn walk(yaml: &Yaml, name: &str, all: &mut Vec<Vec<String>>) {
        for (key, value) in yaml.as_hash().into_iter().flatten() {
            if key.as_str() == Some(name) {
                let words = value.as_vec().unwrap().iter();
                all.push(words.map(|w| w.as_str().unwrap().to_owned()).collect());
            }
            walk(value, name, all);
        }
        for value in yaml.as_vec().into_iter().flatten() {
            walk(value, name, all);
        }
    }
    let mut all = Vec::new();
    for document in YamlLoader::load_from_str(text).unwrap() {
        walk(&document, name, &mut all);
    }
    all
}

#[test]
fn the_examples_are_what_they_say() {
    let compose = YamlLoader::load_from_str(&deploy("compose.yaml")).unwrap();
    let services = compose[0]["services"].as_hash().unwrap();
    let names: Vec<_> = services.keys().filter_map(Yaml::as_str).collect();
    assert_eq!(names, ["nats", "setup", "worker", "add", "results"]);
    for (name, service) in services {
        for secret in service["secrets"].as_vec().into_iter().flatten() {
            let known = !compose[0]["secrets"][secret.as_str().unwrap()].is_badvalue();
            assert!(known, "{name:?}: {secret:?}");
        }
    }
    let cluster = YamlLoader::load_from_str(&deploy("kubernetes.yaml")).unwrap();
    let kinds: Vec<_> = cluster.iter().filter_map(|d| d["kind"].as_str()).collect();
    assert_eq!(kinds, ["Job", "Deployment"]);
    for document in &cluster {
        let pod = &document["spec"]["template"]["spec"];
        let volumes = pod["volumes"].as_vec().unwrap().iter();
        let volumes: Vec<_> = volumes.filter_map(|v| v["name"].as_str()).collect();
        let mounts = pod["containers"][0]["volumeMounts"].as_vec().unwrap();
        for mount in mounts {
            let name = mount["name"].as_str().unwrap();
            assert!(volumes.contains(&name), "{name}");
        }
    }
}

/// systemd understands each line of the unit.
#[test]
fn the_unit_is_one_for_systemd() {
    if !has_program("systemd-analyze") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("liveness-fleet.service");
    let program = env!("CARGO_BIN_EXE_liveness-fleet");
    let text = deploy("liveness-fleet.service");
    let here = text.replace(
        "/usr/local/bin/liveness-fleet work",
        &format!("{program} work"),
    );
    assert_ne!(here, text);
    fs::write(&unit, here).unwrap();
    let checked = Command::new("systemd-analyze")
        .args(["verify", "--man=no"])
        .arg(&unit)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    // Of other units on this machine, nothing is asked.
    let ours: Vec<_> = said
        .lines()
        .filter(|l| l.contains("liveness-fleet"))
        .collect();
    assert!(ours.is_empty(), "{ours:?}");
    assert!(checked.status.success(), "{said}");
}
