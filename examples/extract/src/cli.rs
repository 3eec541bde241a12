// SPDX-License-Identifier: MIT OR Apache-2.0
//! The command line: its options, its help, and what a user meant by them. Knows nothing of how it is done.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Parser, ValueEnum};

use liveness::dataset::pace::Pace;

const USAGE: &str = "liveness-extract [OPTIONS] --output DATASET --label LABEL INPUT...
       liveness-extract --describe DIR";

const EXAMPLES: &str = "\
Examples:
  A film of somebody and one of that person's photo on a screen, every 10th frame
    liveness-extract -o faces -l real   --skip 10 me.mp4
    liveness-extract -o faces -l replay --skip 10 screen.mp4

  A folder of films: large and sharp faces, no two alike, 20 of each person
    liveness-extract -o faces -l real --min-face-size 80 --min-sharpness 40 \\
        --dedup 4 --max-per-track 20 films/

  Whole frames with a face in them, one a second
    liveness-extract -o frames -l street --mode frames --every 1 street.mkv

The same command goes on where it was stopped: inputs that are finished are
skipped, and a picture that is there is not saved again.

Exit status:
  0    all inputs were read
  1    it could not start (wrong model, folder that cannot be written to) or
       had to stop (full disk)
  2    wrong use
  3    finished, but some inputs could not be read: each is named with its reason
  130  stopped by Ctrl-C; a second Ctrl-C ends it at once";

const SELECTION: &str =
    "What is saved (left out: the element's own default, see gst-inspect-1.0 frameextract)";
const FILTERS: &str = "Which faces (left out: the element's own default)";
const DETECTOR: &str = "The face detector";
const RUN: &str = "The run";

/// What was typed.
#[derive(Debug, Parser)]
#[command(
    name = "liveness-extract",
    version,
    about = "Makes a data set of faces out of videos and pictures",
    override_usage = USAGE,
    after_help = EXAMPLES,
    max_term_width = 110
)]
pub(crate) struct Cli {
    /// Videos, pictures, and folders that hold them. In folders the name's ending decides what is taken, and hidden files are left
    /// alone; a file that is named here is always tried.
    #[arg(value_name = "INPUT", required_unless_present = "describe")]
    inputs: Vec<PathBuf>,

    /// Folder of the data set; it is made where there is none
    #[arg(
        short,
        long,
        value_name = "DATASET",
        required_unless_present = "describe"
    )]
    output: Option<PathBuf>,

    /// What the inputs show, such as real, print or replay. Pictures go to DATASET/LABEL
    #[arg(
        short,
        long,
        value_parser = label,
        required_unless_present = "describe"
    )]
    label: Option<String>,

    /// What belongs together: one person before one camera in one light. A trainer keeps it on one side of its split [default: the
    /// name of the video; of a picture, what its name says before the number]
    #[arg(short, long)]
    session: Option<String>,

    /// Say how a folder is read as a data set (its layout, classes and sessions), and do nothing else
    #[arg(long, value_name = "DIR", conflicts_with_all = ["inputs", "output", "label"])]
    describe: Option<PathBuf>,

    #[command(flatten)]
    saved: Saved,

    #[command(flatten)]
    filters: Filters,

    /// ONNX file of a face detector (YuNet, SCRFD, UltraFace, RetinaFace, BlazeFace, SSD) [default: the one that ships]
    #[arg(long, value_name = "FILE", env = "LIVENESS_DETECTOR", help_heading = DETECTOR)]
    model: Option<PathBuf>,

    /// Lowest confidence of a face, 0..1 [default: what the model recommends]
    #[arg(long, value_name = "P", value_parser = unit, help_heading = DETECTOR)]
    detector_threshold: Option<f64>,

    /// How many inputs are read at once [default: one per core]
    #[arg(short, long, value_name = "N", help_heading = RUN)]
    jobs: Option<NonZeroUsize>,

    /// Give an input up when no frame has come out of it for so many seconds
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u32).range(1..), help_heading = RUN)]
    timeout: u32,

    /// Read inputs again that were finished in an earlier run
    #[arg(long, help_heading = RUN)]
    again: bool,

    /// A picture to look at, with what is in the data set [default: DATASET/contact-sheet.png]
    #[arg(long, value_name = "FILE.png", value_parser = PathBufValueParser::new().try_map(png), help_heading = RUN)]
    sheet: Option<PathBuf>,

    /// What the sheet shows
    #[arg(long, value_enum, default_value = "all", value_name = "WHAT", help_heading = RUN)]
    sheet_of: SheetOf,

    /// Make no such picture
    #[arg(long, conflicts_with_all = ["sheet", "sheet_of"], help_heading = RUN)]
    no_sheet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SheetOf {
    /// The whole data set
    All,
    /// What came from the inputs of this run
    Run,
}

/// Properties of the element that say what is saved, and in which shape.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = SELECTION)]
struct Saved {
    /// Take every Nth frame
    #[arg(long, visible_alias = "interval", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    skip: Option<u32>,

    /// Take a frame every so many seconds, e.g. 0.5
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    every: Option<Duration>,

    /// The faces, the whole frames that have any, or both
    #[arg(long, value_enum)]
    mode: Option<Mode>,

    /// How much of the surroundings a face keeps: sides of the picture over those of the face's box
    #[arg(long, value_name = "FACTOR", value_parser = margin)]
    margin: Option<f64>,

    /// Sides of a face's picture in pixels; 0 leaves it as large as it was
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(0..=2048))]
    size: Option<u32>,

    /// File format
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// JPEG quality
    #[arg(long, value_name = "1..100", value_parser = clap::value_parser!(u32).range(1..=100))]
    quality: Option<u32>,
}

/// Properties of the element that say which faces are saved.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = FILTERS)]
struct Filters {
    /// The detector's confidence, at least
    #[arg(long, value_name = "P", value_parser = unit)]
    min_confidence: Option<f64>,

    /// Shorter side of the face's box, at least
    #[arg(long, value_name = "PIXELS")]
    min_face_size: Option<u32>,

    /// Sharpness, at least (the manifest says that of each picture)
    #[arg(long, value_name = "S", value_parser = positive)]
    min_sharpness: Option<f64>,

    /// Brightness, at least, 0..1
    #[arg(long, value_name = "E", value_parser = unit)]
    min_exposure: Option<f64>,

    /// Brightness, at most, 0..1
    #[arg(long, value_name = "E", value_parser = unit)]
    max_exposure: Option<f64>,

    /// Also faces that reach over the frame's edge
    #[arg(long)]
    allow_cut_off: bool,

    /// Only the largest face of a frame
    #[arg(long)]
    largest_only: bool,

    /// At most so many pictures of each person that is followed through a video; 0 for all
    #[arg(long, value_name = "N")]
    max_per_track: Option<u32>,

    /// Of each person that is followed, only the best pictures instead of the first ones
    #[arg(long)]
    best_of_track: bool,

    /// Leave out what looks like a picture that is saved: the number of bits, of 64, in which their hashes differ at most; 0 for off
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(u32).range(0..=64))]
    dedup: Option<u32>,

    /// At most so many pictures of each input; 0 for all
    #[arg(long, value_name = "N")]
    max_files: Option<u32>,

    /// Wait for the disk after each picture, so that none is lost when the power fails
    #[arg(long)]
    durable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    Faces,
    Frames,
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Jpeg,
    Png,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Task {
    /// Say how this folder is read as a data set.
    Describe(PathBuf),
    /// Fill a data set.
    Extract(Box<Extract>),
}

/// Everything that a run needs to know.
#[derive(Debug)]
pub(crate) struct Extract {
    pub(crate) inputs: Vec<PathBuf>,
    pub(crate) output: PathBuf,
    pub(crate) label: String,
    pub(crate) session: Option<String>,
    /// What the user said about `frameextract`, as its properties.
    pub(crate) properties: Vec<(&'static str, String)>,
    /// What the user said about `facedetect`, as its properties, but for the model.
    pub(crate) detection: Vec<(&'static str, String)>,
    /// Which frames are looked at, where that is not all of them, and the faces are not followed from frame to frame.
    pub(crate) pace: Option<Pace>,
    pub(crate) model: Option<PathBuf>,
    pub(crate) jobs: usize,
    pub(crate) timeout: Duration,
    pub(crate) again: bool,
    /// Where the contact sheet goes.
    pub(crate) sheet: Option<PathBuf>,
    /// It shows only what came from this run's inputs.
    pub(crate) sheet_of_run: bool,
}

impl Cli {
    /// What the user meant.
    pub(crate) fn task(self) -> Task {
        // Without this one, clap has seen to it that the others are there.
        if let Some(folder) = self.describe {
            return Task::Describe(folder);
        }
        let output = self.output.unwrap_or_default();
        let mut properties = self.saved.properties();
        properties.extend(self.filters.properties());
        let Saved { skip, every, .. } = self.saved;
        let pace = (skip.is_some() || every.is_some())
            .then(|| Pace::new(skip.map_or(1, u64::from), every.unwrap_or_default()))
            .filter(|_| !self.filters.follow());
        let threshold = self
            .detector_threshold
            .map(|t| ("threshold", t.to_string()));
        Task::Extract(Box::new(Extract {
            inputs: self.inputs,
            label: self.label.unwrap_or_default(),
            session: self.session,
            properties,
            detection: threshold.into_iter().collect(),
            pace,
            model: self.model,
            jobs: self.jobs.map_or_else(cores, NonZeroUsize::get),
            timeout: Duration::from_secs(self.timeout.into()),
            again: self.again,
            sheet: (!self.no_sheet).then(|| {
                self.sheet
                    .unwrap_or_else(|| output.join(crate::sheet::NAME))
            }),
            sheet_of_run: self.sheet_of == SheetOf::Run,
            output,
        }))
    }
}

impl Extract {
    /// Whether the pictures of each input are limited in their number.
    pub(crate) fn limits_files(&self) -> bool {
        self.properties.iter().any(|(name, _)| *name == "max-files")
    }
}

/// How many threads this machine runs at once.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// The name that GLib's enumerations and clap's share.
fn nick(value: impl ValueEnum) -> String {
    let name = value.to_possible_value();
    name.map(|v| v.get_name().to_owned()).unwrap_or_default()
}

fn flag(on: bool) -> Option<String> {
    on.then(|| true.to_string())
}

/// Those that were given.
fn given<const N: usize>(
    all: [(&'static str, Option<String>); N],
) -> impl Iterator<Item = (&'static str, String)> {
    all.into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
}

impl Saved {
    fn properties(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("interval", self.skip.map(|v| v.to_string())),
            (
                "interval-time",
                self.every.map(|v| v.as_nanos().to_string()),
            ),
            ("mode", self.mode.map(nick)),
            ("margin", self.margin.map(|v| v.to_string())),
            ("size", self.size.map(|v| v.to_string())),
            ("format", self.format.map(nick)),
            ("quality", self.quality.map(|v| v.to_string())),
        ];
        given(all).collect()
    }
}

impl Filters {
    /// Whether it matters who is who: then each frame must be looked at.
    fn follow(&self) -> bool {
        self.best_of_track || self.max_per_track.is_some_and(|n| n > 0)
    }

    fn properties(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("min-confidence", self.min_confidence.map(|v| v.to_string())),
            ("min-face-size", self.min_face_size.map(|v| v.to_string())),
            ("min-sharpness", self.min_sharpness.map(|v| v.to_string())),
            ("min-exposure", self.min_exposure.map(|v| v.to_string())),
            ("max-exposure", self.max_exposure.map(|v| v.to_string())),
            ("allow-cut-off", flag(self.allow_cut_off)),
            ("largest-only", flag(self.largest_only)),
            ("max-per-track", self.max_per_track.map(|v| v.to_string())),
            ("best-of-track", flag(self.best_of_track)),
            ("dedup", self.dedup.map(|v| v.to_string())),
            ("max-files", self.max_files.map(|v| v.to_string())),
            ("durable", flag(self.durable)),
        ];
        given(all).collect()
    }
}

/// A folder of the data set gets this name.
fn label(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err(
            "a data set that is to be learned from needs a label, such as real or print".into(),
        );
    }
    liveness::dataset::store::check_label(text).map_err(|e| e.to_string())?;
    Ok(text.to_owned())
}

fn number(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().map_err(|_| "not a number")?;
    let finite = number.is_finite().then_some(number);
    finite.ok_or_else(|| "not a finite number".into())
}

fn unit(text: &str) -> Result<f64, String> {
    let number = number(text)?;
    let inside = (0.0..=1.0).contains(&number).then_some(number);
    inside.ok_or_else(|| "not within 0..1".into())
}

fn positive(text: &str) -> Result<f64, String> {
    let number = number(text)?;
    let positive = (number >= 0.0).then_some(number);
    positive.ok_or_else(|| "less than 0".into())
}

fn margin(text: &str) -> Result<f64, String> {
    let number = number(text)?;
    let inside = (0.5..=10.0).contains(&number).then_some(number);
    inside.ok_or_else(|| "not within 0.5..10".into())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = number(text)?;
    // More than a year of film is a mistake, and does not fit into nanoseconds for long.
    let inside = (number > 0.0 && number <= 3e7).then_some(number);
    inside
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "not a number of seconds above 0".into())
}

fn png(path: PathBuf) -> Result<PathBuf, &'static str> {
    let ending = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("png"));
    ending.then_some(path).ok_or("its name must end in .png")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(words: &[&str]) -> Result<Cli, clap::Error> {
        let all = ["liveness-extract"].iter().chain(words);
        Cli::try_parse_from(all)
    }

    fn extract(words: &[&str]) -> Extract {
        match parse(words).map(Cli::task) {
            Ok(Task::Extract(extract)) => *extract,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn only_what_was_said_becomes_a_property() {
        let least = extract(&["-o", "d", "-l", "real", "a.mp4"]);
        assert!(least.properties.is_empty(), "{:?}", least.properties);
        assert_eq!(least.sheet.as_deref(), Some("d/contact-sheet.png".as_ref()));
        let more = extract(&[
            "-o",
            "d",
            "-l",
            "real",
            "--interval",
            "5",
            "--every",
            "0.5",
            "--mode",
            "both",
            "--dedup",
            "3",
            "--allow-cut-off",
            "--no-sheet",
            "a.mp4",
        ]);
        let said = more.properties.iter().map(|(n, v)| format!("{n}={v}"));
        assert_eq!(
            said.collect::<Vec<_>>().join(" "),
            "interval=5 interval-time=500000000 mode=both allow-cut-off=true dedup=3"
        );
        assert_eq!(more.sheet, None);
        assert!(more.pace.is_some() && least.pace.is_none());
        let follow = extract(&[
            "-o",
            "d",
            "-l",
            "real",
            "--skip",
            "5",
            "--max-per-track",
            "3",
            "a.mp4",
        ]);
        assert!(follow.pace.is_none());
    }

    #[test]
    fn what_no_folder_can_be_called_is_no_label() {
        for label in ["", ".", "..", ".hidden", "a/b", "/", "a/", "tab\t"] {
            assert!(parse(&["-o", "d", "-l", label, "x"]).is_err(), "{label:?}");
        }
        assert!(parse(&["-o", "d", "-l", "zoë 1", "x"]).is_ok());
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for (option, value) in [
            ("--skip", "0"),
            ("--every", "0"),
            ("--every", "nan"),
            ("--size", "2049"),
            ("--quality", "0"),
            ("--dedup", "65"),
            ("--min-confidence", "1.1"),
            ("--max-exposure", "-1"),
            ("--margin", "0.4"),
            ("--min-sharpness", "inf"),
            ("--jobs", "0"),
            ("--timeout", "0"),
            ("--sheet", "sheet.jpg"),
        ] {
            let words = ["-o", "d", "-l", "l", option, value, "x"];
            assert!(parse(&words).is_err(), "{option} {value}");
        }
    }
}
