// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a folder of full frames to examples: NUAA, the detector, and a model that judges what comes out.
#![allow(clippy::unwrap_used)] // A test that fails panics.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use liveness::crop::{Crop, Outside, Shape};
use liveness::dataset::label::Class;
use liveness::face::Face;
use liveness::image::{Layout, Plane, View};
use liveness::liveness::{Classifier, Settings};
use liveness::model::ModelFile;
use liveness::resize::Channels;
use liveness::runtime::{Engine, Input};
use liveness_train::augment::sheet::sheet;
use liveness_train::augment::{Augment, Augmenter, Equaliser, Scratch, Stats};
use liveness_train::data::balance::Balance;
use liveness_train::data::faces::Faces;
use liveness_train::data::group::regroup;
use liveness_train::data::input::InputSpec;
use liveness_train::data::leak::leaks;
use liveness_train::data::load::{Options, load};
use liveness_train::data::loaded::Loaded;
use liveness_train::data::patch::{BoxFrom, Patch};
use liveness_train::data::place::Crops;
use liveness_train::data::scan::{Role, scan};
use liveness_train::data::split::{self, Member, split};

#[path = "../../../tests/common/mod.rs"]
mod common;

use common::{assets, model, skip, use_runtime};

/// MiniFASNet's input, after its authors' code.
fn minifasnet() -> InputSpec {
    let crop = Crop {
        shape: Shape::Box,
        scale: 2.7,
        outside: Outside::Shift,
    };
    InputSpec::new(crop, (80, 80), Channels::Bgr, [0.0; 3], [1.0; 3])
}

fn folder(assets: &Path, name: &str) -> Option<PathBuf> {
    let path = assets.join(name);
    if !path.is_dir() {
        skip(format_args!("no {}", path.display()));
        return None;
    }
    Some(path)
}

fn loaded(assets: &Path, folder: &Path, spec: InputSpec) -> Loaded {
    use_runtime();
    let scan = scan(&[folder.to_owned()], &[]).unwrap();
    let options = Options {
        spec,
        detector: Some(ModelFile::read(&model(assets, "yunet_n_dynamic.onnx"), None).unwrap()),
        crops: Crops::Auto,
        threads: None,
    };
    load(&scan.sources(Role::Train), &options, &|_, _| ()).unwrap()
}

/// All of NUAA, loaded once.
static NUAA: LazyLock<Option<Loaded>> = LazyLock::new(|| {
    let assets = assets()?;
    let folder = folder(&assets, "fas_nuaa")?;
    Some(loaded(&assets, &folder, minifasnet()))
});

#[test]
fn full_frames_are_loaded_and_split_by_person() {
    let Some(nuaa) = NUAA.as_ref() else { return };
    println!("{nuaa}");
    assert_eq!(nuaa.patches.len() + nuaa.left_out.len(), 399);
    assert!(nuaa.boxes(BoxFrom::Detector) > 390, "{nuaa}");
    assert_eq!(
        nuaa.boxes(BoxFrom::WholePicture),
        0,
        "frames of 640x480 are no crops"
    );
    assert!(
        nuaa.patches
            .is_sorted_by(|a, b| a.about.path < b.about.path)
    );
    let mut patches = nuaa.patches.clone();
    assert!(
        regroup(&mut patches).is_empty(),
        "its names tell the persons"
    );
    let members: Vec<Member> = patches.iter().map(Member::from).collect();
    let options = split::Options {
        test: 0.2,
        ..split::Options::default()
    };
    let split = split(&members, &options).unwrap().split;
    let clients = |part: &[usize]| -> BTreeSet<String> {
        let names = part
            .iter()
            .map(|&i| patches[i].about.path.file_name().unwrap());
        names.map(|n| n.to_string_lossy()[..4].to_owned()).collect()
    };
    let [train, val, test] = [&split.train, &split.val, &split.test].map(|p| clients(p));
    assert!(train.is_disjoint(&val) && train.is_disjoint(&test) && val.is_disjoint(&test));
    for part in [&split.train, &split.val, &split.test] {
        let live = part
            .iter()
            .filter(|&&i| patches[i].about.class == Class::Live)
            .count();
        assert!(
            live > 10 && part.len() - live > 10,
            "{live} of {}",
            part.len()
        );
    }
    // Trained on and tested with the same: all of it leaks.
    assert_eq!(leaks(&patches, &patches).drop.len(), patches.len());
}

#[test]
fn loading_twice_gives_the_same() {
    let Some(nuaa) = NUAA.as_ref() else { return };
    let assets = assets().unwrap();
    let again = loaded(&assets, &assets.join("fas_nuaa"), minifasnet());
    assert_eq!(again.patches.len(), nuaa.patches.len());
    for (a, b) in again.patches.iter().zip(&nuaa.patches) {
        assert_eq!(
            (&a.rgb, a.face, a.about.group),
            (&b.rgb, b.face, b.about.group)
        );
    }
}

fn plain(augmenter: &Augmenter, patch: &Patch) -> Vec<f32> {
    let mut out = vec![0.0; augmenter.spec.len()];
    augmenter.plain(patch, &mut Scratch::default(), &mut out);
    out
}

fn augmenter(spec: InputSpec, kinds: Augment) -> Augmenter {
    Augmenter {
        spec,
        kinds,
        strength: 1.0,
        equaliser: None,
    }
}

#[test]
fn a_model_judges_a_patch_as_the_classifier_judges_the_frame() {
    let Some(nuaa) = NUAA.as_ref() else { return };
    let path = model(&assets().unwrap(), "MiniFASNetV2_2.7_80.onnx");
    let file = ModelFile::read(&path, None).unwrap();
    let mut classifier = Classifier::open(std::slice::from_ref(&file), Default::default()).unwrap();
    let engine = Engine::open(&file.name, &file.bytes, Default::default()).unwrap();
    let augmenter = augmenter(minifasnet(), Augment::NONE);
    let mut worst = 0f32;
    let mut input = Input::new([1, 3, 80, 80]).unwrap();
    for patch in nuaa.patches.iter().step_by(9) {
        let frame = image::open(&patch.about.path).unwrap().into_rgb8();
        let layout = Layout::rgb8(frame.width() as usize, frame.height() as usize);
        let plane = Plane {
            data: frame.as_raw(),
            stride: 3 * layout.width,
        };
        let view = View::new(&layout, &[plane]).unwrap();
        let face = Face {
            rect: patch.about.face,
            ..Face::default()
        };
        let mut faces = [face];
        classifier
            .classify(&view, &mut faces, &Settings::default())
            .unwrap();
        input.data().copy_from_slice(&plain(&augmenter, patch));
        let logits: Vec<f32> = engine.run(&input, |out| out[0].data.to_vec()).unwrap();
        let sum: f32 = logits.iter().map(|l| (l - logits[1]).exp()).sum();
        worst = worst.max((1.0 / sum - faces[0].verdict.live.unwrap()).abs());
    }
    println!("worst difference of a probability: {worst}");
    // The pixels of what was scaled are rounded to 16 bits.
    assert!(worst < 1e-3, "{worst}");
}

#[test]
fn equalising_takes_the_shortcuts_away() {
    let Some(nuaa) = NUAA.as_ref() else { return };
    let before = nuaa.shortcuts();
    println!("{nuaa}");
    let pairs = nuaa.patches.iter().map(|p| (p.is_live(), p.stats));
    let spec = minifasnet();
    let equalised = Augmenter {
        equaliser: Equaliser::new(pairs),
        ..augmenter(spec.clone(), Augment::NONE)
    };
    let mut after = Loaded::default();
    let mut scratch = Scratch::default();
    for (i, patch) in nuaa.patches.iter().enumerate() {
        let mut out = vec![0.0; spec.len()];
        equalised.augment(patch, i as u64, &mut scratch, &mut out);
        let pixels = spec.len() / 3;
        let rgb: Vec<f32> = (0..pixels)
            .flat_map(|i| [out[2 * pixels + i], out[pixels + i], out[i]])
            .collect();
        let mut patch = patch.clone();
        patch.stats = Stats::measure(&rgb, 1.0, None);
        after.patches.push(patch);
    }
    let after = after.shortcuts();
    for (before, after) in before.iter().zip(&after).take(3) {
        println!("{}: {:.3} to {:.3}", before.name, before.auc, after.auc);
        assert!(after.auc < 0.6, "{after:?}");
    }
    assert!(before.iter().any(|s| s.auc > 0.75), "{before:?}");
}

/// Time in seconds that this thread was running, as others use the machine, too; the time of day where the system does not tell.
fn busy() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|t| t.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| START.elapsed().as_secs_f64(), |n| n * 1e-9)
}

static START: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);

/// Prints how long examples take, as numbers for whoever changes how they are made.
#[test]
#[ignore = "measures, and takes a minute: run it in release with --ignored --nocapture"]
fn examples_are_made_fast() {
    let Some(assets) = assets() else { return };
    let Some(folder) = folder(&assets, "fas_nuaa") else {
        return;
    };
    let cheap: Augment = "flip,rotate,shift,scale,jitter,color,light,erase"
        .parse()
        .unwrap();
    for side in [32, 80, 128] {
        let mut spec = minifasnet();
        (spec.format.width, spec.format.height) = (side, side);
        let loaded = loaded(&assets, &folder, spec.clone());
        let mut scratch = Scratch::default();
        let mut out = vec![0.0; spec.len()];
        let mut time = |kinds: Augment| {
            let augmenter = augmenter(spec.clone(), kinds);
            // The best of some rounds: others use this machine, too.
            let rounds = (0..5).map(|round| {
                let start = busy();
                for (i, patch) in loaded.patches.iter().enumerate() {
                    let seed = round * 1000 + i as u64;
                    augmenter.augment(patch, seed, &mut scratch, &mut out);
                }
                (busy() - start) * 1e3 / loaded.patches.len() as f64
            });
            rounds.fold(f64::INFINITY, f64::min)
        };
        let [none, cheap, all] = [Augment::NONE, cheap, Augment::ALL].map(&mut time);
        println!("{side} px: {none:.3} ms plain, {cheap:.3} ms cheap, {all:.3} ms all");
        for name in Augment::names() {
            let ms = Augment::only(name).map(&mut time).unwrap_or_default();
            println!("  {name}: {ms:.3} ms");
        }
    }
}

#[test]
fn examples_are_filled_by_many_threads_and_a_sheet_is_drawn() {
    let Some(nuaa) = NUAA.as_ref() else { return };
    let patches: Arc<[Patch]> = nuaa.patches.clone().into();
    let all: Vec<usize> = (0..patches.len()).collect();
    let augmenter = Arc::new(augmenter(minifasnet(), Augment::ALL));
    let faces = Faces::new(patches.clone(), all, &Balance::default(), augmenter.clone());
    let fill = |seed: u64| -> Vec<f32> {
        let mut out = vec![0.0; augmenter.spec.len()];
        faces.fill(7, Some(seed), &mut out);
        out
    };
    let here: Vec<_> = (0..8).map(fill).collect();
    let there = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|s| scope.spawn(move || fill(s))).collect();
        threads
            .into_iter()
            .map(|t| t.join().unwrap())
            .collect::<Vec<_>>()
    });
    assert_eq!(here, there);
    // For whoever wants to look at it: LIVENESS_SHEET=/tmp/sheet.png.
    let file = tempfile::Builder::new().suffix(".png").tempfile().unwrap();
    let asked = std::env::var_os("LIVENESS_SHEET").map(PathBuf::from);
    let path = asked.as_deref().unwrap_or(file.path());
    let rows: Vec<&Patch> = patches.iter().step_by(patches.len() / 12).collect();
    std::fs::write(path, sheet(&rows, &augmenter, 1).unwrap()).unwrap();
    assert!(std::fs::metadata(path).unwrap().len() > 10_000);
}
