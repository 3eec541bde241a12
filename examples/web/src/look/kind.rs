// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an uploaded file holds, by its first bytes, and whether it says so of itself. Knows no decoder.
//!
//! The list is short for a reason: decodebin would also follow playlists and stream descriptions, which name other files and addresses.

/// What is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Jpeg,
    Png,
    /// Also MOV and 3GP.
    Mp4,
    /// Also WebM.
    Matroska,
}

/// What is said of a file that is none of these.
pub(crate) const TAKEN: &str =
    "pictures are taken as JPEG and PNG, clips as MP4, MOV, WebM and Matroska";

impl Holds {
    /// What a file that starts with these bytes holds.
    ///
    /// # Errors
    /// A sentence where it is nothing that is taken, or not what it is declared as (a media type; empty where nothing was said).
    pub(crate) fn look(start: &[u8], declared: &str) -> Result<Self, String> {
        let declared = declared.split(';').next().unwrap_or_default();
        let declared = declared.trim().to_ascii_lowercase();
        let Some(holds) = Self::of(start) else {
            let called = match declared.as_str() {
                "" | "application/octet-stream" => String::new(),
                called => format!(", whatever it says of itself ({called})"),
            };
            return Err(format!(
                "The file holds no picture and no clip that can be read{called}: {TAKEN}."
            ));
        };
        if holds.may_be_called(&declared) {
            return Ok(holds);
        }
        let name = holds.name();
        Err(format!(
            "The file says that it is {declared}, and holds {name}: it is not what it says."
        ))
    }

    fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [0x1a, 0x45, 0xdf, 0xa3, ..] => Some(Self::Matroska),
            [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => {
                const STILLS: [&[u8]; 5] = [b"heic", b"heix", b"mif1", b"msf1", b"avif"];
                let still = STILLS.iter().any(|s| brand.starts_with(s));
                (!still).then_some(Self::Mp4)
            }
            // QuickTime files of before the year 2000 start with their index or their data.
            [_, _, _, _, b'm', b'o', b'o', b'v', ..] | [_, _, _, _, b'm', b'd', b'a', b't', ..] => {
                Some(Self::Mp4)
            }
            _ => None,
        }
    }

    /// Whether it is a single picture.
    pub(crate) fn is_picture(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "a JPEG picture",
            Self::Png => "a PNG picture",
            Self::Mp4 => "an MP4 film",
            Self::Matroska => "a Matroska film",
        }
    }

    fn may_be_called(self, declared: &str) -> bool {
        if ["", "application/octet-stream"].contains(&declared) {
            return true;
        }
        let names: &[&str] = match self {
            Self::Jpeg => &["image/jpeg", "image/jpg", "image/pjpeg"],
            Self::Png => &["image/png", "image/x-png"],
            Self::Mp4 => &["video/mp4", "video/quicktime", "video/3gpp", "video/x-m4v"],
            Self::Matroska => &["video/webm", "video/x-matroska", "video/matroska"],
        };
        names.contains(&declared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF";

    #[test]
    fn the_first_bytes_tell() {
        for (start, expected) in [
            (JPEG, Holds::Jpeg),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Holds::Png),
            (b"\0\0\0\x18ftypisom\0\0\0\0", Holds::Mp4),
            (b"\0\0\0\x14ftypqt  \0\0\0\0", Holds::Mp4),
            (b"\x1a\x45\xdf\xa3\x9f", Holds::Matroska),
        ] {
            assert_eq!(Holds::look(start, ""), Ok(expected));
        }
    }

    #[test]
    fn playlists_and_other_things_are_refused() {
        for start in [
            &b""[..],
            b"#EXTM3U\nhttp://127.0.0.1/",
            b"<?xml version=\"1.0\"?><MPD",
            b"v=0\r\no=- 0 0 IN IP4",
            b"\0\0\0\x18ftypheic\0\0\0\0",
            b"GIF89a",
            b"%PDF-1.7",
        ] {
            assert!(Holds::look(start, "").is_err(), "{start:?}");
        }
    }

    #[test]
    fn a_file_must_be_what_it_says() {
        for declared in [
            "",
            "image/jpeg",
            "IMAGE/JPEG; q=1",
            "application/octet-stream",
        ] {
            assert_eq!(Holds::look(JPEG, declared), Ok(Holds::Jpeg), "{declared}");
        }
        let lie = Holds::look(JPEG, "video/mp4").unwrap_err();
        assert!(
            lie.contains("video/mp4") && lie.contains("a JPEG picture"),
            "{lie}"
        );
        let text = Holds::look(b"hello", "image/jpeg").unwrap_err();
        assert!(
            text.contains("image/jpeg") && text.contains("no picture"),
            "{text}"
        );
        assert!(Holds::look(JPEG, "image/png").is_err());
    }
}
