// SPDX-License-Identifier: MIT OR Apache-2.0
//! The plugin as its users have it: the built library in a folder of its own, and GStreamer's real tools in processes of their
//! own, each with a time after which it is ended.
#![allow(dead_code)]

use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Longest time for a process that has nothing to wait for. Such a one takes a second: this is for a machine under load.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// The library and a registry, each in a place that nobody else uses.
pub(crate) struct Plugin {
    folder: PathBuf,
    registry: PathBuf,
}

impl Plugin {
    /// The library that belongs to this test, in `folder`, with a new registry.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        // A clean `cargo test` leaves it only beside the tests, in a folder that GStreamer skips when it searches.
        let test = std::env::current_exe().expect("a test knows where it is");
        let library = test.with_file_name("libgstliveness.so");
        assert!(library.is_file(), "{} is missing", library.display());
        let path = folder.join("plugin");
        std::fs::create_dir_all(&path).expect("a scratch folder can be written");
        let link = path.join("libgstliveness.so");
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(library, link).expect("a link can be made");
        let registry = folder.join("registry.bin");
        let _ = std::fs::remove_file(&registry);
        Self {
            folder: path,
            registry,
        }
    }

    /// The one that all tests of a file share, its registry filled.
    pub(crate) fn shared() -> &'static Self {
        static PLUGIN: std::sync::OnceLock<Plugin> = std::sync::OnceLock::new();
        PLUGIN.get_or_init(|| {
            // The name of the test without the number that cargo gives it, so that no folders pile up.
            let test = std::env::current_exe().expect("a test knows where it is");
            let stem = test.file_stem().expect("it has a name").to_string_lossy();
            let name = stem.rsplit_once('-').map_or(&*stem, |(name, _)| name);
            let plugin = Self::in_folder(&Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
            let here = plugin.command("gst-inspect-1.0").arg("liveness").run();
            assert_eq!(here.code(), Some(0), "{}", here.stderr);
            plugin
        })
    }

    /// A program that finds the plugin and ONNX Runtime.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Tool {
        Tool::new(program, &self.registry).env("GST_PLUGIN_PATH", &self.folder)
    }
}

/// ONNX Runtime: the user's, or the one that `scripts/setup.sh` fetched.
pub(crate) fn runtime() -> Option<PathBuf> {
    let user = std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from);
    let ours = super::common::root().join(".setup/lib/libonnxruntime.so");
    user.or(Some(ours)).filter(|p| p.is_file())
}

/// A process to start.
pub(crate) struct Tool {
    command: Command,
}

impl Tool {
    /// A program that finds ONNX Runtime, and no plugin but GStreamer's own.
    pub(crate) fn new(program: impl AsRef<Path>, registry: &Path) -> Self {
        let mut command = Command::new(program.as_ref());
        command
            .env("GST_REGISTRY", registry)
            // Neither a plugin nor an ONNX Runtime that this user has installed.
            .env("XDG_DATA_HOME", registry.with_file_name("no-data"))
            .env("LC_ALL", "C")
            .env("RUST_BACKTRACE", "0");
        for name in [
            "GST_PLUGIN_PATH",
            "GST_PLUGIN_PATH_1_0",
            "GST_REGISTRY_1_0",
            "GST_DEBUG",
            "GST_DEBUG_FILE",
            "GST_TRACERS",
            "G_DEBUG",
        ] {
            command.env_remove(name);
        }
        if let Some(runtime) = runtime() {
            command.env("ORT_DYLIB_PATH", runtime);
        }
        Self { command }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args(self, args: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Starts it and waits for its end.
    pub(crate) fn run(self) -> Ended {
        self.start(LIMIT).end()
    }

    /// Starts it. It is killed, and the test fails, when it lives longer than `limit`.
    pub(crate) fn start(mut self, limit: Duration) -> Running {
        let said = tempfile::tempdir().expect("a scratch folder");
        // Files, since a pipe that nobody empties would stop the process.
        let file = |name| File::create(said.path().join(name)).expect("it can be written");
        let child = self
            .command
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"))
            // A group of its own, so that what it starts can be ended with it.
            .process_group(0)
            .spawn()
            .unwrap_or_else(|e| panic!("{:?} cannot be started: {e}", self.command));
        Running {
            what: format!("{:?}", self.command),
            child,
            said,
            start: Instant::now(),
            limit,
        }
    }
}

/// A process that runs.
pub(crate) struct Running {
    what: String,
    child: Child,
    said: tempfile::TempDir,
    start: Instant,
    limit: Duration,
}

impl Running {
    fn said(&self, name: &str) -> String {
        let bytes = std::fs::read(self.said.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What it has written to standard error until now.
    pub(crate) fn stderr(&self) -> String {
        self.said("err")
    }

    /// Where it writes its standard output to.
    pub(crate) fn stdout_file(&self) -> PathBuf {
        self.said.path().join("out")
    }

    /// The same for standard error.
    pub(crate) fn stderr_file(&self) -> PathBuf {
        self.said.path().join("err")
    }

    /// Its process number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, such as STOP.
    pub(crate) fn send(&self, name: &str) {
        self.signal(name, &self.id().to_string());
    }

    fn signal(&self, name: &str, target: &str) {
        let _ = Command::new("kill")
            .args(["-s", name, "--", target])
            .stderr(Stdio::null())
            .status();
    }

    /// As Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        self.send("INT");
    }

    fn give_up(&self, why: &str) -> ! {
        panic!(
            "{} {why}\n{}\n{}",
            self.what,
            self.said("out"),
            self.stderr()
        )
    }

    /// Looks until `done`.
    fn poll<T>(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> Option<T>) -> T {
        loop {
            if let Some(result) = done(self) {
                return result;
            }
            if self.start.elapsed() > self.limit {
                self.give_up(&format!("did not {what} within {:?}", self.limit));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for something to happen while it runs.
    pub(crate) fn until(&mut self, what: &str, mut happened: impl FnMut() -> bool) {
        self.poll(what, |me| {
            // In this order: what it did last counts, even where it has ended since.
            let ended = me.child.try_wait().expect("it is our child");
            let done = happened();
            if let (Some(status), false) = (ended, done) {
                me.give_up(&format!("ended ({status}) and did not {what}"));
            }
            done.then_some(())
        });
    }

    /// Waits until it has said this on standard error, and gives all that it has said.
    pub(crate) fn until_it_says(&mut self, word: &str) -> String {
        self.poll(&format!("say `{word}`"), |me| {
            let ended = me.child.try_wait().expect("it is our child");
            let said = me.stderr();
            if let (Some(status), false) = (ended, said.contains(word)) {
                me.give_up(&format!("ended ({status}) and did not say `{word}`"));
            }
            said.contains(word).then_some(said)
        })
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ended {
        let status = self.poll("end", |me| me.child.try_wait().expect("it is our child"));
        Ended {
            what: self.what.clone(),
            status,
            stdout: self.said("out"),
            stderr: self.stderr(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            // The group has the number of its first member, who is not waited for yet: nobody else can have it.
            self.signal("KILL", &format!("-{}", self.child.id()));
            let _ = self.child.wait();
        }
    }
}

/// A process that has ended.
pub(crate) struct Ended {
    what: String,
    status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// It went to its end by itself, without a panic and without a complaint of GLib's, and with this exit status.
    #[track_caller]
    pub(crate) fn cleanly(self, codes: &[i32]) -> Self {
        let text = format!("{}\n{}\n{}", self.what, self.stdout, self.stderr);
        assert_eq!(self.status.signal(), None, "killed by a signal: {text}");
        for word in ["panicked", "CRITICAL", "GLib-WARNING", "SIGSEGV"] {
            assert!(!self.stderr.contains(word), "{word}: {text}");
        }
        let code = self.status.code().expect("it was no signal");
        assert!(codes.contains(&code), "exit status {code}: {text}");
        self
    }

    /// It says all of these on standard error.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(
                self.stderr.contains(word),
                "{} does not say `{word}` but\n{}",
                self.what,
                self.stderr
            );
        }
        self
    }
}
