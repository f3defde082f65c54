//! Sixteen integers of 16 bits side by side: in a vector of AVX2, or in an array, with the same results.

#[cfg(target_arch = "x86_64")]
use pulp::bytemuck;

/// How many integers are side by side.
pub const SHORTS: usize = 16;

/// Operations on sixteen integers; sums and products wrap around.
pub trait ShortVectors: Copy {
    /// The integers.
    type Shorts: Copy;
    /// Sums of products, of 32 bits.
    type Sums: Copy;

    /// The integers of an array.
    fn load(self, numbers: &[i16; SHORTS]) -> Self::Shorts;

    /// The integers as an array.
    fn store(self, numbers: Self::Shorts) -> [i16; SHORTS];

    /// Sixteen times the same.
    fn all(self, number: i16) -> Self::Shorts;

    /// The sums, number by number.
    fn plus(self, a: Self::Shorts, b: Self::Shorts) -> Self::Shorts;

    /// The differences, number by number.
    fn minus(self, a: Self::Shorts, b: Self::Shorts) -> Self::Shorts;

    /// -1 where a number is above the other, 0 elsewhere.
    fn above(self, a: Self::Shorts, b: Self::Shorts) -> Self::Shorts;

    /// No sum yet.
    fn none(self) -> Self::Sums;

    /// Adds the products, number by number.
    fn add_products(self, sums: Self::Sums, a: Self::Shorts, b: Self::Shorts) -> Self::Sums;

    /// All sums together.
    fn total(self, sums: Self::Sums) -> i32;
}

/// Without vectors.
#[derive(Debug, Clone, Copy)]
pub struct Arrays;

/// Combines numbers one by one.
#[inline(always)]
fn each(a: [i16; SHORTS], b: [i16; SHORTS], of: impl Fn(i16, i16) -> i16) -> [i16; SHORTS] {
    std::array::from_fn(|i| of(a[i], b[i]))
}

impl ShortVectors for Arrays {
    type Shorts = [i16; SHORTS];
    type Sums = [i32; SHORTS];

    #[inline(always)]
    fn load(self, numbers: &[i16; SHORTS]) -> [i16; SHORTS] {
        *numbers
    }

    #[inline(always)]
    fn store(self, numbers: [i16; SHORTS]) -> [i16; SHORTS] {
        numbers
    }

    #[inline(always)]
    fn all(self, number: i16) -> [i16; SHORTS] {
        [number; SHORTS]
    }

    #[inline(always)]
    fn plus(self, a: [i16; SHORTS], b: [i16; SHORTS]) -> [i16; SHORTS] {
        each(a, b, i16::wrapping_add)
    }

    #[inline(always)]
    fn minus(self, a: [i16; SHORTS], b: [i16; SHORTS]) -> [i16; SHORTS] {
        each(a, b, i16::wrapping_sub)
    }

    #[inline(always)]
    fn above(self, a: [i16; SHORTS], b: [i16; SHORTS]) -> [i16; SHORTS] {
        each(a, b, |a, b| -i16::from(a > b))
    }

    #[inline(always)]
    fn none(self) -> [i32; SHORTS] {
        [0; SHORTS]
    }

    #[inline(always)]
    fn add_products(self, sums: [i32; SHORTS], a: [i16; SHORTS], b: [i16; SHORTS]) -> [i32; SHORTS] {
        std::array::from_fn(|i| sums[i].wrapping_add(i32::from(a[i]) * i32::from(b[i])))
    }

    #[inline(always)]
    fn total(self, sums: [i32; SHORTS]) -> i32 {
        sums.into_iter().fold(0, i32::wrapping_add)
    }
}

#[cfg(target_arch = "x86_64")]
impl ShortVectors for pulp::x86::V3 {
    type Shorts = std::arch::x86_64::__m256i;
    type Sums = std::arch::x86_64::__m256i;

    #[inline(always)]
    fn load(self, numbers: &[i16; SHORTS]) -> Self::Shorts {
        bytemuck::cast(*numbers)
    }

    #[inline(always)]
    fn store(self, numbers: Self::Shorts) -> [i16; SHORTS] {
        bytemuck::cast(numbers)
    }

    #[inline(always)]
    fn all(self, number: i16) -> Self::Shorts {
        self.avx._mm256_set1_epi16(number)
    }

    #[inline(always)]
    fn plus(self, a: Self::Shorts, b: Self::Shorts) -> Self::Shorts {
        self.avx2._mm256_add_epi16(a, b)
    }

    #[inline(always)]
    fn minus(self, a: Self::Shorts, b: Self::Shorts) -> Self::Shorts {
        self.avx2._mm256_sub_epi16(a, b)
    }

    #[inline(always)]
    fn above(self, a: Self::Shorts, b: Self::Shorts) -> Self::Shorts {
        self.avx2._mm256_cmpgt_epi16(a, b)
    }

    #[inline(always)]
    fn none(self) -> Self::Sums {
        self.avx._mm256_setzero_si256()
    }

    #[inline(always)]
    fn add_products(self, sums: Self::Sums, a: Self::Shorts, b: Self::Shorts) -> Self::Sums {
        self.avx2._mm256_add_epi32(sums, self.avx2._mm256_madd_epi16(a, b))
    }

    #[inline(always)]
    fn total(self, sums: Self::Sums) -> i32 {
        bytemuck::cast::<_, [i32; 8]>(sums).into_iter().fold(0, i32::wrapping_add)
    }
}

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all<V: ShortVectors>(vectors: V, a: &[i16; SHORTS], b: &[i16; SHORTS]) -> ([[i16; SHORTS]; 3], i32) {
        let (x, y) = (vectors.load(a), vectors.load(b));
        let found = [vectors.plus(x, y), vectors.minus(x, vectors.all(7)), vectors.above(x, y)];
        let sums = vectors.add_products(vectors.add_products(vectors.none(), x, y), x, x);
        (found.map(|found| vectors.store(found)), vectors.total(sums))
    }

    proptest! {
        #[test]
        fn vectors_and_arrays_agree(a in any::<[i16; SHORTS]>(), b in any::<[i16; SHORTS]>()) {
            if let Some(vectors) = pulp::x86::V3::try_new() {
                prop_assert_eq!(all(vectors, &a, &b), all(Arrays, &a, &b));
            }
        }
    }
}
