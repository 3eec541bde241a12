// SPDX-License-Identifier: MIT OR Apache-2.0
//! Labels as dlib's imglab writes them: `training.xml` and `testing.xml`.

use std::path::Path;

use anyhow::{Context, bail};
use liveness::geometry::Rect;
use liveness::metrics::detection::Label;
use roxmltree::{Document, Node, ParsingOptions};

use super::Entry;

/// What a set's labels are called; both must be there.
const NAMES: [&str; 2] = ["training.xml", "testing.xml"];

/// The pictures of a folder; none where there are no such labels.
pub(super) fn read(folder: &Path) -> anyhow::Result<Option<Vec<Entry>>> {
    if !NAMES.iter().any(|name| folder.join(name).exists()) {
        return Ok(None);
    }
    let mut all = Vec::new();
    for name in NAMES {
        let path = folder.join(name);
        let named = || path.display().to_string();
        let bytes = std::fs::read(&path).with_context(named)?;
        all.extend(parse(folder, &text(bytes)).with_context(named)?);
    }
    Ok(Some(all))
}

/// What is not UTF-8 is ISO 8859-1, as these files say of themselves.
fn text(bytes: Vec<u8>) -> String {
    let latin = |e: std::string::FromUtf8Error| e.as_bytes().iter().map(|b| *b as char).collect();
    String::from_utf8(bytes).unwrap_or_else(latin)
}

fn parse(folder: &Path, text: &str) -> anyhow::Result<Vec<Entry>> {
    let options = ParsingOptions {
        allow_dtd: false,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options)?;
    let images = document.descendants();
    let images = images.filter(|n| n.has_tag_name("image"));
    images.map(|n| entry(folder, n)).collect()
}

fn entry(folder: &Path, image: Node) -> anyhow::Result<Entry> {
    let file = image.attribute("file").context("an image without a file")?;
    let mut entry = Entry::of(folder, file.to_owned());
    for node in image.descendants().filter(|n| n.has_tag_name("box")) {
        let number = |name: &str| -> anyhow::Result<f32> {
            let text = node.attribute(name).unwrap_or_default();
            let number = text.parse::<f32>().ok().filter(|n| n.is_finite());
            number.with_context(|| format!("{file}: a box whose {name} is no number"))
        };
        let rect = Rect::new(
            number("left")?,
            number("top")?,
            number("width")?,
            number("height")?,
        );
        if node.attribute("ignore") == Some("1") {
            entry.truth.ignore.push(rect);
        } else {
            entry.truth.labels.push(Label::boxed(rect));
        }
    }
    let side = |name: &str| image.attribute(name).map(str::parse::<usize>).transpose();
    match (side("width"), side("height")) {
        (Ok(Some(w)), Ok(Some(h))) => Ok(entry.sized((w, h))),
        (Ok(_), Ok(_)) => Ok(entry),
        _ => bail!("{file}: its width or height is no number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_come_with_what_is_to_be_ignored() {
        let text = "<?xml version='1.0' encoding='ISO-8859-1'?><?xml-stylesheet href='x.xsl'?><dataset><images>\
            <image file='a.jpg' width='50' height='40'><box top='1' left='2' width='3' height='4'/>\
            <box top='5' left='6' width='7' height='8' ignore='1'><label>x</label></box></image>\
            <image file='b.jpg'/></images></dataset>";
        let all = parse(Path::new("d"), text).unwrap();
        let [a, b] = &all[..] else {
            panic!("{all:?}");
        };
        assert_eq!(a.size, Some((50, 40)));
        assert_eq!(
            a.truth.labels,
            [Label::boxed(Rect::new(2.0, 1.0, 3.0, 4.0))]
        );
        assert_eq!(a.truth.ignore, [Rect::new(6.0, 5.0, 7.0, 8.0)]);
        assert_eq!((b.file.as_str(), b.size), ("b.jpg", None));
        assert!(parse(Path::new("d"), "<image file='a'><box top='x'/></image>").is_err());
        assert!(parse(Path::new("d"), "no xml").is_err());
    }
}
