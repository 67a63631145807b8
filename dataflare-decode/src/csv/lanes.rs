//! Compares 64 bytes with one byte at once, with the widest registers that this machine has.

use super::scan::{Borders, Scanner};

/// What one step of the scanner looks at.
pub(super) type Block = [u8; 64];

/// [`Scanner::scan`] on this machine.
pub(super) fn scan(scanner: &mut Scanner, bytes: &[u8], sink: &mut impl FnMut(usize, Borders)) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("bmi1")
        && std::arch::is_x86_feature_detected!("popcnt")
    {
        // SAFETY: the processor has the features that the function is compiled for.
        #[allow(unsafe_code, reason = "measured")]
        unsafe {
            x86::scan(scanner, bytes, sink);
        }
        return;
    }
    scanner.scan_with(bytes, sink, equal);
}

/// Bit `i` says whether byte `i` of the block is `byte`; eight bytes at a time in plain integers.
#[inline(always)]
pub(super) fn equal(block: &Block, byte: u8) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const SEVEN: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let pattern = LOW * u64::from(byte);
    let mut bits = 0;
    for (i, word) in block.as_chunks::<8>().0.iter().enumerate() {
        let difference = u64::from_le_bytes(*word) ^ pattern;
        // The top bit of each byte that is zero, exactly; then those eight bits side by side.
        let zero = !(((difference & SEVEN) + SEVEN) | difference | SEVEN);
        let byte = (zero >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits |= byte << (i * 8);
    }
    bits
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_movemask_epi8, _mm256_set_epi64x, _mm256_set1_epi8,
    };

    use super::{Block, Borders, Scanner};

    #[target_feature(enable = "avx2,bmi1,popcnt")]
    pub(super) fn scan(scanner: &mut Scanner, bytes: &[u8], sink: &mut impl FnMut(usize, Borders)) {
        scanner.scan_with(bytes, sink, |block, byte| equal(block, byte));
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn equal(block: &Block, byte: u8) -> u64 {
        let (halves, _) = block.as_chunks::<32>();
        let [low, high] = [&halves[0], &halves[1]].map(|half| {
            let pattern = _mm256_set1_epi8(byte.cast_signed());
            let bits = _mm256_movemask_epi8(_mm256_cmpeq_epi8(load(half), pattern));
            u64::from(bits.cast_unsigned())
        });
        low | (high << 32)
    }

    /// Compiles to one load.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn load(bytes: &[u8; 32]) -> __m256i {
        let (words, _) = bytes.as_chunks::<8>();
        let [a, b, c, d] = [0, 1, 2, 3].map(|i: usize| i64::from_le_bytes(words[i]));
        _mm256_set_epi64x(d, c, b, a)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_bit_stands_for_one_byte(block in proptest::array::uniform32(any::<[u8; 2]>()), byte: u8) {
            let mut bytes = block.concat();
            bytes[7] = byte;
            let block: &Block = bytes.as_slice().try_into().expect("64 bytes");
            let expected = (0..64).fold(0, |bits, i| bits | u64::from(block[i] == byte) << i);
            prop_assert_eq!(equal(block, byte), expected);
        }
    }
}
