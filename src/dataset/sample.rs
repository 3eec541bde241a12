// SPDX-License-Identifier: MIT OR Apache-2.0
//! A data set that was read: its samples, what was left out and how it was understood. Plain data and its summary.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};
use std::path::PathBuf;

use super::label::{Attack, Class};
use super::record::Record;

/// One picture or film with what is known about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The file: the folder as it was given, joined by the path inside it.
    pub path: PathBuf,
    /// Picture or film.
    pub media: Media,
    /// Live or spoof.
    pub class: Class,
    /// What the attack is made of, where somebody said.
    pub attack: Option<Attack>,
    /// What the data set itself calls the attack, such as `hand print` or `poster`: the species, in the words of ISO/IEC 30107-3.
    /// None for live.
    pub species: Option<String>,
    /// The recording: what must not be torn apart by a split. Never empty.
    pub session: String,
    /// The person, or what stands for one, where the names tell: see [`Sample::group`].
    pub client: Option<String>,
    /// The part of its own split that the data set puts it in.
    pub subset: Option<Subset>,
    /// The manifest's line about it.
    pub record: Option<Record>,
}

impl Sample {
    /// What stays on one side of a split: all that is known to show the same person, or else one session.
    pub fn group(&self) -> &str {
        self.client.as_deref().unwrap_or(&self.session)
    }
}

/// What kind of file a sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Media {
    /// A picture: JPEG or PNG.
    Picture,
    /// A film; its frames are samples.
    Video,
}

/// The parts of a split that data sets define.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subset {
    /// To train on.
    Train,
    /// To choose thresholds and models on.
    Devel,
    /// To measure on.
    Test,
}

impl Subset {
    /// `train`, `devel` or `test`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Devel => "devel",
            Self::Test => "test",
        }
    }

    /// The part that a folder's name means.
    pub(super) fn named(word: &str) -> Option<Self> {
        match word.to_lowercase().as_str() {
            "train" | "training" | "train_release" => Some(Self::Train),
            "devel" | "dev" | "development" | "val" | "valid" | "validation" => Some(Self::Devel),
            "test" | "testing" | "test_release" | "eval" | "evaluation" => Some(Self::Test),
            _ => None,
        }
    }
}

impl fmt::Display for Subset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a data set says what its files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `manifest.jsonl`, as `frameextract` writes it.
    Manifest,
    /// Folders named by the class, wherever they stand.
    Folders,
    /// CelebA-Spoof, or files named like it.
    CelebaSpoof,
    /// MSU-MFSD.
    MsuMfsd,
    /// Replay-Attack, and Print-Attack, which is part of it.
    ReplayAttack,
    /// NUAA.
    Nuaa,
    /// CASIA-FASD.
    CasiaFasd,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Manifest => "manifest.jsonl",
            Self::Folders => "class folders",
            Self::CelebaSpoof => "CelebA-Spoof",
            Self::MsuMfsd => "MSU-MFSD",
            Self::ReplayAttack => "Replay-Attack",
            Self::Nuaa => "NUAA",
            Self::CasiaFasd => "CASIA-FASD",
        })
    }
}

/// A file that is no sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The file or folder.
    pub path: PathBuf,
    /// Why; few reasons for many files, so that they can be counted.
    pub reason: String,
}

/// A data set that was read. Its [`fmt::Display`] is [`DataSet::summary`].
#[derive(Clone, Debug, PartialEq)]
pub struct DataSet {
    /// The folder, as it was given.
    pub root: PathBuf,
    /// How it was recognised.
    pub layout: Layout,
    /// Sorted by path; at least one.
    pub samples: Vec<Sample>,
    /// What was left out, sorted by path.
    pub left_out: Vec<LeftOut>,
    /// One sentence for the user: what was recognised and how the sessions were found, with an example.
    pub guess: String,
}

impl DataSet {
    /// Number of different sessions.
    pub fn sessions(&self) -> usize {
        Counts::of(&self.samples).sessions.len()
    }

    /// Number of different clients.
    pub fn clients(&self) -> usize {
        Counts::of(&self.samples).clients.len()
    }

    /// For the user, some lines: the guess, the counts per class and attack, and what was left out for which reason.
    pub fn summary(&self) -> String {
        let mut text = format!("{}\n", self.guess);
        for row in columns(&self.table()) {
            let _ = writeln!(text, "  {row}");
        }
        if !self.left_out.is_empty() {
            let _ = writeln!(text, "  left out: {}", self.reasons());
        }
        text
    }

    /// How many files were left out for which reason.
    pub(super) fn reasons(&self) -> String {
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for left in &self.left_out {
            *reasons.entry(&left.reason).or_default() += 1;
        }
        let reasons: Vec<String> = reasons.iter().map(|(r, n)| format!("{n} × {r}")).collect();
        reasons.join("; ")
    }

    /// One row for each class, attack and species.
    fn table(&self) -> Vec<Vec<String>> {
        let mut rows: BTreeMap<_, Vec<&Sample>> = BTreeMap::new();
        for sample in &self.samples {
            let key = (sample.class, sample.attack, sample.species.as_deref());
            rows.entry(key).or_default().push(sample);
        }
        let head = "class attack called pictures films sessions clients";
        let mut table = vec![head.split(' ').map(str::to_owned).collect::<Vec<_>>()];
        for ((class, attack, species), samples) in rows {
            let or_dash = |s: Option<&str>| s.unwrap_or("-").to_owned();
            let mut row = vec![class.to_string()];
            row.extend([or_dash(attack.map(Attack::as_str)), or_dash(species)]);
            row.extend(Counts::of(samples).row());
            table.push(row);
        }
        let mut row: Vec<String> = ["all", "", ""].map(str::to_owned).into();
        row.extend(Counts::of(&self.samples).row());
        table.push(row);
        table
    }
}

impl fmt::Display for DataSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())
    }
}

/// How much there is of what.
#[derive(Default)]
struct Counts<'a> {
    pictures: usize,
    videos: usize,
    sessions: BTreeSet<&'a str>,
    clients: BTreeSet<&'a str>,
}

impl<'a> Counts<'a> {
    fn of(samples: impl IntoIterator<Item = &'a Sample>) -> Self {
        let mut counts = Self::default();
        for sample in samples {
            match sample.media {
                Media::Picture => counts.pictures += 1,
                Media::Video => counts.videos += 1,
            }
            counts.sessions.insert(&sample.session);
            counts.clients.extend(sample.client.as_deref());
        }
        counts
    }

    /// As the last columns of the table.
    fn row(&self) -> Vec<String> {
        let clients = match self.clients.len() {
            0 => "?".to_owned(),
            n => n.to_string(),
        };
        let [pictures, videos, sessions] =
            [self.pictures, self.videos, self.sessions.len()].map(|n| n.to_string());
        vec![pictures, videos, sessions, clients]
    }
}

/// Rows with their columns one below the other: words to the left, numbers to the right.
fn columns(table: &[Vec<String>]) -> Vec<String> {
    const WORDS: usize = 3;
    let width = |c: usize| {
        let cells = table.iter().filter_map(|row| row.get(c));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(c, cell)| {
            let width = width(c);
            if c < WORDS {
                format!("{cell:<width$}")
            } else {
                format!("{cell:>width$}")
            }
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    table.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(path: &str, class: Class, attack: Option<Attack>, client: Option<&str>) -> Sample {
        Sample {
            path: path.into(),
            media: Media::Picture,
            class,
            attack,
            species: attack.map(|_| "hand print".to_owned()),
            session: path.chars().take(3).collect(),
            client: client.map(str::to_owned),
            subset: None,
            record: None,
        }
    }

    #[test]
    fn the_summary_counts_and_says_why_things_are_missing() {
        let left = |path: &str, reason: &str| LeftOut {
            path: path.into(),
            reason: reason.into(),
        };
        let set = DataSet {
            root: "set".into(),
            layout: Layout::Folders,
            samples: vec![
                sample("aaa1", Class::Live, None, Some("anna")),
                sample("aaa2", Class::Live, None, Some("anna")),
                sample("bbb1", Class::Spoof, Some(Attack::Print), None),
            ],
            left_out: vec![left("x", "deleted"), left("y", "deleted"), left("z", "odd")],
            guess: "As it should be.".into(),
        };
        let lines = [
            "As it should be.",
            "  class  attack  called      pictures  films  sessions  clients",
            "  live   -       -                  2      0         1        1",
            "  spoof  print   hand print         1      0         1        ?",
            "  all                               3      0         2        1",
            "  left out: 2 × deleted; 1 × odd",
        ];
        assert_eq!(set.to_string().lines().collect::<Vec<_>>(), lines);
        assert_eq!((set.sessions(), set.clients()), (2, 1));
        assert_eq!(set.samples[0].group(), "anna");
        assert_eq!(set.samples[2].group(), "bbb");
    }

    #[test]
    fn subsets_have_several_names() {
        for (word, subset) in [
            ("train", Some(Subset::Train)),
            ("Training", Some(Subset::Train)),
            ("devel", Some(Subset::Devel)),
            ("val", Some(Subset::Devel)),
            ("TEST", Some(Subset::Test)),
            ("trains", None),
            ("", None),
        ] {
            assert_eq!(Subset::named(word), subset, "{word}");
        }
    }
}
