// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whole data sets, written from frames in memory.

use std::path::Path;
use std::sync::Mutex;

use super::*;
use crate::dataset::manifest;
use crate::geometry::Rect;
use crate::image::{Layout, Plane, View};

/// A frame whose picture depends on its seed.
struct Scene {
    layout: Layout,
    data: Vec<u8>,
}

const SIZE: (usize, usize) = (320, 240);

fn scene(seed: u64) -> Arc<dyn Held> {
    let (w, h) = SIZE;
    let at = |i: usize| {
        // Blocks that differ from seed to seed, with fine detail in them.
        let (x, y) = (i % w, i / w);
        let block = (x / 40 + 8 * (y / 30)) as u64;
        let mut coarse = block * 1009 + seed * 9_176_741;
        for _ in 0..3 {
            coarse = (coarse ^ (coarse >> 15)).wrapping_mul(0x2c1b_3c6d_85eb_ca6b);
            coarse ^= coarse >> 29;
        }
        [((coarse % 160) as usize + (x * 7 + y * 13) % 60) as u8; 3]
    };
    Arc::new(Scene {
        layout: Layout::rgb8(w, h),
        data: (0..w * h).flat_map(at).collect(),
    })
}

impl Held for Scene {
    fn read(&self, look: &mut dyn FnMut(&dyn Pixels)) -> Result<()> {
        let plane = Plane {
            data: &self.data,
            stride: 3 * SIZE.0,
        };
        look(&View::new(&self.layout, &[plane])?);
        Ok(())
    }
}

fn face(x: f32, track: u64) -> Face {
    Face {
        rect: Rect::new(x, 80.0, 60.0, 70.0),
        score: 0.9,
        track: Some(track),
        ..Face::default()
    }
}

fn output(folder: &Path) -> Output {
    Output {
        folder: folder.to_owned(),
        label: "real".into(),
        coding: Coding::Jpeg(90),
        side: 0,
        durable: false,
        workers: 2,
        tool: "test".into(),
    }
}

/// A collector whose failures are gathered.
fn open(folder: &Path, rules: &Rules) -> (Collector<u64>, Arc<Mutex<Vec<String>>>) {
    let failures = Arc::new(Mutex::new(Vec::new()));
    let told = failures.clone();
    let mut collector = Collector::open(&output(folder), rules.clone(), move |event| {
        if let Event::Failed(e) = event {
            lock(&told).push(e.to_string());
        }
    })
    .unwrap();
    collector.begin(Origin {
        session: "one".into(),
        source: "film".into(),
    });
    (collector, failures)
}

/// Shows frames: their seeds, and their faces.
fn show(collector: &mut Collector<u64>, frames: &[(u64, Vec<Face>)]) {
    for (i, (seed, faces)) in frames.iter().enumerate() {
        let seen = Seen {
            stream_time: Some(Duration::from_millis(40 * i as u64)),
            size: SIZE,
            faces,
            lost: 0,
            live: false,
        };
        let shown = collector.frame(&scene(*seed), &seen, &(i as u64), &mut || true);
        shown.unwrap();
    }
}

fn run(folder: &Path, rules: &Rules, frames: &[(u64, Vec<Face>)]) -> Tally {
    let (mut collector, failures) = open(folder, rules);
    show(&mut collector, frames);
    let tally = collector.end().unwrap();
    assert_eq!(*lock(&failures), Vec::<String>::new());
    tally
}

fn frames(n: u64) -> Vec<(u64, Vec<Face>)> {
    (0..n).map(|i| (i, vec![face(120.0, 1)])).collect()
}

/// What is the same in every run: the records without their numbers.
fn contents(folder: &Path) -> Vec<Record> {
    let mut all = manifest::read(folder).unwrap();
    for record in &mut all {
        let bytes = std::fs::read(folder.join(&record.file)).unwrap();
        image::load_from_memory(&bytes).unwrap();
        record.file.clear();
    }
    all.sort_by_key(|r| (r.frame, r.faces[0].track, r.kind.as_str()));
    all
}

fn pictures(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder.join("real")).unwrap();
    files.count()
}

#[test]
fn each_frame_becomes_a_picture_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let tally = run(folder.path(), &Rules::default(), &frames(20));
    assert_eq!((tally.frames, tally.faces, tally.saved), (20, 20, 20));
    let records = manifest::read(folder.path()).unwrap();
    for (i, r) in records.iter().enumerate() {
        assert_eq!(r.file, format!("real/{:06}.jpg", i + 1));
        assert_eq!(
            (r.frame, r.stream_time),
            (i as u64, Some(40_000_000 * i as u64))
        );
        assert_eq!(
            (r.label.as_str(), r.session.as_str(), r.source.as_str()),
            ("real", "one", "film")
        );
        let [_, _, w, h] = r.window;
        assert_eq!([w as u32, h as u32], r.size);
        let picture = image::open(folder.path().join(&r.file)).unwrap();
        assert_eq!([picture.width(), picture.height()], r.size);
        assert!(r.faces[0].sharpness > 15.0);
    }
    assert_eq!(pictures(folder.path()), 20);
    // Nothing but the pictures and the manifest stays behind.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn each_refusal_is_counted() {
    let small = Face {
        rect: Rect::new(10.0, 10.0, 30.0, 30.0),
        ..face(0.0, 2)
    };
    let doubtful = Face {
        score: 0.2,
        ..face(120.0, 3)
    };
    let cut = Face {
        rect: Rect::new(-20.0, 80.0, 60.0, 60.0),
        ..face(0.0, 4)
    };
    let nowhere = Face {
        rect: Rect::new(f32::NAN, 0.0, 1.0, 1.0),
        ..face(0.0, 5)
    };
    let all = vec![face(120.0, 1), small, doubtful, cut, nowhere];
    let folder = tempfile::tempdir().unwrap();
    let tally = run(
        folder.path(),
        &Rules::default(),
        &[(1, all.clone()), (1, all.clone())],
    );
    assert_eq!((tally.faces, tally.saved), (10, 1));
    for (why, n) in [
        (Refusal::TooSmall, 2),
        (Refusal::LowConfidence, 2),
        (Refusal::CutOff, 2),
        (Refusal::NoPlace, 2),
        (Refusal::Duplicate, 1),
    ] {
        assert_eq!(tally.refused(why), n, "{why:?}");
    }
    for (rules, why) in [
        (
            Rules {
                min_sharpness: 1e9,
                ..Rules::default()
            },
            Refusal::Blurred,
        ),
        (
            Rules {
                min_exposure: 0.99,
                max_exposure: 1.0,
                ..Rules::default()
            },
            Refusal::Dark,
        ),
        (
            Rules {
                min_exposure: 0.0,
                max_exposure: 0.01,
                ..Rules::default()
            },
            Refusal::OverExposed,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let tally = run(folder.path(), &rules, &frames(3));
        assert_eq!((tally.saved, tally.refused(why)), (0, 3), "{why:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let rules = Rules {
        largest_only: true,
        allow_cut_off: true,
        ..Rules::default()
    };
    let tally = run(folder.path(), &rules, &[(1, all)]);
    assert_eq!((tally.saved, tally.refused(Refusal::NotLargest)), (1, 2));
}

#[test]
fn limits_hold() {
    let folder = tempfile::tempdir().unwrap();
    let two = |i| (i, vec![face(60.0, 1), face(200.0, 2)]);
    let all: Vec<_> = (0..10).map(two).collect();
    let rules = Rules {
        max_per_track: 3,
        dedup: 0,
        ..Rules::default()
    };
    let tally = run(folder.path(), &rules, &all);
    assert_eq!((tally.saved, tally.refused(Refusal::MaxPerTrack)), (6, 14));
    let rules = Rules {
        max_files: 5,
        interval: 3,
        dedup: 0,
        ..Rules::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let tally = run(folder.path(), &rules, &all);
    assert_eq!((tally.frames, tally.looked, tally.faces), (10, 4, 8));
    assert_eq!((tally.saved, tally.refused(Refusal::MaxFiles)), (5, 3));
    let rules = Rules {
        interval_time: Duration::from_millis(100),
        ..Rules::default()
    };
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &rules, &all).looked, 4);
}

#[test]
fn the_sharpest_of_each_track_is_saved_when_it_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let rules = Rules {
        best_of_track: true,
        max_per_track: 2,
        dedup: 0,
        ..Rules::default()
    };
    let mut all = frames(12);
    all.extend((12..100).map(|i| (i, vec![face(200.0, 2)])));
    let (mut collector, _) = open(folder.path(), &rules);
    show(&mut collector, &all);
    collector.writer.drain().unwrap();
    // The first track was gone for three seconds, the second one goes on.
    let early = manifest::read(folder.path()).unwrap();
    assert_eq!(early.len(), 2);
    let tally = collector.end().unwrap();
    assert_eq!((tally.saved, tally.refused(Refusal::NotBest)), (4, 96));
    let all_of = |track| {
        let folder = tempfile::tempdir().unwrap();
        let rules = Rules {
            dedup: 0,
            ..Rules::default()
        };
        run(folder.path(), &rules, &all);
        let mut records = contents(folder.path());
        records.retain(|r| r.faces[0].track == Some(track));
        records.sort_by(|a, b| b.faces[0].sharpness.total_cmp(&a.faces[0].sharpness));
        records.truncate(2);
        records.sort_by_key(|r| r.frame);
        records
    };
    let mut wanted = all_of(1);
    wanted.extend(all_of(2));
    assert_eq!(contents(folder.path()), wanted, "the very same pictures");
}

#[test]
fn whole_frames_and_both() {
    let folder = tempfile::tempdir().unwrap();
    let rules = Rules {
        mode: Mode::Frames,
        ..Rules::default()
    };
    let two: Vec<_> = (0..3)
        .map(|i| (i, vec![face(60.0, 1), face(200.0, 2)]))
        .collect();
    assert_eq!(run(folder.path(), &rules, &two).saved, 3);
    for r in manifest::read(folder.path()).unwrap() {
        assert_eq!(
            (r.kind, r.size, r.faces.len(), r.margin),
            (Kind::Frame, [320, 240], 2, None)
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let rules = Rules {
        mode: Mode::Both,
        dedup: 0,
        ..Rules::default()
    };
    assert_eq!(run(folder.path(), &rules, &two).saved, 9);
    let bad = Rules {
        best_of_track: true,
        ..rules
    };
    assert!(Collector::<()>::open(&output(folder.path()), bad, |_| ()).is_err());
}

#[test]
fn a_run_that_was_cut_short_is_completed_exactly() {
    let rules = Rules {
        max_per_track: 8,
        ..Rules::default()
    };
    // Each scene twice, so that there are duplicates; two persons.
    let all: Vec<_> = (0..40)
        .map(|i| (i / 2, vec![face(60.0, 1 + i / 20), face(200.0, 9)]))
        .collect();
    let whole = tempfile::tempdir().unwrap();
    let undisturbed = run(whole.path(), &rules, &all);
    let wanted = contents(whole.path());
    assert!(undisturbed.saved > 10 && undisturbed.refused(Refusal::Duplicate) > 5);
    for cut in [1, 7, 23, 39] {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), &rules, &all[..cut]);
        // Also a picture out of the middle that a worker was late with.
        let path = folder.path().join(manifest::NAME);
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines: Vec<_> = text.lines().collect();
        let lost = lines.remove(lines.len() / 2);
        let lost: Record = serde_json::from_str(lost).unwrap();
        std::fs::remove_file(folder.path().join(lost.file)).unwrap();
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        let tally = run(folder.path(), &rules, &all);
        assert_eq!(contents(folder.path()), wanted, "cut at {cut}");
        assert_eq!(tally.saved + tally.already_there, undisturbed.saved);
        assert_eq!(run(folder.path(), &rules, &all).saved, 0, "and again");
    }
}

#[test]
fn another_picture_from_the_same_place_is_another_picture() {
    // Two runs of one camera: the same session and times, and not the same person.
    let folder = tempfile::tempdir().unwrap();
    let of = |seed: u64| (0..5).map(move |i| (seed + i, vec![face(120.0, 1)]));
    run(folder.path(), &Rules::default(), &of(0).collect::<Vec<_>>());
    let tally = run(
        folder.path(),
        &Rules::default(),
        &of(100).collect::<Vec<_>>(),
    );
    assert_eq!((tally.saved, tally.already_there), (5, 0));
}

#[test]
fn two_at_work_in_one_folder_share_the_numbers_and_the_hashes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::thread::scope(|scope| {
        for source in 0..4u64 {
            scope.spawn(move || {
                let (mut collector, failures) = open(path, &Rules::default());
                collector.begin(Origin {
                    session: "one".into(),
                    source: format!("film {source}"),
                });
                // Half of its scenes are its own, half are everybody's.
                let own = |i| {
                    if i % 2 == 0 {
                        i
                    } else {
                        1000 * (source + 1) + i
                    }
                };
                let all: Vec<_> = (0..30).map(|i| (own(i), vec![face(120.0, 1)])).collect();
                show(&mut collector, &all);
                collector.end().unwrap();
                assert_eq!(*lock(&failures), Vec::<String>::new());
            });
        }
    });
    let records = manifest::read(path).unwrap();
    let mut names: Vec<_> = records.iter().map(|r| r.file.clone()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), records.len(), "a number was used twice");
    assert_eq!(pictures(path), records.len());
    for (i, a) in records.iter().enumerate() {
        for b in &records[..i] {
            assert!(
                a.hash.distance(b.hash) > Rules::default().dedup,
                "{} {}",
                a.file,
                b.file
            );
        }
    }
    assert!(records.len() >= 15 + 4 * 12, "{}", records.len());
}

#[test]
fn what_cannot_be_saved_is_told_once_and_leaves_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    let (mut collector, failures) = open(folder.path(), &Rules::default());
    show(&mut collector, &frames(3));
    collector.writer.drain().unwrap();
    std::fs::remove_dir_all(folder.path()).unwrap();
    let mut failed = 0;
    for (i, (seed, faces)) in frames(200).iter().enumerate().skip(3) {
        let seen = Seen {
            stream_time: Some(Duration::from_millis(40 * i as u64)),
            size: SIZE,
            faces,
            lost: 0,
            live: false,
        };
        match collector.frame(&scene(*seed), &seen, &0, &mut || true) {
            Ok(()) => {}
            Err(Halt::Failed) => failed += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(failed > 100, "{failed}");
    assert!(matches!(collector.end(), Err(Halt::Failed)));
    let failures = lock(&failures).clone();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(failures[0].contains("removed"), "{failures:?}");
    assert!(!folder.path().exists());
}

#[test]
fn a_live_source_drops_and_a_waiting_one_can_be_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let (mut collector, _) = open(folder.path(), &Rules::default());
    // Somebody holds the manifest: nothing can be put in.
    let held = std::fs::File::open(folder.path().join(manifest::NAME)).unwrap();
    held.lock().unwrap();
    let mut seen = Seen {
        stream_time: None,
        size: SIZE,
        faces: &[face(120.0, 1)],
        lost: 0,
        live: true,
    };
    for i in 0..50 {
        collector.frame(&scene(i), &seen, &i, &mut || true).unwrap();
    }
    let most = collector.most_held() as u64;
    assert_eq!(lock(&collector.tally()).dropped, 50 - most);
    seen.live = false;
    let interrupter = collector.interrupter();
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| collector.frame(&scene(99), &seen, &99, &mut || false));
        interrupter.set(true);
        waiting.join().unwrap()
    });
    assert!(matches!(waiting, Err(Halt::Interrupted)));
    drop(held);
    assert_eq!(collector.end().unwrap().saved, most);
}
