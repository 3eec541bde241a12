// SPDX-License-Identifier: MIT OR Apache-2.0
//! The examples of one part of a split, ready for the net.

use std::cell::RefCell;
use std::sync::Arc;

use super::balance::{Balance, weights};
use super::patch::Patch;
use super::split::Member;
use crate::augment::{Augmenter, Scratch};

thread_local! {
    /// Whoever fills examples has its own memory for it.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Some of the patches, and how numbers are made of them.
#[derive(Clone, Debug)]
pub struct Faces {
    patches: Arc<[Patch]>,
    indices: Vec<usize>,
    weights: Vec<f32>,
    augmenter: Arc<Augmenter>,
}

impl Faces {
    /// The patches at `indices`, such as one part of a [`super::split::Split`]; those that do not exist are left out.
    pub fn new(
        patches: Arc<[Patch]>,
        mut indices: Vec<usize>,
        balance: &Balance,
        augmenter: Arc<Augmenter>,
    ) -> Self {
        indices.retain(|&i| i < patches.len());
        let members: Vec<Member> = indices.iter().map(|&i| Member::from(&patches[i])).collect();
        Self {
            weights: weights(&members, balance),
            patches,
            indices,
            augmenter,
        }
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The patch of example `i`, below [`Faces::len`].
    pub fn patch(&self, i: usize) -> &Patch {
        &self.patches[self.indices[i]]
    }

    /// Whether example `i` is live.
    pub fn is_live(&self, i: usize) -> bool {
        self.patch(i).is_live()
    }

    /// How much example `i` counts, the mean being 1: for the loss, or for drawing by [`super::balance::epoch`], but not for both.
    pub fn weight(&self, i: usize) -> f32 {
        self.weights[i]
    }

    /// All weights.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// Number of the group of example `i`: what measuring counts as one source.
    pub fn group(&self, i: usize) -> u32 {
        self.patch(i).about.group
    }

    /// Writes the numbers of example `i` into `out`, which holds channels x height x width of them: with a seed a version of it, else what the
    /// element computes.
    pub fn fill(&self, i: usize, seed: Option<u64>, out: &mut [f32]) {
        SCRATCH.with_borrow_mut(|scratch| match seed {
            Some(seed) => self.augmenter.augment(self.patch(i), seed, scratch, out),
            None => self.augmenter.plain(self.patch(i), scratch, out),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{patch, spec};
    use super::*;
    use crate::augment::Augment;
    use liveness::crop::{Outside, Shape};
    use liveness::dataset::label::Class;

    #[test]
    fn a_part_of_the_patches_is_handed_out() {
        let patches: Arc<[Patch]> = (0..6)
            .map(|i| patch(if i < 4 { Class::Live } else { Class::Spoof }, i))
            .collect();
        let augmenter = Augmenter {
            spec: spec(Shape::Square, 1.2, Outside::Shift, 16),
            kinds: Augment::ALL,
            strength: 1.0,
            equaliser: None,
        };
        let indices = vec![1, 2, 3, 5, 99];
        let faces = Faces::new(patches, indices, &Balance::default(), augmenter.into());
        assert_eq!((faces.len(), faces.is_empty()), (4, false));
        assert_eq!(
            (faces.group(3), faces.is_live(3), faces.is_live(0)),
            (5, false, true)
        );
        assert!((faces.weight(3) / faces.weight(0) - 3.0).abs() < 1e-4);
        let fill = |i, seed| {
            let mut out = vec![0.0; 3 * 16 * 16];
            faces.fill(i, seed, &mut out);
            out
        };
        assert_eq!(fill(0, None), fill(0, None));
        assert_eq!(fill(0, Some(3)), fill(0, Some(3)));
        assert_ne!(fill(0, Some(3)), fill(0, Some(4)));
    }
}
