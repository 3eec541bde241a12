// SPDX-License-Identifier: MIT OR Apache-2.0
//! Spoofs out of live faces, and what others make of the data set that they become.

use crate::ground::{Ground, LONG, ended, program};
use crate::plugin::Tool;
use image::{Rgb, RgbImage};
use liveness::dataset::label::{Attack, Class};
use liveness::dataset::sample::{DataSet, Layout, Sample};
use liveness_train::net::noise::{Noise, seed};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The people in the pictures.
const PEOPLE: [&str; 6] = ["ann", "bob", "cid", "dan", "eve", "fay"];

/// Pictures of each.
const TAKES: u64 = 4;

/// Width and height of a picture.
const SIDE: u32 = 72;

/// A face as a child would paint it.
fn face(person: usize, take: u64) -> RgbImage {
    let mut whose = Noise::new(seed(&[person as u64]));
    let mut which = Noise::new(seed(&[person as u64, take]));
    let mut colour = |low, high| [(); 3].map(|()| whose.between(low, high));
    let (skin, wall) = (colour(110.0, 220.0), colour(30.0, 220.0));
    let middle = [(); 2].map(|()| which.between(0.46, 0.54) * SIDE as f32);
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let (dx, dy) = (x as f32 - middle[0], y as f32 - middle[1]);
        let inside = (dx / 24.0).powi(2) + (dy / 30.0).powi(2) < 1.0;
        let eye = (dx.abs() - 9.0).powi(2) + (dy + 8.0).powi(2) < 12.0;
        let from = if inside { skin } else { wall };
        let dark = if eye { 0.2 } else { 1.0 - 0.003 * (dx + dy) };
        Rgb(from.map(|v| (v * dark) as u8))
    })
}

impl Ground {
    fn save(&self, name: &str, picture: &RgbImage) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        picture.save(path).unwrap();
    }

    /// Live faces of all people, and spoofs of another one.
    fn live(&self) -> PathBuf {
        for (person, name) in PEOPLE.iter().enumerate() {
            for take in 0..TAKES {
                self.save(
                    &format!("faces/real/{name}_{take:03}.png"),
                    &face(person, take),
                );
            }
        }
        for take in 0..12 {
            self.save(&format!("faces/print/zoe_{take:03}.png"), &face(99, take));
        }
        self.path("faces")
    }

    /// Rendering `live`, with what makes it quick.
    fn render(&self, live: &Path, output: &str) -> Tool {
        let tool = program().args(["render", "--crops", "1.2", "--live"]);
        tool.arg(live).arg("--output").arg(self.path(output))
    }
}

fn read(folder: &Path) -> DataSet {
    liveness::dataset::read(folder).unwrap()
}

fn effects(sample: &Sample) -> &[String] {
    let record = sample.record.as_ref().unwrap();
    &record.rendered.as_ref().unwrap().effects
}

#[test]
fn live_faces_become_a_data_set_that_is_read_and_trained_on() {
    let ground = Ground::new();
    let faces = ground.live();
    let ended_well = ended(ground.render(&faces, "rendered").args(["--count", "40"])).cleanly(&[0]);
    assert!(
        ended_well.stdout.contains("40 pictures"),
        "{}",
        ended_well.stdout
    );
    let set = read(&ground.path("rendered"));
    assert_eq!((set.layout, set.samples.len()), (Layout::Manifest, 40));
    let of = |attack| {
        set.samples
            .iter()
            .filter(|s| s.attack == Some(attack))
            .count()
    };
    assert!(of(Attack::Print) > 8 && of(Attack::Replay) > 8, "{set}");
    assert!(set.samples.iter().all(|s| s.class == Class::Spoof));
    // The people are those of the live pictures, and nothing was made of the spoofs.
    let people: BTreeSet<&str> = set.samples.iter().map(|s| s.session.as_str()).collect();
    assert_eq!(people.into_iter().collect::<Vec<_>>(), PEOPLE);
    for sample in &set.samples {
        let record = sample.record.as_ref().unwrap();
        let picture = image::open(&sample.path).unwrap();
        let size = [picture.width(), picture.height()];
        assert_eq!((record.frame_size, record.size), (size, size));
        let [x, y, w, h] = record.faces[0].rect;
        let (x, y) = (x + w / 2.0, y + h / 2.0);
        let (width, height) = (size[0] as f32, size[1] as f32);
        assert!((0.3..0.7).contains(&(x / width)) && (0.3..0.7).contains(&(y / height)));
        assert!(w.max(h) > 30.0 && w.max(h) < width, "{w} {h}");
        let rendered = record.rendered.as_ref().unwrap();
        assert_eq!(rendered.group, format!("class folders/{}", sample.session));
        assert!(
            record
                .source
                .starts_with(&format!("faces/real/{}_", sample.session))
        );
        assert!(!record.source.contains(&rendered.scene), "before itself");
    }
    // Effects come and go.
    let with = |name| {
        set.samples
            .iter()
            .filter(|s| effects(s).iter().any(|e| e == name))
            .count()
    };
    assert!(with("tone") == 40 && (1..40).contains(&with("moire")));
    let sheet = image::open(ground.path("rendered/contact-sheet.png")).unwrap();
    assert!(sheet.width() > 1000 && sheet.height() > 1000);

    // The trainer takes both, and keeps a person and what was rendered from her on one side.
    let tool = program()
        .args([
            "train",
            "--epochs",
            "1",
            "--batch",
            "8",
            "--crop-scale",
            "1.2",
        ])
        .args(["--val", "0.3", "--holdout", "0.3", "--train"])
        .arg(&faces)
        .arg(ground.path("rendered"));
    let trained = ended(tool.arg("--output").arg(ground.path("model"))).cleanly(&[0]);
    assert!(trained.stdout.contains("replay"), "{}", trained.stdout);
    let metrics = fs::read(ground.path("model/metrics.json")).unwrap();
    let metrics: serde_json::Value = serde_json::from_slice(&metrics).unwrap();
    let sets = metrics["models"][0]["sets"].as_array().unwrap();
    let groups: u64 = sets
        .iter()
        .map(|s| s["counts"]["groups"].as_u64().unwrap())
        .sum();
    // Held out are two of six people in each part, and the spoof of another.
    assert!((3..=5).contains(&groups), "{groups}: {sets:?}");
    // What was rendered from a face that is measured on is not trained on.
    let tool = program()
        .args([
            "train",
            "--epochs",
            "1",
            "--batch",
            "8",
            "--crop-scale",
            "1.2",
            "--train",
        ])
        .arg(&faces)
        .arg("--test")
        .arg(ground.path("rendered"))
        .arg("--output")
        .arg(ground.path("other"));
    let refused = ended(tool).cleanly(&[1]);
    refused.says(&["no live picture is left", "same person"]);
}

#[test]
fn the_same_seed_gives_the_same_bytes_with_any_number_of_threads() {
    let ground = Ground::new();
    let faces = ground.live();
    let run = |output: &str, more: &[&str]| {
        let tool = ground.render(&faces, output).args(["--count", "12"]);
        ended(tool.args(more)).cleanly(&[0]);
        ground.files(output)
    };
    let once = run("a", &[]);
    assert_eq!(once.len(), 14, "{:?}", once.keys());
    assert!(once == run("b", &["--threads", "1"]), "other bytes");
    let other = run("c", &["--seed", "2"]);
    assert!(once["contact-sheet.png"] != other["contact-sheet.png"]);
    // Without effects, and of one kind; the sheet elsewhere.
    let sheet = ground.path("sheet.png").display().to_string();
    let bare = run(
        "d",
        &[
            "--effects",
            "none",
            "--kinds",
            "print",
            "--contact-sheet",
            &sheet,
        ],
    );
    assert!(
        bare.keys()
            .all(|k| k.starts_with("print/") || k == "manifest.jsonl")
    );
    assert!(ground.path("sheet.png").is_file());
    let set = read(&ground.path("d"));
    assert!(set.samples.iter().all(|s| effects(s).is_empty()));
    // Half the effects: no other is drawn.
    run("e", &["--effects", "tone,glare"]);
    let set = read(&ground.path("e"));
    let drawn: BTreeSet<&String> = set.samples.iter().flat_map(effects).collect();
    assert!(
        drawn
            .iter()
            .all(|e| ["tone", "glare"].contains(&e.as_str())),
        "{drawn:?}"
    );
}

#[test]
fn scenes_may_be_any_pictures() {
    let ground = Ground::new();
    let faces = ground.live();
    ground.save(
        "walls/any name.png",
        &RgbImage::from_pixel(90, 60, Rgb([0, 200, 0])),
    );
    fs::write(ground.path("walls/broken.jpg"), "no picture").unwrap();
    let tool = ground.render(&faces, "rendered").arg("--scene");
    let tool = tool
        .arg(ground.path("walls"))
        .args(["--count", "10", "--effects", "none"]);
    // A scene that cannot be read is named, and another one taken.
    ended(tool).cleanly(&[0]).says(&["broken.jpg"]);
    for sample in &read(&ground.path("rendered")).samples {
        let rendered = sample.record.as_ref().unwrap().rendered.as_ref().unwrap();
        assert_eq!(rendered.scene, "any name.png");
        let picture = image::open(&sample.path).unwrap().into_rgb8();
        let (w, h) = picture.dimensions();
        let corners = [(0, 0), (w - 1, 0), (0, h - 1), (w - 1, h - 1)];
        let green = |&(x, y): &(u32, u32)| {
            let [r, g, b] = picture.get_pixel(x, y).0;
            r < 40 && g.abs_diff(200) < 30 && b < 40
        };
        assert!(corners.iter().any(green), "{}", sample.path.display());
    }
}

#[test]
fn what_cannot_be_is_refused_and_leaves_nothing() {
    let ground = Ground::new();
    let faces = ground.live();
    fs::create_dir_all(ground.path("full")).unwrap();
    fs::write(ground.path("full/notes.txt"), "mine").unwrap();
    fs::create_dir_all(ground.path("empty")).unwrap();
    ground.save("spoofs/print/zoe_001.png", &face(99, 1));
    let empty = ground.path("empty").display().to_string();
    let gone = ground.path("gone").display().to_string();
    for (live, output, more, status, said) in [
        (&*faces, "full", vec![], 1, ["full", "another folder"]),
        (
            &ground.path("empty"),
            "new",
            vec![],
            1,
            ["empty", "no picture"],
        ),
        (
            &ground.path("spoofs"),
            "new",
            vec![],
            1,
            ["no live picture", "docs/dataset.md"],
        ),
        (
            &faces,
            "new",
            vec!["--scene", &empty],
            1,
            ["empty", "no picture"],
        ),
        (
            &faces,
            "new",
            vec!["--scene", &gone],
            1,
            ["gone", "cannot read"],
        ),
        (
            &faces,
            "new",
            vec!["--detector", &gone, "--crops", "none"],
            1,
            ["gone", "No such file"],
        ),
        (
            &faces,
            "new",
            vec!["--effects", "magic"],
            2,
            ["magic", "halftone"],
        ),
    ] {
        let tool = program().args(["render", "--live"]).arg(live);
        let tool = tool.arg("--output").arg(ground.path(output)).args(more);
        ended(tool).cleanly(&[status]).says(&said);
        assert!(!ground.path("new").exists(), "{said:?}: it left something");
    }
    assert_eq!(ground.files("full").len(), 1);
}

#[test]
fn ctrl_c_leaves_whole_pictures() {
    let ground = Ground::new();
    let faces = ground.live();
    let tool = ground
        .render(&faces, "rendered")
        .args(["--count", "100000"]);
    let mut run = tool.start(LONG);
    let third = ground.path("rendered/manifest.jsonl");
    run.until("render some", || {
        fs::read_to_string(&third).is_ok_and(|text| text.lines().count() > 2)
    });
    run.interrupt();
    let stopped = run.end().cleanly(&[130]);
    stopped.says(&["stopped after", "whole"]);
    let files = ground.files("rendered");
    let manifest = String::from_utf8(files["manifest.jsonl"].clone()).unwrap();
    // Nothing but the pictures of the manifest and the sheet that shows them.
    assert_eq!(
        files.len(),
        manifest.lines().count() + 2,
        "{:?}",
        files.keys()
    );
    for sample in &read(&ground.path("rendered")).samples {
        image::open(&sample.path).unwrap();
    }
    assert!(ground.path("rendered/contact-sheet.png").is_file());
}
