//! A running sum that is kept between two bounds: inventories, budgets, buckets, position limits.

use super::{Recurrence, number_or_column};
use crate::catalogue::{Family, Kernel, Kind, Literal, Parameter};
use crate::drive::scan::Scan;
use crate::kernel::Keyed;
use crate::spec::Value;
use crate::windowed::{COLUMN, sources};

/// y = clip(y' + x, lower, upper)
#[derive(Debug, Clone)]
pub struct CumsumClip {
    initial: f64,
}

impl Recurrence for CumsumClip {
    /// The value, the lower and the upper bound.
    type Input = [f64; 3];
    type Output = f64;
    type State = f64;

    fn start(&self) -> f64 {
        self.initial
    }

    #[inline]
    fn step(&self, sum: &mut f64, [x, lower, upper]: [f64; 3]) -> Option<f64> {
        let mut y = *sum + x;
        if y < lower {
            y = lower;
        }
        if y > upper {
            y = upper;
        }
        *sum = y;
        Some(y)
    }

    #[inline]
    fn skip(&self, sum: &mut f64) -> Option<f64> {
        Some(*sum)
    }
}

pub(crate) const CUMSUM_CLIP: Kernel = Kernel {
    name: "cumsum_clip",
    family: Family::Recurrence,
    summary: "Running sum that is clipped to two bounds at every row.",
    formula: "y[i] = min(max(y[i-1] + x[i], lower[i]), upper[i]), y[-1] = initial",
    notes: "The bounds are numbers (infinities too) or columns; where a row's lower bound is above its upper one, the upper \
            one wins. A row with a null in any input keeps the sum, and its answer is the sum so far. A NaN stays in the sum.",
    source: "Asked for in pandas#27935; as `numpy.clip` at every step.",
    parameters: &[
        COLUMN,
        Parameter::required("lower", Kind::NumberOrColumn, "The lower bound: a number or a column."),
        Parameter::required("upper", Kind::NumberOrColumn, "The upper bound: a number or a column."),
        Parameter::optional("initial", Kind::Number, Literal::Number(0.0), "The sum before the first row."),
    ],
    example: r#""x", 0, 4"#,
    build: |arguments, schema| {
        let (mut inputs, answer) = sources::<f64>(arguments, schema, &["column"])?;
        inputs.push(number_or_column(arguments, schema, "lower")?);
        inputs.push(number_or_column(arguments, schema, "upper")?);
        let (lower, upper) = (arguments.number("lower"), arguments.number("upper"));
        if let (Some(lower), Some(upper)) = (lower, upper)
            && lower > upper
        {
            return Err(arguments.refuse("lower", format!("must not exceed upper={upper}, not {lower}")));
        }
        for bound in ["lower", "upper", "initial"] {
            if arguments.number(bound).is_some_and(f64::is_nan) {
                return Err(arguments.refuse(bound, "must not be NaN"));
            }
        }
        let initial = arguments.number("initial").unwrap_or(0.0);
        Ok(Keyed::boxed(Scan(CumsumClip { initial }), inputs, None, answer))
    },
};

/// Running sum that is clipped to two bounds (numbers or columns) at every row.
pub fn cumsum_clip(column: impl Into<String>, lower: impl Into<Value>, upper: impl Into<Value>) -> crate::KernelSpec {
    crate::KernelSpec::new("cumsum_clip").with("column", column.into()).with("lower", lower).with("upper", upper)
}
