//! Statistics with a weight for each row: sum, mean (the volume weighted average price, where prices are weighted by
//! volumes), variance and standard deviation.

use super::Statistic;
use crate::catalogue::{Family, Kernel, Kind, Parameter};
use crate::windowed::{COLUMN, expanding, expanding_pair, pair_spec, rolling, rolling_pair};

const SUM: u8 = 0;
const MEAN: u8 = 1;
const VAR: u8 = 2;
const STD: u8 = 3;

/// The weighted sum (0), mean (1), variance (2) or standard deviation (3).
#[derive(Debug, Clone)]
pub struct Weighted<const KIND: u8>;

impl<const KIND: u8> Statistic for Weighted<KIND> {
    /// The value, then its weight.
    type Input = [f64; 2];
    type Output = f64;
    /// Sums of w, w d and w d d, where d is the difference of the value to the anchor; for the sum, d is the value.
    type State = [f64; 3];

    const ANCHORED: bool = KIND != SUM;

    #[inline(always)]
    fn can_anchor([_, weight]: [f64; 2]) -> bool {
        weight != 0.0
    }

    fn empty(&self) -> [f64; 3] {
        [0.0; 3]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 3], [x, weight]: [f64; 2], anchor: [f64; 2]) {
        // A row of weight 0 adds nothing, whatever the anchor, but for a NaN or an infinity.
        let from = if weight == 0.0 { x } else { anchor[0] };
        let d = if KIND == SUM { x } else { x - from };
        let weighted = weight * d;
        sums[0] += weight;
        sums[1] += weighted;
        if KIND == VAR || KIND == STD {
            sums[2] += weighted * d;
        }
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 3], row: [f64; 2], anchor: [f64; 2]) {
        // Addition commutes, and no sum is -0.
        self.push(sums, row, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 3], later: &[f64; 3]) -> [f64; 3] {
        std::array::from_fn(|i| earlier[i] + later[i])
    }

    #[inline(always)]
    fn finish(&self, [weight, first, second]: &[f64; 3], _count: usize, anchor: [f64; 2]) -> Option<f64> {
        let mean = first / weight;
        let variance = second / weight - mean * mean;
        // Rounding may leave a negative trace; NaN must stay.
        let variance = if variance < 0.0 { 0.0 } else { variance };
        let defined = *weight != 0.0;
        match KIND {
            SUM => Some(*first),
            MEAN => defined.then_some(anchor[0] + mean),
            VAR => defined.then_some(variance),
            _ => defined.then_some(variance.sqrt()),
        }
    }

    fn finish_empty(&self) -> Option<f64> {
        (KIND == SUM).then_some(0.0)
    }
}

const WEIGHTS: Parameter = Parameter::required("weights", Kind::Column, "The weight of each row.");

const NOTES: &str = "A row counts where value and weight are valid. Weights need not add up to 1; where they add up to 0 there is \
    no mean, variance or deviation (null). A row of weight 0 counts for `min_samples`, and adds nothing. Weights should not be negative: nothing forbids it, \
    but the variance is then cut off at 0. A window with a NaN or an infinity follows IEEE, and no other window does. Mean and variance are computed from \
    differences to a value of the same window, so a huge mean costs nothing.";

pub(crate) const ROLLING_WEIGHTED_SUM: Kernel = Kernel {
    name: "rolling_weighted_sum",
    family: Family::Rolling,
    summary: "Weighted sum of the values in a moving window.",
    formula: "y[i] = sum(w * x) over the rows in the window of row i where both are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; van Herk (1992), Gil and Werman (1993) for the windows.",
    parameters: &rolling_pair(COLUMN, WEIGHTS),
    example: r#""x", "z", 3"#,
    build: |arguments, schema| rolling(arguments, schema, &["column", "weights"], Weighted::<SUM>),
};

pub(crate) const EXPANDING_WEIGHTED_SUM: Kernel = Kernel {
    name: "expanding_weighted_sum",
    family: Family::Expanding,
    summary: "Weighted sum of all values so far.",
    formula: "y[i] = sum(w * x) over the rows up to row i where both are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; sums by blocks of 1,024 rows.",
    parameters: &expanding_pair(COLUMN, WEIGHTS),
    example: r#""x", "z""#,
    build: |arguments, schema| expanding(arguments, schema, &["column", "weights"], Weighted::<SUM>),
};

pub(crate) const ROLLING_WEIGHTED_MEAN: Kernel = Kernel {
    name: "rolling_weighted_mean",
    family: Family::Rolling,
    summary: "Weighted mean of the values in a moving window.",
    formula: "y[i] = sum(w * x) / sum(w) over the rows in the window of row i where both are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; van Herk (1992), Gil and Werman (1993) for the windows.",
    parameters: &rolling_pair(COLUMN, WEIGHTS),
    example: r#""x", "z", 3"#,
    build: |arguments, schema| rolling(arguments, schema, &["column", "weights"], Weighted::<MEAN>),
};

pub(crate) const EXPANDING_WEIGHTED_MEAN: Kernel = Kernel {
    name: "expanding_weighted_mean",
    family: Family::Expanding,
    summary: "Weighted mean of all values so far.",
    formula: "y[i] = sum(w * x) / sum(w) over the rows up to row i where both are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; sums by blocks of 1,024 rows.",
    parameters: &expanding_pair(COLUMN, WEIGHTS),
    example: r#""x", "z""#,
    build: |arguments, schema| expanding(arguments, schema, &["column", "weights"], Weighted::<MEAN>),
};

pub(crate) const ROLLING_WEIGHTED_VAR: Kernel = Kernel {
    name: "rolling_weighted_var",
    family: Family::Rolling,
    summary: "Weighted variance of the values in a moving window.",
    formula: "y[i] = sum(w * (x - m)^2) / sum(w), m the weighted mean, over the rows in the window of row i where both are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; van Herk (1992), Gil and Werman (1993) for the windows.",
    parameters: &rolling_pair(COLUMN, WEIGHTS),
    example: r#""x", "z", 3"#,
    build: |arguments, schema| rolling(arguments, schema, &["column", "weights"], Weighted::<VAR>),
};

pub(crate) const EXPANDING_WEIGHTED_VAR: Kernel = Kernel {
    name: "expanding_weighted_var",
    family: Family::Expanding,
    summary: "Weighted variance of all values so far.",
    formula: "y[i] = sum(w * (x - m)^2) / sum(w), m the weighted mean, over the rows up to row i where both are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; sums by blocks of 1,024 rows.",
    parameters: &expanding_pair(COLUMN, WEIGHTS),
    example: r#""x", "z""#,
    build: |arguments, schema| expanding(arguments, schema, &["column", "weights"], Weighted::<VAR>),
};

pub(crate) const ROLLING_WEIGHTED_STD: Kernel = Kernel {
    name: "rolling_weighted_std",
    family: Family::Rolling,
    summary: "Weighted standard deviation of the values in a moving window.",
    formula: "y[i] = sqrt(sum(w * (x - m)^2) / sum(w)), m the weighted mean, over the rows in the window of row i where both are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; van Herk (1992), Gil and Werman (1993) for the windows.",
    parameters: &rolling_pair(COLUMN, WEIGHTS),
    example: r#""x", "z", 3"#,
    build: |arguments, schema| rolling(arguments, schema, &["column", "weights"], Weighted::<STD>),
};

pub(crate) const EXPANDING_WEIGHTED_STD: Kernel = Kernel {
    name: "expanding_weighted_std",
    family: Family::Expanding,
    summary: "Weighted standard deviation of all values so far.",
    formula: "y[i] = sqrt(sum(w * (x - m)^2) / sum(w)), m the weighted mean, over the rows up to row i where both are valid",
    notes: NOTES,
    source: "Chan, Golub, LeVeque (1983), shifted data; sums by blocks of 1,024 rows.",
    parameters: &expanding_pair(COLUMN, WEIGHTS),
    example: r#""x", "z""#,
    build: |arguments, schema| expanding(arguments, schema, &["column", "weights"], Weighted::<STD>),
};

/// Weighted sum of the values in a moving window.
pub fn rolling_weighted_sum(
    column: impl Into<String>,
    weights: impl Into<String>,
    window: impl Into<crate::Value>,
) -> crate::KernelSpec {
    pair_spec("rolling_weighted_sum", ("column", column), ("weights", weights), Some(window.into()))
}

/// Weighted sum of all values so far.
pub fn expanding_weighted_sum(column: impl Into<String>, weights: impl Into<String>) -> crate::KernelSpec {
    pair_spec("expanding_weighted_sum", ("column", column), ("weights", weights), None)
}

/// Weighted mean of the values in a moving window.
pub fn rolling_weighted_mean(
    column: impl Into<String>,
    weights: impl Into<String>,
    window: impl Into<crate::Value>,
) -> crate::KernelSpec {
    pair_spec("rolling_weighted_mean", ("column", column), ("weights", weights), Some(window.into()))
}

/// Weighted mean of all values so far.
pub fn expanding_weighted_mean(column: impl Into<String>, weights: impl Into<String>) -> crate::KernelSpec {
    pair_spec("expanding_weighted_mean", ("column", column), ("weights", weights), None)
}

/// Weighted variance of the values in a moving window.
pub fn rolling_weighted_var(
    column: impl Into<String>,
    weights: impl Into<String>,
    window: impl Into<crate::Value>,
) -> crate::KernelSpec {
    pair_spec("rolling_weighted_var", ("column", column), ("weights", weights), Some(window.into()))
}

/// Weighted variance of all values so far.
pub fn expanding_weighted_var(column: impl Into<String>, weights: impl Into<String>) -> crate::KernelSpec {
    pair_spec("expanding_weighted_var", ("column", column), ("weights", weights), None)
}

/// Weighted standard deviation of the values in a moving window.
pub fn rolling_weighted_std(
    column: impl Into<String>,
    weights: impl Into<String>,
    window: impl Into<crate::Value>,
) -> crate::KernelSpec {
    pair_spec("rolling_weighted_std", ("column", column), ("weights", weights), Some(window.into()))
}

/// Weighted standard deviation of all values so far.
pub fn expanding_weighted_std(column: impl Into<String>, weights: impl Into<String>) -> crate::KernelSpec {
    pair_spec("expanding_weighted_std", ("column", column), ("weights", weights), None)
}
