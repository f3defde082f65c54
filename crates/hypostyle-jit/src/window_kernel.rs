//! The kernel `rolling_program`: a user's function of a window, over what kernels of the catalog say of the window.
//!
//! The program's inputs name them: `max`, `count`, `std:1`, `quantile:0.25`.  A function with a loop over the window gets its values
//! instead.

use std::sync::Arc;

use arrow::datatypes::DataType;
use hypostyle::{
    Arguments, BY, CENTER, CLOSED, COLUMN, Error, ErrorKind, FROM_ONE, Family, Kernel, KernelSpec, Kind, Parameter,
    Plan, Result, STEP, Value, WINDOW,
};

use crate::execute::Backend;
use crate::kernel::{ERRORS, UserFunction, bound_for, raises, type_as_input};
use crate::loop_window;
use crate::program::{Constant, Expression, Function, Invalid, Statement};
use crate::windows::WindowFunction;

/// The name of the kernel.
pub const NAME: &str = "rolling_program";

/// The kernel, for catalogs.
pub fn kernel() -> Kernel {
    let program = Parameter::required(
        "program",
        Kind::Program,
        "What the function does, as `function.program.json` of Python gives it.",
    );
    let parameters = vec![COLUMN, program, WINDOW, FROM_ONE, CLOSED, BY, CENTER, STEP, ERRORS];
    let mut kernel = Kernel::new(NAME, Family::Function, parameters, plan);
    kernel.summary = "A user's own statistic of a moving window, written in Python.".to_string();
    kernel.formula = "y[i] = f(x[j] for j in the window of row i)".to_string();
    kernel.notes =
        "The function sees the window as NumPy would, without nulls: its length, sum, mean, min, max, median, var, \
                    std, skewness, kurtosis, quantiles, median absolute deviation, trimmed mean, product, number of \
                    different values, first and last value, each computed by the kernel of that name. `min_samples` is \
                    1 by default. `hs.rolling` of Python makes the program."
            .to_string();
    kernel.source = "docs/own-functions.md".to_string();
    kernel.example = vec![
        ("column".to_string(), Value::from("x")),
        ("program".to_string(), Value::from(EXAMPLE)),
        ("window".to_string(), Value::from(2)),
    ];
    kernel
}

/// `lambda window: window.max() - window.min()`.
const EXAMPLE: &str = concat!(
    r#"{"name":"spread","inputs":["max","min"],"state":[],"outputs":[],"#,
    r#""body":[["return",[["-",["get","max"],["get","min"]]],[]]]}"#
);

/// The kernel behind an input, without the window.
fn part(input: &str) -> std::result::Result<KernelSpec, Invalid> {
    let (name, argument) = match input.split_once(':') {
        Some((name, argument)) => (name, Some(argument)),
        None => (input, None),
    };
    let unknown = || Invalid(format!("'{input}' is nothing that is known of a window"));
    match (name, argument) {
        (
            "count" | "sum" | "mean" | "min" | "max" | "median" | "first" | "last" | "product" | "range" | "skew"
            | "kurt" | "nunique" | "mad",
            None,
        ) => Ok(KernelSpec::new(format!("rolling_{name}"))),
        ("var" | "std", Some(ddof)) => {
            let ddof: i64 = ddof.parse().map_err(|_| unknown())?;
            Ok(KernelSpec::new(format!("rolling_{name}")).with("ddof", ddof))
        }
        ("trimmed_mean", Some(proportion)) => {
            let proportion: f64 = proportion.parse().map_err(|_| unknown())?;
            Ok(KernelSpec::new("rolling_trimmed_mean").with("proportion", proportion))
        }
        ("quantile", Some(quantile)) => {
            let quantile: f64 = quantile.parse().map_err(|_| unknown())?;
            Ok(KernelSpec::new("rolling_quantile").with("quantile", quantile))
        }
        _ => Err(unknown()),
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let text = arguments.text("program")?;
    let refused = |error: Invalid| arguments.refuse("program", error);
    let mut function = Function::parse(&text).map_err(refused)?;
    if !function.state.is_empty() {
        return Err(arguments.refuse("program", "a function of a window has no state"));
    }
    if function.body.iter().any(|statement| matches!(statement, Statement::Each(..))) {
        let window = WindowFunction::new(&function, Backend::chosen()).map_err(refused)?;
        return loop_window::plan(arguments, &function, window, raises(arguments)?);
    }
    if function.inputs.is_empty() {
        return Err(arguments.refuse("program", "the function does not use its window"));
    }
    let mut parts = Vec::new();
    for input in &function.inputs {
        let mut spec = part(input).map_err(refused)?;
        for name in ["column", "window", "min_samples", "closed", "by", "center", "step"] {
            // A function may well look at windows that are not full.
            let usual = (name == "min_samples").then(|| Value::from(1));
            if let Some(value) = arguments.given(name).or(usual) {
                spec = spec.with(name, value);
            }
        }
        let planned = spec.plan().map_err(|error| error.in_kernel(NAME))?;
        // A name in a saved state has no colon.
        parts.push((input.replace(':', "_"), planned.plan()));
    }
    let raises = raises(arguments)?;
    function.body.insert(0, without_window(&function));
    let function = Arc::new(function);
    Ok(Plan::of_parts(parts, move |types: &[DataType]| {
        let inputs = types.iter().map(type_as_input).collect::<Option<Vec<_>>>();
        let inputs = inputs.ok_or_else(|| {
            Error::new(ErrorKind::ColumnType, "the function needs a column of numbers").in_kernel(&function.name)
        })?;
        let bound = bound_for(&function, &inputs)?;
        let columns: Vec<&DataType> = types.iter().collect();
        Ok((UserFunction::new(&function, Arc::new(bound), &inputs, &columns, raises), function.name.clone()))
    }))
}

/// A window with too few values is nothing that the function is called with: there every input is null.
fn without_window(function: &Function) -> Statement {
    let missing = function.inputs.iter().map(|input| Expression::IsNone(Box::new(Expression::Get(input.clone()))));
    let nothing = vec![Expression::Constant(Constant::None); function.outputs.len().max(1)];
    let end = Statement::Return { results: nothing, state: vec![] };
    Statement::If(Expression::And(missing.collect()), vec![end], vec![])
}
