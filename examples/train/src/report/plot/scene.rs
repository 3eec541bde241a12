// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a figure is made of: lines, rectangles and words on a sheet. Plain data; [`super::paint`] draws it.

/// What something is, and thereby its colour: Okabe and Ito's, which people with any colour vision tell apart
/// (M. Okabe, K. Ito, "Color universal design", 2008).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    /// Words and main lines.
    Ink,
    /// Words that explain.
    Muted,
    /// Grid lines.
    Grid,
    /// Where nothing is drawn.
    Paper,
    /// A quiet filling.
    Shade,
    /// Live faces.
    Live,
    /// Attacks.
    Spoof,
    /// Sets or models, in their order; they begin anew after the last.
    Series(usize),
}

/// The colours by their names in style sheets: in light surroundings, and in dark ones.
pub(crate) const PALETTE: &[(&str, [u8; 3], [u8; 3])] = &[
    ("ink", [0x1c, 0x21, 0x28], [0xe6, 0xe9, 0xee]),
    ("muted", [0x5b, 0x64, 0x70], [0x9f, 0xa9, 0xb6]),
    ("grid", [0xe3, 0xe6, 0xea], [0x2f, 0x36, 0x40]),
    ("paper", [0xff, 0xff, 0xff], [0x16, 0x1a, 0x20]),
    ("shade", [0xf1, 0xf3, 0xf5], [0x22, 0x28, 0x31]),
    ("live", [0x00, 0x9e, 0x73], [0x1f, 0xbf, 0x92]),
    ("spoof", [0xd5, 0x5e, 0x00], [0xf0, 0x7a, 0x1e]),
    ("series-0", [0x00, 0x72, 0xb2], [0x4a, 0xa8, 0xe0]),
    ("series-1", [0xe6, 0x9f, 0x00], [0xf0, 0xb4, 0x2e]),
    ("series-2", [0xcc, 0x79, 0xa7], [0xdc, 0x92, 0xba]),
    ("series-3", [0x56, 0xb4, 0xe9], [0x86, 0xcc, 0xf2]),
    ("series-4", [0x6e, 0x76, 0x80], [0x9a, 0xa3, 0xae]),
];

/// Where the series begin in the palette, and how many there are.
const SERIES: usize = 7;
pub(crate) const SERIES_COLOURS: usize = 5;

impl Colour {
    fn place(self) -> usize {
        match self {
            Self::Ink => 0,
            Self::Muted => 1,
            Self::Grid => 2,
            Self::Paper => 3,
            Self::Shade => 4,
            Self::Live => 5,
            Self::Spoof => 6,
            Self::Series(n) => SERIES + n % SERIES_COLOURS,
        }
    }

    /// On white paper.
    pub(crate) fn rgb(self) -> [u8; 3] {
        PALETTE.get(self.place()).map_or([0; 3], |c| c.1)
    }
}

/// Which end of a line of words its place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A place, in points from the left and from the top.
pub(crate) type Place = (f64, f64);

/// One thing on the sheet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mark {
    Line {
        points: Vec<Place>,
        colour: Colour,
        width: f64,
        dashed: bool,
    },
    /// A rectangle, by two of its corners.
    Rect {
        a: Place,
        b: Place,
        colour: Colour,
        opacity: f64,
    },
    Dot {
        at: Place,
        radius: f64,
        colour: Colour,
    },
    Words {
        /// The middle of the line's height.
        at: Place,
        text: String,
        style: Style,
        anchor: Anchor,
    },
}

/// How words look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Style {
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) colour: Colour,
}

impl Style {
    pub(crate) const TITLE: Self = Self::new(17.0, true, Colour::Ink);
    pub(crate) const SUBTITLE: Self = Self::new(13.0, false, Colour::Muted);
    pub(crate) const LABEL: Self = Self::new(13.0, false, Colour::Ink);
    pub(crate) const STRONG: Self = Self::new(13.0, true, Colour::Ink);
    pub(crate) const TICK: Self = Self::new(12.0, false, Colour::Muted);

    pub(crate) const fn new(size: f64, bold: bool, colour: Colour) -> Self {
        Self { size, bold, colour }
    }

    pub(crate) const fn coloured(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }
}

/// A figure: a sheet with marks, the first at the bottom.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scene {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) marks: Vec<Mark>,
}

impl Scene {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            marks: Vec::new(),
        }
    }

    pub(crate) fn line(&mut self, points: Vec<Place>, colour: Colour, width: f64) {
        self.marks.push(Mark::Line {
            points,
            colour,
            width,
            dashed: false,
        });
    }

    pub(crate) fn dashed(&mut self, points: Vec<Place>, colour: Colour, width: f64) {
        self.marks.push(Mark::Line {
            points,
            colour,
            width,
            dashed: true,
        });
    }

    /// A rectangle from its corners.
    pub(crate) fn rect(&mut self, a: Place, b: Place, colour: Colour, opacity: f64) {
        self.marks.push(Mark::Rect {
            a,
            b,
            colour,
            opacity,
        });
    }

    pub(crate) fn dot(&mut self, at: Place, radius: f64, colour: Colour) {
        self.marks.push(Mark::Dot { at, radius, colour });
    }

    pub(crate) fn words(
        &mut self,
        at: Place,
        text: impl Into<String>,
        style: Style,
        anchor: Anchor,
    ) {
        self.marks.push(Mark::Words {
            at,
            text: text.into(),
            style,
            anchor,
        });
    }

    /// The headline and what it is about, at the top left; gives the height that they take.
    pub(crate) fn title(&mut self, title: &str, about: &str) -> f64 {
        self.words((24.0, 26.0), title, Style::TITLE, Anchor::Start);
        let about = super::font::fitted(about, Style::SUBTITLE, self.width - 48.0);
        self.words((24.0, 48.0), about, Style::SUBTITLE, Anchor::Start);
        64.0
    }
}
