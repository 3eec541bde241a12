// SPDX-License-Identifier: MIT OR Apache-2.0
//! Numbers out of the bytes of an input; zeros when they are used up.

/// What is left of an input.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

#[allow(dead_code)] // Each target uses a part.
impl Bytes<'_> {
    pub(crate) fn u8(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        first
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(std::array::from_fn(|_| self.u8()))
    }

    /// Any float at all, and more often one near to what is usual.
    pub(crate) fn float(&mut self) -> f32 {
        match self.u8() {
            0 => f32::from_bits(self.u32()),
            1 => f32::NAN,
            2 => f32::INFINITY,
            3 => f32::NEG_INFINITY,
            4 => f32::MAX,
            5 => -f32::MAX,
            6 => f32::MIN_POSITIVE,
            near => (f32::from(near) - 128.0) / 32.0,
        }
    }

    /// From 0 to `most`.
    pub(crate) fn up_to(&mut self, most: usize) -> usize {
        self.u32() as usize % (most + 1)
    }
}
