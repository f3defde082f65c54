//! The correlation of a column with itself some rows earlier.

use crate::arguments::Arguments;
use crate::catalogue::{Family, Kernel, Kind, Literal, Parameter};
use crate::error::Result;
use crate::statistics::correlation::Correlation;
use crate::windowed::{
    BY, BesideItself, CENTER, CLOSED, COLUMN, FROM_ONE, MIN_SAMPLES, STEP, WINDOW, expanding_around, expanding_spec,
    rolling_around, rolling_spec, sources,
};

fn lag(arguments: &Arguments) -> Result<BesideItself> {
    match arguments.count("lag") {
        Some(0) => Err(arguments.refuse("lag", "must be at least 1 row, not 0")),
        lag => Ok(BesideItself(lag.unwrap_or(1))),
    }
}

const LAG: Parameter = Parameter::optional("lag", Kind::Count, Literal::Count(1), "How many rows earlier.");

const NOTES: &str = "From -1 to 1. A row counts where it and the one `lag` rows before it, of the same key, are valid; rows with a null \
    count as rows. The earlier one need not be in the window: it is the correlation with the shifted column. Null where one side is \
    constant, and for a single pair. A window with a NaN or an infinity on either side gives NaN, and no other window does. \
    Computed from differences to a row of the same window, so a huge mean costs nothing.";

pub(crate) const ROLLING_AUTOCORR: Kernel = Kernel {
    name: "rolling_autocorr",
    family: Family::Rolling,
    summary: "Correlation of the values in a moving window with those some rows earlier.",
    formula: "r[i] = corr(x[j], x[j - lag]) over the j in the window of row i where both are valid",
    notes: NOTES,
    source: "pandas `s.rolling(w).corr(s.shift(lag))`; Chan, Golub, LeVeque (1983), shifted data.",
    parameters: &[COLUMN, WINDOW, LAG, BY, MIN_SAMPLES, CLOSED, CENTER, STEP],
    example: r#""z", 3"#,
    build: |arguments, schema| {
        let inputs = sources::<f64>(arguments, schema, &["column"])?;
        rolling_around(arguments, schema, inputs, Correlation, lag(arguments)?)
    },
};

pub(crate) const EXPANDING_AUTOCORR: Kernel = Kernel {
    name: "expanding_autocorr",
    family: Family::Expanding,
    summary: "Correlation of all values so far with those some rows earlier.",
    formula: "r[i] = corr(x[j], x[j - lag]) over the j <= i where both are valid",
    notes: NOTES,
    source: "pandas `s.expanding().corr(s.shift(lag))`; Chan, Golub, LeVeque (1983), shifted data.",
    parameters: &[COLUMN, LAG, FROM_ONE],
    example: r#""z""#,
    build: |arguments, schema| {
        let inputs = sources::<f64>(arguments, schema, &["column"])?;
        Ok(expanding_around(arguments, inputs, Correlation, lag(arguments)?))
    },
};

/// Correlation of the values in a moving window with those one row earlier, or `lag`.
pub fn rolling_autocorr(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_autocorr", column, window)
}

/// Correlation of all values so far with those one row earlier, or `lag`.
pub fn expanding_autocorr(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_autocorr", column)
}
