// SPDX-License-Identifier: MIT OR Apache-2.0
//! ONNX Runtime: finding and loading its library once per process, and sessions that are shared between all who use the
//! same model. Knows no families of models.

use std::collections::HashMap;
use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use once_cell::sync::OnceCell;
use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{Tensor, TensorElementType, ValueType};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::model::PREFIX;
use crate::onnx::{self, Fault, LARGEST_TENSOR};
use crate::pool::Pool;
use crate::sync::lock;

mod processor;
mod watch;

pub use processor::has_integer_products;
use watch::Turn;

/// The one environment of this process. Made by the first who needs it, never while a plugin is merely being scanned.
static ENVIRONMENT: OnceCell<Environment> = OnceCell::new();

/// The library that was loaded.
static LIBRARY: OnceCell<PathBuf> = OnceCell::new();

/// Folders named by [`search_in`], searched before the user's and the system's.
static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Engines in use, by what makes them equal.
static ENGINES: Mutex<Option<HashMap<Key, Weak<Engine>>>> = Mutex::new(None);

/// Names a folder to look for ONNX Runtime in: that of a plugin, so that a library installed beside it is found. There it should
/// keep the version in its name (`libonnxruntime.so.1.24.4`): GStreamer takes whatever ends in `.so` for a plugin.
pub fn search_in(folder: &Path) {
    let mut folders = lock(&FOLDERS);
    if !folders.iter().any(|f| f == folder) {
        folders.push(folder.to_owned());
    }
}

/// File name of ONNX Runtime's library on this system.
fn library_name() -> String {
    format!(
        "{}onnxruntime{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    )
}

/// Folders to search, in order: named by [`search_in`], the user's data folder, the dynamic linker's, the system's.
fn folders() -> Vec<PathBuf> {
    let mut all = lock(&FOLDERS).clone();
    let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let home = || std::env::home_dir().map(|h| h.join(".local/share"));
    all.extend(
        data.filter(|d| d.is_absolute())
            .or_else(home)
            .map(|d| d.join("liveness")),
    );
    if let Some(path) = std::env::var_os("LD_LIBRARY_PATH") {
        all.extend(std::env::split_paths(&path).filter(|p| p.is_absolute()));
    }
    let arch = std::env::consts::ARCH;
    all.push("/usr/local/lib".into());
    all.push(format!("/usr/lib/{arch}-linux-gnu").into());
    all.extend(["/usr/lib64", "/usr/lib", "/opt/homebrew/lib"].map(PathBuf::from));
    all
}

/// The library in `folder`: its plain name, else the newest with a version behind it (`libonnxruntime.so.1.24.4`).
fn library_in(folder: &Path) -> Option<PathBuf> {
    let name = library_name();
    let plain = folder.join(&name);
    if plain.is_file() {
        return Some(plain);
    }
    let versioned = format!("{name}.");
    let version = |p: &PathBuf| -> Vec<u32> {
        let text = p.to_string_lossy().into_owned();
        text.split('.').filter_map(|s| s.parse().ok()).collect()
    };
    std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|p| {
            p.file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with(&versioned))
        })
        .max_by_key(version)
}

/// Loads one library. `Err` is what is wrong with it.
fn load(path: &Path) -> Result<Environment, String> {
    // ort resolves a relative path against the executable, and panics where that cannot be told.
    let path = std::path::absolute(path).map_err(|e| e.to_string())?;
    if !path.is_file() {
        return Err(format!("{}: no such file", path.display()));
    }
    let builder = ort::init_from(&path).map_err(|e| match &e {
        // Its own text leaves out what the dynamic linker said.
        ort::LoadDynamicError::Dlopen { error, path } => {
            let detail = error.source().map_or(error.to_string(), |s| s.to_string());
            format!("{} cannot be loaded: {detail}", path.display())
        }
        ort::LoadDynamicError::BadVersion { version_str, path } => {
            format!(
                "{} is version {version_str}, too old: 1.{} or newer is needed",
                path.display(),
                ort::MINOR_VERSION
            )
        }
        other => other.to_string(),
    })?;
    // A second library is never loaded: the first stays the one that is in use.
    let _ = LIBRARY.set(path.clone());
    // ort panics where a library of a fitting version hands out no API of that version.
    let build = || {
        let builder = builder.with_name("liveness").with_telemetry(false);
        builder.build().map_err(|e| e.to_string())
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(build)).unwrap_or_else(|_| {
        Err(format!(
            "{} names itself ONNX Runtime and does not work as one",
            path.display()
        ))
    })
}

/// The process's environment; loads the library at the first call.
///
/// Looked up by `ORT_DYLIB_PATH` (and then nowhere else), beside the plugin, in the user's data folder, in the system's
/// folders. A failure is not remembered: the next call looks again.
///
/// # Errors
/// [`Error::Runtime`] with every path that was tried and what was wrong with it.
pub fn environment() -> Result<&'static Environment> {
    ENVIRONMENT.get_or_try_init(|| {
        let fail = |reason| Err(Error::Runtime { reason });
        if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|p| !p.is_empty()) {
            return load(Path::new(&path))
                .or_else(|e| fail(format!("{e} (named by ORT_DYLIB_PATH)")));
        }
        let folders = folders();
        let mut tried = Vec::new();
        for path in folders.iter().filter_map(|f| library_in(f)) {
            match load(&path) {
                Ok(environment) => return Ok(environment),
                Err(e) => tried.push(e),
            }
        }
        if tried.is_empty() {
            let list: Vec<_> = folders.iter().map(|f| f.display().to_string()).collect();
            tried.push(format!("no {} in {}", library_name(), list.join(", ")));
        }
        fail(tried.join("; "))
    })
}

/// The library that is in use; none before [`environment`] has found one.
pub fn library() -> Option<&'static Path> {
    ENVIRONMENT.get()?;
    LIBRARY.get().map(PathBuf::as_path)
}

/// Where the time of one look went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// From the frame to the tensor.
    pub preprocess: Duration,
    /// In ONNX Runtime.
    pub inference: Duration,
    /// From the outputs to faces or verdicts.
    pub decode: Duration,
}

impl std::ops::AddAssign for Timing {
    fn add_assign(&mut self, other: Self) {
        self.preprocess += other.preprocess;
        self.inference += other.inference;
        self.decode += other.decode;
    }
}

/// Where inference runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
}

/// How a session runs. Users with equal options share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// Where.
    pub device: Device,
    /// Threads within one operator. More than 1 brings small nets no better median and a far worse tail.
    pub threads: usize,
    /// How long one run may take before it is ended with an error. A look takes milliseconds; this is for models made to take days.
    pub longest: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            device: Device::Cpu,
            threads: 1,
            longest: Duration::from_secs(120),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    sha256: [u8; 32],
    options: Options,
}

/// An input or output of a model: its name and its dimensions, -1 for those that are free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlet {
    /// Name in the graph.
    pub name: String,
    /// Dimensions.
    pub shape: Vec<i64>,
}

/// What came out of a run.
#[derive(Clone, Copy, Debug)]
pub struct OutputView<'a> {
    /// Name in the graph.
    pub name: &'a str,
    /// Dimensions.
    pub shape: &'a [i64],
    /// The numbers, row-major.
    pub data: &'a [f32],
}

/// An input tensor that belongs to ONNX Runtime and is filled in place.
#[derive(Debug)]
pub struct Input(Tensor<f32>);

impl Input {
    /// Memory for `shape`.
    ///
    /// # Errors
    /// [`Error::Runtime`] without the library or without memory.
    pub fn new(shape: [usize; 4]) -> Result<Self> {
        environment()?;
        let fail = |e: ort::Error| Error::Runtime {
            reason: e.to_string(),
        };
        let allocator = ort::memory::Allocator::default();
        let mut tensor = Tensor::new(&allocator, shape).map_err(fail)?;
        tensor.extract_tensor_mut().1.fill(0.0);
        Ok(Self(tensor))
    }

    /// The numbers, row-major.
    pub fn data(&mut self) -> &mut [f32] {
        self.0.extract_tensor_mut().1
    }
}

/// For how long a stream may wait for a model while others come back for it: a look or two. Without, each look is followed by a switch of threads,
/// which makes 16 streams on two cores a fifth slower.
const PATIENCE: Duration = Duration::from_millis(5);

/// A model that is ready to run, shared by all who opened the same bytes with the same options.
///
/// ONNX Runtime's `Run` is not safe to call twice at once on one session (so the authors of `ort` found), and a lock held over
/// inference would let one stream wait for the other. So an engine lends out sessions: the first serves everybody
/// until two want to run at the same moment; then another is made, up to one per core. N streams on C cores cost at
/// most C models in memory, and none is passed by for long: one with many faces does not starve the others.
#[derive(Debug)]
pub struct Engine {
    name: String,
    bytes: Arc<[u8]>,
    options: Options,
    inputs: Vec<Outlet>,
    outputs: Vec<Outlet>,
    facts: std::collections::BTreeMap<String, String>,
    sessions: Pool<Worker>,
}

/// A session, and what ends its runs.
#[derive(Debug)]
struct Worker {
    session: Session,
    turn: Arc<Turn>,
}

impl Engine {
    /// The engine for a model's bytes; an existing one where somebody has opened the same before. `name` is for messages.
    ///
    /// # Errors
    /// [`Error::RefusedModel`] where the file demands too much, see [`crate::onnx`]; [`Error::Runtime`] without the library,
    /// [`Error::NotAModel`] where ONNX Runtime cannot load the bytes, [`Error::UnfitModel`] for inputs or outputs that are not tensors of 32-bit
    /// floats, or larger than any that is needed.
    pub fn open(name: &str, bytes: &Arc<[u8]>, options: Options) -> Result<Arc<Self>> {
        // Before anybody else reads it, and before the library is loaded.
        onnx::check(bytes).map_err(|fault| {
            let model = name.to_owned();
            match fault {
                Fault::NotOnnx(reason) => Error::NotAModel { model, reason },
                Fault::Refused(reason) => Error::RefusedModel { model, reason },
            }
        })?;
        environment()?;
        let key = Key {
            sha256: Sha256::digest(bytes).into(),
            options,
        };
        let mut engines = lock(&ENGINES);
        let engines = engines.get_or_insert_default();
        if let Some(engine) = engines.get(&key).and_then(Weak::upgrade) {
            return Ok(engine);
        }
        engines.retain(|_, engine| engine.strong_count() > 0);
        let worker = worker(name, bytes, options)?;
        let session = &worker.session;
        let outlets = |list: &[ort::value::Outlet]| -> Result<Vec<Outlet>> {
            list.iter().map(|o| outlet(name, o)).collect()
        };
        let engine = Arc::new(Self {
            name: name.to_owned(),
            bytes: bytes.clone(),
            options,
            inputs: outlets(session.inputs())?,
            outputs: outlets(session.outputs())?,
            facts: facts(session),
            sessions: Pool::new(
                worker,
                std::thread::available_parallelism().map_or(1, usize::from),
                PATIENCE,
            ),
        });
        engines.insert(key, Arc::downgrade(&engine));
        Ok(engine)
    }

    /// The model as the first user named it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the model takes.
    pub fn inputs(&self) -> &[Outlet] {
        &self.inputs
    }

    /// What the model gives, in the order in which [`Engine::run`] hands it out.
    pub fn outputs(&self) -> &[Outlet] {
        &self.outputs
    }

    /// The facts in the model's `metadata_props`, without their prefix.
    pub fn facts(&self) -> &std::collections::BTreeMap<String, String> {
        &self.facts
    }

    /// Runs the model on its one input and hands the outputs to `read`. Waits while every core runs it already.
    ///
    /// # Errors
    /// [`Error::Inference`] with what ONNX Runtime said.
    pub fn run<R>(&self, input: &Input, read: impl FnOnce(&[OutputView]) -> R) -> Result<R> {
        let fail = |e: ort::Error| Error::Inference {
            model: self.name.clone(),
            reason: e.to_string(),
        };
        let mut lent = self.sessions.lend();
        let Worker { session, turn } = match &mut lent.thing {
            Some(worker) => worker,
            none => none.insert(worker(&self.name, &self.bytes, self.options)?),
        };
        let longest = self.options.longest;
        let (outputs, was_ended) = turn.run(longest, |options| {
            session.run_with_options(ort::inputs![&input.0], options)
        });
        let outputs = outputs.map_err(|e| match was_ended {
            true => Error::Inference {
                model: self.name.clone(),
                reason: format!("it took longer than {longest:?} and was ended"),
            },
            false => fail(e),
        })?;
        let values: Vec<_> = outputs.values().collect();
        let views = values
            .iter()
            .zip(&self.outputs)
            .map(|(value, outlet)| {
                let (shape, data) = value.try_extract_tensor::<f32>()?;
                Ok(OutputView {
                    name: &outlet.name,
                    shape,
                    data,
                })
            })
            .collect::<Result<Vec<_>, ort::Error>>()
            .map_err(fail)?;
        Ok(read(&views))
    }
}

fn worker(name: &str, bytes: &[u8], options: Options) -> Result<Worker> {
    let build = || -> Result<Worker, ort::Error> {
        let Device::Cpu = options.device;
        let environment = environment().map_err(|e| ort::Error::new(e.to_string()))?;
        let session = Session::builder(environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(options.threads.max(1))?
            .with_inter_threads(1)?
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?
            // Its warnings are about how a model was exported; what is fatal comes back as an error.
            .with_log_level(LogLevel::Fatal)?
            .commit_from_memory(bytes)?;
        let turn = Turn::new()?;
        Ok(Worker { session, turn })
    };
    build().map_err(|e| Error::NotAModel {
        model: name.to_owned(),
        reason: e.to_string().replace('\n', " "),
    })
}

fn outlet(model: &str, outlet: &ort::value::Outlet) -> Result<Outlet> {
    match outlet.dtype() {
        ValueType::Tensor {
            ty: TensorElementType::Float32,
            shape,
            ..
        } => {
            // As ONNX Runtime has worked it out, which may be more than the file declares.
            let fixed = shape.iter().filter(|d| **d >= 0);
            let count = fixed.fold(1u64, |n, d| n.saturating_mul(d.cast_unsigned()));
            if count > LARGEST_TENSOR {
                return Err(Error::RefusedModel {
                    model: model.to_owned(),
                    reason: format!(
                        "`{}` has {count} numbers, more than {LARGEST_TENSOR}",
                        outlet.name()
                    ),
                });
            }
            Ok(Outlet {
                name: outlet.name().to_owned(),
                shape: shape.to_vec(),
            })
        }
        other => Err(Error::UnfitModel {
            model: model.to_owned(),
            task: "inference on pictures",
            reason: format!(
                "`{}` is {other}, a tensor of 32-bit floats is needed",
                outlet.name()
            ),
        }),
    }
}

fn facts(session: &Session) -> std::collections::BTreeMap<String, String> {
    let Ok(metadata) = session.metadata() else {
        return Default::default();
    };
    let keys = metadata.custom_keys().unwrap_or_default();
    keys.into_iter()
        .filter_map(|key| {
            let value = metadata.custom(&key)?;
            Some((key.strip_prefix(PREFIX)?.to_owned(), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_name_wins_and_else_the_newest_version() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(library_in(dir.path()), None);
        for version in ["1.9.0", "1.24.4", "1.20.1"] {
            let name = format!("{}.{version}", library_name());
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let found = library_in(dir.path()).unwrap();
        assert!(found.to_string_lossy().ends_with("1.24.4"), "{found:?}");
        std::fs::write(dir.path().join(library_name()), "").unwrap();
        assert!(library_in(dir.path()).unwrap().ends_with(library_name()));
    }

    #[test]
    fn what_cannot_be_loaded_is_named_with_its_reason() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("missing.so");
        let text = load(&path).unwrap_err();
        assert!(
            text.contains("missing.so") && text.contains("no such file"),
            "{text}"
        );
        std::fs::write(&path, "this is no library ".repeat(100)).unwrap();
        let text = load(&path).unwrap_err();
        assert!(
            text.contains("missing.so") && text.contains("ELF"),
            "{text}"
        );
    }
}
