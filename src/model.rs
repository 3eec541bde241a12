// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a model file expects and means: its card. Knows crops and tensor formats, no inference.
//!
//! A card is a list of named facts. It is read from the model's own `metadata_props` (keys `liveness.NAME`) or from a sidecar
//! file `MODEL.toml` beside `MODEL.onnx` (keys `NAME`), which wins over the model where both tell the same fact.
//! What neither tells comes from the known family that the shapes of inputs and outputs give away, or is missing, and
//! then the model is refused with the list of what is.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::crop::{Outside, Shape};
use crate::error::{Error, Result};
use crate::resize::Channels;

mod pin;

pub use pin::Pins;

/// Largest model file that is read, in bytes. The models of this field have 0.1 to 30 MB; a file beyond this is a mistake.
pub const LARGEST_FILE: u64 = 512 << 20;

/// Largest sidecar file that is read, in bytes. A card has a dozen lines.
const LARGEST_SIDECAR: u64 = 64 << 10;

/// Prefix of the keys in a model's `metadata_props`.
pub const PREFIX: &str = "liveness.";

/// Facts about a model as far as somebody told them. All are optional here; whoever needs one asks for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Card {
    /// `task`: what the model is for.
    pub task: Option<Task>,
    /// `name`: how the model is called in metadata and messages.
    pub name: Option<String>,
    /// `color`: channels and their order.
    pub color: Option<Channels>,
    /// `mean`: subtracted from the values 0..255, one number or one per channel.
    pub mean: Option<[f32; 3]>,
    /// `scale`: multiplied afterwards, one number or one per channel.
    pub scale: Option<[f32; 3]>,
    /// `crop`: shape of the crop around a face.
    pub crop: Option<Shape>,
    /// `crop-scale`: size of the crop as a multiple of the box.
    pub crop_scale: Option<f64>,
    /// `outside`: what happens where the crop leaves the frame.
    pub outside: Option<Outside>,
    /// `classes`: names of the outputs in their order.
    pub classes: Option<Vec<String>>,
    /// `output`: whether the numbers that come out are logits or probabilities.
    pub output: Option<Output>,
    /// `threshold`: the recommended one.
    pub threshold: Option<f32>,
}

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Finding faces.
    Detection,
    /// Judging whether a face is live.
    Liveness,
}

/// What the numbers are that a classifier gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Softmax is still to be taken.
    Logits,
    /// They are probabilities already.
    Probabilities,
}

impl Channels {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rgb => "rgb",
            Self::Bgr => "bgr",
            Self::Gray => "gray",
        }
    }
}

impl Task {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Detection => "face-detection",
            Self::Liveness => "liveness",
        }
    }
}

impl Output {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Logits => "logits",
            Self::Probabilities => "probabilities",
        }
    }
}

impl FromStr for Channels {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        match s {
            "rgb" => Ok(Self::Rgb),
            "bgr" => Ok(Self::Bgr),
            "gray" => Ok(Self::Gray),
            _ => Err(()),
        }
    }
}

impl FromStr for Task {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        match s {
            "face-detection" => Ok(Self::Detection),
            "liveness" => Ok(Self::Liveness),
            _ => Err(()),
        }
    }
}

impl FromStr for Output {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        match s {
            "logits" => Ok(Self::Logits),
            "probabilities" => Ok(Self::Probabilities),
            _ => Err(()),
        }
    }
}

/// The facts by name, each with its legal values: what a message about a missing or wrong one says.
const FACTS: [(&str, &str); 11] = [
    ("task", "face-detection | liveness"),
    ("name", "a word"),
    ("color", "rgb | bgr | gray"),
    ("mean", "one number or three, subtracted from 0..255"),
    ("scale", "one number or three, multiplied afterwards"),
    ("crop", "box | square"),
    ("crop-scale", "a number from 0.5 to 10, 1 = the box"),
    ("outside", "shift | black | reflect | replicate"),
    (
        "classes",
        "names in the order of the outputs, one of them live",
    ),
    ("output", "logits | probabilities"),
    ("threshold", "a number from 0 to 1"),
];

/// A fact's name with its legal values, for the list of what is missing.
pub fn describe(fact: &str) -> String {
    let values = FACTS.iter().find(|(name, _)| *name == fact);
    values.map_or_else(|| fact.to_owned(), |(name, v)| format!("{name} ({v})"))
}

impl Card {
    /// Reads facts given as text. `origin` names their source in errors. Names that are not known are left to others (licence,
    /// training data, version, …).
    ///
    /// # Errors
    /// [`Error::Card`] where a known fact has a value that it cannot have.
    pub fn from_facts(facts: &BTreeMap<String, String>, origin: &str) -> Result<Self> {
        let read = Facts { facts, origin };
        let numbers = |name| {
            read.get(name, |s| {
                let v: Vec<f32> = list(s).map(|s| s.parse().ok()).collect::<Option<_>>()?;
                let v = match v[..] {
                    [a] => [a; 3],
                    [a, b, c] => [a, b, c],
                    _ => return None,
                };
                v.iter().all(|n| n.is_finite()).then_some(v)
            })
        };
        Ok(Self {
            task: read.word("task")?,
            name: read.get("name", |s| (!s.is_empty()).then(|| s.to_owned()))?,
            color: read.word("color")?,
            mean: numbers("mean")?,
            scale: numbers("scale")?,
            crop: read.word("crop")?,
            crop_scale: read.get("crop-scale", |s| {
                s.parse().ok().filter(|v| (0.5..=10.0).contains(v))
            })?,
            outside: read.word("outside")?,
            classes: read.get("classes", |s| {
                let names: Vec<_> = list(s).map(str::to_owned).collect();
                names.iter().any(|n| n == "live").then_some(names)
            })?,
            output: read.word("output")?,
            threshold: read.get("threshold", |s| {
                s.parse().ok().filter(|v| (0.0..=1.0).contains(v))
            })?,
        })
    }

    /// Reads a sidecar file.
    ///
    /// # Errors
    /// [`Error::Card`] where it cannot be read, is not TOML, or a fact has a value that it cannot have.
    pub fn from_sidecar(path: &Path) -> Result<Self> {
        let origin = path.display().to_string();
        let bytes = read_file(path, LARGEST_SIDECAR).map_err(|e| Error::Card {
            origin: origin.clone(),
            reason: e.to_string(),
        })?;
        Self::from_toml(&bytes, &origin)
    }

    /// Reads the bytes of a sidecar file. `origin` names it in errors.
    ///
    /// # Errors
    /// Those of [`Card::from_sidecar`] but for reading.
    pub fn from_toml(bytes: &[u8], origin: &str) -> Result<Self> {
        let fail = |reason: String| Error::Card {
            origin: origin.to_owned(),
            reason,
        };
        let text = std::str::from_utf8(bytes).map_err(|e| fail(format!("it is not UTF-8: {e}")))?;
        let table: toml::Table = text
            .parse()
            .map_err(|e: toml::de::Error| fail(e.to_string()))?;
        let mut facts = BTreeMap::new();
        for (key, value) in table {
            if FACTS.iter().any(|(name, _)| *name == key) {
                facts.insert(key, plain(&value));
            } else {
                // A misspelt fact would silently fall back to a guess.
                let known: Vec<_> = FACTS.iter().map(|(name, _)| *name).collect();
                return Err(fail(format!(
                    "`{key}` is not known here; the facts are {}",
                    known.join(", ")
                )));
            }
        }
        Self::from_facts(&facts, origin)
    }

    /// The facts that are told, by name and as text: what [`Card::from_facts`] reads.
    pub fn facts(&self) -> BTreeMap<String, String> {
        let text = |word: &str| Some(word.to_owned());
        let numbers = |v: [f32; 3]| match v {
            [a, b, c] if a == b && b == c => a.to_string(),
            _ => v.map(|n| n.to_string()).join(","),
        };
        let told = [
            ("task", self.task.and_then(|v| text(v.as_str()))),
            ("name", self.name.clone()),
            ("color", self.color.and_then(|v| text(v.as_str()))),
            ("mean", self.mean.map(numbers)),
            ("scale", self.scale.map(numbers)),
            ("crop", self.crop.and_then(|v| text(v.as_str()))),
            ("crop-scale", self.crop_scale.map(|v| v.to_string())),
            ("outside", self.outside.and_then(|v| text(v.as_str()))),
            ("classes", self.classes.as_ref().map(|v| v.join(","))),
            ("output", self.output.and_then(|v| text(v.as_str()))),
            ("threshold", self.threshold.map(|v| v.to_string())),
        ];
        let told = told.into_iter();
        told.filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect()
    }

    /// The facts told here, and for those that are not, the ones told in `other`.
    pub fn or(self, other: Self) -> Self {
        Self {
            task: self.task.or(other.task),
            name: self.name.or(other.name),
            color: self.color.or(other.color),
            mean: self.mean.or(other.mean),
            scale: self.scale.or(other.scale),
            crop: self.crop.or(other.crop),
            crop_scale: self.crop_scale.or(other.crop_scale),
            outside: self.outside.or(other.outside),
            classes: self.classes.or(other.classes),
            output: self.output.or(other.output),
            threshold: self.threshold.or(other.threshold),
        }
    }
}

struct Facts<'a> {
    facts: &'a BTreeMap<String, String>,
    origin: &'a str,
}

impl Facts<'_> {
    fn get<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
        let Some(text) = self.facts.get(name) else {
            return Ok(None);
        };
        parse(text.trim()).map(Some).ok_or_else(|| Error::Card {
            origin: self.origin.to_owned(),
            reason: format!("`{name} = {text}` cannot be understood: {}", describe(name)),
        })
    }

    fn word<T: FromStr>(&self, name: &str) -> Result<Option<T>> {
        self.get(name, |s| s.parse().ok())
    }
}

fn list(s: &str) -> impl Iterator<Item = &str> {
    s.split(',').map(str::trim)
}

/// A whole file of at most `most` bytes.
fn read_file(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let meta = std::fs::metadata(path)?;
    if !meta.is_file() {
        // Reading a directory or a pipe would fail late, or never end.
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let too_large = |length: u64| {
        std::io::Error::other(format!("its {length} bytes are more than such a file has"))
    };
    if meta.len() > most {
        return Err(too_large(meta.len()));
    }
    // One that grows while it is read ends here all the same.
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(most + 1)
        .read_to_end(&mut bytes)?;
    match bytes.len() as u64 {
        length if length > most => Err(too_large(length)),
        _ => Ok(bytes),
    }
}

/// A TOML value as the text that the metadata would hold.
fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(s) => s.clone(),
        toml::Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// A model's bytes and what is told about it beside them.
#[derive(Clone, Debug)]
pub struct ModelFile {
    /// The model as the user named it.
    pub name: String,
    /// The ONNX file.
    pub bytes: std::sync::Arc<[u8]>,
    /// What the sidecar file tells.
    pub sidecar: Card,
    /// Where the sidecar file is, or would be.
    pub sidecar_path: PathBuf,
}

impl ModelFile {
    /// Reads a model file, and its sidecar: `info` where given, else `MODEL.toml` where that exists.
    ///
    /// # Errors
    /// [`Error::ModelFile`] where it cannot be read or is larger than [`LARGEST_FILE`]; [`Error::Card`] for the sidecar.
    pub fn read(path: &Path, info: Option<&Path>) -> Result<Self> {
        let beside = path.with_extension("toml");
        let info = info.or_else(|| beside.exists().then_some(&*beside));
        Self::read_alone(path, info)
    }

    /// The same without a look at what lies beside.
    fn read_alone(path: &Path, info: Option<&Path>) -> Result<Self> {
        let fail = |reason| Error::ModelFile {
            path: path.to_owned(),
            reason,
        };
        let bytes = read_file(path, LARGEST_FILE).map_err(fail)?;
        let beside = path.with_extension("toml");
        let sidecar_path = info.map_or(beside, Path::to_owned);
        let sidecar = info
            .map(Card::from_sidecar)
            .transpose()?
            .unwrap_or_default();
        Ok(Self {
            name: path.display().to_string(),
            bytes: bytes.into(),
            sidecar,
            sidecar_path,
        })
    }

    /// The files that a list of them names, separated by commas. A file whose own name has a comma in it is one file.
    pub fn paths(list: &Path) -> Vec<PathBuf> {
        let Some(names) = list.to_str().filter(|_| !list.is_file()) else {
            return vec![list.to_owned()];
        };
        let names = names.split(',').map(str::trim).filter(|p| !p.is_empty());
        names.map(PathBuf::from).collect()
    }

    /// File name without folder and extension; the name of a model that tells none.
    pub fn stem(&self) -> String {
        Path::new(&self.name)
            .file_stem()
            .map_or_else(|| self.name.clone(), |s| s.to_string_lossy().into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(list: &[(&str, &str)]) -> BTreeMap<String, String> {
        list.iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn facts_are_read() {
        let card = Card::from_facts(
            &facts(&[
                ("color", "bgr"),
                ("mean", "104, 117, 123"),
                ("scale", "1"),
                ("classes", "spoof,live"),
                ("outside", "reflect"),
                ("licence", "CC0"),
            ]),
            "test",
        )
        .unwrap();
        assert_eq!(card.color, Some(Channels::Bgr));
        assert_eq!(card.mean, Some([104.0, 117.0, 123.0]));
        assert_eq!(card.scale, Some([1.0; 3]));
        assert_eq!(card.classes.unwrap(), ["spoof", "live"]);
        assert_eq!(card.threshold, None);
    }

    #[test]
    fn what_a_card_tells_can_be_read_again() {
        assert_eq!(Card::default().facts(), BTreeMap::new());
        let all = facts(&[
            ("task", "liveness"),
            ("name", "a name"),
            ("color", "bgr"),
            ("mean", "104,117.5,123"),
            ("scale", "0.015625"),
            ("crop", "square"),
            ("crop-scale", "2.7"),
            ("outside", "replicate"),
            ("classes", "spoof,live"),
            ("output", "probabilities"),
            ("threshold", "0.3"),
        ]);
        assert_eq!(all.len(), FACTS.len(), "one of each");
        let card = Card::from_facts(&all, "test").unwrap();
        assert_eq!(card.facts(), all);
        for (name, words) in FACTS {
            for word in words.split(" | ").filter(|_| words.contains(" | ")) {
                let one = facts(&[(name, word)]);
                assert_eq!(Card::from_facts(&one, "test").unwrap().facts(), one);
            }
        }
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_name_and_the_legal_ones() {
        for (name, value) in [
            ("color", "yuv"),
            ("mean", "1,2"),
            ("scale", "nan"),
            ("classes", "a,b"),
            ("threshold", "1.5"),
            ("crop-scale", "-1"),
        ] {
            let e = Card::from_facts(&facts(&[(name, value)]), "here").unwrap_err();
            let text = e.to_string();
            assert!(text.contains(name) && text.contains("here"), "{text}");
        }
    }

    #[test]
    fn a_sidecar_is_toml_and_misspelt_facts_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.toml");
        std::fs::write(
            &path,
            "color = 'rgb'\nmean = [1, 2.5, 3]\nclasses = ['live', 'spoof']\nthreshold = 0.25\n",
        )
        .unwrap();
        let card = Card::from_sidecar(&path).unwrap();
        assert_eq!(card.mean, Some([1.0, 2.5, 3.0]));
        assert_eq!(card.threshold, Some(0.25));
        std::fs::write(&path, "colour = 'rgb'\n").unwrap();
        let text = Card::from_sidecar(&path).unwrap_err().to_string();
        assert!(text.contains("colour") && text.contains("color"), "{text}");
        std::fs::write(&path, "color = [\n").unwrap();
        assert!(Card::from_sidecar(&path).is_err());
    }

    #[test]
    fn a_sidecar_that_never_ends_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let huge = dir.path().join("m.toml");
        std::fs::write(&huge, " ".repeat(LARGEST_SIDECAR as usize + 1)).unwrap();
        for path in [huge.as_path(), Path::new("/dev/null"), dir.path()] {
            let text = Card::from_sidecar(path).unwrap_err().to_string();
            let told = text.contains("bytes") || text.contains("regular file");
            assert!(told && text.contains(&path.display().to_string()), "{text}");
        }
    }

    #[test]
    fn a_missing_file_and_a_folder_are_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        for path in [dir.path().join("none.onnx"), dir.path().to_owned()] {
            let text = ModelFile::read(&path, None).unwrap_err().to_string();
            assert!(text.contains(&path.display().to_string()), "{text}");
        }
    }

    #[test]
    fn a_list_names_several_files_and_a_file_with_a_comma_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let comma = folder.path().join("a,b.onnx");
        std::fs::write(&comma, "").unwrap();
        assert_eq!(ModelFile::paths(&comma), [comma]);
        let several = ModelFile::paths(Path::new("x/a.onnx, b.onnx,"));
        assert_eq!(several, [Path::new("x/a.onnx"), Path::new("b.onnx")]);
    }
}
