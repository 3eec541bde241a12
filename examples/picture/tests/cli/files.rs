// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that are no pictures, or bad ones, among good ones; and that copies appear whole, and nothing is lost by them.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use image::imageops;

use super::*;

/// CRC-32 as PNG has it.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |c, _| {
            (c >> 1) ^ (0xedb8_8320 * (c & 1))
        })
    })
}

/// A PNG that says to be as large as this, and is not.
fn png_bomb(side: u32) -> Vec<u8> {
    let small = RgbImage::new(20, 20);
    let mut bytes = coded(&small, ImageFormat::Png);
    bytes[16..20].copy_from_slice(&side.to_be_bytes());
    bytes[20..24].copy_from_slice(&side.to_be_bytes());
    let sum = crc(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// A JPEG that says so.
fn jpeg_bomb(side: u16) -> Vec<u8> {
    let mut bytes = coded(&RgbImage::new(20, 20), ImageFormat::Jpeg);
    let frame = bytes.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    bytes[frame + 5..frame + 7].copy_from_slice(&side.to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&side.to_be_bytes());
    bytes
}

/// The files of the folder `set` that cannot be used, each with what is said of it, among two that can.
fn bad_files(ground: &Ground) -> Vec<(PathBuf, &'static str)> {
    let plain = imageops::resize(
        &RgbImage::from_fn(64, 48, |x, y| Rgb([(x * 4) as u8, (y * 5) as u8, 99])),
        640,
        480,
        imageops::FilterType::Triangle,
    );
    let jpeg = coded(&plain, ImageFormat::Jpeg);
    let png = coded(&plain, ImageFormat::Png);
    let half = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let files: [(&str, Vec<u8>, &str); 16] = [
        ("half.jpg", half(&jpeg), "is cut off"),
        ("half.png", half(&png), "its data are damaged"),
        ("head.jpg", jpeg[..12].to_vec(), "is cut off"),
        ("head.png", png[..20].to_vec(), "its head is damaged"),
        ("text.jpg", b"a text".to_vec(), "is no JPEG and no PNG"),
        (
            "page.jpg",
            b"<!DOCTYPE html>".to_vec(),
            "is no JPEG and no PNG",
        ),
        (
            "png.jpg",
            png.clone(),
            "is no .jpg as its name says but a PNG",
        ),
        (
            "jpeg.png",
            jpeg.clone(),
            "is no .png as its name says but a JPEG",
        ),
        (
            "gif.gif",
            b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(),
            "is no JPEG and no PNG",
        ),
        ("zeros.png", vec![0; 5000], "is no JPEG and no PNG"),
        ("empty.jpg", vec![], "it is empty"),
        ("bomb.png", png_bomb(60_000), "more than 120 megapixels"),
        ("bomb.jpg", jpeg_bomb(60_000), "more than 120 megapixels"),
        (
            "1.png",
            coded(&RgbImage::new(1, 1), ImageFormat::Png),
            "1x1 pixels, at least 16x16",
        ),
        (
            "15.jpg",
            coded(&RgbImage::new(15, 15), ImageFormat::Jpeg),
            "15x15 pixels, at least 16x16",
        ),
        (
            "flat.png",
            coded(&RgbImage::new(400, 3), ImageFormat::Png),
            "400x3 pixels, at least 16x16",
        ),
    ];
    let written = files.map(|(name, bytes, said)| {
        let path = ground.write(format!("set/{name}"), &bytes);
        (path, said)
    });
    let mut all = written.to_vec();
    let heavy = ground.write("set/heavy.jpg", &jpeg);
    let file = fs::OpenOptions::new().write(true).open(&heavy).unwrap();
    file.set_len(500 << 20).unwrap();
    all.push((heavy, "is larger than any picture"));
    let gone = ground.path("set/gone.jpg");
    symlink("/nowhere.jpg", &gone).unwrap();
    all.push((gone, "No such file"));
    let around = ground.path("set/around");
    symlink(ground.path("set"), &around).unwrap();
    all.push((around, "leads back"));
    let pipe = ground.path("set/pipe.jpg");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    all.push((pipe, "it is no regular file"));
    ground.grey("set/0.jpg", (40, 40), 220);
    ground.grey("set/z.png", (16, 16), 220);
    all
}

#[test]
fn what_cannot_be_used_is_named_with_its_reason_and_the_others_are_done() {
    let Some(ground) = Ground::new() else { return };
    let bad = bad_files(&ground);
    let tool = with_boxes().arg("--json").arg("--annotate");
    let tool = tool.arg(ground.path("out")).arg(ground.path("set"));
    let ended = tool.run().cleanly(&[3]);
    let lines = lines(&ended);
    let (good, refused): (Vec<_>, Vec<_>) = lines.iter().partition(|l| l.get("faces").is_some());
    for (path, said) in &bad {
        let path = path.to_str().unwrap();
        let line = refused.iter().find(|l| l["path"] == path);
        let line = line.unwrap_or_else(|| panic!("{path}: {}", ended.stdout));
        assert!(line["error"].as_str().unwrap().contains(said), "{line}");
        let told = |l: &&str| l.starts_with(&format!("liveness-picture: {path}: "));
        let told = ended.stderr.lines().find(told);
        assert!(told.is_some_and(|l| l.contains(said)), "{path}: {said}");
    }
    assert_eq!(refused.len(), bad.len());
    let names: Vec<&str> = good.iter().map(|l| l["path"].as_str().unwrap()).collect();
    let set = ground.path("set").display().to_string();
    assert_eq!(names, [format!("{set}/0.jpg"), format!("{set}/z.png")]);
    assert_eq!(labels(good[0]), ["live", "live"]);
    assert_eq!(ground.files("out"), ["out/set/0.jpg", "out/set/z.png"]);
    let failed = format!("; failed: {};", bad.len());
    ended.says(&["pictures: 2, faces: 4", &failed]);
}

#[test]
fn a_file_that_is_named_is_tried_whatever_its_name() {
    let Some(ground) = Ground::new() else { return };
    let odd = ground.path("odd.bin");
    fs::rename(ground.grey("a.png", (40, 40), 220), &odd).unwrap();
    let film = ground.write("film.mp4", b"\0\0\0\x18ftypisom\0\0\0\0");
    let tool = with_boxes().arg("--json").arg(&odd).arg(&film);
    let ended = tool.args(["/dev/null", "gone.jpg"]).run().cleanly(&[3]);
    let lines = lines(&ended);
    let refused: Vec<&str> = lines.iter().filter_map(|l| l["error"].as_str()).collect();
    let judged: Vec<&Value> = lines.iter().filter(|l| l.get("faces").is_some()).collect();
    assert_eq!(judged[0]["path"], odd.to_str().unwrap());
    assert_eq!((judged.len(), refused.len()), (1, 3));
    assert!(refused[0].contains("no regular file"), "{refused:?}");
    assert!(refused[1].contains("No such file"), "{refused:?}");
    assert!(refused[2].contains("no JPEG and no PNG"), "{refused:?}");
}

#[test]
fn a_folder_that_cannot_be_looked_into_is_named() {
    let Some(ground) = Ground::new() else { return };
    ground.grey("set/a.png", (40, 40), 220);
    let closed = ground.path("set/closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let tool = match fs::read_dir(&closed).is_ok() {
        // Who may look into everything runs it as somebody who may not.
        true => {
            fs::set_permissions(&ground.folder, fs::Permissions::from_mode(0o755)).unwrap();
            let tool = Tool::new("setpriv", &ground.path("registry.bin"));
            let tool = tool.args(["--reuid=65534", "--clear-groups"]);
            let tool = tool.arg(env!("CARGO_BIN_EXE_liveness-picture"));
            let tool = tool.arg("--model").arg(tiny("bright.onnx"));
            tool.arg("--detector").arg(tiny("boxes.onnx"))
        }
        false => with_boxes(),
    };
    let ended = tool.arg(ground.path("set")).run().cleanly(&[3]);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let said = format!("{}: Permission denied", closed.display());
    assert_eq!(ended.stdout.lines().count(), 3, "{}", ended.stdout);
    ended.says(&[&said]);
}

#[test]
fn names_of_any_bytes_are_taken_and_steer_no_terminal() {
    let Some(ground) = Ground::new() else { return };
    let name = OsStr::from_bytes(b"set/\xff\x1b[31m \"\n.png");
    ground.grey("a.png", (40, 40), 220);
    let odd = ground.path(name);
    fs::rename(ground.path("a.png"), &odd).unwrap();
    let out = ground.path("out");
    let tool = || {
        with_boxes()
            .arg("--annotate")
            .arg(&out)
            .arg(ground.path("set"))
    };
    let table = tool().run().cleanly(&[0]).stdout;
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(
        !table.contains('\x1b') && table.contains("\\u{1b}[31m"),
        "{table}"
    );
    let copy = out.join(name);
    assert_eq!(image::open(&copy).unwrap().width(), 40);
    let line = line(&tool().arg("--json").run().cleanly(&[0]));
    let encoded = format!(
        "{}/set/%FF%1B%5B31m%20%22%0A.png",
        ground.folder.path().display()
    );
    assert_eq!(line["path"], format!("file://{encoded}"));
    assert!(line["annotated"].as_str().unwrap().starts_with("file:///"));
}

#[test]
fn copies_lie_as_their_pictures_did_and_are_coded_as_they_were() {
    let Some(ground) = Ground::new() else { return };
    ground.grey("set/a.png", (399, 301), 220);
    ground.grey("set/deep/b.jpg", (641, 479), 40);
    let alone = ground.grey("alone.jpeg", (64, 64), 220);
    let tool = || with_boxes().arg("--json").arg("--annotate");
    let run = |out: &str| {
        let tool = tool().arg(out).arg("set").arg(&alone);
        let ended = tool.in_folder(ground.folder.path()).run().cleanly(&[0]);
        lines(&ended)
    };
    let told: Vec<Value> = run("out").iter().map(|l| l["annotated"].clone()).collect();
    let wanted = ["out/set/a.png", "out/set/deep/b.jpg", "out/alone.jpeg"];
    assert_eq!(told, wanted);
    for (path, size, format) in [
        (wanted[0], (399, 301), ImageFormat::Png),
        (wanted[1], (641, 479), ImageFormat::Jpeg),
        (wanted[2], (64, 64), ImageFormat::Jpeg),
    ] {
        let bytes = fs::read(ground.path(path)).unwrap();
        assert_eq!(image::guess_format(&bytes).unwrap(), format, "{path}");
        let copy = image::load_from_memory(&bytes).unwrap().into_rgb8();
        assert_eq!(copy.dimensions(), size, "{path}");
    }
    // Green for live, red for spoof, at the edge of the box; nothing in its middle.
    let at = |path: &str, x, y| image::open(ground.path(path)).unwrap().into_rgb8()[(x, y)].0;
    let left = |path: &str, x: u32, y| (x - 3..x + 4).map(|x| at(path, x, y)).collect::<Vec<_>>();
    let green = |p: &[u8; 3]| p[1] > p[0].saturating_add(60) && p[1] > p[2].saturating_add(60);
    let red = |p: &[u8; 3]| p[0] > p[1].saturating_add(60) && p[0] > p[2].saturating_add(60);
    assert!(left(wanted[0], 100, 180).iter().any(green));
    assert!(left(wanted[1], 160, 240).iter().any(red));
    assert_eq!(at(wanted[0], 200, 180), [220; 3]);
    // The same again has nothing to do.
    let before = ground.files("");
    run("out");
    assert_eq!(ground.files(""), before);
    // What was drawn on before is not judged.
    for _ in 0..2 {
        let inside = tool().args(["set/out", "set"]);
        let ended = inside.in_folder(ground.folder.path()).run().cleanly(&[0]);
        assert_eq!(lines(&ended).len(), 2);
    }
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let Some(ground) = Ground::new() else { return };
    let here = |words: &[&str]| {
        let tool = with_boxes().args(["--json", "--annotate"]).args(words);
        tool.in_folder(ground.folder.path()).run()
    };
    // The folder of the pictures itself, and a link to it.
    let picture = ground.grey("set/a.png", (40, 40), 220);
    let bytes = fs::read(&picture).unwrap();
    fs::create_dir(ground.path("out")).unwrap();
    symlink("../set", ground.path("out/set")).unwrap();
    for (words, place) in [
        (["set", "set/a.png"], "set/a.png"),
        (["out", "set"], "out/set/a.png"),
    ] {
        let ended = here(&words).cleanly(&[3]);
        let said = format!("set/a.png: no annotated copy: {place} is there already");
        assert_eq!(line(&ended)["annotated"], Value::Null);
        assert_eq!(labels(&line(&ended)), ["live", "live"]);
        ended.says(&[&said]);
        assert_eq!(fs::read(&picture).unwrap(), bytes);
    }
    // Two of the same name.
    ground.grey("other/a.png", (40, 40), 30);
    let ended = here(&["new", "set/a.png", "other/a.png"]).cleanly(&[3]);
    let annotated: Vec<Value> = lines(&ended)
        .iter()
        .map(|l| l["annotated"].clone())
        .collect();
    assert_eq!(annotated, [json!("new/a.png"), Value::Null]);
    // A file where a folder is needed.
    ground.write("blocked/set", b"a file");
    here(&["blocked", "set"])
        .cleanly(&[3])
        .says(&["no annotated copy: cannot make the folder blocked/set: File exists"]);
    assert_eq!(fs::read(ground.path("blocked/set")).unwrap(), b"a file");
    let left = ground.files("");
    assert!(!left.iter().any(|f| f.contains(".part")), "{left:?}");
}

#[test]
fn whoever_is_stopped_leaves_whole_copies_and_goes_on_later() {
    let Some(ground) = Ground::new() else { return };
    for n in 0..400 {
        ground.grey(format!("set/{n:03}.png"), (160, 120), 220);
    }
    let tool = || with_boxes().args(["--annotate", "out", "set"]);
    let tool = || tool().in_folder(ground.folder.path());
    let mut running = tool().start(plugin::LIMIT);
    let first = ground.path("out/set/003.png");
    running.until("write a few copies", || first.is_file());
    running.interrupt();
    running.end().cleanly(&[130]).says(&["interrupted"]);
    let copies = ground.files("out");
    assert!((4..400).contains(&copies.len()), "{}", copies.len());
    for copy in &copies {
        assert!(image::open(ground.path(copy)).is_ok(), "{copy}");
    }
    tool().run().cleanly(&[0]).says(&["pictures: 400, "]);
    assert_eq!(ground.files("out").len(), 400);
}

#[test]
fn a_full_disk_leaves_no_half_copy() {
    let Some(ground) = Ground::new() else { return };
    let noise = RgbImage::from_fn(400, 400, |x, y| {
        Rgb([0, 1, 2].map(|c| {
            (x * 7919 + y * 104_729 + c * 31)
                .wrapping_mul(2_654_435_761)
                .to_le_bytes()[3]
        }))
    });
    let large = ground.write("large.png", &coded(&noise, ImageFormat::Png));
    let small = ground.grey("small.png", (40, 40), 220);
    fs::create_dir(ground.path("out")).unwrap();
    // In a namespace of its own, where anybody may mount what only this program sees.
    let mount = format!(
        "mount -t tmpfs -o size=100k tmpfs '{}'",
        ground.path("out").display()
    );
    let inside = |line: &str| {
        let tool = Tool::new("unshare", &ground.path("registry.bin"));
        tool.args(["--user", "--map-root-user", "--mount", "sh", "-c", line])
    };
    if inside(&mount).run().code() != Some(0) {
        common::skip("no namespaces here");
        return;
    }
    let out = ground.path("out").display().to_string();
    let program = env!("CARGO_BIN_EXE_liveness-picture");
    let line = format!(
        "{mount} && '{program}' --model '{}' --detector '{}' --annotate '{out}' '{}' '{}'; echo $?; ls -A '{out}'",
        tiny("bright.onnx").display(),
        tiny("boxes.onnx").display(),
        large.display(),
        small.display()
    );
    let ended = inside(&line).run().cleanly(&[0]);
    let end: Vec<&str> = ended.stdout.lines().rev().take(2).collect();
    assert_eq!(end, ["small.png", "3"], "{}", ended.stdout);
    ended.says(&[
        "large.png: no annotated copy: cannot write",
        "No space left on device",
    ]);
}
