// SPDX-License-Identifier: MIT OR Apache-2.0
//! From folders of pictures to examples for training. Knows no nets.
//!
//! [`scan`](scan::scan) reads the folders, [`load`](load::load) makes a [`Patch`](patch::Patch) of each picture, [`group`] finds out what
//! belongs together where names do not tell, [`leak`] what is on both sides, [`split`](split::split) takes validation and test apart,
//! [`balance`] says how often each is drawn, and [`faces::Faces`] hands them to the net.

pub mod balance;
mod coding;
pub mod exact;
pub mod faces;
pub mod files;
pub mod group;
pub mod input;
pub mod leak;
pub mod load;
pub mod loaded;
mod near;
pub mod patch;
pub(crate) mod picture;
pub mod place;
pub mod scan;
pub mod split;
pub(crate) mod table;

#[cfg(test)]
pub(crate) mod testing;
