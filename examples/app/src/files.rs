// SPDX-License-Identifier: MIT OR Apache-2.0
//! Films and pictures among the files of folders, and files that appear whole or not at all. Knows file systems alone.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use walkdir::{DirEntry, WalkDir};

/// Endings of names that films have.
const VIDEOS: &[&str] = &[
    "3gp", "asf", "avi", "f4v", "flv", "h264", "h265", "hevc", "m2ts", "m4v", "mjpeg", "mjpg",
    "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "mxf", "ogg", "ogv", "ts", "vob", "webm", "wmv",
    "y4m",
];

/// Endings of names that pictures have. Some need decoders that not every machine has: then the file is named as one that failed,
/// which is better than leaving it out in silence.
const PICTURES: &[&str] = &[
    "avif", "bmp", "gif", "heic", "heif", "jfif", "jpe", "jpeg", "jpg", "png", "ppm", "tif",
    "tiff", "webp",
];

/// What a file holds, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A JPEG picture, which may say how it must be turned.
    Jpeg,
    /// Another picture.
    Picture,
    /// Anything else: a film, as far as one can tell without opening it.
    Video,
}

/// The files of a folder and of those below it, by name, links followed; with its reason, what cannot be looked into. Hidden files are left
/// alone, and the folders for which `leave` says so; the folder itself may be called as it likes.
pub fn walk(
    folder: &Path,
    leave: impl Fn(&Path) -> bool,
) -> impl Iterator<Item = Result<PathBuf, (PathBuf, String)>> {
    let walk = WalkDir::new(folder).follow_links(true).sort_by_file_name();
    let walk = walk.into_iter().filter_entry(move |entry| {
        let left = || is_hidden(entry) || (entry.file_type().is_dir() && leave(entry.path()));
        entry.depth() == 0 || !left()
    });
    walk.filter_map(move |entry| match entry {
        Ok(entry) if entry.file_type().is_dir() => None,
        Ok(entry) => Some(Ok(entry.into_path())),
        Err(error) => {
            let path = error.path().unwrap_or(folder).to_owned();
            let reason = match error.io_error() {
                Some(error) => reason(error),
                None => "a link that leads back to a folder around it".to_owned(),
            };
            Some(Err((path, reason)))
        }
    })
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

/// The path of a file within a folder, with slashes, as [`text()`] has it.
pub fn within(folder: &Path, file: &Path) -> String {
    let within = file.strip_prefix(folder).unwrap_or(file);
    let parts = within
        .iter()
        .map(|p| text(p).unwrap_or_else(|encoded| encoded));
    parts.collect::<Vec<_>>().join("/")
}

/// Whether a file is called like a film or a picture.
pub fn is_film_or_picture(path: &Path) -> bool {
    has_ending(path, VIDEOS) || is_picture(path)
}

/// Whether a file is called like a picture.
pub fn is_picture(path: &Path) -> bool {
    has_ending(path, PICTURES)
}

fn has_ending(path: &Path, all: &[&str]) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    ending.is_some_and(|e| all.contains(&e.as_str()))
}

/// What is to be known about a file, and what it holds.
///
/// # Errors
/// Why it cannot be taken.
pub fn look(path: &Path) -> Result<(Metadata, Kind), String> {
    let said = |e: io::Error| reason(&e);
    let about = fs::metadata(path).map_err(said)?;
    // Opening a pipe waits for whoever writes into it.
    if !about.is_file() {
        return Err("it is no regular file".into());
    }
    if about.len() == 0 {
        return Err("it is empty".into());
    }
    let mut start = Vec::new();
    let file = File::open(path).map_err(said)?;
    file.take(16).read_to_end(&mut start).map_err(said)?;
    Ok((about, kind(&start)))
}

/// What the system says, without its number for it.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let end = text.find(" (os error").unwrap_or(text.len());
    text[..end].to_owned()
}

/// The first line of a file that holds a password or the like, which is never repeated.
///
/// # Errors
/// Why there is none, with the file's name.
pub fn first_line(path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path);
    let text = text.map_err(|e| format!("cannot read {}: {}", path.display(), reason(&e)))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(format!("the first line of {} is empty", path.display())),
    }
}

/// A name as text.
///
/// # Errors
/// Where it is no UTF-8: with the name in which each byte that needs it is written as in an address, `%` and two digits.
pub fn text(name: &OsStr) -> Result<String, String> {
    if let Some(text) = name.to_str() {
        return Ok(text.to_owned());
    }
    let mut encoded = String::new();
    for &byte in name.as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    Err(encoded)
}

/// A path as text that no other path has: one that is no UTF-8 becomes an address.
pub fn address(path: &Path) -> String {
    text(path.as_os_str()).unwrap_or_else(|_| {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        // It is no UTF-8, either.
        let encoded = text(whole.as_os_str()).unwrap_or_else(|encoded| encoded);
        format!("file://{encoded}")
    })
}

/// What a file that starts like this holds.
fn kind(start: &[u8]) -> Kind {
    let brand = start.get(8..12).unwrap_or_default();
    let still = match start {
        [0xff, 0xd8, ..] => return Kind::Jpeg,
        [0x89, b'P', b'N', b'G', ..] | [b'G', b'I', b'F', b'8', ..] | [b'B', b'M', ..] => true,
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => true,
        [b'R', b'I', b'F', b'F', ..] => brand == b"WEBP",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => {
            [b"heic", b"heix", b"mif1", b"avif"].contains(&brand.try_into().unwrap_or(&[0; 4]))
        }
        [b'P', b'1'..=b'6', space, ..] => space.is_ascii_whitespace(),
        _ => false,
    };
    if still { Kind::Picture } else { Kind::Video }
}

/// Puts a whole file at `path`, or leaves what is there.
///
/// # Errors
/// What the system says.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    written(path, bytes)?.persist(path)?;
    Ok(())
}

/// Puts a whole file at `path` where there is none.
///
/// # Errors
/// What the system says: [`io::ErrorKind::AlreadyExists`] where there is one, which is left as it is.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    written(path, bytes)?.persist_noclobber(path)?;
    Ok(())
}

/// A file beside `path`, safe on the disk.
fn written(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = aside(path)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Whether [`replace`] could put a file there: better known before hours of work than behind them.
///
/// # Errors
/// What the system says.
pub fn check_place(path: &Path) -> io::Result<()> {
    match path.is_dir() {
        true => Err(io::ErrorKind::IsADirectory.into()),
        false => aside(path).map(drop),
    }
}

/// A file beside `path` that goes away by itself.
fn aside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".").suffix(".part");
    // As any other file of the user: temporary files are private otherwise.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_a_picture() {
        for (start, expected) in [
            (&b"\xff\xd8\xff\xe0"[..], Kind::Jpeg),
            (b"\x89PNG\r\n\x1a\n", Kind::Picture),
            (b"GIF89a", Kind::Picture),
            (b"RIFF\0\0\0\0WEBPVP8 ", Kind::Picture),
            (b"RIFF\0\0\0\0AVI LIST", Kind::Video),
            (b"\0\0\0\x18ftypheic\0\0\0\0", Kind::Picture),
            (b"\0\0\0\x18ftypisom\0\0\0\0", Kind::Video),
            (b"P6 1 1 255", Kind::Picture),
            (b"", Kind::Video),
            (b"\xff", Kind::Video),
            (b"RIFF", Kind::Video),
        ] {
            assert_eq!(kind(start), expected, "{start:?}");
        }
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        check_place(&path).unwrap();
        assert!(!path.exists(), "looked at, not made");
        replace(&path, b"first").unwrap();
        replace(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        let taken = create(&path, b"third").unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        create(&folder.path().join("new"), b"new").unwrap();
        assert_eq!(fs::read(folder.path().join("new")).unwrap(), b"new");
        assert!(check_place(folder.path()).is_err());
        assert!(check_place(&folder.path().join("no/out")).is_err());
        assert!(replace(&folder.path().join("no/out"), b"").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_no_text_becomes_an_address() {
        use std::os::unix::ffi::OsStrExt;
        assert_eq!(address(Path::new("a b/\u{e4}.jpg")), "a b/\u{e4}.jpg");
        let path = Path::new(OsStr::from_bytes(b"/a b/\xff.jpg"));
        assert_eq!(address(path), "file:///a%20b/%FF.jpg");
        let here = address(Path::new(OsStr::from_bytes(b"\xff.jpg")));
        assert!(
            here.starts_with("file:///") && here.ends_with("/%FF.jpg"),
            "{here}"
        );
    }

    #[test]
    fn files_are_named_by_their_way_from_the_folder() {
        assert_eq!(
            within(Path::new("/a/b"), Path::new("/a/b/c/d.jpg")),
            "c/d.jpg"
        );
        assert_eq!(
            within(Path::new("a"), Path::new("elsewhere.jpg")),
            "elsewhere.jpg"
        );
    }
}
