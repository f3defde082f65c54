//! The product.  Taken apart and put together as a sum is, so a zero that has left the window leaves no trace.

use super::Statistic;
use crate::catalogue::{Family, Kernel};
use crate::windowed::{EXPANDING_PARAMETERS, ROLLING_PARAMETERS, expanding, expanding_spec, rolling, rolling_spec};

/// The product of the values.
#[derive(Debug, Clone)]
pub struct Product;

impl Statistic for Product {
    type Input = f64;
    type Output = f64;
    type State = f64;

    const TOTAL: bool = true;

    fn empty(&self) -> f64 {
        1.0
    }

    #[inline(always)]
    fn push(&self, product: &mut f64, x: f64, _anchor: f64) {
        *product *= x;
    }

    #[inline(always)]
    fn push_front(&self, product: &mut f64, x: f64, anchor: f64) {
        // Multiplication commutes.
        self.push(product, x, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &f64, later: &f64) -> f64 {
        earlier * later
    }

    #[inline(always)]
    fn finish(&self, product: &f64, _count: usize, _anchor: f64) -> Option<f64> {
        Some(*product)
    }

    fn finish_empty(&self) -> Option<f64> {
        Some(1.0)
    }
}

const NOTES: &str = "Nulls are skipped and do not count for `min_samples`; the product of no values (with `min_samples=0`) is 1. \
    NaN, infinities and overflow follow IEEE in the windows that hold them and in no other; a zero that has left the window \
    leaves no trace. Relative error at most w * eps for w values, eps = 1.1e-16, unless a part of the product over- or \
    underflows.";

pub(crate) const ROLLING_PRODUCT: Kernel = Kernel {
    name: "rolling_product",
    family: Family::Rolling,
    summary: "Product of the values in a moving window.",
    formula: "y[i] = product of x[j] for j in the window of row i",
    notes: NOTES,
    source: "van Herk (1992), Gil and Werman (1993) for rows; Tangwongsan, Hirzel, Schneider (2021) for time.",
    parameters: ROLLING_PARAMETERS,
    example: r#""x", 2"#,
    build: |arguments, schema| rolling(arguments, schema, &["column"], Product),
};

pub(crate) const EXPANDING_PRODUCT: Kernel = Kernel {
    name: "expanding_product",
    family: Family::Expanding,
    summary: "Product of all values so far.",
    formula: "y[i] = product of x[j] for j <= i",
    notes: NOTES,
    source: "pandas `Series.cumprod()`; by blocks of 1,024 rows.",
    parameters: EXPANDING_PARAMETERS,
    example: r#""x""#,
    build: |arguments, schema| expanding(arguments, schema, &["column"], Product),
};

/// Product of the values in a moving window.
pub fn rolling_product(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_product", column, window)
}

/// Product of all values so far.
pub fn expanding_product(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_product", column)
}
