// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the plugin is built upon: nothing that reaches into a network, and nothing that loads libraries of operators for a model.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod common;

use std::collections::BTreeSet;
use std::process::Command;

/// Crates that open connections, by the first part of their names.
const NETWORK: [&str; 20] = [
    "async-nats",
    "async-std",
    "attohttpc",
    "curl",
    "h2",
    "hickory",
    "hyper",
    "isahc",
    "lettre",
    "mio",
    "native-tls",
    "openssl",
    "quinn",
    "reqwest",
    "rustls",
    "smol",
    "socket2",
    "tokio",
    "tungstenite",
    "ureq",
];

/// What `gst-plugin-liveness` is linked with, by cargo's own word.
fn dependencies() -> BTreeSet<String> {
    let out = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "-p", "gst-plugin-liveness"])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(common::root())
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let text = String::from_utf8(out.stdout).unwrap();
    let names = text.lines().filter_map(|l| l.split_whitespace().next());
    names.map(str::to_owned).collect()
}

#[test]
fn nothing_in_the_plugin_reaches_into_a_network() {
    let names = dependencies();
    assert!(names.contains("ort") && names.len() > 30, "{names:?}");
    for name in &names {
        let is_network = |n: &str| name == n || name.starts_with(&format!("{n}-"));
        assert!(!NETWORK.iter().any(|n| is_network(n)), "{name}");
    }
}

#[test]
fn no_source_of_the_plugin_opens_a_socket_or_loads_operators() {
    let root = common::root();
    let mut seen = 0;
    for folder in ["src", "plugins/src"] {
        for entry in walkdir::WalkDir::new(root.join(folder)) {
            let path = entry.unwrap().into_path();
            if path.extension().is_none_or(|e| e != "rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for word in [
                "std::net",
                "TcpStream",
                "UdpSocket",
                "UnixStream",
                "with_operator_library",
                "with_operators",
                "with_extensions",
            ] {
                assert!(!text.contains(word), "{} has {word}", path.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 80, "{seen}");
}
