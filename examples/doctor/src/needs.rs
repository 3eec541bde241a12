// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which elements of GStreamer are needed for what, and the Debian package of each. Data only; a test holds it against pipelines/.

/// Somebody who needs elements.
pub(crate) struct Need {
    /// A file in pipelines/, or a program.
    pub(crate) who: &'static str,
    /// All of these.
    pub(crate) all: &'static [&'static str],
    /// For each of these, any of the list, with what it is for.
    pub(crate) any: &'static [(&'static str, &'static [&'static str])],
}

const ENCODER: (&str, &[&str]) = ("to record", &["x264enc", "openh264enc", "vp8enc"]);
const H264: (&str, &[&str]) = (
    "to decode H.264",
    &[
        "avdec_h264",
        "openh264dec",
        "vah264dec",
        "v4l2h264dec",
        "nvh264dec",
    ],
);
const WINDOW: (&str, &[&str]) = (
    "to show a window",
    &[
        "glimagesink",
        "xvimagesink",
        "ximagesink",
        "waylandsink",
        "gtksink",
    ],
);

/// Everybody.
pub(crate) const NEEDS: &[Need] = &[
    Need {
        who: "pipelines/webcam.sh",
        all: &[
            "v4l2src",
            "decodebin",
            "jpegdec",
            "queue",
            "videoconvert",
            "autovideosink",
        ],
        any: &[WINDOW],
    },
    Need {
        who: "pipelines/rtsp.sh",
        all: &[
            "rtspsrc",
            "decodebin",
            "rtph264depay",
            "h264parse",
            "queue",
            "videoconvert",
            "autovideosink",
        ],
        any: &[H264, WINDOW],
    },
    Need {
        who: "pipelines/android.sh",
        all: &[
            "souphttpsrc",
            "multipartdemux",
            "jpegdec",
            "queue",
            "videoconvert",
            "autovideosink",
        ],
        any: &[WINDOW],
    },
    Need {
        who: "pipelines/file.sh",
        all: &[
            "filesrc",
            "decodebin",
            "qtdemux",
            "h264parse",
            "videoconvert",
            "videoflip",
            "autovideosink",
        ],
        any: &[H264, WINDOW],
    },
    Need {
        who: "pipelines/picture.sh",
        all: &[
            "filesrc",
            "decodebin",
            "jpegparse",
            "jpegdec",
            "pngdec",
            "videoconvert",
            "videoflip",
            "imagefreeze",
            "pngenc",
            "jpegenc",
            "multifilesink",
        ],
        any: &[],
    },
    Need {
        who: "pipelines/extract.sh",
        all: &[
            "filesrc",
            "decodebin",
            "qtdemux",
            "h264parse",
            "videoconvert",
            "videoflip",
        ],
        any: &[H264],
    },
    Need {
        who: "pipelines/json.sh",
        all: &[
            "filesrc",
            "decodebin",
            "qtdemux",
            "h264parse",
            "videoconvert",
            "videoflip",
            "filesink",
        ],
        any: &[H264],
    },
    Need {
        who: "pipelines with OUT=",
        all: &["videoscale", "matroskamux", "filesink"],
        any: &[ENCODER],
    },
    Need {
        who: "liveness-watch",
        all: &[
            "v4l2src",
            "rtspsrc",
            "souphttpsrc",
            "multipartdemux",
            "decodebin",
            "jpegparse",
            "jpegdec",
            "queue",
            "tee",
            "videoconvert",
            "videoflip",
            "autovideosink",
            "filesink",
        ],
        any: &[H264, ENCODER, WINDOW],
    },
    Need {
        who: "liveness-guard",
        all: &[
            "v4l2src",
            "rtspsrc",
            "souphttpsrc",
            "decodebin",
            "jpegdec",
            "queue",
            "videoconvert",
            "videoflip",
        ],
        any: &[H264, WINDOW],
    },
    Need {
        who: "liveness-extract",
        all: &[
            "filesrc",
            "decodebin",
            "qtdemux",
            "typefind",
            "jpegparse",
            "jpegdec",
            "pngdec",
            "videoconvert",
            "videoflip",
        ],
        any: &[H264],
    },
    Need {
        who: "liveness-fleet",
        all: &[
            "filesrc",
            "rtspsrc",
            "souphttpsrc",
            "multipartdemux",
            "decodebin",
            "qtdemux",
            "jpegparse",
            "jpegdec",
            "queue",
            "tee",
            "appsink",
            "videoconvert",
            "videoflip",
        ],
        any: &[H264],
    },
    Need {
        who: "liveness-web",
        all: &[
            "appsrc",
            "appsink",
            "filesrc",
            "decodebin",
            "jpegdec",
            "videoconvert",
            "videoflip",
        ],
        any: &[H264],
    },
];

/// Debian's packages, by their elements.
const PACKAGES: &[(&str, &[&str])] = &[
    (
        "libgstreamer1.0-0",
        &["filesink", "filesrc", "queue", "tee", "typefind"],
    ),
    (
        "gstreamer1.0-plugins-base",
        &[
            "appsink",
            "appsrc",
            "decodebin",
            "videoconvert",
            "videoscale",
        ],
    ),
    (
        "gstreamer1.0-plugins-good",
        &[
            "autovideosink",
            "imagefreeze",
            "jpegdec",
            "jpegenc",
            "matroskamux",
            "multifilesink",
            "multipartdemux",
            "pngdec",
            "pngenc",
            "qtdemux",
            "rtph264depay",
            "rtspsrc",
            "souphttpsrc",
            "v4l2src",
            "videoflip",
            "vp8enc",
        ],
    ),
    (
        "gstreamer1.0-plugins-bad",
        &["h264parse", "jpegparse", "openh264enc", "openh264dec"],
    ),
    ("gstreamer1.0-plugins-ugly", &["x264enc"]),
    ("gstreamer1.0-libav", &["avdec_h264"]),
    ("gstreamer1.0-x", &["xvimagesink", "ximagesink"]),
    ("gstreamer1.0-gl", &["glimagesink"]),
];

/// The package that has an element; none for elements of some hardware alone.
pub(crate) fn package(element: &str) -> Option<&'static str> {
    let has = PACKAGES
        .iter()
        .find(|(_, elements)| elements.contains(&element));
    has.map(|(package, _)| *package)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn pipelines() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines")
    }

    /// What a script names between exclamation marks: elements, caps and variables.
    fn words(text: &str) -> Vec<String> {
        let code = text.lines().filter(|l| !l.trim_start().starts_with('#'));
        let code = code.collect::<Vec<_>>().join(" ");
        let mut words = Vec::new();
        let start = code.match_indices("play ").map(|(i, w)| i + w.len());
        for start in start.chain(code.match_indices(" ! ").map(|(i, w)| i + w.len())) {
            let rest = code[start..].trim_start_matches(['(', ' ', '\\']);
            let word = rest
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
            words.push(word.collect());
        }
        words
    }

    #[test]
    fn every_pipeline_and_every_element_in_it_is_known() {
        let mut seen = 0;
        for entry in std::fs::read_dir(pipelines()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name == "common.sh" || !name.ends_with(".sh") {
                continue;
            }
            let who = format!("pipelines/{name}");
            let need = NEEDS.iter().find(|n| n.who == who);
            let need = need.unwrap_or_else(|| panic!("{who} has no entry"));
            let text = std::fs::read_to_string(&path).unwrap();
            for word in words(&text) {
                // Of the others, gst-launch knows what they are.
                let is_element = package(&word).is_some();
                assert!(
                    !is_element || need.all.contains(&&*word),
                    "{who} needs {word}"
                );
                seen += usize::from(is_element);
            }
        }
        assert!(seen > 12, "{seen}");
    }

    #[test]
    fn whatever_must_be_there_has_a_package() {
        for need in NEEDS {
            for element in need.all {
                assert!(package(element).is_some(), "{element}");
            }
            for (what, elements) in need.any {
                assert!(elements.iter().any(|e| package(e).is_some()), "{what}");
            }
        }
    }
}
