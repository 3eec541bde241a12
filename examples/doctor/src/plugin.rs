// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether GStreamer has the plugin, all of it, and can run it. Knows the elements' names.

use gst::prelude::*;

use crate::finding::Finding;

/// The plugin's name.
const NAME: &str = "liveness";

/// File name of its library.
const FILE: &str = "libgstliveness.so";

/// Its elements.
const ELEMENTS: [&str; 5] = [
    "facedetect",
    "livenessfacedetect",
    "livenessclassify",
    "livenessoverlay",
    "frameextract",
];

const INSTALL: &str = "in the checkout, `make install` (for everybody: SYSTEM=1), or `. scripts/env.sh` for this shell after `make build`";

/// GStreamer itself.
pub(crate) fn gstreamer() -> Finding {
    let (major, minor, ..) = gst::version();
    let text = gst::version_string().to_string();
    match (major, minor) >= (1, 22) {
        true => Finding::ok("gstreamer", text),
        false => Finding::fail(
            "gstreamer",
            format!("{text} is too old"),
            "install GStreamer 1.22 or newer (Debian 12, Ubuntu 23.04)",
        ),
    }
}

/// The plugin in GStreamer's registry.
pub(crate) fn find() -> (Finding, Option<gst::Plugin>) {
    let registry = gst::Registry::get();
    let file = |p: &gst::Plugin| p.filename().is_some_and(|f| f.ends_with(FILE));
    let listed = registry.plugins();
    let refused = listed
        .iter()
        .find(|p| file(p) && p.plugin_flags().contains(gst::PluginFlags::BLACKLISTED));
    if let Some(plugin) = registry.find_plugin(NAME) {
        let place = plugin
            .filename()
            .map_or_else(String::new, |f| format!(" in {}", f.display()));
        let version = plugin.version();
        let text = format!("version {version}{place}");
        // Behind the number stands the commit.
        let number = version.split('-').next().unwrap_or_default();
        let own = env!("CARGO_PKG_VERSION");
        let finding = match number == own {
            true => Finding::ok("plugin", text),
            false => Finding::warn("plugin", format!("{text}, this program is {own}"), INSTALL),
        };
        return (finding, Some(plugin));
    }
    let finding = match refused.and_then(|p| p.filename()) {
        Some(path) => Finding::fail(
            "plugin",
            format!(
                "GStreamer could not load {} and has blacklisted it",
                path.display()
            ),
            format!(
                "`ldd {0}` shows a library that is missing (then install it), `GST_DEBUG=2 gst-inspect-1.0 {0}` says more; a file for \
                 another machine is built anew by `make install`",
                path.display()
            ),
        ),
        None => Finding::fail(
            "plugin",
            format!("GStreamer does not find {FILE}{}", searched()),
            INSTALL,
        ),
    };
    (finding, None)
}

/// Where the user lets GStreamer look.
fn searched() -> String {
    let named = ["GST_PLUGIN_PATH_1_0", "GST_PLUGIN_PATH"];
    let named = named.iter().find_map(|name| {
        let value = std::env::var_os(name).filter(|v| !v.is_empty())?;
        Some(format!(" ({name}={})", value.to_string_lossy()))
    });
    named.unwrap_or_default()
}

/// Its elements, and whether others hide them.
pub(crate) fn look(plugin: &gst::Plugin) -> Vec<Finding> {
    let mut all = Vec::new();
    let mut missing = Vec::new();
    for name in ELEMENTS {
        let check = format!("element {name}");
        let Some(factory) = gst::ElementFactory::find(name) else {
            missing.push(name);
            continue;
        };
        let owner = factory.plugin().map(|p| p.plugin_name());
        match owner {
            Some(owner) if owner != plugin.plugin_name() => all.push(Finding::warn(
                check,
                format!("{name} is the element of the plugin `{owner}`, which has the same name"),
                match name {
                    "facedetect" => "write livenessfacedetect, which is this one's alone, as all pipelines and programs here do".to_owned(),
                    _ => format!("remove the plugin `{owner}`, or take its folder out of GST_PLUGIN_PATH"),
                },
            )),
            _ => {}
        }
    }
    all.push(match missing.is_empty() {
        true => Finding::ok("plugin elements", ELEMENTS.join(", ")),
        false => Finding::fail(
            "plugin elements",
            format!(
                "{} missing: another version of the plugin, or a stale registry",
                missing.join(", ")
            ),
            format!("{INSTALL}; `rm ~/.cache/gstreamer-1.0/registry.*` lets GStreamer look anew"),
        ),
    });
    all
}

/// Runs the elements on a test picture, with the models and the ONNX Runtime that they find themselves.
pub(crate) fn chain() -> Finding {
    const CHECK: &str = "chain";
    const MEND: &str =
        "the message says what to do; `make install` puts ONNX Runtime beside the plugin";
    let description = "videotestsrc num-buffers=2 ! video/x-raw,width=320,height=240 ! livenessfacedetect ! livenessclassify \
                       ! livenessoverlay ! fakesink";
    let pipeline = match gst::parse::launch(description) {
        Ok(pipeline) => pipeline,
        Err(error) => {
            return Finding::fail(CHECK, error.to_string(), "see the elements below and above");
        }
    };
    let end = run(&pipeline);
    // In any case: an element that is dropped while it runs aborts the program.
    let _ = pipeline.set_state(gst::State::Null);
    match end {
        Ok(()) => Finding::ok(CHECK, "finds, judges and draws on a test picture"),
        Err(reason) => Finding::fail(CHECK, reason, MEND),
    }
}

/// # Errors
/// What the elements said.
fn run(pipeline: &gst::Element) -> Result<(), String> {
    let bus = pipeline.bus().ok_or("a pipeline without a bus")?;
    // Its own error stands on the bus.
    let started = pipeline.set_state(gst::State::Playing);
    let wait = gst::ClockTime::from_seconds(if started.is_ok() { 60 } else { 1 });
    let end = bus.timed_pop_filtered(wait, &[gst::MessageType::Eos, gst::MessageType::Error]);
    match end.as_deref().map(gst::MessageRef::view) {
        Some(gst::MessageView::Eos(_)) => Ok(()),
        Some(gst::MessageView::Error(e)) => {
            let name = e
                .src()
                .and_then(|s| s.downcast_ref::<gst::Element>()?.factory());
            let name = name.map_or_else(String::new, |f| format!("{}: ", f.name()));
            Err(format!("{name}{}", e.error()))
        }
        _ => Err("no end within a minute".into()),
    }
}
