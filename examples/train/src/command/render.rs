// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rendering: folders of live faces in, a data set of spoofs out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, anyhow, bail};
use data_encoding::HEXLOWER;
use liveness::dataset::hash::{Hash, PerceptualHasher};
use liveness::dataset::label::Class;
use liveness::dataset::picture::{Coding, Renderer, Rgb, encode};
use liveness::dataset::record::{FaceRecord, Kind as Picture, Record, RenderedRecord, VERSION};
use liveness::geometry::Rect;
use liveness::image::{Layout, Plane, View};
use liveness::quality::Meter;
use liveness::resize::Window;

use super::album::{Album, Ready};
use super::evaluate::any_input;
use super::gather::{How, tell};
use super::train::threads;
use super::{End, progress};
use crate::cli::{KindBy, Render};
use crate::data::files::pictures;
use crate::data::group::regroup;
use crate::data::load::load;
use crate::data::patch::Patch;
use crate::data::picture::decode;
use crate::data::scan::{Role, Scan, lives};
use crate::net::noise::{Noise, seed};
use crate::render::sheet::Thumbnail;
use crate::render::{Kind, Order, Studio, Subject};

/// Largest and smallest side of a rendered face's box in pixels. Models look at 30 to 130 of them; what is larger takes time and shows no more.
const SIDE: (f32, f32) = (40.0, 256.0);

/// Scenes in a row that cannot be read before it is given up.
const SCENES: usize = 20;

/// A live face to render from.
struct Live {
    path: PathBuf,
    /// The same, from its data set's folder on.
    source: String,
    sha256: String,
    /// In pixels of the picture.
    face: Rect,
    /// See [`RenderedRecord::group`].
    group: String,
    session: String,
}

/// Renders spoofs.
///
/// # Errors
/// With what cannot be used. Pictures that were put into the data set before stay there, whole.
pub fn render(args: &Render, stop: &AtomicBool) -> Result<End> {
    let mut album = Album::new(&args.output, args.contact_sheet.as_deref())?;
    let mut scenes = Vec::new();
    for root in &args.scene {
        scenes.extend(pictures(root)?);
    }
    let threads = threads(args.threads);
    let how = How {
        faces: &args.faces,
        threads,
        spec: any_input(),
    };
    let lives = faces(args, how)?;
    if scenes.is_empty() {
        scenes = lives.iter().map(|l| l.path.clone()).collect();
    }
    let count = args.count.map_or(lives.len(), usize::from);
    let work = Work {
        args,
        lives: &lives,
        scenes: &scenes,
        large: Default::default(),
        unreadable: Mutex::default(),
    };
    let done = work.run(count, threads, &mut album, stop);
    // What was put in before a fault is whole, and to be seen.
    let sheet = album.close();
    done?;
    let sheet = sheet?;
    for (path, reason) in work.unreadable.into_inner().unwrap_or_default() {
        eprintln!("left out as a scene: {}: {reason}", path.display());
    }
    let kinds: Vec<String> = album
        .counts
        .iter()
        .map(|(kind, n)| format!("{n} {}", kind.as_str()))
        .collect();
    let used = album.len().min(lives.len());
    let groups: BTreeSet<&str> = lives[..used].iter().map(|l| &*l.group).collect();
    if album.len() > 0 {
        println!(
            "rendered: {} pictures ({}) of {used} live ones of {} people or recordings: {}",
            album.len(),
            kinds.join(", "),
            groups.len(),
            args.output.display()
        );
    }
    if let Some(sheet) = sheet {
        println!("contact sheet: {}", sheet.display());
    }
    if album.len() < count {
        eprintln!(
            "liveness-train: stopped after {} of {count} pictures. Those that are there are whole; another seed in another folder gives others",
            album.len()
        );
        return Ok(End::Stopped);
    }
    Ok(End::Done)
}

/// The live faces, in a random order: as many as are asked for, or all.
fn faces(args: &Render, how: How) -> Result<Vec<Live>> {
    let scan = lives(&args.live)?;
    print!("{scan}");
    let mut sources = scan.sources(Role::Render);
    sources.retain(|s| s.sample.class == Class::Live);
    Noise::new(seed(&[args.seed])).shuffle(&mut sources);
    if let Some(count) = args.count {
        sources.truncate(count.into());
    }
    let bar = progress::count("live", sources.len());
    let loaded = load(&sources, &how.options()?, &|done, _| {
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let mut loaded = loaded?;
    tell(&loaded, "live");
    for note in regroup(&mut loaded.patches) {
        println!("note: {note}");
    }
    // Groups that were told by looks alone have numbers that mean nothing in another run; their first picture does.
    let mut first = HashMap::new();
    for about in loaded.patches.iter().map(|p| &p.about) {
        let sha256 = HEXLOWER.encode(&about.sha256[..8]);
        first.entry(about.group).or_insert(sha256);
    }
    let live = |patch: &Patch| {
        let about = &patch.about;
        let (x, y) = about.origin;
        let named = about.group_name.strip_prefix(&format!("{}/", about.layout));
        let (group, session) = match named {
            Some(name) => (about.group_name.clone(), name.to_owned()),
            None => {
                let alike = format!("alike/{}", first[&about.group]);
                (alike.clone(), alike)
            }
        };
        Live {
            path: about.path.clone(),
            source: source(&scan, patch),
            sha256: HEXLOWER.encode(&about.sha256),
            face: Rect {
                x: about.face.x - x as f32,
                y: about.face.y - y as f32,
                ..about.face
            },
            group,
            session,
        }
    };
    Ok(loaded.patches.iter().map(live).collect())
}

/// Where a picture came from, from the name of its data set's folder on: the same wherever that folder lies.
fn source(scan: &Scan, patch: &Patch) -> String {
    let path = &patch.about.path;
    let root = scan.folders.get(patch.about.folder).map(|f| &f.root);
    let inside = root.and_then(|root| {
        let name = PathBuf::from(root.file_name()?);
        Some(name.join(path.strip_prefix(root).ok()?))
    });
    inside.as_ref().unwrap_or(path).display().to_string()
}

/// All that a thread needs to know.
struct Work<'a> {
    args: &'a Render,
    lives: &'a [Live],
    scenes: &'a [PathBuf],
    /// One large live picture at a time, and one large scene.
    large: (Mutex<()>, Mutex<()>),
    unreadable: Mutex<BTreeMap<PathBuf, String>>,
}

/// What a thread keeps from one picture to the next.
#[derive(Default)]
struct Tools {
    studio: Studio,
    hasher: PerceptualHasher,
    meter: Meter,
    renderer: Renderer,
}

impl Work<'_> {
    /// Renders so many, in their order, until `stop` is set.
    fn run(
        &self,
        count: usize,
        threads: usize,
        album: &mut Album,
        stop: &AtomicBool,
    ) -> Result<()> {
        let bar = progress::count("rendering", count);
        let next = AtomicUsize::new(0);
        let failed = AtomicBool::new(false);
        let (send, receive) = sync_channel(threads);
        let result = std::thread::scope(|scope| {
            for _ in 0..threads.clamp(1, count) {
                let send = send.clone();
                let (next, failed) = (&next, &failed);
                scope.spawn(move || {
                    let mut tools = Tools::default();
                    while !stop.load(Ordering::Relaxed) && !failed.load(Ordering::Relaxed) {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        if i >= count || send.send((i, self.ready(i, &mut tools))).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(send);
            // Threads end in any order; the numbers of the pictures must not.
            let mut waiting = BTreeMap::new();
            for (i, ready) in receive {
                waiting.insert(i, ready);
                while let Some(ready) = waiting.remove(&album.len()) {
                    if let Err(error) = ready.and_then(|ready| album.put(ready)) {
                        failed.store(true, Ordering::Relaxed);
                        return Err(error);
                    }
                    bar.inc(1);
                }
            }
            Ok(())
        });
        bar.finish_and_clear();
        result
    }

    /// Spoof number `i`.
    fn ready(&self, i: usize, tools: &mut Tools) -> Result<Ready> {
        let args = self.args;
        let live = &self.lives[i % self.lives.len()];
        let failed = |e: String| anyhow!("{}: {e}", live.path.display());
        let picture = decode(&live.path, &self.large.0).map_err(failed)?;
        let seed = seed(&[args.seed, i as u64]);
        let mut chance = Noise::new(seed);
        let kind = match args.kinds[chance.below(args.kinds.len())] {
            KindBy::Print => Kind::Print,
            KindBy::Replay => Kind::Replay,
        };
        // As large as another live face is in its picture, so that size tells nothing.
        let other = &self.lives[chance.below(self.lives.len())].face;
        let order = Order {
            kind,
            effects: args.effects,
            side: other.w.max(other.h).clamp(SIDE.0, SIDE.1),
            seed,
        };
        for _ in 0..SCENES {
            let path = &self.scenes[chance.below(self.scenes.len())];
            if *path == live.path && self.scenes.len() > 1 {
                continue;
            }
            let scene = match decode(path, &self.large.1) {
                Ok(scene) => scene,
                Err(reason) => {
                    let unreadable = self.unreadable.lock();
                    let mut unreadable = unreadable.unwrap_or_else(PoisonError::into_inner);
                    unreadable.insert(path.clone(), reason);
                    continue;
                }
            };
            let subject = Subject {
                picture: &picture.view().map_err(failed)?,
                face: live.face,
            };
            let view = scene.view().map_err(failed)?;
            let spoof = tools.studio.render(&subject, &view, &order);
            let spoof = spoof.map_err(failed)?;
            let (hash, face) = measured(&spoof.picture, &spoof.face, tools)?;
            let Rgb { width, height, .. } = spoof.picture;
            let size = [width as u32, height as u32];
            let record = Record {
                version: VERSION,
                file: String::new(),
                sha256: String::new(),
                kind: Picture::Frame,
                label: kind.as_str().to_owned(),
                session: live.session.clone(),
                source: live.source.clone(),
                frame: 0,
                stream_time: None,
                frame_size: size,
                window: [0, 0, width as i64, height as i64],
                size,
                margin: None,
                faces: vec![face],
                hash,
                tool: concat!("liveness-train ", env!("CARGO_PKG_VERSION")).to_owned(),
                rendered: Some(RenderedRecord {
                    of: live.sha256.clone(),
                    group: live.group.clone(),
                    scene: path
                        .file_name()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into(),
                    effects: spoof.effects.names().into_iter().map(Into::into).collect(),
                }),
            };
            let mut bytes = Vec::new();
            encode(&spoof.picture, Coding::Jpeg(args.quality), &mut bytes)?;
            return Ok(Ready {
                kind,
                bytes,
                record,
                thumbnail: Thumbnail::new(&spoof.picture, kind, &mut tools.renderer)?,
            });
        }
        let unreadable = self.unreadable.lock();
        let unreadable = unreadable.unwrap_or_else(PoisonError::into_inner);
        let Some((path, reason)) = unreadable.first_key_value() else {
            bail!("no scene was found that is another picture");
        };
        bail!(
            "{SCENES} scenes in a row cannot be used, such as {}: {reason}",
            path.display()
        )
    }
}

/// What a manifest says of a picture and its face.
fn measured(picture: &Rgb, face: &Rect, tools: &mut Tools) -> Result<(Hash, FaceRecord)> {
    let layout = Layout::rgb8(picture.width, picture.height);
    let plane = Plane {
        data: &picture.data,
        stride: 3 * picture.width,
    };
    let view = View::new(&layout, &[plane])?;
    let window = Window {
        x: 0,
        y: 0,
        w: picture.width as i64,
        h: picture.height as i64,
    };
    let quality = tools.meter.measure(&view, face);
    let face = FaceRecord {
        rect: [face.x, face.y, face.w, face.h],
        landmarks: None,
        // Where it is, is known and not found.
        score: 1.0,
        track: None,
        sharpness: quality.sharpness,
        exposure: quality.exposure,
        verdict: None,
    };
    Ok((tools.hasher.hash(&view, window), face))
}
