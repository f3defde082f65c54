//! The types of columns of booleans and of results that are structs; worked values, for tests.

use arrow::datatypes::{DataType, Field};

use crate::error::Result;
use crate::run::Binding;

/// Checks that a column holds booleans.
///
/// # Errors
/// If it is missing or has another type.
pub(crate) fn check_boolean(binding: &Binding, name: &str) -> Result<()> {
    match binding.column(name)? {
        (_, DataType::Boolean) => Ok(()),
        (_, other) => Err(binding.column_type(name, "a boolean such as the result of x > 0", other)),
    }
}

/// A struct of these fields.
pub(crate) fn of_fields<'a>(fields: impl IntoIterator<Item = (&'a str, DataType)>) -> DataType {
    DataType::Struct(fields.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect())
}

/// Kernels over a few rows that are written in the test.
#[cfg(test)]
pub(crate) mod worked {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, TimestampMillisecondArray};

    use crate::reference::{fields, numbers};
    use crate::{KernelSpec, evaluate};

    /// A null.
    pub const NULL: f64 = f64::MIN;

    /// Columns by name: `t` holds seconds and becomes timestamps, `flag` booleans, `n` integers, all others are floats.
    pub fn frame(columns: &[(&str, &[f64])]) -> RecordBatch {
        let column = |name: &str, values: &[f64]| -> ArrayRef {
            let values = values.iter().map(|x| (*x != NULL).then_some(*x));
            match name {
                "t" => Arc::new(values.map(|x| x.map(|x| (x * 1000.0) as i64)).collect::<TimestampMillisecondArray>()),
                "flag" => Arc::new(values.map(|x| x.map(|x| x != 0.0)).collect::<BooleanArray>()),
                "n" => Arc::new(values.map(|x| x.map(|x| x as i64)).collect::<Int64Array>()),
                _ => Arc::new(values.collect::<Float64Array>()),
            }
        };
        let columns = columns.iter().map(|(name, values)| (*name, column(name, values), true));
        RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    }

    /// Checks the results, or the field `field` of them, to a relative 1e-12.
    pub fn check(spec: KernelSpec, columns: &[(&str, &[f64])], field: &str, expected: &[f64]) {
        let results = evaluate(&frame(columns), &[spec.clone().alias("y")], Some(1)).unwrap_or_else(|e| panic!("{e}"));
        let parts = fields(results.column(0));
        let part =
            parts.iter().find(|(name, _)| name.as_deref().unwrap_or("") == field).expect("a field of the result");
        let found: Vec<f64> = numbers(&part.1).into_iter().map(|x| x.unwrap_or(NULL)).collect();
        let near = |a: f64, b: f64| a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-12 * b.abs();
        let same = found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| near(*a, *b));
        assert!(same, "{spec}, {field}:\n{found:?}, expected\n{expected:?}");
    }

    /// Checks that parameters are refused, with a message that has this text.
    pub fn refused(spec: KernelSpec, text: &str) {
        let message = spec.validate().expect_err("refused").to_string();
        assert!(message.contains(text), "{message}");
    }
}
