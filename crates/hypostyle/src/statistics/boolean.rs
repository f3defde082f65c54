//! Whether any value, or every value, is true: the greatest and the least of booleans.

use arrow::datatypes::{DataType, Schema};

use super::extremum::Extremum;
use crate::arguments::{Arguments, find_column};
use crate::catalogue::{Family, Kernel, Parameter};
use crate::error::{Error, Result};
use crate::kernel::Running;
use crate::windowed::{
    BY, CENTER, CLOSED, FROM_ONE, MIN_SAMPLES, STEP, WINDOW, expanding, expanding_spec, rolling, rolling_spec,
};

const COLUMN: Parameter = Parameter::required("column", crate::catalogue::Kind::Flags, "The column of booleans.");

/// Refuses what is no boolean: of numbers, `rolling_max` tells more.
fn check(arguments: &Arguments, schema: &Schema) -> Result<()> {
    let name = arguments.column("column")?;
    match find_column(schema, arguments.kernel_name(), &name)? {
        (_, DataType::Boolean) => Ok(()),
        (_, other) => {
            Err(Error::column_type(arguments.kernel_name(), &name, "a boolean, such as the outcome of x > 0,", other))
        }
    }
}

fn roll<const ANY: bool>(arguments: &Arguments, schema: &Schema) -> Result<Box<dyn Running>> {
    check(arguments, schema)?;
    rolling(arguments, schema, &["column"], Extremum::<i64, ANY>::new())
}

fn expand<const ANY: bool>(arguments: &Arguments, schema: &Schema) -> Result<Box<dyn Running>> {
    check(arguments, schema)?;
    expanding(arguments, schema, &["column"], Extremum::<i64, ANY>::new())
}

const PARAMETERS: &[Parameter] = &[COLUMN, WINDOW, BY, MIN_SAMPLES, CLOSED, CENTER, STEP];

const EXPANDING: &[Parameter] = &[COLUMN, FROM_ONE];

const NOTES: &str = "Takes and gives booleans. Nulls are skipped, as if they were not there, and do not count for `min_samples`. Exact.";

pub(crate) const ROLLING_ANY: Kernel = Kernel {
    name: "rolling_any",
    family: Family::Rolling,
    summary: "Whether any value in a moving window is true.",
    formula: "y[i] = x[j] for some j in the window of row i",
    notes: NOTES,
    source: "numpy `any` of every window; van Herk (1992), Gil and Werman (1993).",
    parameters: PARAMETERS,
    example: r#"pl.col("x") > 2, 2, min_samples=1"#,
    build: roll::<true>,
};

pub(crate) const ROLLING_ALL: Kernel = Kernel {
    name: "rolling_all",
    family: Family::Rolling,
    summary: "Whether every value in a moving window is true.",
    formula: "y[i] = x[j] for all j in the window of row i",
    notes: NOTES,
    source: "numpy `all` of every window; van Herk (1992), Gil and Werman (1993).",
    parameters: PARAMETERS,
    example: r#"pl.col("x") > 2, 2, min_samples=1"#,
    build: roll::<false>,
};

pub(crate) const EXPANDING_ANY: Kernel = Kernel {
    name: "expanding_any",
    family: Family::Expanding,
    summary: "Whether any value so far is true.",
    formula: "y[i] = x[j] for some j <= i",
    notes: NOTES,
    source: "numpy `logical_or.accumulate`.",
    parameters: EXPANDING,
    example: r#"pl.col("x") > 2"#,
    build: expand::<true>,
};

pub(crate) const EXPANDING_ALL: Kernel = Kernel {
    name: "expanding_all",
    family: Family::Expanding,
    summary: "Whether every value so far is true.",
    formula: "y[i] = x[j] for all j <= i",
    notes: NOTES,
    source: "numpy `logical_and.accumulate`.",
    parameters: EXPANDING,
    example: r#"pl.col("x") > 0"#,
    build: expand::<false>,
};

/// Whether any value in a moving window is true.
pub fn rolling_any(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_any", column, window)
}

/// Whether every value in a moving window is true.
pub fn rolling_all(column: impl Into<String>, window: impl Into<crate::Value>) -> crate::KernelSpec {
    rolling_spec("rolling_all", column, window)
}

/// Whether any value so far is true.
pub fn expanding_any(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_any", column)
}

/// Whether every value so far is true.
pub fn expanding_all(column: impl Into<String>) -> crate::KernelSpec {
    expanding_spec("expanding_all", column)
}
