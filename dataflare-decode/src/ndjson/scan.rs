//! Finds the bytes that matter, 32 at a time, with what vector instructions every machine of its kind
//! has: SSE2 on x86-64, NEON on aarch64.

use wide::u8x16;

/// Bytes looked at in one go.
pub(super) const BLOCK: usize = 32;

/// What stands where in a block; bit *n* speaks of byte *n*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    /// Bytes that end the plain part of a string: a quote, a backslash, a control character.
    pub(super) stops: u32,
    /// Bytes that are not ASCII.
    pub(super) wide: u32,
}

impl Marks {
    /// The position of the first stop; [`BLOCK`] where there is none.
    #[inline(always)]
    pub(super) fn first_stop(self) -> usize {
        self.stops.trailing_zeros() as usize
    }

    /// Whether all bytes before the first stop are ASCII.
    #[inline(always)]
    pub(super) fn plain(self) -> bool {
        let below = (self.stops & self.stops.wrapping_neg()).wrapping_sub(1);
        self.wide & below == 0
    }
}

/// The marks of a block.
#[inline(always)]
pub(super) fn marks(block: &[u8; BLOCK]) -> Marks {
    let stops = mask(block, |bytes| {
        let control = bytes.min(splat(0x1f)).simd_eq(bytes);
        bytes.simd_eq(splat(b'"')) | bytes.simd_eq(splat(b'\\')) | control
    });
    Marks { stops, wide: mask(block, |bytes| bytes) }
}

/// The quotes, brackets and braces of a block.
#[inline(always)]
pub(super) fn structure(block: &[u8; BLOCK]) -> u32 {
    mask(block, |bytes| {
        // '[' and '{', ']' and '}' differ in one bit alone.
        let folded = bytes | splat(0x20);
        bytes.simd_eq(splat(b'"')) | folded.simd_eq(splat(b'{')) | folded.simd_eq(splat(b'}'))
    })
}

#[inline(always)]
fn splat(byte: u8) -> u8x16 {
    u8x16::splat(byte)
}

/// The high bits of what `test` makes of the bytes.
#[inline(always)]
fn mask(block: &[u8; BLOCK], test: impl Fn(u8x16) -> u8x16) -> u32 {
    let (halves, _) = block.as_chunks::<16>();
    test(u8x16::new(halves[0])).to_bitmask() | (test(u8x16::new(halves[1])).to_bitmask() << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_hand(block: &[u8; BLOCK], test: impl Fn(u8) -> bool) -> u32 {
        block.iter().enumerate().fold(0, |mask, (n, byte)| mask | (u32::from(test(*byte)) << n))
    }

    #[test]
    fn every_byte_at_every_place_is_marked_as_by_hand() {
        for byte in 0..=u8::MAX {
            for place in 0..BLOCK {
                let mut block = [b'x'; BLOCK];
                block[place] = byte;
                block[(place + 7) % BLOCK] = byte.wrapping_add(1);
                let expected = Marks {
                    stops: by_hand(&block, |b| b == b'"' || b == b'\\' || b < 0x20),
                    wide: by_hand(&block, |b| b >= 0x80),
                };
                assert_eq!(marks(&block), expected);
                let expected = by_hand(&block, |b| b"\"[]{}".contains(&b));
                assert_eq!(structure(&block), expected);
            }
        }
    }

    #[test]
    fn plain_looks_at_nothing_after_the_first_stop() {
        let marks = |stops, wide| Marks { stops, wide };
        assert!(marks(0b0100, 0b1000).plain());
        assert!(!marks(0b0100, 0b0010).plain());
        assert!(!marks(0, 0b1000).plain());
        assert!(marks(0, 0).plain());
        assert_eq!(marks(0, 0).first_stop(), BLOCK);
    }
}
