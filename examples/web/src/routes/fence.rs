// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fence around all requests: under which name the server was called, from which page, and with which word; and what browsers may do with
//! what they get.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::answer::{Refusal, drain};
use crate::app::App;
use crate::visitor::cookie;

/// The other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// The address of whoever asks: behind a proxy, what that one says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Address(pub(super) IpAddr);

/// The header that carries the visitor's word.
const WORD: &str = "x-csrf-token";

/// Scripts and styles of this page alone, no frames, no other site.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; \
                      form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Headers of every answer.
const HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    (
        "permissions-policy",
        "camera=(self), microphone=(), geolocation=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Lets through what may pass.
pub(super) async fn fence(
    State(app): State<Arc<App>>,
    Extension(Peer(peer)): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut response = match check(&app, request.method(), request.headers()) {
        Ok(()) => {
            let address = address(peer, request.headers(), app.behind_proxy);
            request.extensions_mut().insert(Address(address));
            next.run(request).await
        }
        Err(refusal) => {
            drain(request.into_body()).await;
            refusal.into_response()
        }
    };
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

fn check(app: &App, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
    let host = host.unwrap_or_default();
    if !is_known(host, &app.hosts) {
        // A name of somebody else that leads here (DNS rebinding) would make that one's pages ours.
        return Err(Refusal::new(
            StatusCode::MISDIRECTED_REQUEST,
            "host",
            format!(
                "This server is not known as {host:?}. Whoever runs it can tell it with --host."
            ),
        ));
    }
    if let Some(origin) = headers.get(header::ORIGIN)
        && !is_same(origin, host)
    {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "origin",
            "Another site may not ask for this.",
        ));
    }
    if [Method::GET, Method::HEAD].contains(method) {
        return Ok(());
    }
    let word = headers.get(WORD).map(HeaderValue::as_bytes);
    let fits = cookie(headers)
        .zip(word)
        .is_some_and(|(cookie, word)| app.visitors.is_word(&cookie, word));
    if !fits {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "csrf",
            "The word that goes with this visit is missing or wrong. Load the page again.",
        ));
    }
    Ok(())
}

/// Whether the server is called by a name of its own: this machine's, a plain address, or one that was told.
fn is_known(host: &str, names: &[String]) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    name.parse::<IpAddr>().is_ok() || is("localhost") || names.iter().any(|n| is(n))
}

/// Whether a page of this origin is one of this host.
fn is_same(origin: &HeaderValue, host: &str) -> bool {
    let origin = origin.to_str().ok();
    let authority = origin.and_then(|o| o.split_once("://")).map(|(_, a)| a);
    authority.is_some_and(|a| a.eq_ignore_ascii_case(host))
}

fn address(peer: SocketAddr, headers: &HeaderMap, behind_proxy: bool) -> IpAddr {
    let last = || {
        let mut lines = headers.get_all("x-forwarded-for").iter();
        // What stands before it was said by the visitor.
        let line = lines.next_back()?.to_str().ok()?;
        line.rsplit(',').next()?.trim().parse().ok()
    };
    let told = if behind_proxy { last() } else { None };
    told.unwrap_or(peer.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_its_own_are_known() {
        let names = ["cam.example.org".to_owned()];
        for host in [
            "localhost:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
            "[::1]",
            "192.168.1.7",
            "Cam.Example.org:443",
        ] {
            assert!(is_known(host, &names), "{host}");
        }
        for host in [
            "",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "[evil]:1",
        ] {
            assert!(!is_known(host, &names), "{host}");
        }
    }

    #[test]
    fn a_page_of_another_site_or_port_is_another_origin() {
        let same = |origin: &'static str, host| is_same(&HeaderValue::from_static(origin), host);
        assert!(same("http://127.0.0.1:8080", "127.0.0.1:8080"));
        assert!(same("https://cam.example.org", "cam.example.org"));
        for origin in [
            "http://127.0.0.1:9090",
            "https://evil.example",
            "null",
            "127.0.0.1:8080",
        ] {
            assert!(!same(origin, "127.0.0.1:8080"), "{origin}");
        }
    }

    #[test]
    fn the_address_is_what_the_proxy_says() {
        let peer = SocketAddr::from(([10, 0, 0, 1], 5));
        let mut headers = HeaderMap::new();
        headers.append(
            "x-forwarded-for",
            HeaderValue::from_static("1.2.3.4, 5.6.7.8"),
        );
        assert_eq!(address(peer, &headers, true).to_string(), "5.6.7.8");
        assert_eq!(address(peer, &headers, false).to_string(), "10.0.0.1");
        headers.append("x-forwarded-for", HeaderValue::from_static("nonsense"));
        assert_eq!(address(peer, &headers, true).to_string(), "10.0.0.1");
    }
}
