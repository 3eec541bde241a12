// SPDX-License-Identifier: MIT OR Apache-2.0
//! The output folder of a training: what may be in it, what a run keeps there, what makes it whole.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use liveness_app::files::replace;

use crate::cli::Train;
use crate::report;

const MODEL: &str = "model.onnx";
const RUN: &str = "run.json";
const CHECKPOINT: &str = "checkpoint";
const TUNE: &str = "tune.jsonl";

/// The folder of a run, and what the run was told.
#[derive(Debug)]
pub(super) struct Workplace {
    pub(super) folder: PathBuf,
    pub(super) args: Train,
}

impl Workplace {
    /// The folder that `args` name, begun, or found again where a run is to be resumed.
    ///
    /// # Errors
    /// Where it holds something that would be lost, cannot be written to, or holds no run to resume.
    pub(super) fn open(args: Train) -> Result<Self> {
        match &args.resume {
            Some(folder) => Self::find(folder),
            None => Self::begin(args),
        }
    }

    fn begin(mut args: Train) -> Result<Self> {
        let folder = args.output.clone().context("no --output is named")?;
        // First: beside the checkpoint there is a model where the run was stopped by Ctrl-C.
        if folder.join(CHECKPOINT).exists() && !args.overwrite {
            bail!(
                "{0} holds a run that is not finished: `liveness-train train --resume {0}` goes on with it, --overwrite begins anew",
                folder.display()
            );
        }
        if folder.join(MODEL).exists() && !args.overwrite {
            bail!(
                "{} holds a model already: name another folder, or add --overwrite to lose that one",
                folder.display()
            );
        }
        report::check_place(&folder)?;
        // Where it is resumed from another folder, paths mean the same.
        let absolute = |path: &mut PathBuf| -> Result<()> {
            *path = std::path::absolute(&*path)?;
            Ok(())
        };
        args.faces.detector = args.faces.detector();
        args.train.iter_mut().try_for_each(absolute)?;
        args.test.iter_mut().try_for_each(absolute)?;
        args.output.iter_mut().try_for_each(absolute)?;
        args.init.iter_mut().try_for_each(absolute)?;
        args.faces.detector.iter_mut().try_for_each(absolute)?;
        let place = Self { folder, args };
        place.run()?;
        Ok(place)
    }

    /// Makes the folder and writes down what the run was told. Not before its data is known to be fit: what fails at once leaves nothing.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn keep(&self) -> Result<()> {
        if self.args.resume.is_some() {
            return Ok(());
        }
        let folder = &self.folder;
        let kept = || -> Result<()> {
            std::fs::create_dir_all(folder)?;
            for name in [CHECKPOINT, TUNE, RUN] {
                match std::fs::remove_file(folder.join(name)) {
                    Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
                    _ => {}
                }
            }
            Ok(replace(&folder.join(RUN), self.run()?.as_bytes())?)
        };
        kept().with_context(|| format!("cannot write to the folder {}", folder.display()))
    }

    fn find(folder: &Path) -> Result<Self> {
        ensure!(
            !folder.join(MODEL).exists() || folder.join(CHECKPOINT).exists(),
            "the run in {} is finished: there is nothing to resume. --init {} trains its model further",
            folder.display(),
            folder.join(MODEL).display()
        );
        let path = folder.join(RUN);
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{} holds no run to resume", folder.display()))?;
        let mut args: Train = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged", path.display()))?;
        // The file does not say it: without this word the run would begin anew.
        args.resume = Some(folder.to_owned());
        Ok(Self {
            folder: folder.to_owned(),
            args,
        })
    }

    /// What the run was told, as the file that it is resumed from.
    ///
    /// # Errors
    /// Where a path is no UTF-8.
    pub(super) fn run(&self) -> Result<String> {
        serde_json::to_string_pretty(&self.args)
            .context("a folder's name that is no UTF-8 cannot be kept for --resume: rename it")
    }

    /// Where the run's state is kept until it is finished.
    pub(super) fn checkpoint(&self) -> PathBuf {
        self.folder.join(CHECKPOINT)
    }

    /// Where finished trials are kept.
    pub(super) fn trials(&self) -> PathBuf {
        self.folder.join(TUNE)
    }

    /// Where the model goes.
    pub(super) fn model(&self) -> PathBuf {
        self.folder.join(MODEL)
    }

    /// What the model is called if nobody says it: as its folder.
    pub(super) fn name(&self) -> String {
        let folder = std::path::absolute(&self.folder).unwrap_or_default();
        let name = folder.file_name().map(|n| n.to_string_lossy().into_owned());
        name.unwrap_or_else(|| "liveness".into())
    }
}
