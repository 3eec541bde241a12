// SPDX-License-Identifier: MIT OR Apache-2.0
//! The options that name a source, the same in all programs, and what a user meant by them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};

use super::address::{Address, Login};
use super::origin::{Input, Origin};
use crate::files;

/// The variable that holds the password of a camera.
pub const PASSWORD: &str = "LIVENESS_PASSWORD";

/// What was typed about the source.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "The source")]
pub struct SourceOptions {
    /// A camera of this machine: its number, or its device such as /dev/video2 [default: the first one, where no source is named]
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "0", group = "source")]
    camera: Option<String>,

    /// A camera in the network: rtsp://HOST/PATH (over TCP; rtspu:// is UDP), or a telephone's app: http://HOST:8080/video for its
    /// stream of pictures, http://HOST:8080/shot.jpg for stills that are fetched again and again
    #[arg(long, value_name = "ADDRESS", group = "source")]
    url: Option<String>,

    /// A film or a picture, read to its end
    #[arg(long, value_name = "FILE", group = "source")]
    file: Option<PathBuf>,

    /// Who looks at the camera; the password comes from the variable LIVENESS_PASSWORD, or a file
    #[arg(long, value_name = "NAME", conflicts_with_all = ["camera", "file"])]
    user: Option<String>,

    /// A file whose first line is the password
    #[arg(long, value_name = "FILE", conflicts_with_all = ["camera", "file"])]
    password_file: Option<PathBuf>,

    /// A source that gives no picture for so many seconds is taken for lost
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = clap::value_parser!(u16).range(1..))]
    timeout: u16,
}

impl SourceOptions {
    /// What is to be looked at.
    ///
    /// # Errors
    /// Where that makes no sense. No password is in what is said.
    pub fn input(&self) -> anyhow::Result<Input> {
        if let Some(file) = &self.file {
            return Ok(Input::Film(file.clone()));
        }
        let Some(url) = &self.url else {
            let camera = self.camera.as_deref().unwrap_or("0");
            if self.user.is_some() || self.password_file.is_some() {
                bail!(
                    "--user and --password-file are for a camera in the network: name it with --url"
                );
            }
            return Ok(Input::Live(Origin::Camera(device(camera))));
        };
        let mut address = Address::parse(url).context("--url")?;
        if let Some(user) = self.user.clone().or(address.user.take()) {
            let password = self.password()?;
            let password = password.with_context(|| format!("there is no password for {user}: put it into the variable {PASSWORD}, or into a file for --password-file"))?;
            address.login = Some(Login { user, password });
        } else if self.password_file.is_some() {
            bail!("there is a password and nobody that it belongs to: name the user with --user");
        }
        Ok(Input::Live(Origin::Address(address)))
    }

    /// How long a live source may give no picture.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }

    fn password(&self) -> anyhow::Result<Option<String>> {
        if let Some(path) = &self.password_file {
            let password = files::first_line(path);
            return password
                .map(Some)
                .map_err(|reason| anyhow::anyhow!("the password: {reason}"));
        }
        match std::env::var(PASSWORD) {
            Ok(password) => Ok(Some(password)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => bail!("{PASSWORD} is no UTF-8"),
        }
    }
}

/// The name of a film that is to be written, which ends in `.mkv`.
pub fn mkv() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        let ending = path.extension().map(|e| e.to_ascii_lowercase());
        match ending.is_some_and(|e| e == "mkv") {
            true => Ok(path),
            false => Err("must end in .mkv"),
        }
    })
}

/// The device of a camera that is called by its number, or by its device.
fn device(name: &str) -> PathBuf {
    match name.parse::<u16>() {
        Ok(number) => format!("/dev/video{number}").into(),
        Err(_) => Path::new(name).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        source: SourceOptions,
    }

    fn input(words: &[&str]) -> Result<Input, String> {
        let words = ["x"].iter().chain(words);
        let program = Program::try_parse_from(words).map_err(|e| e.to_string())?;
        program.source.input().map_err(|e| format!("{e:#}"))
    }

    fn camera(device: &str) -> Input {
        Input::Live(Origin::Camera(device.into()))
    }

    #[test]
    fn a_camera_is_a_number_or_a_device() {
        assert_eq!(input(&[]).unwrap(), camera("/dev/video0"));
        assert_eq!(input(&["--camera"]).unwrap(), camera("/dev/video0"));
        assert_eq!(input(&["--camera", "2"]).unwrap(), camera("/dev/video2"));
        let path = "/dev/v4l/by-id/usb-cam";
        assert_eq!(input(&["--camera", path]).unwrap(), camera(path));
    }

    #[test]
    fn there_is_one_source() {
        assert_eq!(
            input(&["--file", "a.mp4"]).unwrap(),
            Input::Film("a.mp4".into())
        );
        for words in [
            &["--file", "a.mp4", "--camera", "0"][..],
            &["--url", "rtsp://cam/x", "--camera"],
            &["--file", "a.mp4", "--user", "joe"],
            &["--user", "joe"],
            &["--url", "rtsp://cam/x", "--timeout", "0"],
        ] {
            assert!(input(words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn a_password_comes_from_a_file_and_is_never_repeated() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "s3cret \nnotes\n").unwrap();
        let path = file.path().to_str().unwrap();
        let login = |words: &[&str]| match input(words).unwrap() {
            Input::Live(Origin::Address(address)) => address.login.map(|l| (l.user, l.password)),
            other => panic!("{other}"),
        };
        let joe = Some(("joe".to_owned(), "s3cret ".to_owned()));
        let url = ["--url", "rtsp://cam/x", "--password-file", path];
        assert_eq!(login(&[&url[..], &["--user", "joe"]].concat()), joe);
        assert_eq!(
            login(&["--url", "rtsp://joe@cam/x", "--password-file", path]),
            joe
        );
        let ann = [
            "--url",
            "rtsp://ann:other@cam/x",
            "--user",
            "joe",
            "--password-file",
            path,
        ];
        assert_eq!(login(&ann), joe, "what was said last counts");
        assert!(input(&url).unwrap_err().contains("--user"));
        for (words, said) in [
            (&["--url", "rtsp://joe:s3cret@cam:99999999/x"][..], "--url"),
            (&["--url", "joe:s3cret@cam"], "starts with rtsp://"),
            (
                &[
                    "--url",
                    "rtsp://cam/x",
                    "--user",
                    "joe",
                    "--password-file",
                    "/no/file",
                ],
                "/no/file",
            ),
        ] {
            let error = input(words).unwrap_err();
            assert!(error.contains(said) && !error.contains("s3cret"), "{error}");
        }
    }
}
