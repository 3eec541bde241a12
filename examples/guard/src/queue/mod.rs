// SPDX-License-Identifier: MIT OR Apache-2.0
//! What has to be delivered and must not be lost: written to the disk first, sent when it can be.

mod courier;
mod spool;

pub(crate) use courier::{Courier, Deliver, Trouble};
pub(crate) use spool::{Head, Limits, Spool};
