// SPDX-License-Identifier: MIT OR Apache-2.0
//! From picture files to patches, on all cores. Knows files and order, no augmentation.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, anyhow, bail};
use liveness::dataset::hash::PerceptualHasher;
use liveness::dataset::sample::LeftOut;
use liveness::model::ModelFile;
use liveness::quality::Meter;
use liveness::resize::{Channels, Resizer, TensorFormat, Window};

use super::input::InputSpec;
use super::loaded::Loaded;
use super::patch::{About, Cut, Cutter, Patch, Scene, window};
use super::picture::{Picture, decode};
use super::place::{Crops, Finder};
use super::scan::Source;
use crate::augment::Stats;

/// How pictures are loaded.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the model looks at.
    pub spec: InputSpec,
    /// Model that finds the faces of pictures that say no box.
    pub detector: Option<ModelFile>,
    /// Which pictures are taken for crops of a face.
    pub crops: Crops,
    /// Threads; none: one for each core.
    pub threads: Option<usize>,
}

/// Loads the faces of the pictures. `progress` is called with the number of pictures that are done and of all, from any thread.
/// The order is that of `sources`, whatever the threads do.
///
/// # Errors
/// Where the detector cannot be opened, or no picture of all can be used.
pub fn load(
    sources: &[Source],
    options: &Options,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Loaded> {
    let groups = number(sources);
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let large = Mutex::new(());
    let work = || -> Result<Vec<(usize, Result<Patch, String>)>> {
        let mut worker = Worker::open(options)?;
        let mut results = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some((source, &group)) = sources.get(i).zip(groups.get(i)) else {
                return Ok(results);
            };
            let picture = decode(&source.sample.path, &large);
            results.push((i, picture.and_then(|p| worker.patch(&p, source, group))));
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, sources.len());
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = options
        .threads
        .unwrap_or(cores)
        .clamp(1, sources.len().max(1));
    let mut results = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::with_capacity(sources.len());
        for worker in workers {
            let part = worker
                .join()
                .map_err(|_| anyhow!("a thread that loads pictures died"))?;
            all.extend(part?);
        }
        Ok::<_, anyhow::Error>(all)
    })?;
    results.sort_unstable_by_key(|(i, _)| *i);
    let mut loaded = Loaded::default();
    for (i, result) in results {
        match result {
            Ok(patch) => loaded.patches.push(patch),
            Err(reason) => loaded.left_out.push(LeftOut {
                path: sources[i].sample.path.clone(),
                // Of which class they are matters: what leaves out spoofs only makes the rest look easy.
                reason: format!("{reason} ({})", sources[i].sample.class),
            }),
        }
    }
    if loaded.patches.is_empty() && !sources.is_empty() {
        bail!(
            "none of {} pictures can be used: {}",
            sources.len(),
            loaded.reasons()
        );
    }
    Ok(loaded)
}

/// For each source the number of its group, counted in their order.
fn number(sources: &[Source]) -> Vec<u32> {
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let number = |source: &Source| {
        let next = numbers.len() as u32;
        *numbers.entry(source.group()).or_insert(next)
    };
    sources.iter().map(number).collect()
}

/// What one thread needs.
struct Worker<'a> {
    spec: &'a InputSpec,
    finder: Finder,
    cutter: Cutter,
    hasher: PerceptualHasher,
    meter: Meter,
    resizer: Resizer,
    levels: Vec<f32>,
}

impl<'a> Worker<'a> {
    fn open(options: &'a Options) -> Result<Self> {
        Ok(Self {
            spec: &options.spec,
            finder: Finder::open(options.detector.as_ref(), options.crops)?,
            cutter: Cutter::default(),
            hasher: PerceptualHasher::default(),
            meter: Meter::default(),
            resizer: Resizer::new(),
            levels: Vec::new(),
        })
    }

    fn patch(&mut self, picture: &Picture, source: &Source, group: u32) -> Result<Patch, String> {
        let view = picture.view()?;
        let size = picture.size();
        let sample = &source.sample;
        let found = self.finder.find(&view, size, sample.record.as_ref())?;
        let scene = Scene {
            rgb: picture.rgb().as_raw(),
            size,
            face: found.face,
            place: found.place,
        };
        let cut = self.cutter.cut(&scene, self.spec)?;
        let whole = Window {
            x: 0,
            y: 0,
            w: size.0 as i64,
            h: size.1 as i64,
        };
        let mut face = found.face;
        face.x -= found.place.origin.0 as f32;
        face.y -= found.place.origin.1 as f32;
        let about = About {
            path: sample.path.clone(),
            folder: source.folder,
            layout: source.layout,
            class: sample.class,
            attack: sample.attack,
            species: sample.species.clone(),
            session: sample.session.clone(),
            group_name: source.group(),
            group,
            subset: sample.subset,
            size,
            sha256: picture.sha256,
            rendered_of: source.rendered_of(),
            hash: self.hasher.hash(&view, whole),
            face: found.face,
            origin: found.place.origin,
            box_from: found.from,
            cramped: cut.cramped,
            short: cut.short,
            quality: self.meter.measure(&view, &face),
        };
        let stats = self.stats(&cut, picture.jpeg)?;
        Ok(Patch::new(cut, stats, about))
    }

    /// Measured on what the model sees.
    fn stats(&mut self, cut: &Cut, jpeg: Option<u8>) -> Result<Stats, String> {
        let (width, height) = self.spec.size();
        let format = TensorFormat::levels(width, height, Channels::Rgb);
        self.levels.resize(format.len(), 0.0);
        if let Some(input) = &cut.input {
            self.levels.clear();
            self.levels.extend(input.levels());
        } else {
            let layout = liveness::image::Layout::rgb8(cut.size.0, cut.size.1);
            let plane = liveness::image::Plane {
                data: &cut.rgb,
                stride: 3 * cut.size.0,
            };
            let view = liveness::image::View::new(&layout, &[plane]).map_err(|e| e.to_string())?;
            let (window, border) = window(&self.spec.crop, &cut.face, &cut.place);
            let size = (width, height);
            self.resizer
                .run(&view, window, border, &format, size, &mut self.levels);
        }
        let per_pixel = |side: i64, input: usize| side as f32 / input as f32;
        let resolution = per_pixel(cut.crop.0, width).min(per_pixel(cut.crop.1, height));
        Ok(Stats::measure(&self.levels, resolution, jpeg))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::patch::BoxFrom;
    use crate::data::scan::{Role, scan};
    use crate::data::testing::{noise, spec};
    use liveness::crop::{Outside, Shape};

    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for class in ["real", "print"] {
            std::fs::create_dir(dir.path().join(class)).unwrap();
            for i in 0..12u32 {
                let (w, h) = (60 + i, 50);
                let picture = image::RgbImage::from_raw(w, h, noise((3 * w * h) as usize));
                let path = dir.path().join(format!("{class}/p{}_{i:02}.png", i % 3));
                picture.unwrap().save(path).unwrap();
            }
        }
        std::fs::write(dir.path().join("real/text_1.jpg"), "no picture").unwrap();
        std::fs::write(dir.path().join("print/empty_1.jpg"), "").unwrap();
        let whole = std::fs::read(dir.path().join("real/p0_00.png")).unwrap();
        std::fs::write(
            dir.path().join("print/half_1.png"),
            &whole[..whole.len() / 2],
        )
        .unwrap();
        dir
    }

    fn options(threads: usize) -> Options {
        Options {
            spec: spec(Shape::Square, 1.5, Outside::Shift, 32),
            detector: None,
            crops: Crops::All(1.5),
            threads: Some(threads),
        }
    }

    #[test]
    fn pictures_come_in_order_and_what_cannot_be_used_is_named() {
        let dir = folder();
        let scan = scan(&[dir.path().to_owned()], &[]).unwrap();
        let sources = scan.sources(Role::Train);
        let calls = AtomicUsize::new(0);
        let count = |done: usize, all: usize| {
            assert!(done <= all);
            calls.fetch_add(1, Ordering::Relaxed);
        };
        let one = load(&sources, &options(1), &count).unwrap();
        assert_eq!(calls.into_inner(), sources.len());
        assert_eq!((one.patches.len(), one.left_out.len()), (24, 3));
        assert_eq!(one.boxes(BoxFrom::WholePicture), 24);
        let text = one.to_string();
        for part in [
            "0 bytes (spoof)",
            "no JPEG and no PNG",
            "damaged",
            "24 faces",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let three = load(&sources, &options(3), &|_, _| ()).unwrap();
        for (a, b) in one.patches.iter().zip(&three.patches) {
            assert_eq!(
                (&a.rgb, &a.about.path, a.about.group),
                (&b.rgb, &b.about.path, b.about.group)
            );
        }
    }

    #[test]
    fn nothing_that_can_be_used_is_an_error() {
        let dir = folder();
        let scan = scan(&[dir.path().to_owned()], &[]).unwrap();
        let mut sources = scan.sources(Role::Train);
        sources.retain(|s| s.sample.path.to_string_lossy().ends_with("_1.jpg"));
        let error = load(&sources, &options(2), &|_, _| ()).unwrap_err();
        assert!(error.to_string().contains("none of 2"), "{error}");
    }
}
