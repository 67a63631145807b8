//! Compares 64 bytes with one byte at once, in the 16-byte registers that every x86-64 and aarch64
//! processor has.

use wide::u8x16;

/// What one step of the scanner looks at.
pub(super) type Block = [u8; 64];

/// Bit `i` says whether byte `i` of the block is `byte`.
#[inline(always)]
pub(super) fn equal(block: &Block, byte: u8) -> u64 {
    let pattern = u8x16::splat(byte);
    let mut bits = 0;
    for (i, lane) in block.as_chunks::<16>().0.iter().enumerate() {
        let equal = u8x16::from(*lane).simd_eq(pattern).to_bitmask();
        bits |= u64::from(equal) << (i * 16);
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_bit_stands_for_one_byte(
            mut block in proptest::collection::vec(any::<u8>(), 64),
            at in 0usize..64,
            byte: u8,
        ) {
            block[at] = byte;
            let block: &Block = block.as_slice().try_into().expect("64 bytes");
            let expected = (0..64).fold(0, |bits, i| bits | u64::from(block[i] == byte) << i);
            prop_assert_eq!(equal(block, byte), expected);
        }
    }
}
