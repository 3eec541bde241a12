// SPDX-License-Identifier: MIT OR Apache-2.0
//! The address of a camera, and the password that is never shown. Knows neither GStreamer's elements nor the command line.

use std::fmt;

use anyhow::{Context, bail};
use percent_encoding::percent_decode_str;
use url::Url;

/// How a camera is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RTSP, in one of its forms.
    Rtsp,
    /// HTTP, with or without encryption.
    Http,
}

/// A user name and its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// What passwords are called in the paths of cameras that have no better place for them.
const SECRETS: &[&str] = &["password=", "passwd=", "pass=", "pwd="];

/// Where a camera is. Wherever it is shown, it is without user name, password, and all else in which a password may stand.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    location: String,
    scheme: Scheme,
    host: String,
    port: u16,
    /// Who looks at it.
    pub login: Option<Login>,
    /// Who looks at it, where the password is somewhere else.
    pub user: Option<String>,
}

impl Address {
    /// Takes an address apart: `rtsp://`, `rtspt://` (TCP), `rtspu://` (UDP), `rtsps://`, `http://` or `https://`, with or without `user:password@`.
    ///
    /// # Errors
    /// What is wrong with it, without repeating it: there may be a password in it.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let Some((scheme, _)) = text.split_once("://") else {
            bail!("an address starts with rtsp:// or http://");
        };
        let scheme = scheme.to_ascii_lowercase();
        let (kind, port) = match scheme.as_str() {
            "rtsp" | "rtspt" | "rtspu" => (Scheme::Rtsp, 554),
            "rtsps" => (Scheme::Rtsp, 322),
            "http" => (Scheme::Http, 80),
            "https" => (Scheme::Http, 443),
            other => bail!("{other}:// is not understood, rtsp:// and http:// are"),
        };
        let mut url = Url::parse(text)
            .context("it is no address such as scheme://[user:password@]host[:port]/path")?;
        let host = url.host_str().filter(|h| !h.is_empty());
        // Only within an address does a number of the newer kind need its brackets.
        let host = host.map(|h| h.trim_matches(['[', ']']).to_owned());
        let plain = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let user = Some(plain(url.username())).filter(|u| !u.is_empty());
        let (login, user) = match (user, url.password().map(plain)) {
            (Some(user), Some(password)) => (Some(Login { user, password }), None),
            (user, _) => (None, user),
        };
        // That fails where there is no host, which is said.
        let _ = url.set_password(None).and_then(|()| url.set_username(""));
        Ok(Self {
            scheme: kind,
            host: host.context("there is no host in it")?,
            port: url.port().unwrap_or(port),
            location: url.into(),
            login,
            user,
        })
    }

    /// The address as elements take it, without user name and password, but with all else. Not to be shown.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// How it is spoken to.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Name or number of the machine, and the port.
    pub fn host(&self) -> (&str, u16) {
        (&self.host, self.port)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, query) = match self.location.split_once('?') {
            Some((path, _)) => (path, "?…"),
            None => (&*self.location, ""),
        };
        let small = path.to_ascii_lowercase();
        let secret = SECRETS.iter().find_map(|s| Some(small.find(s)? + s.len()));
        match secret {
            Some(end) => write!(f, "{}…", &path[..end]),
            None => write!(f, "{path}{query}"),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_and_never_shown() {
        for (text, user, password) in [
            ("rtsp://joe:s3cret@cam/live", "joe", "s3cret"),
            ("rtsp://joe:p%40s3cret@cam/live", "joe", "p@s3cret"),
            ("rtsp://joe:p@s3cret@cam/live", "joe", "p@s3cret"),
            ("rtsp://joe:s3cret:x@cam/live", "joe", "s3cret:x"),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.to_string(), "rtsp://cam/live");
            assert_eq!(address.host(), ("cam", 554));
            let shown = format!("{address} {address:?}");
            assert!(!shown.contains("s3cret"), "{shown}");
            let login = address.login.unwrap();
            assert_eq!((&*login.user, &*login.password), (user, password), "{text}");
        }
        let named = Address::parse("http://joe@phone:8080/video").unwrap();
        assert_eq!((named.login, named.user.as_deref()), (None, Some("joe")));
        assert_eq!(named.location, "http://phone:8080/video");
    }

    #[test]
    fn the_rest_stays_as_it_was_written() {
        for text in [
            "rtsp://10.0.0.7:8554/Streaming/Channels/101?transportmode=unicast&profile=a%20b",
            "rtsp://[fe80::1]:554/live",
            "https://cam.example/shot.jpg",
            "rtsp://cam/user=admin_password=x_channel=1.sdp",
        ] {
            assert_eq!(Address::parse(text).unwrap().location(), text);
        }
        let host = |text| {
            let address = Address::parse(text).unwrap();
            (address.host().0.to_owned(), address.host().1)
        };
        assert_eq!(host("https://cam/x"), ("cam".to_owned(), 443));
        assert_eq!(host("rtsp://[::1]:99/x"), ("::1".to_owned(), 99));
    }

    #[test]
    fn passwords_that_cameras_want_elsewhere_are_not_shown_either() {
        for (text, shown) in [
            ("rtsp://cam/live/ch1", "rtsp://cam/live/ch1"),
            (
                "http://cam/video.cgi?user=joe&pwd=s3cret",
                "http://cam/video.cgi?…",
            ),
            (
                "rtsp://cam/user=joe_Password=s3cret_channel=1.sdp?x",
                "rtsp://cam/user=joe_Password=…",
            ),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for text in [
            "camera",
            "ftp://joe:s3cret@cam/x",
            "rtsp://",
            "rtsp:///x",
            "rtsp://joe:s3cret@cam:port/x",
            "http://joe:s3cret@/x",
        ] {
            let said = format!("{:#}", Address::parse(text).unwrap_err());
            assert!(!said.contains("s3cret"), "{text}: {said}");
        }
    }
}
