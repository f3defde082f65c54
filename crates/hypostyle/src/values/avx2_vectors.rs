//! Four numbers side by side in a vector of AVX2.

use std::arch::x86_64::{__m256d, _CMP_LE_OQ, _CMP_LT_OQ};
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Not, Sub};

use pulp::bytemuck;
use pulp::x86::V3;

use super::number::{Flag, Number, SIDE_BY_SIDE, Vectors};

/// Four numbers, with the token that the machine has the instructions.
#[derive(Debug, Clone, Copy)]
pub struct Four(V3, __m256d);

/// Four answers: all bits of a number are set, or none.
#[derive(Debug, Clone, Copy)]
pub struct FourFlags(V3, __m256d);

macro_rules! operations {
    ($($trait:ident $method:ident $instruction:ident),*) => {$(
        impl $trait for Four {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0, self.0.avx.$instruction(self.1, other.1))
            }
        }

        impl $trait<f64> for Four {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: f64) -> Self {
                self.$method(self.like(other))
            }
        }
    )*};
}

operations!(Add add _mm256_add_pd, Sub sub _mm256_sub_pd, Mul mul _mm256_mul_pd, Div div _mm256_div_pd);

impl Number for Four {
    type Flag = FourFlags;

    #[inline(always)]
    fn like(self, x: f64) -> Self {
        Self(self.0, self.0.avx._mm256_set1_pd(x))
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0, self.0.avx._mm256_sqrt_pd(self.1))
    }

    #[inline(always)]
    fn is_below(self, other: Self) -> FourFlags {
        FourFlags(self.0, self.0.avx._mm256_cmp_pd::<_CMP_LT_OQ>(self.1, other.1))
    }

    #[inline(always)]
    fn is_at_most(self, other: Self) -> FourFlags {
        FourFlags(self.0, self.0.avx._mm256_cmp_pd::<_CMP_LE_OQ>(self.1, other.1))
    }

    #[inline(always)]
    fn or(self, flag: FourFlags, other: Self) -> Self {
        Self(self.0, self.0.avx._mm256_blendv_pd(self.1, other.1, flag.1))
    }

    #[inline(always)]
    fn lesser(self, other: Self) -> Self {
        Self(self.0, self.0.avx._mm256_min_pd(self.1, other.1))
    }

    #[inline(always)]
    fn greater(self, other: Self) -> Self {
        Self(self.0, self.0.avx._mm256_max_pd(self.1, other.1))
    }
}

impl BitAnd for FourFlags {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(self.0, self.0.avx._mm256_and_pd(self.1, other.1))
    }
}

impl BitOr for FourFlags {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self(self.0, self.0.avx._mm256_or_pd(self.1, other.1))
    }
}

impl Not for FourFlags {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(self.0, self.0.avx._mm256_xor_pd(self.1, self.like(true).1))
    }
}

impl Flag for FourFlags {
    #[inline(always)]
    fn like(self, answer: bool) -> Self {
        let bits = if answer { u64::MAX } else { 0 };
        Self(self.0, self.0.avx._mm256_set1_pd(f64::from_bits(bits)))
    }
}

/// The lowest four bits of a number.
const SET: [[bool; SIDE_BY_SIDE]; 16] = {
    let mut set = [[false; SIDE_BY_SIDE]; 16];
    let mut bits = 0;
    while bits < 16 {
        let mut i = 0;
        while i < SIDE_BY_SIDE {
            set[bits][i] = bits >> i & 1 == 1;
            i += 1;
        }
        bits += 1;
    }
    set
};

impl Vectors for V3 {
    type Number = Four;

    #[inline(always)]
    fn load(self, numbers: &[f64; SIDE_BY_SIDE]) -> Four {
        // A copy of the whole array: of its numbers one by one the compiler makes as many loads.
        Four(self, bytemuck::cast(*numbers))
    }

    #[inline(always)]
    fn store(self, numbers: Four) -> [f64; SIDE_BY_SIDE] {
        bytemuck::cast(numbers.1)
    }

    #[inline(always)]
    fn load_flags(self, flags: [bool; SIDE_BY_SIDE]) -> FourFlags {
        // A byte of 0 or 1 becomes 64 bits of it.
        let bytes = self.sse2._mm_cvtsi32_si128(i32::from_le_bytes(flags.map(u8::from)));
        let numbers = self.avx2._mm256_cvtepi8_epi64(bytes);
        let all = self.avx2._mm256_sub_epi64(self.avx._mm256_setzero_si256(), numbers);
        FourFlags(self, self.avx._mm256_castsi256_pd(all))
    }

    #[inline(always)]
    fn set(self, flag: FourFlags) -> [bool; SIDE_BY_SIDE] {
        SET[(self.avx._mm256_movemask_pd(flag.1) & 15) as usize]
    }

    #[inline(always)]
    fn all(self, flag: FourFlags) -> bool {
        self.avx._mm256_movemask_pd(flag.1) == 15
    }

    #[inline(always)]
    fn turned_flags(self, [a, b, c, d]: [FourFlags; SIDE_BY_SIDE]) -> [FourFlags; SIDE_BY_SIDE] {
        let [a, b, c, d] = self.turned([Four(self, a.1), Four(self, b.1), Four(self, c.1), Four(self, d.1)]);
        [FourFlags(self, a.1), FourFlags(self, b.1), FourFlags(self, c.1), FourFlags(self, d.1)]
    }

    #[inline(always)]
    fn turned(self, [a, b, c, d]: [Four; SIDE_BY_SIDE]) -> [Four; SIDE_BY_SIDE] {
        let (even_ab, even_cd) = (self.avx._mm256_unpacklo_pd(a.1, b.1), self.avx._mm256_unpacklo_pd(c.1, d.1));
        let (odd_ab, odd_cd) = (self.avx._mm256_unpackhi_pd(a.1, b.1), self.avx._mm256_unpackhi_pd(c.1, d.1));
        [
            Four(self, self.avx._mm256_permute2f128_pd::<0x20>(even_ab, even_cd)),
            Four(self, self.avx._mm256_permute2f128_pd::<0x20>(odd_ab, odd_cd)),
            Four(self, self.avx._mm256_permute2f128_pd::<0x31>(even_ab, even_cd)),
            Four(self, self.avx._mm256_permute2f128_pd::<0x31>(odd_ab, odd_cd)),
        ]
    }
}
