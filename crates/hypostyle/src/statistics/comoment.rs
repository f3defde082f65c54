//! Higher moments of two columns together: how x moves with the square and the cube of y, from sums of differences to the
//! anchor (see `variance.rs`).

use super::{Statistic, as_f64};
use crate::catalogue::{Family, Kernel, Kind, Parameter};
use crate::windowed::{expanding, expanding_pair, pair_spec, rolling, rolling_pair};

const SKEW: u8 = 0;
const KURT: u8 = 1;

/// The co-skewness (0) or the co-kurtosis (1) of x with y.
#[derive(Debug, Clone)]
pub struct Comoment<const KIND: u8>;

impl<const KIND: u8> Statistic for Comoment<KIND> {
    /// x, then y.
    type Input = [f64; 2];
    type Output = f64;
    /// Sums of dx, dy, dx dx, dx dy, dy dy, dx dy dy, dy dy dy, dx dy dy dy, where d is the difference to the anchor.
    type State = [f64; 8];

    const ANCHORED: bool = true;

    fn empty(&self) -> [f64; 8] {
        [0.0; 8]
    }

    #[inline(always)]
    fn push(&self, sums: &mut [f64; 8], [x, y]: [f64; 2], anchor: [f64; 2]) {
        let (dx, dy) = (x - anchor[0], y - anchor[1]);
        let (dxy, dyy) = (dx * dy, dy * dy);
        sums[0] += dx;
        sums[1] += dy;
        sums[2] += dx * dx;
        sums[3] += dxy;
        sums[4] += dyy;
        sums[5] += dx * dyy;
        if KIND == KURT {
            sums[6] += dyy * dy;
            sums[7] += dxy * dyy;
        }
    }

    #[inline(always)]
    fn push_front(&self, sums: &mut [f64; 8], row: [f64; 2], anchor: [f64; 2]) {
        // Addition commutes, and no sum is -0.
        self.push(sums, row, anchor);
    }

    #[inline(always)]
    fn merge(&self, earlier: &[f64; 8], later: &[f64; 8]) -> [f64; 8] {
        std::array::from_fn(|i| earlier[i] + later[i])
    }

    #[inline(always)]
    fn finish(&self, sums: &[f64; 8], count: usize, _anchor: [f64; 2]) -> Option<f64> {
        let n = as_f64(count);
        let [mx, my, xx, xy, yy, xyy, yyy, xyyy] = sums.map(|sum| sum / n);
        let (vx, vy) = (xx - mx * mx, yy - my * my);
        let answer = if KIND == SKEW {
            let together = xyy - 2.0 * my * xy - mx * yy + 2.0 * mx * my * my;
            together / (vx.sqrt() * vy)
        } else {
            let together =
                xyyy - 3.0 * my * xyy + 3.0 * my * my * xy - mx * yyy + 3.0 * mx * my * yy - 3.0 * mx * my * my * my;
            together / (vx.sqrt() * (vy * vy.sqrt()))
        };
        // A constant column moves with nothing; NaN goes on.
        let constant = (vx <= 0.0) | (vy <= 0.0);
        (!constant & (count > 1)).then_some(answer)
    }
}

const X: Parameter = Parameter::required("x", Kind::Column, "The column that moves along.");

const Y: Parameter = Parameter::required("y", Kind::Column, "The column whose powers are taken.");

const NOTES: &str = "Of the population (no correction for the sample's size); with x = y it is the skewness or the kurtosis (3 for \
    normal data). A row counts where both columns are valid; null where one is constant, and for a single row. A window with a NaN \
    or an infinity gives NaN, and no other window does. Computed from differences to a row of the same window, so a huge mean costs \
    nothing; an outlier of k standard deviations in the window costs about log10(k^3), for the kurtosis log10(k^4), of the 16 \
    digits.";

const SOURCE: &str = "Christie-David, Chaudhry (2001); Chan, Golub, LeVeque (1983), shifted data.";

pub(crate) const ROLLING_COSKEW: Kernel = Kernel {
    name: "rolling_coskew",
    family: Family::Rolling,
    summary: "Co-skewness of x with y in a moving window: how x moves with the square of y.",
    formula: "s[i] = E[(x - mx) * (y - my)^2] / (sx * sy^2) over the rows in the window of row i where both are valid",
    notes: NOTES,
    source: SOURCE,
    parameters: &rolling_pair(X, Y),
    example: r#""x", "z", 3, min_samples=2"#,
    build: |arguments, schema| rolling(arguments, schema, &["x", "y"], Comoment::<SKEW>),
};

pub(crate) const EXPANDING_COSKEW: Kernel = Kernel {
    name: "expanding_coskew",
    family: Family::Expanding,
    summary: "Co-skewness of x with y over all rows so far: how x moves with the square of y.",
    formula: "s[i] = E[(x - mx) * (y - my)^2] / (sx * sy^2) over the rows up to row i where both are valid",
    notes: NOTES,
    source: SOURCE,
    parameters: &expanding_pair(X, Y),
    example: r#""x", "z""#,
    build: |arguments, schema| expanding(arguments, schema, &["x", "y"], Comoment::<SKEW>),
};

pub(crate) const ROLLING_COKURT: Kernel = Kernel {
    name: "rolling_cokurt",
    family: Family::Rolling,
    summary: "Co-kurtosis of x with y in a moving window: how x moves with the cube of y.",
    formula: "k[i] = E[(x - mx) * (y - my)^3] / (sx * sy^3) over the rows in the window of row i where both are valid",
    notes: NOTES,
    source: SOURCE,
    parameters: &rolling_pair(X, Y),
    example: r#""x", "z", 3, min_samples=2"#,
    build: |arguments, schema| rolling(arguments, schema, &["x", "y"], Comoment::<KURT>),
};

pub(crate) const EXPANDING_COKURT: Kernel = Kernel {
    name: "expanding_cokurt",
    family: Family::Expanding,
    summary: "Co-kurtosis of x with y over all rows so far: how x moves with the cube of y.",
    formula: "k[i] = E[(x - mx) * (y - my)^3] / (sx * sy^3) over the rows up to row i where both are valid",
    notes: NOTES,
    source: SOURCE,
    parameters: &expanding_pair(X, Y),
    example: r#""x", "z""#,
    build: |arguments, schema| expanding(arguments, schema, &["x", "y"], Comoment::<KURT>),
};

/// Co-skewness of x with y in a moving window.
pub fn rolling_coskew(
    x: impl Into<String>,
    y: impl Into<String>,
    window: impl Into<crate::Value>,
) -> crate::KernelSpec {
    pair_spec("rolling_coskew", ("x", x), ("y", y), Some(window.into()))
}

/// Co-skewness of x with y over all rows so far.
pub fn expanding_coskew(x: impl Into<String>, y: impl Into<String>) -> crate::KernelSpec {
    pair_spec("expanding_coskew", ("x", x), ("y", y), None)
}

/// Co-kurtosis of x with y in a moving window.
pub fn rolling_cokurt(
    x: impl Into<String>,
    y: impl Into<String>,
    window: impl Into<crate::Value>,
) -> crate::KernelSpec {
    pair_spec("rolling_cokurt", ("x", x), ("y", y), Some(window.into()))
}

/// Co-kurtosis of x with y over all rows so far.
pub fn expanding_cokurt(x: impl Into<String>, y: impl Into<String>) -> crate::KernelSpec {
    pair_spec("expanding_cokurt", ("x", x), ("y", y), None)
}
