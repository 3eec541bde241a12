// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes wrong: it is said, and nothing is left where the model should have been.

use crate::ground::*;
use crate::plugin::{Ended, Plugin, Tool};
use image::RgbImage;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

/// Ends with status 1, `says` these, and leaves no trace.
#[track_caller]
fn fails(ground: &Ground, tool: Tool, says: &[&str]) {
    let before = ground.names();
    ended(tool).cleanly(&[1]).says(says);
    assert_eq!(ground.names(), before, "it left something");
    assert!(!ground.path("model").exists());
}

#[test]
fn wrong_use_is_refused() {
    let wrong: &[(&[&str], &str)] = &[
        (&[], "Usage"),
        (&["train"], "--train <DIR>"),
        (&["train", "--train", "faces"], "--output <DIR>"),
        (
            &["train", "--train", "faces", "-o", "m", "--net", "resnet"],
            "livenessnet",
        ),
        (
            &["train", "--resume", "m", "--train", "faces"],
            "cannot be used with",
        ),
        (&["evaluate", "--test", "faces"], "--model <FILE"),
        (&["evaluate", "--model", "m.onnx"], "--test <DIR>"),
    ];
    for (words, said) in wrong {
        program().args(*words).run().cleanly(&[2]).says(&[said]);
    }
}

#[test]
fn help_shows_examples_and_the_exit_status() {
    let help = program().arg("--help").run().cleanly(&[0]).stdout;
    for word in [
        "--train faces --output model",
        "--resume model",
        "Exit status",
        "130",
    ] {
        assert!(help.contains(word), "{word}: {help}");
    }
}

#[test]
fn folders_that_cannot_be_trained_on_are_named_with_what_is_missing() {
    let ground = Ground::new();
    let train = |folder: &Path| ground.train(folder);
    let empty = ground.path("empty");
    fs::create_dir(&empty).unwrap();
    fails(
        &ground,
        train(&empty),
        &["empty", "holds no picture", "manifest.jsonl"],
    );
    fails(
        &ground,
        train(&ground.path("gone")),
        &["gone", "No such file"],
    );
    let live = ground.pictures("live", |p, name| p < 8 && name.starts_with("real"));
    fails(
        &ground,
        train(&live),
        &["40 live and 0 spoof", "both classes are needed"],
    );
    let few =
        |p: usize, name: &str| p == 0 && (name.contains("_000") || name.contains("real/ann_001"));
    let few = ground.pictures("few", few);
    fails(
        &ground,
        train(&few),
        &["2 live and 1 spoof", "at least 10 of each"],
    );
    // Enough pictures, and too few people for three sides.
    let two = ground.pictures("two", |person, _| person < 2);
    let three = train(&two).args(["--holdout", "0.2"]);
    fails(
        &ground,
        three,
        &[
            "2 groups of live cannot be split into 3 parts",
            "other people",
        ],
    );
    let apart = |p: usize, name: &str| (p < 2) == name.starts_with("real") && p < 4;
    let apart = ground.pictures("apart", apart);
    let refused = train(&apart).args(["--val", "0.5", "--holdout", "0.3"]);
    fails(&ground, refused, &["cannot be split"]);
}

#[test]
fn files_that_are_no_pictures_are_counted_where_nothing_is_left() {
    let ground = Ground::new();
    for i in 0..12 {
        for class in ["real", "print"] {
            ground.put(
                &format!("texts/{class}/p{}_{i:03}.jpg", i % 4),
                b"not a picture",
            );
        }
    }
    let tool = ground.train(&ground.path("texts"));
    fails(
        &ground,
        tool,
        &["none of 24 pictures", "12 × is no JPEG and no PNG"],
    );
}

#[test]
fn a_broken_file_is_named_and_left_out_and_a_huge_photo_is_taken() {
    let ground = Ground::new();
    let faces = ground.faces();
    ground.put("faces/real/bob_broken.jpg", b"not a picture");
    // Made of whole rows: a closure for each of its pixels takes long in a debug build.
    let (width, height) = (7304_usize, 5478_usize);
    let row: Vec<u8> = (0..3 * width).map(|i| (i / 200) as u8).collect();
    let huge = RgbImage::from_raw(width as u32, height as u32, row.repeat(height)).unwrap();
    huge.save(faces.join("real/bob_huge.jpg")).unwrap();
    let tool = ground.train(&faces).args(["--epochs", "1"]);
    let run = ended(tool).cleanly(&[0]);
    let run = run.says(&["left out: ", "bob_broken.jpg: is no JPEG and no PNG"]);
    assert!(
        run.stdout.contains("81 faces (41 live, 40 spoof)"),
        "{}",
        run.stdout
    );
    let trained = Trained::of(&ground, run);
    let table = trained.text("left-out.csv");
    assert_eq!(table.lines().count(), 2, "{table}");
    assert!(
        table.contains("bob_broken.jpg") && !table.contains("huge"),
        "{table}"
    );
}

#[test]
fn models_that_cannot_be_used_are_refused_by_name() {
    let ground = Ground::new();
    let faces = ground.faces();
    let other = crate::common::root().join("tests/data/bright.onnx");
    let init = |path: &Path| ground.train(&faces).arg("--init").arg(path);
    fails(
        &ground,
        init(&other),
        &["bright.onnx", "does not name its net"],
    );
    let text = ground.put("text.onnx", b"not a model");
    fails(&ground, init(&text), &["text.onnx", "no ONNX file"]);
    fails(
        &ground,
        init(&ground.path("gone.onnx")),
        &["gone.onnx", "No such file"],
    );
    let detector = |path: &Path| ground.bare(&faces).arg("--detector").arg(path);
    fails(
        &ground,
        detector(&ground.path("gone.onnx")),
        &["gone.onnx", "No such file"],
    );
    fails(&ground, detector(&text), &["text.onnx", "is not a model"]);
    let named = ground
        .bare(&faces)
        .env("LIVENESS_DETECTOR", ground.path("away.onnx"));
    fails(&ground, named, &["away.onnx", "No such file"]);
}

#[test]
#[cfg(not(feature = "wgpu"))]
fn a_graphics_card_is_refused_where_the_program_knows_none() {
    let ground = Ground::new();
    let tool = ground.full(&ground.faces()).args(["--device", "gpu"]);
    fails(
        &ground,
        tool,
        &["--features wgpu", "leave out --device gpu"],
    );
}

#[test]
fn a_file_in_the_place_of_the_folder_is_left_alone() {
    let ground = Ground::new();
    let file = ground.put("model", b"mine");
    let run = ended(ground.full(&ground.faces())).cleanly(&[1]);
    run.says(&["model", "A folder is needed"]);
    assert_eq!(fs::read(file).unwrap(), b"mine");
}

/// The program with `args` in a mount namespace of its own, where anybody may mount: a file system of its own is at `folder`. What lies there
/// afterwards is listed on standard error; `then` is done before the namespace ends. `None`, said on standard error, where it is
/// not possible.
fn on_file_system(folder: &Path, options: &str, args: &[&OsStr], then: &str) -> Option<Ended> {
    fs::create_dir_all(folder).unwrap();
    let mount = format!("mount -t tmpfs -o {options} tmpfs '{}'", folder.display());
    let tried = std::process::Command::new("unshare")
        .args(["-rm", "sh", "-c", &mount])
        .output();
    if !tried.is_ok_and(|o| o.status.success()) {
        crate::common::skip("no file system can be mounted here");
        return None;
    }
    let line = format!(
        "{mount} || exit 9; cd '{}'; \"$@\"; code=$?; ls -AR >&2; {then} exit $code",
        folder.display()
    );
    let tool = Plugin::shared()
        .command("unshare")
        .args(["-rm", "sh", "-c", &line, "sh"]);
    let tool = tool.without("LIVENESS_DETECTOR");
    let tool = tool.arg(env!("CARGO_BIN_EXE_liveness-train"));
    Some(ended(args.iter().fold(tool, Tool::arg)))
}

/// Training on `faces` into the folder `model` of wherever it is called.
fn here(faces: &Path) -> Vec<&OsStr> {
    let words = "train --crops 1.2 --crop-scale 1.1 --batch 8 --output model --train";
    words
        .split(' ')
        .map(OsStr::new)
        .chain([faces.as_os_str()])
        .collect()
}

#[track_caller]
fn no_halves(run: &Ended) {
    let half = |l: &str| l == "model.onnx" || l.ends_with(".part") || l.starts_with(".report-");
    assert!(!run.stderr.lines().any(half), "{}", run.stderr);
}

#[test]
fn where_nothing_can_be_written_it_is_said_before_training() {
    let ground = Ground::new();
    let faces = ground.faces();
    let Some(run) = on_file_system(&ground.path("disk"), "ro", &here(&faces), "") else {
        return;
    };
    let run = run
        .cleanly(&[1])
        .says(&["cannot write", "model", "Read-only file system"]);
    assert!(!run.stderr.contains("epoch 1"), "{}", run.stderr);
}

#[test]
fn a_full_disk_is_said_and_leaves_no_half_a_model() {
    let ground = Ground::new();
    let faces = ground.faces();
    // Too small for one checkpoint of this net, which has 2.4 MB.
    let small = on_file_system(&ground.path("disk"), "size=1m", &here(&faces), "");
    let Some(run) = small else {
        return;
    };
    let run = run
        .cleanly(&[1])
        .says(&["checkpoint", "No space left on device"]);
    assert!(
        run.stderr.ends_with("./model:\nrun.json\n"),
        "{}",
        run.stderr
    );
    // Enough for one, and not for one and a report.
    let mut args = here(&faces);
    args.extend(["--epochs", "1"].map(OsStr::new));
    let program = env!("CARGO_BIN_EXE_liveness-train");
    let then = format!(
        "mount -o remount,size=64m . && '{program}' train --resume model >&2 && cp -r model '{}' || exit 8;",
        ground.folder.path().display()
    );
    let disk = ground.path("disk");
    let run = on_file_system(&disk, "size=3m", &args, &then).unwrap();
    let run = run.cleanly(&[1]);
    let (full, resumed) = run.stderr.split_once("./model:\n").unwrap();
    for part in ["epoch 1/1", "model", "No space left on device"] {
        assert!(full.contains(part), "{}", run.stderr);
    }
    assert!(resumed.starts_with("checkpoint\nrun.json\n"), "{resumed}");
    no_halves(&run);
    // With more room it goes on, and nothing is learned twice.
    assert!(!resumed.contains("training: epoch"), "{resumed}");
    let whole = Trained::of(&ground, run);
    assert_eq!(whole.curve().len(), 2);
    assert!(whole.files.contains_key("model.onnx") && !whole.files.contains_key("checkpoint"));
}
