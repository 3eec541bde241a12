// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pixels as they lie in somebody else's memory: layout, colour, and access by row. Plain data, no copies.

use crate::error::{Error, Result};

/// Longest side of a frame in pixels, far beyond all video. Below it no sum of bytes here runs over.
const LONGEST: usize = 1 << 20;

/// Farthest that a component lies from the start of its row, and from its next sample; packed formats have up to 8.
const FARTHEST: usize = 1 << 10;

/// How one sample is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// One byte.
    U8,
    /// Two bytes, least significant first.
    U16Le,
    /// Two bytes, most significant first.
    U16Be,
}

impl Sample {
    /// Bytes per sample.
    pub fn bytes(self) -> usize {
        match self {
            Self::U8 => 1,
            Self::U16Le | Self::U16Be => 2,
        }
    }
}

/// Where one colour component lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Component {
    /// Plane that holds it.
    pub plane: usize,
    /// Samples from the start of a row to the first one of this component.
    pub offset: usize,
    /// Samples from one of this component to its next.
    pub step: usize,
    /// Horizontal subsampling as a power of two: 1 means one sample for two pixels.
    pub sub_x: u32,
    /// Vertical subsampling as a power of two.
    pub sub_y: u32,
    /// Significant bits of a sample, 8 to 16.
    pub depth: u32,
    /// Padding bits below them.
    pub shift: u32,
}

/// What the components mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ColorModel {
    /// One component: grey.
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Luma, blue difference, red difference, with the luma weights of red and blue (ITU-R BT.601: 0.299 and 0.114,
    /// BT.709: 0.2126 and 0.0722, BT.2020: 0.2627 and 0.0593).
    Yuv {
        /// Weight of red in luma.
        kr: f32,
        /// Weight of blue in luma.
        kb: f32,
    },
}

/// Range of the sample values, after ITU-R BT.601 §2.5.3 scaled to the component's depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// 0 to 255 (of 8 bits).
    Full,
    /// Luma and RGB 16 to 235, chroma 16 to 240 (of 8 bits).
    Limited,
}

/// Where chroma samples sit between the luma samples they belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChromaSite {
    /// Horizontally on the first luma sample (MPEG-2), instead of in the middle (JPEG, MPEG-1).
    pub cosited_x: bool,
    /// Vertically on the first luma sample, instead of in the middle.
    pub cosited_y: bool,
}

/// How a frame lies in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// How each sample is stored.
    pub sample: Sample,
    /// One component for grey, three otherwise, in the order of [`ColorModel`].
    pub components: Vec<Component>,
    /// What the components mean.
    pub color: ColorModel,
    /// Range of their values.
    pub range: Range,
    /// Where chroma samples sit.
    pub chroma_site: ChromaSite,
}

impl Layout {
    /// Width and height of a component in samples.
    pub fn component_size(&self, c: &Component) -> (usize, usize) {
        let up = |n: usize, sub: u32| (n + (1 << sub) - 1) >> sub;
        (up(self.width, c.sub_x), up(self.height, c.sub_y))
    }

    /// Samples that a row of `plane` must hold for every component in it to be read.
    pub fn row_samples(&self, plane: usize) -> usize {
        self.components
            .iter()
            .filter(|c| c.plane == plane)
            .map(|c| c.offset + (self.component_size(c).0.max(1) - 1) * c.step + 1)
            .max()
            .unwrap_or(0)
    }

    /// Interleaved 8-bit RGB, as decoders of pictures give it.
    pub fn rgb8(width: usize, height: usize) -> Self {
        let component = |offset| Component {
            plane: 0,
            offset,
            step: 3,
            sub_x: 0,
            sub_y: 0,
            depth: 8,
            shift: 0,
        };
        Self {
            width,
            height,
            sample: Sample::U8,
            components: (0..3).map(component).collect(),
            color: ColorModel::Rgb,
            range: Range::Full,
            chroma_site: ChromaSite::default(),
        }
    }
}

/// A frame to read, row by row.
///
/// `scratch` is there for sources that must unpack a row first; those that have it in memory return their own bytes.
pub trait Pixels {
    /// How the frame lies in memory.
    fn layout(&self) -> &Layout;

    /// The bytes of row `y` of `plane`, at least [`Layout::row_samples`] samples of them. `y` is below the height of
    /// the plane's components.
    fn row<'a>(&'a self, plane: usize, y: usize, scratch: &'a mut Vec<u8>) -> &'a [u8];
}

/// A frame that can be read later, and by another thread.
pub trait Held: Send + Sync {
    /// Hands its pixels to `look`.
    ///
    /// # Errors
    /// [`Error::Frame`] where it cannot be read; `look` was not called then.
    fn read(&self, look: &mut dyn FnMut(&dyn Pixels)) -> Result<()>;
}

/// One plane of a [`View`].
#[derive(Clone, Copy, Debug)]
pub struct Plane<'a> {
    /// The bytes, from the first row on.
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
}

/// A frame in memory. Its constructor checks every bound once, so that reading never has to.
#[derive(Clone, Debug)]
pub struct View<'a> {
    layout: &'a Layout,
    planes: [Plane<'a>; 4],
}

impl<'a> View<'a> {
    /// A view of at most four planes.
    ///
    /// # Errors
    /// [`Error::Frame`] where a plane is missing or too short for the layout.
    pub fn new(layout: &'a Layout, planes: &[Plane<'a>]) -> Result<Self> {
        let fail = |what: String| Err(Error::Frame(what));
        if layout.width == 0 || layout.height == 0 {
            return fail(format!("{}x{} has no pixels", layout.width, layout.height));
        }
        if layout.width.max(layout.height) > LONGEST {
            return fail(format!(
                "{}x{} has sides of more than {LONGEST} pixels",
                layout.width, layout.height
            ));
        }
        let wanted = if layout.color == ColorModel::Gray {
            1
        } else {
            3
        };
        if layout.components.len() != wanted {
            return fail(format!(
                "{} colour components instead of {wanted}",
                layout.components.len()
            ));
        }
        let mut own = [Plane {
            data: &[],
            stride: 0,
        }; 4];
        if planes.len() > own.len() {
            return fail(format!("{} planes, at most 4 are known", planes.len()));
        }
        own[..planes.len()].copy_from_slice(planes);
        for c in &layout.components {
            if c.sub_x > 3 || c.sub_y > 3 {
                return fail("subsampling by more than 8 is unknown".into());
            }
            if c.offset > FARTHEST || c.step > FARTHEST {
                return fail(format!(
                    "samples {} apart, the first at {}, are those of no format",
                    c.step, c.offset
                ));
            }
        }
        for c in &layout.components {
            let Some(plane) = own.get(c.plane) else {
                return fail(format!("plane {} does not exist", c.plane));
            };
            let rows = layout.component_size(c).1;
            let row_bytes = layout.row_samples(c.plane) * layout.sample.bytes();
            let needed = (rows - 1)
                .checked_mul(plane.stride)
                .and_then(|n| n.checked_add(row_bytes));
            let container = layout.sample.bytes() as u32 * 8;
            if !(8..=container).contains(&c.depth) || c.shift > container - c.depth {
                return fail(format!(
                    "{} bits shifted by {} do not fit {container}-bit samples",
                    c.depth, c.shift
                ));
            }
            if c.step == 0 || needed.is_none_or(|n| plane.data.len() < n) {
                return fail(format!(
                    "plane {} has {} bytes with a stride of {}, too few for {rows} rows of {row_bytes}",
                    c.plane,
                    plane.data.len(),
                    plane.stride
                ));
            }
        }
        Ok(Self {
            layout,
            planes: own,
        })
    }
}

impl Pixels for View<'_> {
    fn layout(&self) -> &Layout {
        self.layout
    }

    fn row<'a>(&'a self, plane: usize, y: usize, _: &'a mut Vec<u8>) -> &'a [u8] {
        let p = &self.planes[plane];
        let start = y * p.stride;
        &p.data[start..start + self.layout.row_samples(plane) * self.layout.sample.bytes()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_that_is_too_short_is_refused() {
        let layout = Layout::rgb8(5, 4);
        let data = [0; 5 * 3 * 4];
        let plane = |len, stride| Plane {
            data: &data[..len],
            stride,
        };
        assert!(View::new(&layout, &[plane(60, 15)]).is_ok());
        assert!(View::new(&layout, &[plane(59, 15)]).is_err());
        assert!(View::new(&layout, &[plane(60, 16)]).is_err());
        assert!(View::new(&layout, &[]).is_err());
        assert!(View::new(&layout, &[plane(60, usize::MAX)]).is_err());
        // The last row needs no padding behind it.
        let padded = [0; 3 * 16 + 15];
        let last_row_short = Plane {
            data: &padded,
            stride: 16,
        };
        assert!(View::new(&layout, &[last_row_short]).is_ok());
    }

    #[test]
    fn odd_sizes_round_chroma_up() {
        let mut layout = Layout::rgb8(5, 3);
        layout.components[1].sub_x = 1;
        layout.components[1].sub_y = 1;
        assert_eq!(layout.component_size(&layout.components[1]), (3, 2));
    }
}
