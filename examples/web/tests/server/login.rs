// SPDX-License-Identifier: MIT OR Apache-2.0
//! A password and a living face.

use super::*;
use crate::support::faces::Cast;

const ANNA: &str = "correct horse";

fn server(options: &[&str]) -> Option<Server> {
    let (bright, embed) = (tiny("bright.onnx"), tiny("embed.onnx"));
    let models = [
        "--model",
        path(&bright),
        "--embedding",
        path(&embed),
        "--match-threshold",
        "0.9",
    ];
    Server::start(&[&models, options].concat())
}

fn anna(password: &str) -> Value {
    json!({"name": "Anna", "password": password})
}

/// Asks for a ticket.
fn ticket(browser: &mut Browser, path: &str, form: &Value) -> String {
    let reply = browser.send(path, form);
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["ticket"].as_str().unwrap().to_owned()
}

/// Shows pictures, this one again and again, until the session ends: its reason, and the last answer.
async fn show(browser: &Browser, ticket: &str, picture: &[u8]) -> (String, Value) {
    let mut camera = browser.camera().await;
    camera.show(ticket).await;
    let mut last = Value::Null;
    for _ in 0..60 {
        let answer = camera.look(picture).await;
        let face = &answer["face"];
        let is_over = face["granted"] == true || face["refused"].is_string();
        last = answer;
        if is_over {
            return (camera.over().await.reason, last);
        }
    }
    panic!("it does not end: {last}");
}

/// Enrols Anna, who is logged in afterwards.
async fn enrol(browser: &mut Browser, cast: &Cast) {
    let ticket = ticket(browser, "/api/enrol", &anna(ANNA));
    let (end, last) = show(browser, &ticket, &cast.live).await;
    assert_eq!(end, "granted", "{last}");
    let before = browser.cookie.clone();
    let reply = browser.send("/api/finish", &json!({"ticket": ticket}));
    assert_eq!((reply.status, &reply.json()["user"]), (200, &json!("anna")));
    assert_ne!(browser.cookie, before, "who logs in gets another cookie");
}

#[test]
fn without_a_model_it_is_off_and_says_so() {
    let Some(server) = Server::tiny(&[]) else {
        return;
    };
    let mut browser = Browser::new(&server);
    let login = browser.visit()["login"].clone();
    assert_eq!(login["on"], false);
    assert!(login["why"].as_str().unwrap().contains("--embedding"));
    for path in ["/api/enrol", "/api/login", "/api/finish", "/api/logout"] {
        assert_eq!(browser.send(path, &anna(ANNA)).error(), "off", "{path}");
    }
    assert!(!server.database().exists());
}

#[tokio::test]
async fn who_has_enrolled_can_log_in_and_out_and_be_forgotten() {
    let (Some(cast), Some(server)) = (Cast::new(), server(&[])) else {
        return;
    };
    let mut browser = Browser::new(&server);
    enrol(&mut browser, &cast).await;
    assert_eq!(browser.visit()["user"], "anna");
    assert_eq!(
        Browser::new(&server).visit()["user"],
        Value::Null,
        "another browser is nobody"
    );
    let stale = browser.cookie.clone();
    assert_eq!(
        browser.send("/api/logout", &json!({})).json()["user"],
        Value::Null
    );
    browser.cookie = stale;
    assert_eq!(
        browser.visit()["user"],
        Value::Null,
        "the old cookie is worth nothing"
    );

    let mut browser = Browser::new(&server);
    assert_eq!(browser.send("/api/enrol", &anna(ANNA)).error(), "taken");
    let ticket = ticket(
        &mut browser,
        "/api/login",
        &json!({"name": " ANNA ", "password": ANNA}),
    );
    let (end, last) = show(&browser, &ticket, &cast.live).await;
    assert_eq!(
        (&*end, &last["face"]["run"], &last["face"]["same"]),
        ("granted", &json!(10), &json!(true))
    );
    assert_eq!(
        browser
            .send("/api/finish", &json!({"ticket": ticket}))
            .json()["user"],
        "anna"
    );
    let again = browser.send("/api/finish", &json!({"ticket": ticket}));
    assert_eq!(
        (again.status, &*again.error()),
        (403, "face"),
        "a ticket is good once"
    );

    let is_in_file = |word: &[u8]| {
        let file = std::fs::read(server.database()).unwrap();
        file.windows(word.len()).any(|w| w == word)
    };
    assert!(is_in_file(b"anna") && is_in_file(b"$argon2id$") && !is_in_file(ANNA.as_bytes()));
    assert_eq!(
        browser.delete(&json!({"password": "wrong horse"})).error(),
        "wrong"
    );
    assert_eq!(browser.visit()["user"], "anna");
    let deleted = browser.delete(&json!({"password": ANNA}));
    assert_eq!(
        (deleted.status, &deleted.json()["user"]),
        (200, &Value::Null)
    );
    assert!(
        !is_in_file(b"anna") && !is_in_file(b"$argon2id$"),
        "nothing is left in the file"
    );
    assert_eq!(
        browser.delete(&json!({"password": ANNA})).error(),
        "logged-out"
    );
    assert_eq!(browser.send("/api/login", &anna(ANNA)).error(), "wrong");
}

#[tokio::test]
async fn a_spoof_is_refused_although_the_face_is_the_right_one() {
    let (Some(cast), Some(server)) = (Cast::new(), server(&[])) else {
        return;
    };
    let mut browser = Browser::new(&server);
    enrol(&mut browser, &cast).await;
    let ticket_of = |browser: &mut Browser| ticket(browser, "/api/login", &anna(ANNA));

    let ticket = ticket_of(&mut browser);
    let (end, last) = show(&browser, &ticket, &cast.spoof).await;
    assert_eq!(
        (&*end, &last["face"]["refused"]),
        ("refused", &json!("spoof")),
        "{last}"
    );
    assert_eq!(last["face"]["same"], true, "the face itself fits: {last}");
    assert_eq!(
        browser
            .send("/api/finish", &json!({"ticket": ticket}))
            .error(),
        "face"
    );

    let ticket = ticket_of(&mut browser);
    let (end, last) = show(&browser, &ticket, &cast.stranger).await;
    assert_eq!(
        (&*end, &last["face"]["refused"], &last["face"]["same"]),
        ("refused", &json!("stranger"), &json!(false)),
        "{last}"
    );
    assert_eq!(
        last["faces"][0]["label"], "live",
        "the stranger lives: {last}"
    );
    assert_eq!(
        browser
            .send("/api/finish", &json!({"ticket": ticket}))
            .error(),
        "face"
    );
}

#[tokio::test]
async fn it_takes_ten_frames_in_a_row() {
    let (Some(cast), Some(server)) = (Cast::new(), server(&[])) else {
        return;
    };
    let mut browser = Browser::new(&server);
    enrol(&mut browser, &cast).await;
    let ticket = ticket(&mut browser, "/api/login", &anna(ANNA));
    let mut camera = browser.camera().await;
    camera.show(&ticket).await;
    for (interruption, hint) in [(&cast.nobody, "no-face"), (&cast.both, "several-faces")] {
        let mut run = 0;
        while run < 9 {
            let face = camera.look(&cast.live).await["face"].clone();
            let now = face["run"].as_u64().unwrap();
            assert!(now == run + 1 || now == 0, "{face}");
            assert_eq!(face["granted"], false);
            run = now;
        }
        let face = camera.look(interruption).await["face"].clone();
        assert_eq!(
            (&face["run"], &face["hint"]),
            (&json!(0), &json!(hint)),
            "{face}"
        );
    }
    // Whoever goes away in the middle has lost the ticket.
    drop(camera);
    let begun = Instant::now();
    loop {
        let mut camera = browser.camera().await;
        camera
            .say(&json!({"type": "start", "mode": "face", "ticket": ticket}))
            .await;
        assert_eq!(camera.over().await.reason, "ticket");
        if browser
            .send("/api/finish", &json!({"ticket": ticket}))
            .error()
            == "face"
        {
            break;
        }
        assert!(begun.elapsed() < PATIENCE);
    }
}

#[tokio::test]
async fn a_ticket_is_good_for_the_browser_that_got_it() {
    let (Some(cast), Some(server)) = (Cast::new(), server(&[])) else {
        return;
    };
    let (mut anna_s, mut other) = (Browser::new(&server), Browser::new(&server));
    let ticket = ticket(&mut anna_s, "/api/enrol", &anna(ANNA));
    assert_eq!(
        anna_s
            .send("/api/finish", &json!({"ticket": ticket}))
            .error(),
        "face",
        "no face was shown"
    );
    for cookie in [other.cookie.as_deref(), None] {
        let mut camera = Camera::connect(&server.address, cookie).await.unwrap();
        camera
            .say(&json!({"type": "start", "mode": "face", "ticket": ticket}))
            .await;
        assert_eq!(camera.over().await.reason, "ticket");
    }
    let (end, _) = show(&anna_s, &ticket, &cast.live).await;
    assert_eq!(end, "granted");
    assert_eq!(
        other
            .send("/api/finish", &json!({"ticket": ticket}))
            .error(),
        "face"
    );
    assert_eq!(
        anna_s
            .send("/api/finish", &json!({"ticket": ticket}))
            .status,
        200
    );
}

#[tokio::test]
async fn who_guesses_learns_nothing_and_must_wait() {
    let (Some(cast), Some(server)) = (Cast::new(), server(&[])) else {
        return;
    };
    let mut browser = Browser::new(&server);
    for (name, password) in [("", ANNA), ("x", "short"), ("a\u{7}b", ANNA)] {
        let reply = browser.send("/api/enrol", &json!({"name": name, "password": password}));
        assert_eq!((reply.status, &*reply.error()), (422, "form"), "{name:?}");
    }
    assert_eq!(
        browser.send("/api/login", &json!({"name": "anna"})).status,
        400
    );
    enrol(&mut browser, &cast).await;
    let guess = |browser: &mut Browser, name: &str| {
        browser.send(
            "/api/login",
            &json!({"name": name, "password": "wrong horse"}),
        )
    };
    let (known, unknown) = (guess(&mut browser, "anna"), guess(&mut browser, "nobody"));
    assert_eq!(
        (known.status, &known.body),
        (401, &unknown.body),
        "one is as wrong as the other"
    );
    let refused = (0..12)
        .map(|_| guess(&mut browser, "anna"))
        .find(|r| r.status == 429);
    let refused = refused.expect("somebody stops it");
    assert_eq!(refused.error(), "too-often");
    assert!(
        refused
            .header("retry-after")
            .unwrap()
            .parse::<u64>()
            .unwrap()
            > 1
    );
    // Also with the right password, and for all browsers; another name is not concerned yet.
    assert_eq!(
        Browser::new(&server).send("/api/login", &anna(ANNA)).status,
        429
    );
    assert_eq!(guess(&mut browser, "bert").status, 401);
    // Nor is it helped by other names: the address is counted, too.
    let many = (0..40)
        .map(|i| guess(&mut browser, &format!("name{i}")))
        .find(|r| r.status == 429);
    assert!(many.is_some());
}
