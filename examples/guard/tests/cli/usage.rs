// SPDX-License-Identifier: MIT OR Apache-2.0
//! How it is called, and what it says of its configuration.

use std::fs;

use crate::common;
use crate::ground::{Ground, program};

#[test]
fn help_shows_examples_and_the_exit_status() {
    let help = program().arg("--help").run().cleanly(&[0]).stdout;
    for word in [
        "--check --config guard.toml",
        "MAIL_PASSWORD",
        "Ctrl-C",
        "--threshold",
        "docs/guard.md",
    ] {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert_eq!(help.lines().find(|l| l.chars().count() > 100), None);
}

#[test]
fn wrong_use_is_refused() {
    for (words, said) in [
        (&["--check"][..], "--config"),
        (&["--record", "a.mp4"], "must end in .mkv"),
        (&["--camera", "0", "--file", "a.mp4"], "cannot be used with"),
    ] {
        program().args(words).run().cleanly(&[2]).says(&[said]);
    }
    let none = program().args(["--config", "/no/guard.toml"]).run();
    none.cleanly(&[1])
        .says(&["cannot read /no/guard.toml: No such file"]);
}

#[test]
fn the_example_is_one_that_works() {
    let example = common::root().join("examples/guard/guard.toml");
    let text = fs::read_to_string(&example).unwrap();
    // What is commented out is an example, too: all of it at once must be understood.
    let wakened = |line: &str| match line.strip_prefix("# ") {
        Some(rest)
            if rest.starts_with('[')
                || rest
                    .split_once(" = ")
                    .is_some_and(|(key, _)| !key.contains(' ')) =>
        {
            rest.to_owned()
        }
        _ => line.to_owned(),
    };
    let folder = tempfile::tempdir().unwrap();
    let all = folder.path().join("guard.toml");
    let woken = text.lines().map(wakened).collect::<Vec<_>>().join("\n");
    for section in ["place", "voice", "lock", "mail", "webhook", "[command]"] {
        let head = format!("\n[{section}]\n");
        assert!(woken.contains(&head), "{section}");
    }
    fs::write(&all, woken).unwrap();
    let ended = program()
        .arg("--check")
        .arg("--config")
        .arg(&all)
        .env("MAIL_PASSWORD", "x")
        .run();
    let ended = ended.cleanly(&[0, 1]);
    assert!(!ended.stderr.contains("line "), "{}", ended.stderr);
    let plain = program()
        .arg("--check")
        .arg("--config")
        .arg(&example)
        .run()
        .cleanly(&[0]);
    plain.says(&["all that the configuration names is there"]);
}

#[test]
fn a_check_names_all_that_is_missing_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("guard.toml");
    let text = "[audit]\npath = '/no/where/audit'\n[voice]\nprogram = 'no-such-voice'\n\
        [[command]]\nprogram = './no-script'\non = ['granted']\n\
        [mail]\nhost = 'mail.invalid'\nuser = 'joe'\npassword-env = 'NO_SUCH_VARIABLE'\nfrom = 'a@b.example'\nto = ['a@b.example']\nqueue = '/proc/q'\n\
        [webhook]\nurl = 'https://hook.invalid/x'\nqueue = 'hooks'\ntoken-file = 'no-token'\n";
    fs::write(&config, text).unwrap();
    let check = || program().arg("--check").arg("--config").arg(&config).run();
    check().cleanly(&[1]).says(&[
        "[audit]: cannot write /no/where/audit",
        "[voice]: there is no program no-such-voice",
        "[[command]]: there is no program",
        "[mail]: the queue /proc/q",
        "NO_SUCH_VARIABLE",
        "no-token",
        "6 of what the configuration names are missing",
    ]);
    let names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names, ["guard.toml"]);
}

#[test]
fn a_password_in_the_file_is_refused_and_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("guard.toml");
    let text = "[mail]\nhost = 'h.example'\npassword = 's3cret'\n";
    fs::write(&config, text).unwrap();
    let ended = program().arg("--config").arg(&config).run().cleanly(&[1]);
    let ended = ended.says(&["line 3: no secret may stand in this file"]);
    assert!(!ended.stderr.contains("s3cret"));
}

#[test]
fn a_source_that_cannot_be_read_is_named() {
    let Some(ground) = Ground::new() else {
        return;
    };
    let ended = ground.quick("").args(["--file", "/no/film.mp4"]).run();
    ended.cleanly(&[3]).says(&["cannot read /no/film.mp4"]);
    let log = ground.log();
    assert_eq!(log[1]["state"], "lost");
    assert_eq!(log[2]["reason"], "unreadable");
}

/// What README and docs/guard.md show is what there is.
#[test]
fn documents_show_options_that_exist() {
    let help = program().arg("--help").run().cleanly(&[0]).stdout;
    let mut found = 0;
    for document in ["README.md", "docs/guard.md"] {
        let text = fs::read_to_string(common::root().join(document)).unwrap();
        let commands = text
            .lines()
            .filter_map(|l| l.trim().split_once("liveness-guard "));
        for (_, command) in commands {
            for option in command.split_whitespace().filter(|w| w.starts_with("--")) {
                found += 1;
                assert!(
                    help.contains(option.trim_end_matches('`')),
                    "{document}: {option}"
                );
            }
        }
    }
    assert!(found >= 3, "{found}");
}
