// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program as its users have it: the real binary on films and pictures that are made here, with a detector that finds two faces
//! in whatever it sees. What counts is its exit status, what it says, and what lies in the data set afterwards.
#![allow(clippy::unwrap_used, clippy::panic)] // A test that fails panics.

#[path = "../../../tests/common/mod.rs"]
mod common;
#[path = "../../../tests/common/plugin.rs"]
mod plugin;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gst::prelude::*;
use liveness::dataset::manifest;
use liveness::dataset::record::Record;
use plugin::{LIMIT, Plugin, Running, Tool};

/// A scratch folder for films and for a data set.
struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    /// `None`, said on standard error, where there is no ONNX Runtime.
    fn new() -> Option<Self> {
        if plugin::runtime().is_none() {
            common::skip("no ONNX Runtime in .setup/lib (scripts/setup.sh --runtime)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        Some(Self { folder })
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn set(&self) -> PathBuf {
        self.path("set")
    }

    /// The program with a detector, writing every face to the data set.
    fn tool(&self) -> Tool {
        let all = "--size 48 --dedup 0 --min-face-size 0 --min-sharpness 0 --min-confidence 0 --min-exposure 0 --max-exposure 1";
        let tool = self.bare().arg("--model").arg(boxes());
        tool.args(all.split(' ')).arg("--allow-cut-off")
    }

    fn bare(&self) -> Tool {
        program()
            .arg("--output")
            .arg(self.set())
            .args(["--label", "real"])
    }

    /// A film of moving colours, upright as it lies in the file.
    fn film(&self, name: impl AsRef<Path>, frames: u32) -> PathBuf {
        self.film_of(name, frames, 240)
    }

    /// The same, so many pixels high.
    fn film_of(&self, name: impl AsRef<Path>, frames: u32, height: u32) -> PathBuf {
        let path = self.path(name);
        launch(
            &format!(
                "videotestsrc pattern=zone-plate kx2=20 ky2=20 kt=7 num-buffers={frames} \
                 ! video/x-raw,format=I420,width=320,height={height},framerate=25/1 ! jpegenc ! matroskamux ! filesink name=file"
            ),
            &path,
        );
        path
    }

    fn picture(&self, name: impl AsRef<Path>) -> PathBuf {
        let path = self.path(name);
        let picture = image::RgbImage::from_fn(320, 240, |x, y| {
            image::Rgb([x as u8, y as u8, (x ^ y) as u8])
        });
        picture.save(&path).unwrap();
        path
    }

    fn records(&self) -> Vec<Record> {
        manifest::read(&self.set()).unwrap()
    }
}

/// Runs a pipeline to its end; its element `file` gets the path.
fn launch(description: &str, path: &Path) {
    gst::init().unwrap();
    let pipeline = gst::parse::launch(description).unwrap();
    let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
    pipeline
        .by_name("file")
        .unwrap()
        .set_property("location", path);
    pipeline.set_state(gst::State::Playing).unwrap();
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let wait = gst::ClockTime::from_seconds(LIMIT.as_secs());
    let end = pipeline.bus().unwrap().timed_pop_filtered(wait, &ends);
    assert_eq!(end.unwrap().type_(), gst::MessageType::Eos, "{description}");
    pipeline.set_state(gst::State::Null).unwrap();
}

/// A detector that sees two faces in whatever it is shown.
fn boxes() -> PathBuf {
    common::root().join("tests/data/boxes.onnx")
}

fn program() -> Tool {
    Plugin::shared()
        .command(env!("CARGO_BIN_EXE_liveness-extract"))
        .without("LIVENESS_DETECTOR")
}

mod usage {
    //! How it is called.
    use super::*;

    #[test]
    fn wrong_use_is_refused() {
        let wrong: &[(&[&str], &str)] = &[
            (&[], "--output <DATASET>"),
            (&["--output", "d", "x.mp4"], "--label <LABEL>"),
            (&["-o", "d", "-l", "real"], "<INPUT>"),
            (
                &["-o", "d", "-l", "a/b", "x.mp4"],
                "cannot be the name of a folder",
            ),
            (&["-o", "d", "-l", "real", "--skip", "0", "x.mp4"], "--skip"),
            (
                &["-o", "d", "-l", "real", "--mode", "all", "x.mp4"],
                "faces, frames, both",
            ),
            (&["-o", "d", "-l", "real", "--dedup", "65", "x.mp4"], "65"),
            (
                &["-o", "d", "-l", "real", "--sheet", "x.jpg", "x.mp4"],
                "must end in .png",
            ),
            (&["--describe", "d", "x.mp4"], "cannot be used with"),
        ];
        for (words, said) in wrong {
            program().args(*words).run().cleanly(&[2]).says(&[said]);
        }
    }

    #[test]
    fn help_shows_examples_and_the_exit_status() {
        let help = program().arg("--help").run().cleanly(&[0]).stdout;
        for word in [
            "--skip 10 me.mp4",
            "[alias: --interval]",
            "LIVENESS_DETECTOR",
            "Ctrl-C",
            "--best-of-track",
        ] {
            assert!(help.contains(word), "{word}: {help}");
        }
        let wide = help.lines().find(|l| l.chars().count() > 100);
        assert_eq!(wide, None);
    }

    #[test]
    fn a_wrong_model_is_an_error_before_anything_starts() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let film = ground.film("a.mkv", 5);
        let missing = ground.bare().args(["--model", "/no/face.onnx"]).arg(&film);
        missing
            .run()
            .cleanly(&[1])
            .says(&["cannot read the model /no/face.onnx"]);
        let other = ground.bare().arg("--model").arg(&film).arg(&film);
        other.run().cleanly(&[1]).says(&["a.mkv is not a model"]);
        assert!(!ground.set().exists(), "nothing was begun");
        let named = ground.bare().arg(&film).env("LIVENESS_DETECTOR", boxes());
        named.run().cleanly(&[0]);
    }

    /// What README shows is what there is.
    #[test]
    fn the_commands_of_readme_run() {
        let Some(ground) = Ground::new() else {
            return;
        };
        // High enough for one of the faces to lie wholly inside.
        for film in ["me.mp4", "screen.mp4", "me.mkv", "screen.mkv"] {
            ground.film_of(film, 10, 320);
        }
        let readme = fs::read_to_string(common::root().join("README.md")).unwrap();
        let commands = readme
            .lines()
            .filter_map(|l| l.strip_prefix("liveness-extract "));
        let mut shown = Vec::new();
        for command in commands.clone() {
            let tool = program().args(command.split_whitespace());
            let tool = tool.env("LIVENESS_DETECTOR", boxes());
            let ended = tool.in_folder(ground.folder.path()).run().cleanly(&[0]);
            shown.push(ended.stdout);
        }
        // Two to collect, one that describes, two more before training.
        assert_eq!(commands.count(), 5);
        let last = &shown[2];
        for word in [
            "`real` means live",
            "`replay` means spoof (replay)",
            "`anna`",
        ] {
            assert!(last.contains(word), "{word}: {last}");
        }
        assert!(!last.contains("left out"), "{last}");
        assert!(ground.path("faces/contact-sheet.png").is_file());
    }

    #[test]
    fn a_folder_is_described() {
        let Some(ground) = Ground::new() else {
            return;
        };
        ground.picture("in/live/anna_001.png");
        ground.picture("in/print/ben_001.png");
        let tool = |path: &Path| program().arg("--describe").arg(path);
        let said = tool(&ground.path("in")).run().cleanly(&[0]).stdout;
        for word in ["live", "print", "2 sessions"] {
            assert!(said.contains(word), "{word}: {said}");
        }
        let none = tool(Path::new("/no/where")).run().cleanly(&[1]);
        none.says(&["/no/where"]);
    }

    #[test]
    fn nothing_to_read_is_an_error() {
        let Some(ground) = Ground::new() else {
            return;
        };
        fs::write(ground.path("in/notes.txt"), "notes").unwrap();
        let ended = ground.tool().arg(ground.path("in")).run().cleanly(&[1]);
        ended.says(&["no video and no picture", "1 other"]);
    }

    #[test]
    fn the_data_set_is_not_read_as_an_input() {
        let Some(ground) = Ground::new() else {
            return;
        };
        ground
            .tool()
            .arg(ground.film("a.mkv", 5))
            .run()
            .cleanly(&[0]);
        let ended = ground.tool().arg(ground.set()).run().cleanly(&[1]);
        ended.says(&["is the data set"]);
        // The folder around it is taken without it.
        let before = ground.records().len();
        ground.tool().arg(ground.folder.path()).run().cleanly(&[0]);
        assert_eq!(ground.records().len(), before);
    }
}

mod inputs {
    //! What is read, and how.
    use super::*;

    #[test]
    fn folders_of_films_and_pictures_become_a_data_set() {
        let Some(ground) = Ground::new() else {
            return;
        };
        ground.film("in/b film.mkv", 10);
        ground.film("in/deep/a.mkv", 10);
        ground.picture("in/anna_001.png");
        ground.picture("in/anna_002.jpg");
        fs::write(ground.path("in/notes.txt"), "notes").unwrap();
        fs::write(ground.path("in/.hidden.mkv"), "hidden").unwrap();
        let ended = ground
            .tool()
            .args(["--skip", "5"])
            .arg(ground.path("in"))
            .run();
        let ended = ended.cleanly(&[0]);
        let records = ground.records();
        assert!(!records.is_empty());
        for record in &records {
            assert_eq!(record.label, "real");
            assert!(ground.set().join(&record.file).is_file(), "{}", record.file);
            assert!(record.frame == 0 || record.frame == 5, "{record:?}");
        }
        let of = |name: &str| {
            let mut all: Vec<_> = records
                .iter()
                .filter(|r| r.source.ends_with(name))
                .collect();
            all.sort_by_key(|r| r.frame);
            all
        };
        let first = |name: &str| {
            of(name)
                .first()
                .copied()
                .unwrap_or_else(|| panic!("{name}"))
        };
        assert_eq!(first("b film.mkv").session, "b film");
        assert_eq!(first("a.mkv").session, "a");
        assert_eq!(first("anna_001.png").session, "anna");
        assert_eq!(first("anna_002.jpg").session, "anna");
        for word in [
            "b film.mkv",
            "deep/a.mkv",
            "2 pictures",
            "4 inputs",
            "contact-sheet.png",
        ] {
            assert!(ended.stdout.contains(word), "{word}: {}", ended.stdout);
        }
        ended.says(&["[4/4]"]);
        let sheet = image::open(ground.set().join("contact-sheet.png")).unwrap();
        assert!(sheet.width() > 500 && sheet.height() > 300);
    }

    #[test]
    fn broken_files_are_named_and_the_others_read() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let film = ground.film("in/good.mkv", 10);
        let whole = fs::read(&film).unwrap();
        fs::write(ground.path("in/empty.mp4"), "").unwrap();
        fs::write(ground.path("in/noise.mp4"), [0x5a; 5000]).unwrap();
        fs::write(
            ground.path("in/text.mp4"),
            "not a film at all\n".repeat(100),
        )
        .unwrap();
        fs::write(ground.path("in/head.mkv"), &whole[..300]).unwrap();
        let long = fs::read(ground.film("long.mkv", 75)).unwrap();
        fs::write(ground.path("in/short.mkv"), &long[..long.len() / 2]).unwrap();
        let picture = fs::read(ground.picture("in/picture.jpg")).unwrap();
        fs::write(ground.path("in/cut.jpg"), &picture[..200]).unwrap();
        let sound = ground.path("in/sound.ogg");
        launch(
            "audiotestsrc num-buffers=50 ! vorbisenc ! oggmux ! filesink name=file",
            &sound,
        );
        let missing = ground.path("missing.mp4");
        let run = ground
            .tool()
            .arg(ground.path("in"))
            .arg(&missing)
            .run()
            .cleanly(&[3]);
        for name in [
            "empty.mp4",
            "noise.mp4",
            "text.mp4",
            "head.mkv",
            "cut.jpg",
            "short.mkv",
            "sound.ogg",
            "missing.mp4",
        ] {
            let said = run.stderr.lines().find(|l| l.contains(name));
            let reason = said.and_then(|l| Some(l.split_once(name)?.1.trim_start_matches(": ")));
            assert!(
                reason.is_some_and(|r| r.len() > 5),
                "{name}: {}",
                run.stderr
            );
        }
        let run = run.says(&[
            "empty.mp4: it is empty",
            "short.mkv: cut short: it holds 1.",
            "of 3.0 seconds",
            "sound.ogg: there is no video in it",
            "missing.mp4: No such file",
        ]);
        assert!(run.stdout.contains("10 inputs"), "{}", run.stdout);
        let sources: Vec<_> = ground.records().into_iter().map(|r| r.source).collect();
        assert!(sources.iter().any(|s| s.ends_with("good.mkv")));
        assert!(sources.iter().any(|s| s.ends_with("picture.jpg")));
        // What failed is tried again, what is done is not.
        let again = ground.tool().arg(ground.path("in")).run().cleanly(&[3]);
        again.says(&["2 inputs already done", "noise.mp4"]);
    }

    #[test]
    fn the_content_counts_and_not_the_name() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let film = ground.film("film.mkv", 5);
        let picture = ground.picture("picture.jpg");
        let (odd, odder) = (ground.path("picture.gif"), ground.path("film"));
        fs::rename(&film, &odd).unwrap();
        fs::rename(&picture, &odder).unwrap();
        ground.tool().args([&odd, &odder]).run().cleanly(&[0]);
        let frames = |name| {
            ground
                .records()
                .iter()
                .filter(|r| r.source.ends_with(name))
                .map(|r| r.frame)
                .max()
        };
        assert_eq!(frames("picture.gif"), Some(4));
        assert_eq!(frames("/film"), Some(0));
    }

    #[test]
    fn a_name_that_is_no_text_is_read() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let names = [&b"in/caf\xe9.mkv"[..], b"in/caf\xe8.mkv"];
        for name in names {
            ground.film(OsStr::from_bytes(name), 3);
        }
        ground.tool().arg(ground.path("in")).run().cleanly(&[0]);
        let records = ground.records();
        for byte in ["%E9", "%E8"] {
            let name = format!("in/caf{byte}.mkv");
            assert!(records.iter().any(|r| r.source.ends_with(&name)), "{name}");
        }
        ground
            .tool()
            .arg(ground.path("in"))
            .run()
            .cleanly(&[0])
            .says(&["2 inputs already done"]);
    }

    /// A JPEG file as a telephone writes it: it lies sideways and says that it must be turned a quarter to the right.
    #[test]
    fn a_picture_that_lies_sideways_is_turned() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let picture = ground.picture("sideways.jpg");
        let jpeg = fs::read(&picture).unwrap();
        let mut exif = b"Exif\0\0MM\0*\0\0\0\x08".to_vec();
        exif.extend(b"\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
        let mut file = vec![0xff, 0xd8, 0xff, 0xe1];
        file.extend((exif.len() as u16 + 2).to_be_bytes());
        file.extend(exif);
        file.extend(&jpeg[2..]);
        fs::write(&picture, file).unwrap();
        ground.tool().arg(&picture).run().cleanly(&[0]);
        let records = ground.records();
        assert!(!records.is_empty());
        assert!(
            records.iter().all(|r| r.frame_size == [240, 320]),
            "{records:?}"
        );
    }

    /// A film as a telephone writes it that is held upright: the frames lie sideways, and the file says how to turn them.
    #[test]
    fn a_film_that_lies_sideways_is_turned() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let film = ground.path("portrait.mp4");
        launch(
            "videotestsrc num-buffers=5 ! video/x-raw,format=I420,width=320,height=240,framerate=25/1 \
             ! x264enc ! h264parse ! mp4mux ! filesink name=file",
            &film,
        );
        // The track's header ends in the matrix that its frames are shown by; this one turns them a quarter to the right.
        let mut bytes = fs::read(&film).unwrap();
        let header = bytes.windows(4).position(|w| w == b"tkhd").unwrap();
        let turn = [0, 1 << 16, 0, -1 << 16, 0, 0, 240 << 16, 0, 1 << 30];
        let turn: Vec<u8> = turn.iter().flat_map(|n: &i32| n.to_be_bytes()).collect();
        bytes[header + 44..header + 80].copy_from_slice(&turn);
        fs::write(&film, bytes).unwrap();
        ground.tool().arg(&film).run().cleanly(&[0]);
        let records = ground.records();
        assert!(!records.is_empty());
        assert!(
            records.iter().all(|r| r.frame_size == [240, 320]),
            "{records:?}"
        );
    }

    /// Where only every nth frame is wanted, the detector looks at no other: the faces are the same as if it looked at all.
    #[test]
    fn faces_belong_to_the_frame_that_is_saved() {
        let (Some(ground), Some(straight)) = (Ground::new(), Ground::new()) else {
            return;
        };
        let clip = common::root().join(".setup/clips/live.mp4");
        let Some(assets) = common::assets().filter(|_| clip.is_file()) else {
            common::skip("no .setup/clips/live.mp4 (scripts/setup.sh --assets)");
            return;
        };
        let model = common::model(&assets, "yunet_n_dynamic.onnx");
        let tool = |g: &Ground| {
            let tool = g.bare().arg("--model").arg(&model).arg(&clip);
            tool.args([
                "--skip",
                "7",
                "--every",
                "0.5",
                "--dedup",
                "0",
                "--min-sharpness",
                "0",
            ])
        };
        tool(&ground).run().cleanly(&[0]);
        // Faces that are followed are looked for in every frame.
        let all = tool(&straight).args(["--max-per-track", "1000"]);
        all.run().cleanly(&[0]);
        let faces = |g: &Ground| -> Vec<_> {
            let records = g.records().into_iter();
            records
                .map(|r| (r.frame, r.window, r.faces[0].rect))
                .collect()
        };
        assert_eq!(faces(&ground), faces(&straight));
        assert!(faces(&ground).len() >= 5);
    }

    #[test]
    fn sound_is_left_alone() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let film = ground.path("talking.mkv");
        launch(
            "matroskamux name=mux ! filesink name=file \
             audiotestsrc num-buffers=100 ! vorbisenc ! queue ! mux. \
             videotestsrc num-buffers=25 ! video/x-raw,width=320,height=240 ! jpegenc ! queue ! mux.",
            &film,
        );
        let ended = ground.tool().arg(&film).run().cleanly(&[0]);
        ended.says(&["25 frames"]);
    }
}

mod resume {
    //! Stopped, killed and started again.
    use super::*;

    /// Long enough to be stopped in its middle.
    const LONG: u32 = 1200;

    fn until_saved(ground: &Ground, run: &mut Running, pictures: usize) {
        let manifest = ground.set().join(manifest::NAME);
        run.until("save pictures", || {
            let text = fs::read_to_string(&manifest).unwrap_or_default();
            text.lines().count() >= pictures
        });
    }

    /// The pictures of a data set, without what differs from run to run: their order, and so their numbers.
    fn content(ground: &Ground) -> Vec<(String, u64, String)> {
        let records = ground.records();
        let mut all: Vec<_> = records
            .iter()
            .map(|r| {
                assert!(ground.set().join(&r.file).is_file(), "{}", r.file);
                (
                    r.source.rsplit_once('/').unwrap().1.to_owned(),
                    r.frame,
                    format!("{:?}", r.window),
                )
            })
            .collect();
        all.sort();
        all
    }

    #[track_caller]
    fn assert_same(ground: &Ground, other: &Ground) {
        let (a, b) = (content(ground), content(other));
        assert_eq!(a.len(), b.len());
        assert!(a == b);
        let mut files: Vec<_> = ground.records().into_iter().map(|r| r.file).collect();
        files.sort();
        files.dedup();
        assert_eq!(files.len(), a.len(), "two records name one file");
        let listed = fs::read_dir(ground.set().join("real")).unwrap().count();
        assert_eq!(listed, a.len(), "a file without a record");
    }

    #[test]
    fn what_is_finished_is_skipped() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let (a, b) = (ground.film("a.mkv", 10), ground.film("b.mkv", 10));
        ground.tool().arg(&a).run().cleanly(&[0]);
        let first = ground.records();
        let second = ground.tool().arg(&a).arg(&b).run().cleanly(&[0]);
        let second = second.says(&["1 input already done", "[1/1]"]);
        assert!(second.stdout.contains("already done"), "{}", second.stdout);
        let records = ground.records();
        assert_eq!(records.len(), 2 * first.len());
        assert_eq!(records[..first.len()], first[..]);
        // Another choice of pictures is another run; what is there stays as it is.
        let more = ground
            .tool()
            .args(["--quality", "80"])
            .arg(&a)
            .run()
            .cleanly(&[0]);
        assert!(!more.stderr.contains("already done"));
        let again = ground.tool().arg("--again").arg(&a).run().cleanly(&[0]);
        again.says(&["already there"]);
        assert_eq!(ground.records().len(), records.len());
    }

    #[test]
    fn ctrl_c_stops_it_and_the_same_command_goes_on() {
        let (Some(ground), Some(straight)) = (Ground::new(), Ground::new()) else {
            return;
        };
        let films = [
            ground.film("a.mkv", 60),
            ground.film("b.mkv", LONG),
            ground.film("c.mkv", 60),
        ];
        let tool = |g: &Ground| g.tool().args(["--skip", "5", "--jobs", "1"]).args(&films);
        let mut run = tool(&ground).start(LIMIT);
        until_saved(&ground, &mut run, 60);
        run.interrupt();
        let ended = run.end().cleanly(&[130]);
        ended.says(&["interrupted", "inputs left", "The same command goes on"]);
        let saved = ground.records().len();
        tool(&ground)
            .run()
            .cleanly(&[0])
            .says(&["1 input already done", "already there"]);
        assert!(ground.records().len() > saved);
        tool(&straight).run().cleanly(&[0]);
        assert_same(&ground, &straight);
    }

    #[test]
    fn a_killed_run_is_completed() {
        let (Some(ground), Some(straight)) = (Ground::new(), Ground::new()) else {
            return;
        };
        let film = ground.film("a.mkv", 600);
        let tool = |g: &Ground| g.tool().args(["--skip", "2"]).arg(&film);
        let mut run = tool(&ground).start(LIMIT);
        until_saved(&ground, &mut run, 40);
        // Killed, with what it has started.
        drop(run);
        let journal = ground.set().join(".liveness-extract.jsonl");
        fs::OpenOptions::new().append(true).open(&journal).unwrap();
        fs::write(&journal, "{\"source\":\"/cut o").unwrap();
        tool(&ground).run().cleanly(&[0]).says(&["already there"]);
        let lines = fs::read_to_string(&journal).unwrap();
        assert!(
            lines.starts_with("{\"source\":") && lines.lines().count() == 1,
            "{lines}"
        );
        tool(&straight).run().cleanly(&[0]);
        assert_same(&ground, &straight);
    }

    #[test]
    fn two_at_once_fill_one_data_set() {
        let (Some(ground), Some(straight)) = (Ground::new(), Ground::new()) else {
            return;
        };
        let films = [ground.film("a.mkv", 150), ground.film("b.mkv", 150)];
        let runs: Vec<_> = films
            .iter()
            .map(|f| ground.tool().arg(f).start(LIMIT))
            .collect();
        for run in runs {
            run.end().cleanly(&[0]);
        }
        straight.tool().args(&films).run().cleanly(&[0]);
        assert_same(&ground, &straight);
        ground
            .tool()
            .args(&films)
            .run()
            .cleanly(&[0])
            .says(&["2 inputs already done"]);
    }
}

mod trouble {
    //! What goes wrong.
    use super::*;

    #[test]
    fn a_folder_that_cannot_be_written_to_is_an_error() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let film = ground.film("a.mkv", 5);
        // Where a folder should be there is a file: that stops root, too.
        fs::write(ground.set(), "a file").unwrap();
        let ended = ground.tool().arg(&film).run().cleanly(&[1]);
        ended.says(&["set"]);
        assert_eq!(fs::read(ground.set()).unwrap(), b"a file");
    }

    #[test]
    fn a_label_that_cannot_be_written_to_stops_all_at_once() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let films = [ground.film("a.mkv", 5), ground.film("b.mkv", 5)];
        fs::create_dir(ground.set()).unwrap();
        fs::write(ground.set().join("real"), "a file").unwrap();
        let ended = ground
            .tool()
            .args(["--jobs", "1"])
            .args(&films)
            .run()
            .cleanly(&[1]);
        ended.says(&["stopped: ", "real"]);
    }

    #[test]
    fn a_read_only_folder_is_an_error() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let film = ground.film("a.mkv", 5);
        fs::create_dir(ground.set()).unwrap();
        fs::set_permissions(ground.set(), fs::Permissions::from_mode(0o500)).unwrap();
        if fs::write(ground.set().join("x"), "").is_ok() {
            common::skip("this user may write everywhere");
            return;
        }
        ground
            .tool()
            .arg(&film)
            .run()
            .cleanly(&[1])
            .says(&["Permission denied"]);
    }

    #[test]
    fn a_full_disk_stops_all_at_once() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let films = [ground.film("a.mkv", 100), ground.film("b.mkv", 100)];
        // In a namespace of its own, where anybody may mount what only this program sees.
        let mount = format!(
            "mount -t tmpfs -o size=300k tmpfs '{}'",
            ground.set().display()
        );
        fs::create_dir(ground.set()).unwrap();
        let sh = |line: &str| {
            Plugin::shared()
                .command("unshare")
                .args(["-rm", "sh", "-c", line])
        };
        let can = std::process::Command::new("unshare")
            .args(["-rm", "sh", "-c", &mount])
            .output();
        if !can.is_ok_and(|o| o.status.success()) {
            common::skip("no file system can be mounted here");
            return;
        }
        let line = format!(
            "{mount} && \"$@\" && exit 0; code=$?; ls -A '{}' >&2; exit $code",
            ground.set().display()
        );
        let tool = sh(&line)
            .arg("sh")
            .arg(env!("CARGO_BIN_EXE_liveness-extract"));
        let tool = tool.args([
            "--label",
            "real",
            "--dedup",
            "0",
            "--format",
            "png",
            "--allow-cut-off",
            "--output",
        ]);
        let tool = tool
            .arg(ground.set())
            .arg("--model")
            .arg(boxes())
            .args(&films);
        let ended = tool.run().cleanly(&[1]);
        let ended = ended.says(&["stopped: ", "No space left on device", "Make room there"]);
        assert!(!ended.stderr.contains(".part"), "{}", ended.stderr);
    }

    #[test]
    fn a_contact_sheet_that_cannot_be_written_costs_no_pictures() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let film = ground.film("a.mkv", 5);
        let tool = ground
            .tool()
            .args(["--sheet", "/no/where/sheet.png"])
            .arg(&film);
        tool.run()
            .cleanly(&[0])
            .says(&["no contact sheet", "/no/where/sheet.png"]);
        assert!(!ground.records().is_empty());
        assert!(!ground.set().join("contact-sheet.png").exists());
    }

    #[test]
    fn a_second_ctrl_c_ends_it_at_once() {
        let Some(ground) = Ground::new() else {
            return;
        };
        let film = ground.film("a.mkv", 3000);
        let mut run = ground.tool().arg(&film).start(LIMIT);
        let set = ground.set();
        run.until("begin", || set.join("real").exists());
        run.interrupt();
        run.interrupt();
        let start = std::time::Instant::now();
        assert_eq!(run.end().code(), Some(130));
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}
