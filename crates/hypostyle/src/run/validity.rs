//! Flags of valid results as bits.

use arrow::array::BooleanBufferBuilder;
use rayon::prelude::*;

/// Appends flags as bits, eight at a time.
pub(super) fn append_flags(bits: &mut BooleanBufferBuilder, flags: &[bool], threads: usize) {
    let (chunks, rest) = flags.as_chunks::<8>();
    let pack = |chunk: &[bool; 8]| {
        // Each byte is 0 or 1; the product moves byte i's bit to bit 56 + i.
        let bytes = u64::from_le_bytes(chunk.map(u8::from));
        (bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56).to_le_bytes()[0]
    };
    let packed: Vec<u8> = if threads > 1 {
        chunks.par_iter().with_min_len(1 << 13).map(pack).collect()
    } else {
        chunks.iter().map(pack).collect()
    };
    bits.append_packed_range(0..chunks.len() * 8, &packed);
    bits.append_slice(rest);
}
