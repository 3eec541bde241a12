// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a patch to the numbers that a net sees: as inference would compute them, or as they might have been with another camera, light
//! and distance. The same seed gives the same numbers.
//!
//! The changes are made in the order in which the world makes them: where the face is, light and colour, the lens, the sensor, the file. The crop
//! and the scaling to the model's input are those of inference, and come last.

pub(crate) mod blur;
pub(crate) mod coding;
pub(crate) mod dice;
mod equalise;
mod erase;
mod geometry;
pub(crate) mod grain;
mod kinds;
pub mod sheet;
mod stats;
mod tone;

use liveness::dataset::picture::Rgb;
use liveness::image::{Layout, Pixels, Plane, View};
use liveness::resize::{Border, Resizer, Window};

pub use equalise::Equaliser;
pub use kinds::Augment;
pub use stats::Stats;

use crate::data::input::InputSpec;
use crate::data::patch::Patch;
use geometry::Look;
use tone::Tone;

/// Makes examples of patches.
#[derive(Clone, Debug)]
pub struct Augmenter {
    /// What the model looks at; the one that the patches were loaded for.
    pub spec: InputSpec,
    /// What is changed.
    pub kinds: Augment,
    /// Factor of all ranges: 0 leaves all but the mirrored ones nearly as they are, 1 is what the constants say.
    pub strength: f32,
    /// Takes away what gives the classes away, where it is wanted.
    pub equaliser: Option<Equaliser>,
}

/// Memory for making examples, one for each thread.
#[derive(Debug, Default)]
pub struct Scratch {
    resizer: Resizer,
    cutter: geometry::Cutter,
    blur: blur::Blur,
    coder: coding::Coder,
    cut: Rgb,
}

impl Augmenter {
    /// Writes what the element computes for the patch's face into `out`: [`InputSpec::len`] numbers, channels x height x width.
    /// For a patch that was not scaled they are the same, else they are rounded by up to 1/514 of a level.
    pub fn plain(&self, patch: &Patch, scratch: &mut Scratch, out: &mut [f32]) {
        let spec = &self.spec;
        let size = spec.size();
        if let Some(input) = &patch.input
            && input.size() == size
            && let Ok(view) = input.view()
        {
            // At its own size every pixel stays what it is; this gives it its channels and values.
            self.draw(&view, scratch, out);
            return;
        }
        let Ok(view) = patch.view() else {
            return;
        };
        let (window, border) = patch.window(&spec.crop, &patch.face);
        scratch
            .resizer
            .run(&view, window, border, &spec.format, size, out);
    }

    /// Writes another version of the patch's face into `out`, laid out as by [`Augmenter::plain`]. `seed` must differ from example to
    /// example and epoch to epoch.
    pub fn augment(&self, patch: &Patch, seed: u64, scratch: &mut Scratch, out: &mut [f32]) {
        let Self {
            spec,
            kinds,
            strength,
            equaliser,
        } = self;
        if *kinds == Augment::NONE && equaliser.is_none() {
            return self.plain(patch, scratch, out);
        }
        let strength = strength.clamp(0.0, 3.0);
        let plan = equaliser
            .as_ref()
            .map(|e| e.plan(patch.is_live(), &patch.stats, seed));
        let plan = plan.as_ref();
        let look = Look::draw(&patch.face, kinds, seed, strength);
        let mut cut = std::mem::take(&mut scratch.cut);
        scratch.cutter.cut(patch, spec, &look, &mut cut);
        let brightness = patch.stats.brightness;
        Tone::draw(kinds, plan, brightness, seed, strength).apply(&mut cut.data);
        let input = spec.size();
        let ratio = cut.width as f32 / input.0 as f32;
        scratch.blur.draw(&mut cut, kinds, ratio, seed, strength);
        let coder = &mut scratch.coder;
        coder.downscale(&mut cut, kinds, plan, input, seed, strength);
        grain::draw(&mut cut.data, kinds, seed, strength);
        coder.compress(&mut cut, kinds, plan, seed, strength);
        erase::draw(&mut cut, kinds, seed, strength);
        let layout = Layout::rgb8(cut.width, cut.height);
        let plane = Plane {
            data: &cut.data,
            stride: 3 * cut.width,
        };
        if let Ok(view) = View::new(&layout, &[plane]) {
            self.draw(&view, scratch, out);
        }
        scratch.cut = cut;
    }

    /// Scales a whole picture into the model's input.
    fn draw(&self, view: &View, scratch: &mut Scratch, out: &mut [f32]) {
        let layout = view.layout();
        let window = Window {
            x: 0,
            y: 0,
            w: layout.width as i64,
            h: layout.height as i64,
        };
        let (format, size) = (&self.spec.format, self.spec.size());
        scratch
            .resizer
            .run(view, window, Border::Replicate, format, size, out);
    }
}

#[cfg(test)]
mod tests;
