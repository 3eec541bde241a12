// SPDX-License-Identifier: MIT OR Apache-2.0
//! What other sites cannot do.

use super::*;

#[test]
fn the_page_is_there_and_may_use_nothing_from_elsewhere() {
    let Some(server) = Server::tiny(&[]) else {
        return;
    };
    let browser = Browser::new(&server);
    let page = browser.get("/", &[]);
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    // Every part that the page names is there.
    let mut parts = 0;
    for part in page.body.split("\"/page/").skip(1) {
        let name = part.split('"').next().unwrap();
        let found = browser.get(&format!("/page/{name}"), &[]);
        assert!(found.status == 200 && !found.body.is_empty(), "{name}");
        parts += 1;
    }
    assert!(parts >= 3);
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(browser.get("/page/../src/main.rs", &[]).status, 404);
    assert_eq!(browser.get("/nothing", &[]).error(), "not-found");
}

#[test]
fn the_cookie_is_safe_and_stays() {
    let Some(server) = Server::tiny(&[]) else {
        return;
    };
    let mut browser = Browser::new(&server);
    let reply = browser.get("/api/visit", &[("Cookie", "liveness=nonsense")]);
    let cookie = reply.header("set-cookie");
    assert_eq!(cookie, None, "the first one is ours");
    let (cookie, word) = (browser.cookie.clone(), browser.word.clone());
    browser.visit();
    assert_eq!((&browser.cookie, &browser.word), (&cookie, &word));
    browser.cookie = None;
    let fresh = browser.get("/api/visit", &[]);
    let set = fresh.header("set-cookie").unwrap();
    for flag in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(flag), "{set}");
    }
}

#[test]
fn other_names_other_sites_and_missing_words_are_refused() {
    let Some(server) = Server::tiny(&["--host", "cam.example.org"]) else {
        return;
    };
    let browser = Browser::new(&server);
    let get = |headers: &[(&str, &str)]| browser.get("/api/visit", headers);
    let rebound = get(&[("Host", "evil.example")]);
    assert_eq!((rebound.status, &*rebound.error()), (421, "host"));
    assert_eq!(get(&[("Host", "cam.example.org")]).status, 200);
    let other = get(&[("Origin", "https://evil.example")]);
    assert_eq!((other.status, &*other.error()), (403, "origin"));
    let own = format!("http://{}", server.address);
    assert_eq!(get(&[("Origin", &own)]).status, 200);

    let cookie = browser.cookie.clone().unwrap();
    let picture = grey(64, 64, 200);
    let jpeg = ("Content-Type", "image/jpeg");
    let elsewhere = Browser::new(&server).word;
    for headers in [
        vec![jpeg, ("Cookie", &*cookie)],
        vec![jpeg, ("X-CSRF-Token", &*browser.word)],
        vec![jpeg, ("Cookie", &*cookie), ("X-CSRF-Token", &*elsewhere)],
    ] {
        for place in [
            "/api/upload",
            "/api/enrol",
            "/api/login",
            "/api/finish",
            "/api/logout",
        ] {
            let reply = browser.post_raw(place, &headers, &picture);
            assert_eq!(
                (reply.status, &*reply.error()),
                (403, "csrf"),
                "{place} {headers:?}"
            );
        }
    }
    assert_eq!(browser.upload("image/jpeg", &picture).status, 200);
}

#[tokio::test]
async fn a_camera_of_another_site_is_not_connected() {
    use tokio_tungstenite::tungstenite::Error;
    use tokio_tungstenite::tungstenite::client::IntoClientRequest;
    let Some(server) = Server::tiny(&[]) else {
        return;
    };
    for (header, value, status) in [
        ("Origin", "https://evil.example", 403),
        ("Host", "evil.example", 421),
    ] {
        let url = format!("ws://{}/api/camera", server.address);
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert(header, value.parse().unwrap());
        match tokio_tungstenite::connect_async(request).await {
            Err(Error::Http(response)) => assert_eq!(response.status(), status),
            other => panic!("{other:?}"),
        }
    }
}
