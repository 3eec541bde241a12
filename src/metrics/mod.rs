// SPDX-License-Identifier: MIT OR Apache-2.0
//! How good answers are: the error rates of presentation-attack detection, with what is known about their precision. Knows numbers only.
//! [`detection`] does the same for face detectors.
//!
//! The words are those of ISO/IEC 30107-3. A live face is a *bona fide presentation*; a print, replay or mask an *attack presentation*
//! made with an *instrument* of some *species*. An [`Answer`] is what a model said about one of them. It is accepted where its
//! probability of live is at least the threshold. No answer is never accepted: right for an attack, wrong for a live face.
//!
//! | word | means |
//! |---|---|
//! | APCER | of the attacks of one species, the share that is accepted |
//! | worst APCER | the APCER of the species that gets through most often; what the standard asks for |
//! | pooled APCER | of all attacks together, the share that is accepted: depends on how many there are of each species |
//! | BPCER | of the live faces, the share that is refused |
//! | ACER | (worst APCER + BPCER) / 2, for comparison with the literature; the standard wants both errors apart |
//! | HTER | (pooled APCER + BPCER) / 2 |
//! | EER | the error where pooled APCER and BPCER are equal; its threshold is chosen on the very set, so it flatters |
//! | AUC | the chance that a live face gets a higher score than an attack |
//!
//! All take `&[Answer]` and give `None` where a class that they need is empty. A score that is no finite number counts as no answer.
//!
//! ```
//! use liveness::metrics::{Answer, Bootstrap, Summary, auc};
//!
//! let answers = [
//!     Answer::bona_fide("anna", Some(0.9)),
//!     Answer::bona_fide("ben", Some(0.6)),
//!     Answer::attack("print", "anna", Some(0.7)),
//!     Answer::attack("replay", "ben", None),
//! ];
//! assert_eq!(auc(&answers), Some(0.75));
//! let summary = Summary::of(&answers, 0.5, &Bootstrap::default());
//! assert_eq!(summary.bpcer.map(|b| b.value), Some(0.0));
//! assert_eq!(summary.apcer_worst.map(|a| a.value), Some(1.0)); // the only print gets through
//! ```

mod answer;
mod bootstrap;
mod calibration;
pub mod detection;
mod interval;
mod normal;
mod ranking;
mod rates;
mod summary;
mod tally;
mod threshold;

#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use bootstrap::Bootstrap;
pub use calibration::{Bin, brier, expected_calibration_error, reliability, temperature};
pub use interval::{Interval, Method, wilson};
pub use normal::{normal_cumulative, normal_deviate};
pub use ranking::{Eer, Point, auc, curve, eer};
pub use rates::{
    Confusion, Rate, accuracy, acer, apcer, apcer_by_species, apcer_worst, bpcer, confusion, hter,
};
pub use summary::{BpcerAt, Counts, Estimate, Species, Summary};
pub use threshold::{Scope, equal_weight_threshold, threshold_for_apcer};
