// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report as one page that needs nothing else: no other file, no script, no network.

use std::fmt::Write;

use anyhow::{Context, Result};
use data_encoding::BASE64;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;

use super::document::{Block, Table};
use super::plot::paint::{escaped, inline_svg, style_sheet};

const STYLE: &str = include_str!("style.css");

/// Good enough for looking, a tenth of a PNG's size.
const QUALITY: u8 = 88;

pub(super) fn write(
    title: &str,
    blocks: &[Block],
    mistakes: Option<&(RgbImage, String)>,
) -> Result<String> {
    let mut body = String::new();
    let mut sections: Vec<String> = Vec::new();
    let mut warnings = false;
    for block in blocks {
        let warning = matches!(block, Block::Warning(_));
        if warning != warnings {
            body.push_str(if warning {
                "<ul class=\"warnings\">\n"
            } else {
                "</ul>\n"
            });
            warnings = warning;
        }
        match block {
            Block::Section(name) => {
                sections.push(name.clone());
                writeln!(
                    body,
                    "<h2 id=\"s{}\">{}</h2>",
                    sections.len(),
                    escaped(name)
                )?;
            }
            Block::Text(words) => writeln!(body, "<p>{}</p>", said(words))?,
            Block::Warning(words) => writeln!(body, "<li>{}</li>", said(words))?,
            Block::Command(line) => writeln!(body, "<pre><code>{}</code></pre>", escaped(line))?,
            Block::Cards(cards) => put_cards(&mut body, cards)?,
            Block::Table(table) => put_table(&mut body, table)?,
            Block::Figures(figures) => {
                body.push_str("<div class=\"figures\">\n");
                for figure in *figures {
                    // Broad ones stand alone.
                    let class = if figure.scene.width > 800.0 {
                        " class=\"broad\""
                    } else {
                        ""
                    };
                    let svg = inline_svg(&figure.scene, &figure.alt)?;
                    writeln!(body, "<figure{class}>{svg}</figure>")?;
                }
                body.push_str("</div>\n");
            }
            Block::Mistakes => {
                if let Some((picture, alt)) = mistakes {
                    let jpeg = jpeg(picture)?;
                    writeln!(
                        body,
                        "<figure class=\"broad sheet\"><img alt=\"{}\" src=\"data:image/jpeg;base64,{}\"></figure>",
                        escaped(alt),
                        BASE64.encode(&jpeg)
                    )?;
                }
            }
        }
    }
    if warnings {
        body.push_str("</ul>\n");
    }
    let links = sections
        .iter()
        .enumerate()
        .map(|(i, name)| format!("<a href=\"#s{}\">{}</a>", i + 1, escaped(name)));
    let links: Vec<String> = links.collect();
    let title = escaped(title);
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{}{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n\
         <nav aria-label=\"Sections\">{}</nav>\n{body}</main>\n</body>\n</html>\n",
        style_sheet(),
        links.join("\n")
    ))
}

fn put_cards(body: &mut String, cards: &[[String; 3]]) -> Result<()> {
    body.push_str("<dl class=\"cards\">\n");
    for [name, value, of] in cards {
        let (figure, bounds) = value.split_once('[').unwrap_or((value, ""));
        let bounds = match bounds {
            "" => String::new(),
            b => format!("<span class=\"bounds\">[{}</span>", escaped(b)),
        };
        writeln!(
            body,
            "<div><dt>{}</dt><dd><strong>{}</strong>{bounds}<small>{}</small></dd></div>",
            escaped(name),
            said(figure.trim_end()),
            said(of)
        )?;
    }
    body.push_str("</dl>\n");
    Ok(())
}

fn put_table(body: &mut String, table: &Table) -> Result<()> {
    body.push_str("<div class=\"table\" tabindex=\"0\"><table>\n<thead><tr>");
    for (i, name) in table.head.iter().enumerate() {
        write!(
            body,
            "<th scope=\"col\"{}>{}</th>",
            class(table, i),
            escaped(name)
        )?;
    }
    body.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        body.push_str("<tr>");
        for (i, cell) in row.iter().enumerate() {
            match i {
                0 => write!(
                    body,
                    "<th scope=\"row\"{}>{}</th>",
                    class(table, i),
                    said(cell)
                )?,
                _ => write!(body, "<td{}>{}</td>", class(table, i), said(cell))?,
            }
        }
        body.push_str("</tr>\n");
    }
    body.push_str("</tbody>\n</table></div>\n");
    Ok(())
}

/// Words in which a figure and its unit stay on one line.
fn said(text: &str) -> String {
    escaped(text)
        .replace(" %", "\u{a0}%")
        .replace("n = ", "n\u{a0}=\u{a0}")
}

fn class(table: &Table, column: usize) -> &'static str {
    if table.words == table.head.len() {
        ""
    } else if column < table.words {
        " class=\"w\""
    } else {
        " class=\"n\""
    }
}

fn jpeg(picture: &RgbImage) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode_image(picture)
        .context("the sheet of mistakes cannot be coded")?;
    Ok(bytes)
}
