// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files.

use gst::prelude::*;

use super::*;

/// A clip of one bright picture.
fn clip(muxer: &str, coder: &str, frames: u32, rate: u32) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (picture, file) = (folder.path().join("a.jpg"), folder.path().join("clip"));
    std::fs::write(&picture, grey(160, 160, 205)).unwrap();
    gst::init().unwrap();
    let pipeline = format!(
        "multifilesrc name=picture loop=true num-buffers={frames} caps=image/jpeg,framerate={rate}/1 ! jpegdec ! videoconvert \
         ! {coder} ! {muxer} ! filesink name=file"
    );
    let pipeline = gst::parse::launch(&pipeline)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    pipeline
        .by_name("picture")
        .unwrap()
        .set_property("location", path(&picture));
    pipeline
        .by_name("file")
        .unwrap()
        .set_property("location", &file);
    pipeline.set_state(gst::State::Playing).unwrap();
    let ends = [gst::MessageType::Eos, gst::MessageType::Error];
    let wait = gst::ClockTime::from_seconds(PATIENCE.as_secs());
    let end = pipeline
        .bus()
        .unwrap()
        .timed_pop_filtered(wait, &ends)
        .unwrap();
    assert_eq!(end.type_(), gst::MessageType::Eos, "{end:?}");
    pipeline.set_state(gst::State::Null).unwrap();
    std::fs::read(file).unwrap()
}

#[test]
fn pictures_and_clips_are_judged() {
    let Some(server) = Server::tiny(&[]) else {
        return;
    };
    let browser = Browser::new(&server);
    for (level, label) in [(205, "live"), (60, "spoof")] {
        let report = browser.upload("image/jpeg", &grey(160, 120, level)).json();
        assert_eq!(
            (&report["kind"], &report["width"]),
            (&json!("picture"), &json!(160))
        );
        assert_eq!(
            (count(&report), &face(&report)["label"]),
            (2, &json!(label)),
            "{report}"
        );
    }
    let mut png = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(90, 60, image::Rgb([230; 3]));
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let report = browser.upload("image/png", png.get_ref()).json();
    assert_eq!(
        (&report["height"], &face(&report)["label"]),
        (&json!(60), &json!("live"))
    );

    let films = [
        ("video/x-matroska", clip("matroskamux", "jpegenc", 25, 25)),
        ("video/webm", clip("webmmux", "vp8enc deadline=1", 25, 25)),
        ("video/mp4", clip("mp4mux", "x264enc", 25, 25)),
    ];
    for (kind, film) in films {
        let reply = browser.upload(kind, &film);
        let report = reply.json();
        assert_eq!(
            (reply.status, &report["kind"]),
            (200, &json!("clip")),
            "{kind}: {report}"
        );
        assert!(report["frames"].as_array().unwrap().len() >= 24, "{kind}");
        assert!(
            (report["seconds"].as_f64().unwrap() - 1.0).abs() < 0.1,
            "{kind}"
        );
        let last = report["frames"].as_array().unwrap().last().unwrap();
        let persons = report["persons"].as_array().unwrap();
        let track = &face(last)["track"];
        let person = persons.iter().find(|p| p["track"] == *track).unwrap();
        assert_eq!(person["label"], "live", "{kind}: {persons:?}");
    }
}

#[test]
fn what_lies_is_cut_off_or_is_too_much_is_refused_with_its_reason() {
    let Some(server) = Server::tiny(&["--max-upload", "1"]) else {
        return;
    };
    let browser = Browser::new(&server);
    let (picture, film) = (grey(160, 120, 200), clip("mp4mux", "x264enc", 50, 25));
    let long = clip("matroskamux", "jpegenc", 45, 2);
    let mut headless = film.clone();
    headless.truncate(film.len() / 3);
    let cases: [(&str, &[u8], u16, &str); 9] = [
        (
            "image/jpeg",
            b"<html>not a picture</html>",
            415,
            "no picture",
        ),
        ("image/jpeg", &film, 415, "MP4"),
        ("video/mp4", &picture, 415, "JPEG"),
        (
            "video/mp4",
            b"#EXTM3U\nhttp://127.0.0.1/secret.ts\n",
            415,
            "no clip",
        ),
        ("image/jpeg", &picture[..picture.len() - 30], 422, "cut off"),
        ("video/mp4", &headless, 422, ""),
        ("video/x-matroska", &long, 422, "too long"),
        ("image/jpeg", b"", 422, "empty"),
        ("image/jpeg", &[0xff; (1 << 20) + 1], 413, "1 MB"),
    ];
    for (kind, file, status, said) in cases {
        let reply = browser.upload(kind, file);
        let text = reply.json()["error"]["text"].as_str().unwrap().to_owned();
        assert!(
            reply.status == status && text.contains(said),
            "{kind}, {} bytes: {reply:?}",
            file.len()
        );
        assert!(text.ends_with('.') && !text.contains("/tmp"), "{text}");
    }
    // It goes on.
    assert_eq!(browser.upload("image/jpeg", &picture).status, 200);
}

#[test]
fn too_many_of_one_address_must_wait() {
    let Some(server) = Server::tiny(&[]) else {
        return;
    };
    let browser = Browser::new(&server);
    let refused = (0..30)
        .map(|_| browser.upload("image/jpeg", b"x"))
        .find(|r| r.status == 429);
    let refused = refused.expect("somebody stops it");
    assert_eq!(refused.error(), "too-often");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
}
