// SPDX-License-Identifier: MIT OR Apache-2.0
//! The elements as the registry shows them, against the snapshot `docs/elements.json`: no property changes unseen.
//! `UPDATE_DOCS=1 cargo test --test elements` writes it anew.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

mod common;
#[path = "common/video.rs"]
mod video;

use std::collections::BTreeMap;

use gst::glib;
use gst::prelude::*;

fn flags(spec: &glib::ParamSpec) -> String {
    let f = spec.flags();
    let mut words = Vec::new();
    if f.contains(glib::ParamFlags::READABLE) {
        words.push("readable");
    }
    if f.contains(glib::ParamFlags::WRITABLE) {
        words.push("writable");
        words.push(if f.contains(gst::PARAM_FLAG_MUTABLE_PLAYING) {
            "changeable while playing"
        } else {
            "changeable in NULL and READY"
        });
    }
    words.join(", ")
}

fn describe(name: &str) -> serde_json::Value {
    let factory = gst::ElementFactory::find(name).unwrap_or_else(|| panic!("{name} is missing"));
    let factory = factory
        .load()
        .unwrap()
        .downcast::<gst::ElementFactory>()
        .unwrap();
    let element = factory.create().build().unwrap();
    let own = element.type_();
    let properties: BTreeMap<_, _> = element
        .list_properties()
        .iter()
        .filter(|p| p.owner_type() == own)
        .map(|p| {
            // An empty boxed value cannot be written as text.
            let boxed = p.value_type().is_a(glib::Type::BOXED);
            let default = (!boxed)
                .then(|| p.default_value().serialize().ok())
                .flatten();
            let mut about = serde_json::json!({
                "type": p.value_type().name(),
                "flags": flags(p),
                "blurb": p.blurb().map(|b| b.to_string()),
                "default": default.map(|s| s.to_string()),
            });
            if let Some(class) = glib::EnumClass::with_type(p.value_type()) {
                let values: Vec<_> = class.values().iter().map(|v| v.nick().to_owned()).collect();
                about["values"] = values.into();
            }
            if let Some(class) = glib::FlagsClass::with_type(p.value_type()) {
                let values: Vec<_> = class.values().iter().map(|v| v.nick().to_owned()).collect();
                about["values"] = values.into();
            }
            (p.name().to_owned(), about)
        })
        .collect();
    let meta = |key: &str| factory.metadata(key).map(ToString::to_string);
    serde_json::json!({
        "type": own.name(),
        "long-name": meta("long-name"),
        "klass": meta("klass"),
        "description": meta("description"),
        "rank": factory.rank().to_string(),
        "properties": properties,
    })
}

#[test]
fn the_snapshot_shows_what_the_registry_has() {
    video::init();
    let names = [
        "facedetect",
        "frameextract",
        "livenessclassify",
        "livenessmetaattach",
        "livenessmetaconvert",
        "livenessoverlay",
    ];
    // Under its own name: OpenCV's plugin has a facedetect too.
    let factory = |n: &str| {
        if n == "facedetect" {
            "livenessfacedetect"
        } else {
            n
        }
        .to_owned()
    };
    let now: BTreeMap<_, _> = names.map(|n| (n, describe(&factory(n)))).into();
    let text = serde_json::to_string_pretty(&now).unwrap() + "\n";
    let path = common::root().join("docs/elements.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let then = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == then,
        "docs/elements.json is out of date: UPDATE_DOCS=1 cargo test --test elements, and look at the difference"
    );
}

#[test]
fn a_text_that_is_not_utf8_ends_nothing() {
    use std::os::unix::ffi::OsStrExt;
    video::init();
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(b"/tmp/\xff,x.onnx"));
    for name in [
        "livenessfacedetect",
        "frameextract",
        "livenessclassify",
        "livenessmetaattach",
        "livenessmetaconvert",
        "livenessoverlay",
    ] {
        let element = gst::ElementFactory::make(name).build().unwrap();
        for spec in element.list_properties().iter() {
            let writable = spec.flags().contains(glib::ParamFlags::WRITABLE);
            if spec.owner_type() != element.type_()
                || spec.value_type() != glib::Type::STRING
                || !writable
            {
                continue;
            }
            // It used to abort the process.
            element.set_property(spec.name(), path);
            let now: Option<std::path::PathBuf> = element.property(spec.name());
            let shown = now.unwrap();
            let lossy = path.to_string_lossy();
            if matches!(spec.name(), "model" | "model-info" | "location") {
                assert_eq!(shown, path, "{name} {}", spec.name());
            } else {
                assert_eq!(shown.to_str(), Some(&*lossy), "{name} {}", spec.name());
            }
        }
    }
}
