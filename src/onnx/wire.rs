// SPDX-License-Identifier: MIT OR Apache-2.0
//! Protobuf's encoding, read field by field without copying or allocating. Knows no message.

/// One value as it is encoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    /// A text, bytes, a message or packed numbers.
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    /// What is a message, a text or bytes.
    pub(super) fn bytes(self, what: &str) -> Result<&'a [u8], String> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(format!("{what} is a number")),
        }
    }

    /// A text. What is not UTF-8 in it is no name that anything else could have.
    pub(super) fn text(self, what: &str) -> Result<&'a str, String> {
        std::str::from_utf8(self.bytes(what)?).map_err(|_| format!("{what} is not UTF-8"))
    }

    /// A whole number.
    pub(super) fn integer(self, what: &str) -> Result<i64, String> {
        match self {
            Self::Varint(v) => Ok(v.cast_signed()),
            _ => Err(format!("{what} is not a whole number")),
        }
    }
}

/// The fields of a message, in their order.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    /// The next one, with its number; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, String> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(*self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                let split = self.0.split_at_checked(length).ok_or_else(ends)?;
                self.0 = split.1;
                Value::Bytes(split.0)
            }
            5 => Value::Fixed32(u32::from_le_bytes(*self.array()?)),
            kind => return Err(format!("a field of the unknown kind {kind}")),
        };
        match key >> 3 {
            0 => Err("a field without a number".into()),
            number => Ok(Some((number, value))),
        }
    }

    /// A number of one to ten bytes of seven bits each.
    pub(super) fn varint(&mut self) -> Result<u64, String> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or_else(ends)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err("a number of more than ten bytes".into())
    }

    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], String> {
        let (array, rest) = self.0.split_first_chunk().ok_or_else(ends)?;
        self.0 = rest;
        Ok(array)
    }
}

fn ends() -> String {
    "it ends in the middle".into()
}

/// How many numbers a field of a repeated whole number holds: one, or packed ones.
pub(super) fn count_varints(value: Value) -> u64 {
    match value {
        // The last byte of each has its highest bit clear.
        Value::Bytes(packed) => packed.iter().filter(|b| **b & 0x80 == 0).count() as u64,
        _ => 1,
    }
}

/// The whole numbers of such a field, added to `numbers`, as long as there are no more than `most`.
pub(super) fn varints(value: Value, most: usize, numbers: &mut Vec<i64>) -> Result<(), String> {
    match value {
        Value::Bytes(packed) => {
            let mut rest = Fields(packed);
            while !rest.0.is_empty() && numbers.len() < most {
                numbers.push(rest.varint()?.cast_signed());
            }
        }
        other => {
            if numbers.len() < most {
                numbers.push(other.integer("a number")?);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn all_kinds_are_read() {
        let bytes = [
            8, 0x96, 1, // 1: 150
            0x12, 2, b'h', b'i', // 2: "hi"
            0x1d, 1, 0, 0, 0, // 3: fixed 32
            0x21, 2, 0, 0, 0, 0, 0, 0, 0, // 4: fixed 64
        ];
        let mut fields = Fields(&bytes);
        assert_eq!(fields.next(), Ok(Some((1, Value::Varint(150)))));
        assert_eq!(fields.next(), Ok(Some((2, Value::Bytes(b"hi")))));
        assert_eq!(fields.next(), Ok(Some((3, Value::Fixed32(1)))));
        assert_eq!(fields.next(), Ok(Some((4, Value::Fixed64(2)))));
        assert_eq!(fields.next(), Ok(None));
        for end in [1, 2, 4, 5, 8, 13, 20] {
            let mut fields = Fields(&bytes[..end]);
            let all = std::iter::from_fn(|| fields.next().transpose());
            assert!(all.last().unwrap().is_err(), "{end} bytes");
        }
    }

    #[test]
    fn packed_and_single_numbers_are_counted_alike() {
        let packed = Value::Bytes(&[1, 0x96, 1, 3]);
        assert_eq!(
            (count_varints(packed), count_varints(Value::Varint(9))),
            (3, 1)
        );
        let mut numbers = Vec::new();
        varints(packed, 9, &mut numbers).unwrap();
        varints(Value::Varint(u64::MAX), 9, &mut numbers).unwrap();
        assert_eq!(numbers, [1, 150, 3, -1]);
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut fields = Fields(&bytes);
            let mut left = bytes.len();
            while let Ok(Some(_)) = fields.next() {
                prop_assert!(fields.0.len() < left);
                left = fields.0.len();
            }
        }
    }
}
