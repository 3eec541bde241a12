// SPDX-License-Identifier: MIT OR Apache-2.0
//! Killed or interrupted, and resumed.

use crate::ground::*;
use crate::plugin::{Ended, Running, Tool};
use std::fs;

/// A training that `stop` has ended after its first epoch. Where it was faster, and was done or writing its report, it is begun anew:
/// what is to be seen is how one ends in its middle.
fn ended_early(
    tool: impl Fn(&Ground) -> Tool,
    stop: impl Fn(Running) -> Option<Ended>,
) -> (Ground, Option<Ended>) {
    for _ in 0..10 {
        let ground = Ground::new();
        let checkpoint = ground.path("model/checkpoint");
        let mut run = tool(&ground).start(LONG);
        run.until("finish an epoch", || checkpoint.exists());
        let ended = stop(run);
        if checkpoint.exists() && ground.names() == ["faces", "model"] {
            return (ground, ended);
        }
    }
    panic!("it always came to its end before it could be stopped");
}

fn resumed(ground: &Ground) {
    let again = Trained::of(ground, ended(ground.resume()).cleanly(&[0]));
    again.assert_same(&TAUGHT);
    assert!(
        !again.stderr.contains("epoch 1/"),
        "it began anew: {}",
        again.stderr
    );
    assert_eq!(ground.names(), ["faces", "model"]);
    let over = ended(ground.resume()).cleanly(&[1]);
    over.says(&["is finished", "--init"]);
}

#[test]
fn a_killed_run_goes_on_to_the_same_model() {
    let tool = |ground: &Ground| ground.full(&ground.faces());
    let (ground, _) = ended_early(tool, |run| {
        // As kill -9 does.
        drop(run);
        None
    });
    assert!(!ground.path("model/model.onnx").exists());
    // Had it been killed while it wrote the next checkpoint, half of that would lie there.
    ground.put("model/.a1B2c3.part", b"half");
    resumed(&ground);
}

#[test]
fn ctrl_c_leaves_the_best_so_far_and_the_run_goes_on_to_the_same_model() {
    let tool = |ground: &Ground| ground.full(&ground.faces());
    let (ground, stopped) = ended_early(tool, |run| {
        run.interrupt();
        Some(run.end())
    });
    let stopped = stopped.unwrap().cleanly(&[130]);
    stopped.says(&["stopped", "--resume", "the best so far"]);
    let files = ground.files("model");
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        ["checkpoint", "model.onnx", "run.json"]
    );
    let tool = ground
        .evaluate(&[&ground.path("model/model.onnx")])
        .arg("--test");
    ended(tool.arg(ground.path("faces"))).cleanly(&[0]);
    // The same command again does not begin anew unasked.
    let refused = ended(ground.full(&ground.path("faces"))).cleanly(&[1]);
    refused.says(&["a run that is not finished", "--resume"]);
    // A run belongs to its pictures.
    let picture = ground.path("faces/real/ann_000.jpg");
    let kept = fs::read(&picture).unwrap();
    fs::remove_file(&picture).unwrap();
    let refused = ended(ground.resume()).cleanly(&[1]);
    refused.says(&["checkpoint", "of another run"]);
    assert!(ground.files("model") == files, "something was touched");
    fs::write(&picture, kept).unwrap();
    resumed(&ground);
}

#[test]
fn where_there_is_no_run_there_is_nothing_to_resume() {
    let ground = Ground::new();
    let none = ended(ground.resume()).cleanly(&[1]);
    none.says(&["model", "holds no run to resume"]);
    fs::create_dir(ground.path("model")).unwrap();
    let none = ended(ground.resume()).cleanly(&[1]);
    none.says(&["model", "holds no run to resume"]);
    ground.put("model/run.json", b"{\"train\": 3");
    let damaged = ended(ground.resume()).cleanly(&[1]);
    damaged.says(&["run.json", "is damaged"]);
}
