//! Whether a value could pass a test, if only min and max are known.

use arrow::array::{Array, ArrayRef, BooleanArray, Scalar};
use arrow::compute::kernels::cmp::{eq, gt_eq, lt_eq};
use arrow::compute::{and_kleene, not, or_kleene};
use arrow::error::ArrowError;

use super::test::{Test, is_no_nan};

/// Of some groups of values, a row each: bounds that no value lies outside of, null where they aren't known.  NaNs and
/// missing values have no part in them.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub least: ArrayRef,
    pub greatest: ArrayRef,
    /// Whether both are values of the group, not only bounds.
    pub exact: BooleanArray,
}

impl Test {
    /// For each group whether a value could pass; null where that cannot be told.
    pub fn could_keep(&self, bounds: &Bounds) -> Result<BooleanArray, ArrowError> {
        let Bounds { least, greatest, exact } = bounds;
        let unknown = || BooleanArray::new_null(least.len());
        match self {
            Self::NotNull | Self::Regex(_) => Ok(unknown()),
            Self::Min(bound) => gt_eq(greatest, &Scalar::new(bound)),
            Self::Max(bound) => lt_eq(least, &Scalar::new(bound)),
            Self::OneOf(list) => {
                let mut could = BooleanArray::from(vec![false; least.len()]);
                for value in &list.values {
                    if value.data_type().is_floating() && is_no_nan(value)?.true_count() == 0 {
                        return Ok(unknown());
                    }
                    let value = Scalar::new(value);
                    could = or_kleene(&could, &and_kleene(&lt_eq(least, &value)?, &gt_eq(greatest, &value)?)?)?;
                }
                Ok(could)
            }
            // A NaN is none of the numbers, and nobody knows whether there is one.
            Self::NoneOf(_) if least.data_type().is_floating() => Ok(unknown()),
            Self::NoneOf(list) => {
                let mut alone = BooleanArray::from(vec![false; least.len()]);
                for value in &list.values {
                    let value = Scalar::new(value);
                    alone = or_kleene(&alone, &and_kleene(&eq(least, &value)?, &eq(greatest, &value)?)?)?;
                }
                not(&and_kleene(&alone, exact)?)
            }
        }
    }
}
