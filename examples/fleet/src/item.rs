// SPDX-License-Identifier: MIT OR Apache-2.0
//! A work item: a recording or a camera, with a number of its own that follows from what it is. Knows file systems and addresses.

use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use data_encoding::HEXLOWER;
use liveness_app::files;
use liveness_app::live::Address;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::names::{Kind, is_token};

/// Of the letters of an item's number, those of its name.
const NAME: usize = 24;

/// Of the bytes of its digest, those that are in it.
const DIGEST: usize = 8;

/// What is to be done.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Item {
    /// The same for the same file or camera, and never for another one.
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// Of a recording: its path, absolute, or below the folder that all know as `--root`. Of a camera: its address, without a password.
    pub(crate) location: String,
    /// When it was added.
    pub(crate) added: String,
}

impl Item {
    /// A file. It is another item when it was written anew.
    ///
    /// # Errors
    /// Where its path cannot be told to others.
    pub(crate) fn recording(path: &Path, root: Option<&Path>) -> anyhow::Result<Self> {
        let whole = path.canonicalize().map_err(|e| plain(&e))?;
        let about = whole.metadata().map_err(|e| plain(&e))?;
        let within = match root {
            None => whole,
            Some(root) => {
                let root = root.canonicalize();
                let root = root.map_err(|e| anyhow::anyhow!("--root: {}", files::reason(&e)))?;
                let below = whole.strip_prefix(&root);
                below
                    .with_context(|| format!("it is not below --root {}", root.display()))?
                    .to_owned()
            }
        };
        let name = within.file_stem().unwrap_or_default().to_string_lossy();
        let Ok(location) = files::text(within.as_os_str()) else {
            bail!("its name is no UTF-8: rename it");
        };
        let (size, written) = (about.len(), nanoseconds(&about));
        let what = format!("{location}\0{size}\0{written}");
        Ok(Self::new(Kind::Recording, &name, location, &what))
    }

    /// A camera in the network.
    ///
    /// # Errors
    /// Where that is no address, or holds a password, which everybody could read who reads the queue.
    pub(crate) fn camera(text: &str) -> anyhow::Result<Self> {
        let address = Address::parse(text)?;
        if address.login.is_some() {
            bail!(
                "a password has no place in the queue: leave it out, and give it to the workers (--logins FILE)"
            );
        }
        let mut location = address.location().to_owned();
        if let Some(user) = &address.user {
            let user = utf8_percent_encode(user, NON_ALPHANUMERIC);
            location = location.replacen("://", &format!("://{user}@"), 1);
        }
        let what = location.clone();
        Ok(Self::new(Kind::Camera, address.host().0, location, &what))
    }

    fn new(kind: Kind, name: &str, location: String, what: &str) -> Self {
        let digest = Sha256::digest(format!("{}\0{what}", kind.as_str()));
        let digest = HEXLOWER.encode(&digest[..DIGEST]);
        let name: String = name.chars().take(NAME).map(letter).collect();
        let added = humantime::format_rfc3339_seconds(SystemTime::now());
        Self {
            id: format!("{}-{digest}", name.trim_matches('-')),
            kind,
            location,
            added: added.to_string(),
        }
    }

    /// What a message of the queue holds.
    ///
    /// # Errors
    /// Where it is no item: others may write to the queue, too.
    pub(crate) fn parse(payload: &[u8]) -> anyhow::Result<Self> {
        let item: Self = serde_json::from_slice(payload).context("it is no item")?;
        match is_token(&item.id) {
            true => Ok(item),
            false => bail!("its number is none"),
        }
    }

    /// Where a recording lies on this machine.
    ///
    /// # Errors
    /// Where that is outside of `root`.
    pub(crate) fn path(&self, root: Option<&Path>) -> anyhow::Result<PathBuf> {
        let path = Path::new(&self.location);
        let Some(root) = root else {
            if path.is_relative() {
                bail!(
                    "it lies below a folder that this worker does not know: start it with --root"
                );
            }
            return Ok(path.to_owned());
        };
        let is_below = |path: &Path| {
            let mut parts = path.components();
            parts.all(|part| matches!(part, Component::Normal(_)))
        };
        let below = match path.is_absolute() {
            true => path.strip_prefix(root).ok(),
            false => Some(path),
        };
        let below = below.filter(|p| is_below(p));
        let below = below.with_context(|| format!("it is not below --root {}", root.display()))?;
        let path = root.join(below);
        // What is not there is told by whoever opens it.
        if let (Ok(real), Ok(root)) = (path.canonicalize(), root.canonicalize())
            && !real.starts_with(root)
        {
            bail!("it is a link that leads out of --root");
        }
        Ok(path)
    }

    /// Where it is, for people to read.
    pub(crate) fn shown(&self) -> String {
        match self.kind {
            Kind::Recording => self.location.clone(),
            Kind::Camera => Address::parse(&self.location)
                .map_or_else(|_| "an address that is none".into(), |a| a.to_string()),
        }
    }
}

/// What can stand in a subject.
fn letter(c: char) -> char {
    match c.is_ascii_alphanumeric() || c == '_' {
        true => c,
        false => '-',
    }
}

fn plain(error: &std::io::Error) -> anyhow::Error {
    anyhow::anyhow!(files::reason(error))
}

/// When a file was written.
fn nanoseconds(about: &Metadata) -> u128 {
    let written = about.modified().ok();
    let written = written.and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    written.unwrap_or_default().as_nanos()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_same_file_is_the_same_item_until_it_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Größe 1.mp4");
        fs::write(&path, "film").unwrap();
        let item = || Item::recording(&path, None).unwrap();
        let first = item();
        assert!(first.id.starts_with("Gr--e-1-"), "{}", first.id);
        assert!(is_token(&first.id));
        assert_eq!(item().id, first.id);
        fs::write(&path, "another film").unwrap();
        assert_ne!(item().id, first.id);
        assert!(Item::recording(Path::new("/no/file"), None).is_err());
        let payload = serde_json::to_vec(&first).unwrap();
        assert_eq!(Item::parse(&payload).unwrap(), first);
    }

    #[test]
    fn what_is_below_a_root_is_found_elsewhere_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("a");
        fs::create_dir_all(root.join("day")).unwrap();
        fs::write(root.join("day/x.mp4"), "film").unwrap();
        fs::write(folder.path().join("y.mp4"), "film").unwrap();
        let item = Item::recording(&root.join("day/x.mp4"), Some(&root)).unwrap();
        assert_eq!(item.location, "day/x.mp4");
        let there = item.path(Some(Path::new("/mnt"))).unwrap();
        assert_eq!(there, Path::new("/mnt/day/x.mp4"));
        assert!(item.path(None).is_err(), "below what?");
        assert!(Item::recording(&folder.path().join("y.mp4"), Some(&root)).is_err());
        let at = |location: &str| Item {
            location: location.into(),
            ..item.clone()
        };
        let whole = root.join("day/x.mp4");
        assert!(at(whole.to_str().unwrap()).path(Some(&root)).is_ok());
        symlink(folder.path().join("y.mp4"), root.join("link.mp4")).unwrap();
        for outside in ["../y.mp4", "/etc/passwd", "day/../../y.mp4", "link.mp4"] {
            assert!(at(outside).path(Some(&root)).is_err(), "{outside}");
        }
        assert!(at("/etc/passwd").path(None).is_ok());
    }

    #[test]
    fn a_camera_takes_no_password_along() {
        let camera = Item::camera("rtsp://joe@cam.local:8554/live?x=1").unwrap();
        assert_eq!(camera.location, "rtsp://joe@cam.local:8554/live?x=1");
        assert_eq!(camera.shown(), "rtsp://cam.local:8554/live?…");
        assert!(camera.id.starts_with("cam-local-"), "{}", camera.id);
        let odd = Item::camera("rtsp://a%40b@cam/live").unwrap();
        let address = Address::parse(&odd.location).unwrap();
        assert_eq!(address.user.as_deref(), Some("a@b"));
        let error = Item::camera("rtsp://joe:s3cret@cam/live").unwrap_err();
        assert!(error.to_string().contains("--logins"), "{error}");
        assert!(!error.to_string().contains("s3cret"));
        assert!(Item::camera("ftp://cam/live").is_err());
    }

    #[test]
    fn what_others_write_to_the_queue_is_looked_at() {
        for wrong in [
            "",
            "{}",
            r#"{"id":"a.b","kind":"recording","location":"/a","added":""}"#,
            r#"{"id":"a","kind":"spy","location":"/a","added":""}"#,
        ] {
            assert!(Item::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
