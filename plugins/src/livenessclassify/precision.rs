// SPDX-License-Identifier: MIT OR Apache-2.0
//! The property `precision`: which version of the model that ships is taken.

use gst::glib;
use liveness::runtime::has_integer_products;
use liveness_models::{LIVENESS, LIVENESS_INT8, Shipped};

/// In what numbers the model that ships works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLivenessPrecision")]
#[repr(i32)]
pub enum Precision {
    /// In those that are faster here.
    #[enum_value(
        name = "8-bit integers where the processor has instructions for them, else floats",
        nick = "auto"
    )]
    Auto,
    /// As it was trained.
    #[default]
    #[enum_value(name = "32-bit floats", nick = "float")]
    Float,
    /// Quantised.
    #[enum_value(name = "8-bit integers", nick = "int8")]
    Int8,
}

impl Precision {
    /// The version that it names, on this processor.
    pub(super) fn model(self) -> Shipped {
        let is_int8 = match self {
            Self::Auto => has_integer_products(),
            Self::Float => false,
            Self::Int8 => true,
        };
        if is_int8 { LIVENESS_INT8 } else { LIVENESS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_decides_where_nobody_does() {
        assert_eq!(Precision::Float.model().name, "liveness");
        assert_eq!(Precision::Int8.model().name, "liveness-int8");
        let wanted = if has_integer_products() {
            "liveness-int8"
        } else {
            "liveness"
        };
        assert_eq!(Precision::Auto.model().name, wanted);
    }
}
