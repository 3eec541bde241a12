// SPDX-License-Identifier: MIT OR Apache-2.0
//! The file that tells the guard what to do: read whole, refused with the line that is wrong. Opens nothing else.

mod parts;
mod policy;
mod secret;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use liveness_app::files;
use serde::Deserialize;

pub(crate) use parts::{Audit, Command, Lock, Mail, Overlay, Place, Security, Voice, Webhook};
pub(crate) use policy::Evidence;

/// All of it. What is not named is not done, or done as usual.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) policy: Evidence,
    pub(crate) overlay: Overlay,
    pub(crate) audit: Audit,
    pub(crate) place: Place,
    pub(crate) voice: Option<Voice>,
    pub(crate) mail: Option<Mail>,
    pub(crate) lock: Option<Lock>,
    pub(crate) command: Vec<Command>,
    pub(crate) webhook: Option<Webhook>,
}

impl Config {
    /// # Errors
    /// Where the file cannot be read, or says what makes no sense. What it says is never repeated: it may hold a password after all.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| {
            anyhow::anyhow!("cannot read {}: {}", path.display(), files::reason(&e))
        })?;
        let mut config = Self::parse(&text).with_context(|| path.display().to_string())?;
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        config.resolve(folder.unwrap_or(Path::new(".")));
        Ok(config)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let message = error.message();
            match error.span() {
                Some(span) => {
                    let before = text.get(..span.start).unwrap_or_default();
                    let line = before.matches('\n').count() + 1;
                    anyhow::anyhow!("line {line}: {message}")
                }
                None => anyhow::anyhow!("{message}"),
            }
        })?;
        config.make_sense()?;
        Ok(config)
    }

    /// What no single value can tell.
    fn make_sense(&self) -> anyhow::Result<()> {
        if let Some(mail) = &self.mail {
            mail.make_sense().context("[mail]")?;
        }
        if let Some(webhook) = &self.webhook {
            webhook.make_sense().context("[webhook]")?;
        }
        let queues = (
            self.mail.as_ref().map(|m| &m.queue),
            self.webhook.as_ref().map(|w| &w.queue),
        );
        if let (Some(mail), Some(webhook)) = queues
            && mail == webhook
        {
            bail!(
                "[mail] and [webhook] cannot share the queue {}",
                mail.display()
            );
        }
        Ok(())
    }

    /// Relative names are those of files beside this one, wherever the program was started.
    fn resolve(&mut self, folder: &Path) {
        let paths = self.paths();
        for path in paths {
            *path = folder.join(&*path);
        }
    }

    fn paths(&mut self) -> Vec<&mut PathBuf> {
        let Self {
            audit,
            voice,
            mail,
            command,
            webhook,
            ..
        } = self;
        let mut all: Vec<&mut PathBuf> = Vec::new();
        all.extend(audit.path.as_mut().filter(|p| p.as_os_str() != "-"));
        let programs = voice.iter_mut().map(|v| &mut v.program);
        let programs = programs.chain(command.iter_mut().map(|c| &mut c.program));
        // A bare name is looked for as a shell does.
        all.extend(programs.filter(|p| p.components().count() > 1));
        if let Some(mail) = mail {
            all.push(&mut mail.queue);
            all.extend(mail.ca_file.as_mut());
            all.extend(mail.secret.file.as_mut());
        }
        if let Some(webhook) = webhook {
            all.push(&mut webhook.queue);
            all.extend(webhook.ca_file.as_mut());
            all.extend(webhook.secret.file.as_mut());
        }
        all
    }

    /// Variables that hold secrets: nothing that is started here sees them.
    pub(crate) fn secret_variables(&self) -> Vec<String> {
        let mail = self.mail.iter().filter_map(|m| m.secret.variable.clone());
        let webhook = self
            .webhook
            .iter()
            .filter_map(|w| w.secret.variable.clone());
        let camera = [liveness_app::live::PASSWORD.to_owned()];
        mail.chain(webhook).chain(camera).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Kind;

    fn error(text: &str) -> String {
        format!("{:#}", Config::parse(text).unwrap_err())
    }

    const MAIL: &str =
        "[mail]\nhost = 'mail.example'\nfrom = 'a@b.example'\nto = ['c@d.example']\nqueue = 'q'\n";

    #[test]
    fn nothing_has_to_be_said() {
        let config = Config::parse("").unwrap();
        assert_eq!(config.overlay.granted, "Authorized");
        assert!(config.mail.is_none() && config.audit.path.is_none());
        let rules = config.policy.rules();
        assert!(rules.alone && rules.evidence.granted.frames >= 2);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, said) in [
            ("[polizei]", "line 1: unknown field `polizei`"),
            ("\n[policy]\ngranded = 1", "line 3: unknown field `granded`"),
            (
                "[policy]\ngranted = { frames = 1, of = 1, seconds = 1 }",
                "line 2: `frames` must be 2 or more: nothing is decided on a single frame",
            ),
            (
                "[policy]\ngranted = { frames = 5, of = 10, seconds = 1 }",
                "line 2: `frames` must be more than half of `of`",
            ),
            (
                "[policy]\n\ngap = -1",
                "line 3: must be seconds, from 0.1 to 86400",
            ),
            (
                "[policy]\ngap = 1\nintruder = { frames = 5, of = 3, seconds = 1 }",
                "line 3: `frames` cannot be more than `of`",
            ),
            (
                "[lock]\non = []",
                "line 2: must name granted, intruder or both",
            ),
            (
                "[lock]\non = ['granted', 'granted']",
                "line 2: must name each only once",
            ),
            ("[[command]]\nargs = []", "line 1: missing field `on`"),
            ("[mail]\nport = 99999", "line 2: "),
        ] {
            let error = error(text);
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn no_password_stands_in_it_and_none_is_repeated() {
        for text in [
            format!("{MAIL}password = 's3cret'"),
            format!("{MAIL}password = ['s3cret'"),
            "[webhook]\nurl = 'https://h.example/x'\nqueue = 'q'\ntoken = 's3cret'".into(),
            "[webhook]\nurl = 'https://joe:s3cret@h.example/x'\nqueue = 'q'".into(),
            format!("{MAIL}password-env = 'A'\npassword-file = 'b'\nuser = 'joe'\n\ns3cret"),
        ] {
            let error = error(&text);
            assert!(!error.contains("s3cret"), "{error}");
        }
        let said = error(&format!("{MAIL}password = 's3cret'"));
        assert!(
            said.contains("line 6: ") && said.contains("password-env"),
            "{said}"
        );
    }

    #[test]
    fn what_goes_over_the_network_is_encrypted() {
        for (text, said) in [
            (format!("{MAIL}tls = 'none'"), "tls = \"none\" would send"),
            (
                format!("{MAIL}password-env = 'A'"),
                "a password and no `user`",
            ),
            (
                format!("{MAIL}user = 'joe'"),
                "`password-env` or `password-file`",
            ),
            (
                "[webhook]\nurl = 'http://h.example/x'\nqueue = 'q'".into(),
                "must start with https://",
            ),
            (
                "[webhook]\nurl = 'ftp://127.0.0.1/x'\nqueue = 'q'".into(),
                "must start with https://",
            ),
        ] {
            let error = error(&text);
            assert!(error.contains(said), "{text}: {error}");
        }
        let near = MAIL.replace("mail.example", "127.0.0.1");
        for text in [
            format!("{near}tls = 'none'"),
            format!("{MAIL}tls = 'none'\ninsecure = true"),
            "[webhook]\nurl = 'http://[::1]:8080/x'\nqueue = 'q'".into(),
            "[webhook]\nurl = 'http://localhost/x'\nqueue = 'q'".into(),
            "[webhook]\nurl = 'http://h.example/x'\nqueue = 'q'\ninsecure = true".into(),
        ] {
            Config::parse(&text).unwrap();
        }
        let other = format!("{MAIL}[webhook]\nurl = 'https://h.example/'\nqueue = 'q'");
        assert!(error(&other).contains("cannot share the queue"));
    }

    #[test]
    fn names_are_those_of_files_beside_it() {
        let text = format!(
            "{MAIL}[audit]\npath = 'a.jsonl'\n[[command]]\nprogram = 'sh'\non = ['granted']\n[[command]]\nprogram = './x'\non = ['granted', 'intruder']"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guard.toml");
        std::fs::write(&path, text).unwrap();
        let config = Config::load(&path).unwrap();
        assert_eq!(config.audit.path.unwrap(), folder.path().join("a.jsonl"));
        assert_eq!(config.mail.unwrap().queue, folder.path().join("q"));
        assert_eq!(config.command[0].program, Path::new("sh"));
        assert_eq!(config.command[1].program, folder.path().join("./x"));
        assert_eq!(config.command[1].on.kinds(), Kind::ALL);
        assert!(Config::load(Path::new("/no/file")).is_err());
    }
}
