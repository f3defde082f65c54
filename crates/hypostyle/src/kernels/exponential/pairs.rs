//! Exponentially weighted covariance, correlation and regression slope of two columns.

use std::fmt::Display;
use std::marker::PhantomData;

use super::number::{Number, Numbers, from_value, is_far};
use super::pace::{ADJUST, ALPHA, BIAS, BY, COM, HALF_LIFE, IGNORE_NULLS, SPAN};
use super::weighted::{Shares, Summary, plan};
use crate::error::Result;
use crate::model::rarely;
use crate::run::parameters::FROM_ONE;
use crate::run::{Entry, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};
use crate::values::{Exact, Persist, StateReader, StateWriter};

/// What is made of the covariance.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Of {
    Covariance,
    Correlation,
    Slope,
}

/// See the module.
#[derive(Debug, Clone)]
struct Pairs<V> {
    of: Of,
    values: PhantomData<V>,
}

/// The means and variances of the two columns, as `Center` has them of one, and their covariance.
///
/// Both columns go side by side, as the two lanes of a vector.
#[derive(Debug, Clone, Default)]
struct SoFar<N> {
    anchors: [N; 2],
    /// The means minus the anchors.
    means: [f64; 2],
    variances: [f64; 2],
    covariance: f64,
}

#[inline(always)]
fn both(of: impl Fn(usize) -> f64) -> [f64; 2] {
    [of(0), of(1)]
}

impl<N: Number> SoFar<N> {
    /// 0, or NaN if a value was infinite, as its distance to the mean is then.
    #[inline(always)]
    fn doubts(&self) -> [f64; 2] {
        both(|k| self.means[k] * 0.0)
    }

    /// Where a mean is too far from its anchor, the value becomes the anchor.
    #[cold]
    #[inline(never)]
    fn move_anchors(&mut self, values: [N; 2], distances: [f64; 2], old: f64) {
        for k in 0..2 {
            if is_far(self.means[k], self.variances[k]) {
                self.means[k] = from_value(distances[k], old);
                self.anchors[k] = values[k];
            }
        }
    }
}

/// The square root of a product, which may be too large or too small for a float.
#[inline(always)]
fn root_of_product(x: f64, y: f64) -> f64 {
    let product = x * y;
    if product > 1e-250 && product < f64::INFINITY { product.sqrt() } else { root_of_wild_product(x, y) }
}

/// The same with the factors scaled by even powers of two, which changes no digit.
#[cold]
fn root_of_wild_product(x: f64, y: f64) -> f64 {
    let is_number = |x: f64| x > 0.0 && x < f64::INFINITY;
    if !(is_number(x) && is_number(y)) {
        return x.sqrt() * y.sqrt();
    }
    let halves = [x, y].map(|x| libm::ilogb(x) / 2);
    let product = libm::scalbn(x, -2 * halves[0]) * libm::scalbn(y, -2 * halves[1]);
    libm::scalbn(product.sqrt(), halves[0] + halves[1])
}

impl<V: Numbers<2>> Summary for Pairs<V> {
    type Values = V;
    type State = SoFar<V::Number>;

    #[inline(always)]
    fn add(&self, state: &mut Self::State, values: V, Shares { new, old }: Shares, is_first: bool) {
        let values = values.numbers();
        if is_first {
            state.anchors = values;
        }
        let SoFar { anchors, means, variances, .. } = *state;
        let relative = both(|k| values[k].minus(anchors[k]));
        let distances = both(|k| relative[k] - means[k]);
        state.means = both(|k| old * means[k] + new * relative[k]);
        let mut squares = both(|k| new * distances[k] * distances[k]);
        let mut product = new * distances[0] * distances[1];
        // A branch between the means and the variances: as pairs, each would wait for the other.
        if (squares[0] + squares[1] + product).is_nan() {
            (squares, product) = rarely((squares, product));
        }
        state.variances = both(|k| old * (variances[k] + squares[k]));
        state.covariance = old * (state.covariance + product);
        let far = [0, 1].map(|k| is_far(state.means[k], state.variances[k]));
        if far[0] | far[1] {
            let mut moved = state.clone();
            moved.move_anchors(values, distances, old);
            *state = moved;
        }
    }

    #[inline(always)]
    fn result(&self, state: &Self::State, correction: f64) -> Option<f64> {
        let doubts = state.doubts();
        let [variance_x, variance_y] = both(|k| state.variances[k] + doubts[k]);
        let covariance = state.covariance + (doubts[0] + doubts[1]);
        match self.of {
            Of::Covariance => (correction != 0.0).then(|| covariance / correction),
            Of::Correlation => {
                let correlation = covariance / root_of_product(variance_x, variance_y);
                let within = correlation.clamp(-1.0, 1.0);
                let constant = (variance_x == 0.0) | (variance_y == 0.0);
                (!constant).then_some(within)
            }
            Of::Slope => (variance_x != 0.0).then(|| covariance / variance_x),
        }
    }
}

impl<N: Number> Persist for SoFar<N> {
    fn write(&self, name: &dyn Display, to: &mut StateWriter) {
        for (k, column) in ["x", "y"].iter().enumerate() {
            self.anchors[k].parts().write(&format_args!("{name}.{column}.anchor"), to);
            to.float(format_args!("{name}.{column}.mean"), self.means[k]);
            to.float(format_args!("{name}.{column}.variance"), self.variances[k]);
        }
        to.float(format_args!("{name}.covariance"), self.covariance);
    }
    fn read(name: &dyn Display, from: &mut StateReader) -> Result<Self> {
        let mut read = Self::default();
        for (k, column) in ["x", "y"].iter().enumerate() {
            read.anchors[k] = N::of_parts(Persist::read(&format_args!("{name}.{column}.anchor"), from)?);
            read.means[k] = from.float(format_args!("{name}.{column}.mean"))?;
            read.variances[k] = from.float(format_args!("{name}.{column}.variance"))?;
        }
        read.covariance = from.float(format_args!("{name}.covariance"))?;
        Ok(read)
    }
}

fn plan_of(arguments: &Arguments, of: Of) -> Result<Plan> {
    let floats = Pairs::<[f64; 2]> { of, values: PhantomData };
    plan(arguments, &["x", "y"], floats, Some(Pairs::<[Exact; 2]> { of, values: PhantomData }))
}

const X: Parameter = Parameter::required("x", Kind::Column, "The first column.");
const Y: Parameter = Parameter::required("y", Kind::Column, "The second column.");
const NOTES: &str = "A row counts if both columns are valid; any other returns the result so far and ages the weights as a null does \
    in `ewm_mean`. A NaN or an infinity stays in every later result of its key. Computed from distances to values near the means, so \
    huge means cost nothing. The squares of the distances must be in the range of a float.";
const EXAMPLE: &[(&str, Literal)] =
    &[("x", Literal::Text("x")), ("y", Literal::Text("z")), ("alpha", Literal::Number(0.5))];

pub(crate) const EWM_COV: Entry = Entry {
    names: &["ewm_cov"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Exponentially weighted covariance of two columns.",
    formula: "y[i] = sum of w[j] * (x[j] - mean of x) * (y[j] - mean of y) / sum of w[j], divided by \
              1 - (sum of w^2) / (sum of w)^2 unless bias=True; the weights are those of `ewm_mean`",
    notes: NOTES,
    source: "pandas `Series.ewm(...).cov()` as documented.",
    parameters: &[X, Y, COM, SPAN, HALF_LIFE, ALPHA, BY, ADJUST, IGNORE_NULLS, BIAS, FROM_ONE],
    example: EXAMPLE,
    plan: |arguments| plan_of(arguments, Of::Covariance),
    #[cfg(test)]
    reference: super::reference::ewm_cov,
};

pub(crate) const EWM_CORR: Entry = Entry {
    names: &["ewm_corr"],
    summary: "Exponentially weighted correlation of two columns.",
    formula: "y[i] = ewm_cov(x, y) / sqrt(ewm_var(x) * ewm_var(y)), within [-1, 1]",
    notes: "A row counts if both columns are valid; any other returns the result so far and ages the weights as a null does in \
            `ewm_mean`. Null where a column is constant so far. A NaN or an infinity stays in every later result of its key. \
            Computed from distances to values near the means, so huge means cost nothing.",
    source: "pandas `Series.ewm(...).corr()` as documented.",
    parameters: &[X, Y, COM, SPAN, HALF_LIFE, ALPHA, BY, ADJUST, IGNORE_NULLS, FROM_ONE],
    plan: |arguments| plan_of(arguments, Of::Correlation),
    #[cfg(test)]
    reference: super::reference::ewm_corr,
    ..EWM_COV
};

pub(crate) const EWM_BETA: Entry = Entry {
    names: &["ewm_beta"],
    summary: "Slope of the exponentially weighted line of y against x.",
    formula: "y[i] = ewm_cov(x, y) / ewm_var(x)",
    notes: "A row counts if both columns are valid; any other returns the result so far and ages the weights as a null does in \
            `ewm_mean`. Null where x is constant so far. A NaN or an infinity stays in every later result of its key. Computed from \
            distances to values near the means, so huge means cost nothing.",
    source: "`x.ewm(...).cov(y) / x.ewm(...).var()` of pandas; asked for in polars#9223.",
    parameters: &[
        Parameter::required("y", Kind::Column, "The dependent variable."),
        Parameter::required("x", Kind::Column, "The explanatory variable."),
        COM,
        SPAN,
        HALF_LIFE,
        ALPHA,
        BY,
        ADJUST,
        IGNORE_NULLS,
        FROM_ONE,
    ],
    plan: |arguments| plan_of(arguments, Of::Slope),
    #[cfg(test)]
    reference: super::reference::ewm_beta,
    ..EWM_COV
};
