// SPDX-License-Identifier: MIT OR Apache-2.0
//! The plugin in GStreamer's own tools: whatever is wrong with the model, ONNX Runtime or the stream, `gst-launch-1.0` ends with
//! an error that names our element and says what to do, never with a panic or an abort. It lists without ONNX Runtime, lives
//! beside OpenCV's plugin, and leaves nothing behind.
//!
//! What fails in a stream is fed live here: `gst-launch-1.0` (1.22) quits its main loop on an error, and where that comes
//! before the loop runs, which happens while a pipeline prerolls, it waits for ever (so do `videotestsrc num-buffers=2 ! identity
//! error-after=1 ! fakesink`, about every twentieth time). A live source gives nothing before the loop runs.

// A failed test may panic, and a skipped one says so.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod common;
#[path = "common/plugin.rs"]
mod plugin;

use std::path::{Path, PathBuf};
use std::process::Command;

use plugin::{Ended, Plugin, Tool};

const DETECT: &str = "GstLivenessFaceDetect:";
const CLASSIFY: &str = "GstLivenessClassify:";

const YUNET: &str = "yunet_n_dynamic.onnx";
const YUNET_FIXED: &str = "yunet_n_320_320.onnx";
const MINIFASNET: &str = "MiniFASNetV2_2.7_80.onnx";
const FACENET: &str = "mobilefacenet_112_128d.onnx";

/// How `gst-launch-1.0` ends when an element refuses to start, and when a stream fails.
const NO_START: &[i32] = &[255];
const BROKEN_STREAM: &[i32] = &[1];

/// A folder that pipelines run in, so that they can name files by short names.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a scratch folder"))
    }

    /// With these models of the assets; `None`, said on standard error, where those or ONNX Runtime are missing.
    fn with(models: &[&str]) -> Option<Self> {
        let assets = common::assets()?;
        runtime()?;
        let folder = Self::new();
        for name in models {
            folder.link(name, &common::model(&assets, name));
        }
        Some(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).expect("a scratch folder can be written");
    }

    fn link(&self, name: &str, to: &Path) {
        let to = to.canonicalize().expect("it is there");
        std::os::unix::fs::symlink(to, self.path(name)).expect("a link can be made");
    }

    fn copy(&self, name: &str, from: &str) {
        std::fs::copy(self.path(from), self.path(name)).expect("a model can be copied");
    }

    /// A pipeline, its words separated by spaces.
    fn launch(&self, pipeline: &str) -> Tool {
        launch(Plugin::shared(), &self.0, pipeline)
    }

    #[track_caller]
    fn works(&self, pipeline: &str) -> Ended {
        self.launch(pipeline).run().cleanly(&[0])
    }

    /// The pipeline fails, and the element says these words.
    #[track_caller]
    fn fails(&self, pipeline: &str, codes: &[i32], element: &str, words: &[&str]) {
        let ended = self.launch(pipeline).run();
        ended.cleanly(codes).says(&[element]).says(words);
    }
}

fn launch(plugin: &Plugin, folder: &tempfile::TempDir, pipeline: &str) -> Tool {
    let mut tool = plugin
        .command("gst-launch-1.0")
        .in_folder(folder.path())
        .env("G_DEBUG", "fatal_warnings")
        // Without it, a crash would wait for a debugger.
        .arg("--no-fault")
        .arg("-m");
    for word in pipeline.split_whitespace() {
        tool = tool.arg(word);
    }
    tool
}

fn runtime() -> Option<PathBuf> {
    let runtime = plugin::runtime();
    if runtime.is_none() {
        common::skip("no ONNX Runtime in .setup/lib (scripts/setup.sh --runtime)");
    }
    runtime
}

/// Posts of an element on the bus.
fn messages(ended: &Ended, name: &str) -> Vec<String> {
    let word = format!("(element): {name},");
    let lines = ended.stdout.lines().filter(|l| l.contains(&word));
    lines.map(str::to_owned).collect()
}

#[test]
fn without_a_model_an_element_takes_the_one_that_ships() {
    let folder = Folder::new();
    for element in ["livenessfacedetect", "livenessclassify"] {
        for model in ["", "model=\"\""] {
            let pipeline = format!("videotestsrc num-buffers=2 ! {element} {model} ! fakesink");
            folder.launch(&pipeline).run().cleanly(&[0]);
        }
    }
}

#[test]
fn a_model_that_cannot_be_read_is_named() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("folder.onnx")).unwrap();
    for (element, name) in [
        ("livenessfacedetect", DETECT),
        ("livenessclassify", CLASSIFY),
    ] {
        for (model, why) in [
            ("missing.onnx", "No such file"),
            ("folder.onnx", "it is not a regular file"),
            ("/dev/zero", "it is not a regular file"),
        ] {
            folder.fails(
                &format!("videotestsrc ! {element} model={model} ! fakesink"),
                NO_START,
                name,
                &["cannot read the model", model, why],
            );
        }
    }
}

#[test]
fn a_file_that_is_no_model_is_refused() {
    if runtime().is_none() {
        return;
    }
    let folder = Folder::new();
    folder.write("text.onnx", "This is no model.\n".repeat(1000));
    folder.write("empty.onnx", "");
    for (element, name) in [
        ("livenessfacedetect", DETECT),
        ("livenessclassify", CLASSIFY),
    ] {
        for model in ["text.onnx", "empty.onnx"] {
            folder.fails(
                &format!("videotestsrc ! {element} model={model} ! fakesink"),
                NO_START,
                name,
                &[
                    model,
                    "is not a model that can be loaded",
                    "An ONNX file is needed",
                ],
            );
        }
    }
}

#[test]
fn a_truncated_model_is_refused() {
    let Some(folder) = Folder::with(&[YUNET, MINIFASNET]) else {
        return;
    };
    for (element, name, model) in [
        ("livenessfacedetect", DETECT, YUNET),
        ("livenessclassify", CLASSIFY, MINIFASNET),
    ] {
        let whole = std::fs::read(folder.path(model)).unwrap();
        // Before the weights, in them, and within the last of them.
        for length in [100, whole.len() / 2, whole.len() - 1] {
            folder.write("part.onnx", &whole[..length]);
            folder.fails(
                &format!("videotestsrc ! {element} model=part.onnx ! fakesink"),
                NO_START,
                name,
                &["part.onnx is not a model that can be loaded"],
            );
        }
    }
}

#[test]
fn a_model_for_another_task_is_refused() {
    let Some(folder) = Folder::with(&[YUNET, MINIFASNET, FACENET]) else {
        return;
    };
    for (element, name, model, task) in [
        ("livenessfacedetect", DETECT, MINIFASNET, "face detection"),
        ("livenessfacedetect", DETECT, FACENET, "face detection"),
        (
            "livenessclassify",
            CLASSIFY,
            YUNET,
            "liveness classification",
        ),
        (
            "livenessclassify",
            CLASSIFY,
            FACENET,
            "liveness classification",
        ),
    ] {
        folder.fails(
            &format!("videotestsrc ! {element} model={model} ! fakesink"),
            NO_START,
            name,
            &[&format!("{model} does not fit {task}: ")],
        );
    }
}

/// A shared library out of C.
fn compile(folder: &Folder, name: &str, source: &str) {
    folder.write("library.c", source);
    let done = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([folder.path(name), folder.path("library.c")])
        .status();
    assert!(done.expect("cc is there: Rust links with it").success());
}

/// Something that looks like ONNX Runtime until one asks it for its functions.
fn runtime_of_version(version: &str) -> String {
    format!(
        "#include <stdint.h>\n\
         static const void *api(uint32_t version) {{ (void)version; return 0; }}\n\
         static const char *version(void) {{ return \"{version}\"; }}\n\
         struct Base {{ const void *(*api)(uint32_t); const char *(*version)(void); }};\n\
         static const struct Base base = {{ api, version }};\n\
         const struct Base *OrtGetApiBase(void) {{ return &base; }}\n"
    )
}

/// A library of the system that everybody has: this test uses it itself.
fn system_library() -> PathBuf {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux has it");
    let file = maps
        .lines()
        .find_map(|l| l.find('/').map(|i| &l[i..]).filter(|p| p.contains("/libc")));
    file.expect("Rust's programs use the C library").into()
}

#[test]
fn an_unfit_onnx_runtime_is_named_with_the_cure() {
    let folder = Folder::new();
    folder.write("text.so", "This is no library.\n".repeat(1000));
    compile(&folder, "old.so", &runtime_of_version("1.10.0"));
    let libc = system_library();
    for (library, why) in [
        (Path::new("/nonexistent"), "no such file"),
        (&folder.path(""), "no such file"),
        (&folder.path("text.so"), "cannot be loaded"),
        (&libc, "does not export `OrtGetApiBase`"),
        (&folder.path("old.so"), "is version 1.10.0, too old"),
    ] {
        for (element, name) in [
            ("livenessfacedetect", DETECT),
            ("livenessclassify", CLASSIFY),
        ] {
            let pipeline = format!("videotestsrc ! {element} ! fakesink");
            let ended = folder
                .launch(&pipeline)
                .env("ORT_DYLIB_PATH", library)
                .run();
            ended.cleanly(NO_START).says(&[
                name,
                "ONNX Runtime could not be loaded",
                why,
                &library.display().to_string(),
                "named by ORT_DYLIB_PATH",
                "Install version 1.20 or newer",
            ]);
        }
    }
}

#[test]
fn an_onnx_runtime_that_lies_about_its_version_is_refused() {
    let folder = Folder::new();
    compile(&folder, "broken.so", &runtime_of_version("1.24.0"));
    let ended = folder
        .launch("videotestsrc num-buffers=1 ! livenessfacedetect ! fakesink")
        .env("ORT_DYLIB_PATH", folder.path("broken.so"))
        .run();
    // ort panics, which is caught, but says so on standard error.
    assert!(ended.code().is_some_and(|code| NO_START.contains(&code)));
    ended.says(&[DETECT, "ONNX Runtime could not be loaded", "broken.so"]);
}

#[test]
fn a_machine_without_onnx_runtime_is_told_where_it_was_looked_for() {
    let folder = Folder::new();
    let ended = folder
        .launch("videotestsrc num-buffers=1 ! livenessfacedetect ! fakesink")
        .without("ORT_DYLIB_PATH")
        .run();
    if ended.code() == Some(0) {
        common::skip("this system has an ONNX Runtime of its own");
        return;
    }
    // One beside the plugin would be found first.
    let plugin = Path::new(env!("CARGO_TARGET_TMPDIR")).display().to_string();
    ended.cleanly(NO_START).says(&[
        DETECT,
        "no libonnxruntime.so in ",
        &plugin,
        "point ORT_DYLIB_PATH at",
    ]);
}

#[test]
fn frames_too_small_for_a_face_are_refused_with_their_size() {
    let Some(folder) = Folder::with(&[YUNET, MINIFASNET]) else {
        return;
    };
    for (element, name) in [
        (format!("livenessfacedetect model={YUNET}"), DETECT),
        (format!("livenessclassify model={MINIFASNET}"), CLASSIFY),
    ] {
        for (w, h) in [(1, 1), (15, 16), (16, 15)] {
            folder.fails(
                &format!(
                    "videotestsrc is-live=true ! video/x-raw,width={w},height={h} ! {element} ! fakesink"
                ),
                BROKEN_STREAM,
                name,
                &[&format!("frames of {w}x{h} are too small"), "at least 16x16"],
            );
        }
        folder.works(&format!(
            "videotestsrc num-buffers=2 ! video/x-raw,width=16,height=16 ! {element} ! fakesink"
        ));
    }
}

#[test]
fn a_frame_of_33_million_pixels_is_looked_at() {
    let Some(folder) = Folder::with(&[YUNET, MINIFASNET]) else {
        return;
    };
    let ended = folder.works(&format!(
        "videotestsrc num-buffers=2 ! video/x-raw,format=I420,width=7680,height=4320 \
         ! livenessfacedetect model={YUNET} post-messages=every-frame ! livenessclassify model={MINIFASNET} ! fakesink"
    ));
    assert_eq!(messages(&ended, "GstLivenessFaceDetect").len(), 2);
}

/// A portrait, one of the pictures that set-up fetches.
fn portrait() -> Option<PathBuf> {
    let path = common::root().join(".setup/pictures/astronaut.png");
    if !path.is_file() {
        common::skip(format_args!(
            "no {} (scripts/setup.sh --assets)",
            path.display()
        ));
        return None;
    }
    Some(path)
}

#[test]
fn format_and_size_may_change_in_mid_stream() {
    let (Some(folder), Some(portrait)) = (Folder::with(&[YUNET, MINIFASNET]), portrait()) else {
        return;
    };
    folder.link("portrait.png", &portrait);
    // Sizes that are read with other strides, both shapes, and chroma in planes, in pairs and not at all.
    let segments = [
        ("I420", 512, 512),
        ("NV12", 322, 322),
        ("RGB", 511, 513),
        ("GRAY8", 1024, 1024),
        ("I420", 720, 640),
    ];
    let mut pipeline = format!(
        "concat name=c ! livenessfacedetect model={YUNET} post-messages=every-frame \
         ! livenessclassify model={MINIFASNET} post-messages=every-frame ! fakesink"
    );
    for (format, w, h) in segments {
        pipeline += &format!(
            " filesrc location=portrait.png ! pngdec ! imagefreeze num-buffers=2 ! videoscale ! videoconvert \
             ! video/x-raw,format={format},width={w},height={h},framerate=25/1,pixel-aspect-ratio=1/1 ! c."
        );
    }
    let ended = folder.works(&pipeline);
    for name in ["GstLivenessFaceDetect", "GstLivenessClassify"] {
        let messages = messages(&ended, name);
        assert_eq!(messages.len(), 2 * segments.len());
        for message in messages {
            assert_eq!(message.matches("score").count(), 1, "{message}");
        }
    }
}

#[test]
fn a_stream_that_becomes_too_small_says_so() {
    let Some(folder) = Folder::with(&[YUNET]) else {
        return;
    };
    folder.fails(
        &format!(
            "concat name=c ! livenessfacedetect model={YUNET} ! fakesink \
             videotestsrc is-live=true num-buffers=3 ! video/x-raw,width=64,height=64 ! c. \
             videotestsrc is-live=true num-buffers=3 ! video/x-raw,width=8,height=8 ! c."
        ),
        BROKEN_STREAM,
        DETECT,
        &["frames of 8x8 are too small"],
    );
}

#[test]
fn an_input_size_that_the_model_cannot_have_is_refused() {
    let Some(folder) = Folder::with(&[YUNET_FIXED]) else {
        return;
    };
    folder.fails(
        &format!(
            "videotestsrc is-live=true ! livenessfacedetect model={YUNET_FIXED} input-size=111 ! fakesink"
        ),
        BROKEN_STREAM,
        DETECT,
        &[YUNET_FIXED, "takes 320x320 pixels", "leave input-size at 0"],
    );
    folder.works(&format!(
        "videotestsrc num-buffers=2 ! livenessfacedetect model={YUNET_FIXED} ! fakesink"
    ));
}

#[test]
fn a_sidecar_file_with_nonsense_is_refused() {
    let Some(folder) = Folder::with(&[YUNET, MINIFASNET]) else {
        return;
    };
    folder.write("nonsense.toml", "color = [\n%$!");
    folder.write("misspelt.toml", "colour = 'bgr'\n");
    folder.write("wrong.toml", "threshold = 7\n");
    folder.write("binary.toml", [0xff, 0xfe, 0x00]);
    for (element, name, model) in [
        ("livenessfacedetect", DETECT, YUNET),
        ("livenessclassify", CLASSIFY, MINIFASNET),
    ] {
        for (info, words) in [
            ("nonsense.toml", &["TOML"][..]),
            ("misspelt.toml", &["`colour` is not known here", "color"]),
            ("wrong.toml", &["`threshold = 7`", "a number from 0 to 1"]),
            ("binary.toml", &["UTF-8"]),
            ("missing.toml", &["No such file"]),
        ] {
            folder.fails(
                &format!("videotestsrc ! {element} model={model} model-info={info} ! fakesink"),
                NO_START,
                name,
                &[&[info], words].concat(),
            );
        }
    }
}

#[test]
fn a_sidecar_file_with_a_zero_byte_is_refused() {
    let Some(folder) = Folder::with(&[YUNET]) else {
        return;
    };
    folder.write("zero.toml", "color = \"\u{0}\"\n");
    folder.fails(
        &format!("videotestsrc ! livenessfacedetect model={YUNET} model-info=zero.toml ! fakesink"),
        NO_START,
        DETECT,
        &["zero.toml"],
    );
}

#[test]
fn a_model_that_tells_nothing_of_itself_needs_a_sidecar_file() {
    let Some(folder) = Folder::with(&[MINIFASNET]) else {
        return;
    };
    // Its authors tell the size of the crop by the file's name alone.
    folder.copy("plain.onnx", MINIFASNET);
    let pipeline = "videotestsrc num-buffers=2 ! livenessclassify model=plain.onnx ! fakesink";
    folder.fails(
        pipeline,
        NO_START,
        CLASSIFY,
        &[
            "plain.onnx does not say how to use it",
            "crop-scale (a number from 0.5 to 10",
            "plain.toml",
        ],
    );
    folder.write("plain.toml", "crop-scale = 2.7\n");
    folder.works(pipeline);
    std::fs::rename(folder.path("plain.toml"), folder.path("elsewhere.toml")).unwrap();
    folder.works(
        "videotestsrc num-buffers=2 ! livenessclassify model=plain.onnx model-info=elsewhere.toml ! fakesink",
    );
}

#[test]
fn one_sidecar_file_for_two_models_is_refused() {
    let folder = Folder::new();
    folder.write("info.toml", "");
    folder.fails(
        "videotestsrc ! livenessclassify model=one.onnx,two.onnx model-info=info.toml ! fakesink",
        NO_START,
        CLASSIFY,
        &["put a .toml file beside each instead"],
    );
}

/// The elements of the plugin, each with its GType.
const ELEMENTS: &[(&str, &str)] = &[
    ("facedetect", "GstLivenessFaceDetect"),
    ("livenessfacedetect", "GstLivenessFaceDetect"),
    ("livenessclassify", "GstLivenessClassify"),
    ("livenessoverlay", "GstLivenessOverlay"),
    ("frameextract", "GstLivenessFrameExtract"),
    ("livenessmetaconvert", "GstLivenessMetaConvert"),
    ("livenessmetaattach", "GstLivenessMetaAttach"),
];

#[test]
fn the_plugin_lists_its_elements_without_onnx_runtime() {
    let folder = tempfile::tempdir().unwrap();
    // With a new registry: here the library is scanned.
    let plugin = Plugin::in_folder(folder.path());
    let inspect = |arg: &str| {
        let tool = plugin.command("gst-inspect-1.0").arg(arg);
        let tool = tool.env("ORT_DYLIB_PATH", "/nonexistent");
        tool.env("G_DEBUG", "fatal_warnings").run().cleanly(&[0])
    };
    let listed = inspect("liveness").stdout;
    // Where OpenCV's plugin is installed, `facedetect` may be its element.
    let opencv = plugin.command("gst-inspect-1.0").arg("opencv").run().code() == Some(0);
    let ours = ELEMENTS
        .iter()
        .filter(|(name, _)| !(opencv && *name == "facedetect"));
    for (element, gtype) in ours {
        assert!(
            listed.contains(&format!("  {element}: ")),
            "no {element} in {listed}"
        );
        let text = inspect(element).stdout;
        for word in [gtype, "libgstliveness.so", "SINK template"] {
            assert!(text.contains(word), "no {word} in {text}");
        }
    }
    let features = listed.lines().filter(|l| l.starts_with("  ")).count();
    assert!(features > 0);
    assert!(opencv || listed.contains(&format!("{} features", ELEMENTS.len())));
    let blacklist = inspect("--print-blacklist").stdout;
    assert!(!blacklist.contains("gstliveness"), "{blacklist}");
}

#[test]
fn opencvs_element_of_the_same_name_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = Plugin::in_folder(folder.path());
    let inspect = |arg: &str| plugin.command("gst-inspect-1.0").arg(arg).run();
    if inspect("opencv").code() != Some(0) {
        common::skip("OpenCV's plugin is not there (apt-get install gstreamer1.0-opencv)");
        return;
    }
    let ours = inspect("livenessfacedetect").cleanly(&[0]).stdout;
    assert!(ours.contains("GstLivenessFaceDetect"), "{ours}");
    // One of the two has this name.
    inspect("facedetect").cleanly(&[0]);
    let blacklist = inspect("--print-blacklist").cleanly(&[0]).stdout;
    assert!(!blacklist.contains("gstliveness"), "{blacklist}");
    let Some(models) = Folder::with(&[YUNET, MINIFASNET]) else {
        return;
    };
    // Both in one process: neither their types nor their debug categories may meet.
    let ended = launch(
        &plugin,
        &models.0,
        &format!(
            "videotestsrc num-buffers=3 ! livenessfacedetect model={YUNET} post-messages=every-frame \
             ! livenessclassify model={MINIFASNET} ! livenessoverlay ! videoconvert ! edgedetect ! fakesink"
        ),
    )
    .run()
    .cleanly(&[0]);
    assert_eq!(messages(&ended, "GstLivenessFaceDetect").len(), 3);
}

/// Runs this behind a picture of a face and expects that every object is given back.
#[track_caller]
fn leaves_nothing(pipeline: &str) {
    let (Some(folder), Some(portrait)) = (Folder::with(&[YUNET, MINIFASNET]), portrait()) else {
        return;
    };
    folder.link("portrait.png", &portrait);
    let ended = folder
        .launch(&format!(
            "filesrc location=portrait.png ! pngdec ! videoconvert ! imagefreeze num-buffers=5 ! {pipeline}"
        ))
        .env("GST_TRACERS", "leaks")
        .env("GST_DEBUG", "GST_TRACER:7")
        .env("GST_DEBUG_NO_COLOR", "1")
        // The tracer warns of what it has found, and more is said here than that.
        .without("G_DEBUG")
        .run()
        .cleanly(&[0])
        // The tracer was there.
        .says(&["new format string: object-alive, "]);
    assert_eq!(messages(&ended, "GstLivenessClassify").len(), 5);
    let alive: Vec<_> = ended
        .stderr
        .lines()
        .filter(|l| l.contains("object-alive, type-name=(string)Gst"))
        .collect();
    assert!(alive.is_empty(), "{}", alive.join("\n"));
}

#[test]
fn nothing_is_left_behind() {
    leaves_nothing(&format!(
        "tee name=t \
         t. ! queue ! livenessfacedetect model={YUNET} post-messages=on-face \
         ! livenessclassify model={MINIFASNET} post-messages=on-face ! fakesink \
         t. ! queue ! fakesink"
    ));
}

#[test]
fn nothing_that_was_drawn_is_left_behind() {
    leaves_nothing(&format!(
        "livenessfacedetect model={YUNET} ! livenessclassify model={MINIFASNET} post-messages=on-face \
         ! livenessoverlay show-landmarks=true ! fakesink"
    ));
}
