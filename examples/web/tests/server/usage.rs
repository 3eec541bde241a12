// SPDX-License-Identifier: MIT OR Apache-2.0
//! How it is called.

use super::*;

#[test]
fn help_shows_how_and_wrong_use_is_refused() {
    let help = program().arg("--help").run().cleanly(&[0]);
    for word in [
        "Examples:",
        "--embedding",
        "--max-sessions",
        "Exit status:",
        "127.0.0.1:8080",
    ] {
        assert!(help.stdout.contains(word), "{word}: {}", help.stdout);
    }
    program()
        .args(["--bind", "here"])
        .run()
        .cleanly(&[2])
        .says(&["--bind"]);
}

#[test]
fn what_cannot_be_used_is_named_before_anybody_comes() {
    let Some(server) = Server::tiny(&[]) else {
        return;
    };
    let data = tiny("make.py");
    let no_model = ["--bind", "127.0.0.1:0", "--model", path(&data)];
    program()
        .args(no_model)
        .run()
        .cleanly(&[1])
        .says(&["make.py"]);
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("db");
    let (boxes, embed) = (tiny("boxes.onnx"), tiny("embed.onnx"));
    let no_embedding = [
        "--bind",
        "127.0.0.1:0",
        "--embedding",
        path(&boxes),
        "--database",
        path(&database),
    ];
    program()
        .args(no_embedding)
        .run()
        .cleanly(&[1])
        .says(&["boxes.onnx", "tells persons apart"]);
    std::fs::write(
        &database,
        "no database at all, but a text that is long enough".repeat(20),
    )
    .unwrap();
    let no_database = [
        "--bind",
        "127.0.0.1:0",
        "--embedding",
        path(&embed),
        "--database",
        path(&database),
    ];
    program()
        .args(no_database)
        .run()
        .cleanly(&[1])
        .says(&[path(&database)]);
    program()
        .args(["--bind", &server.address])
        .run()
        .cleanly(&[1])
        .says(&[&server.address]);
}

#[tokio::test]
async fn ctrl_c_tells_everybody_and_ends() {
    let Some(server) = Server::tiny(&[]) else {
        return;
    };
    let mut watching = server.camera().await;
    watching.start("watch").await;
    watching.look(&grey(96, 96, 200)).await;
    let mut silent = server.camera().await;
    server.send_interrupt();
    for camera in [&mut watching, &mut silent] {
        let over = camera.over().await;
        assert_eq!((&*over.reason, over.code), ("shutdown", Some(1001)));
    }
    server.end().cleanly(&[130]).says(&["ending"]);
}
