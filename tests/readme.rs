// SPDX-License-Identifier: MIT OR Apache-2.0
//! What README shows is what there is: its pipeline runs, its files and targets exist.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod common;
#[path = "common/video.rs"]
mod video;

use gst::prelude::*;

fn readme() -> String {
    std::fs::read_to_string(common::root().join("README.md")).unwrap()
}

/// The gst-launch line, as the shell reads it.
fn pipeline(text: &str) -> String {
    let start = text.find("gst-launch-1.0 ").unwrap() + "gst-launch-1.0 ".len();
    let end = start + text[start..].find("```").unwrap();
    text[start..end].replace("\\\n", " ").trim().to_owned()
}

#[test]
fn the_pipeline_runs_with_a_test_picture_for_the_camera() {
    video::init();
    let line = pipeline(&readme())
        .replace("v4l2src", "videotestsrc num-buffers=5")
        .replace("autovideosink", "fakesink name=s");
    let frames = video::collect(&line, |_, _| ());
    assert_eq!(frames.len(), 5);
}

#[test]
fn the_files_that_documents_link_to_exist() {
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "models/README.md",
    ] {
        let path = common::root().join(document);
        let text = std::fs::read_to_string(&path).unwrap();
        for (i, _) in text.match_indices("](") {
            let link = &text[i + 2..];
            let link = &link[..link.find(')').unwrap()];
            if !link.contains("://") {
                let target = path.parent().unwrap().join(link);
                assert!(target.exists(), "{document} links to {link}");
            }
        }
    }
    let text = readme();
    for (i, _) in text.match_indices("pipelines/") {
        let name: String = text[i..]
            .chars()
            .take_while(|c| !c.is_whitespace() && *c != '`')
            .collect();
        let name = name.trim_end_matches(['.', ',']);
        assert!(common::root().join(name).exists(), "README names {name}");
    }
}

#[test]
fn the_make_targets_exist() {
    let makefile = std::fs::read_to_string(common::root().join("Makefile")).unwrap();
    for (i, _) in readme().match_indices("make ") {
        let text = readme();
        let target: String = text[i + 5..]
            .chars()
            .take_while(char::is_ascii_lowercase)
            .collect();
        let is_command = text[..i].ends_with(['`', '\n']);
        assert!(
            !is_command || makefile.contains(&format!("\n{target}:")),
            "README names make {target}"
        );
    }
}

#[test]
fn the_properties_that_the_table_names_exist() {
    video::init();
    let text = readme();
    for (row, name) in [
        ("| `facedetect`", "livenessfacedetect"),
        ("| `livenessclassify`", "livenessclassify"),
        ("| `livenessoverlay`", "livenessoverlay"),
        ("| `frameextract`", "frameextract"),
        ("| `livenessmetaconvert`", "livenessmetaconvert"),
        ("| `livenessmetaattach`", "livenessmetaattach"),
    ] {
        let element = gst::ElementFactory::make(name).build().unwrap();
        let line = text.lines().find(|l| l.starts_with(row)).unwrap();
        let properties = line.split('|').nth(3).unwrap();
        for property in properties.split('`').skip(1).step_by(2) {
            assert!(element.has_property(property), "{name} has no {property}");
        }
    }
}
