//! Smoothers: means that follow a column, and the indicators and filters that are made of them.

pub mod cascade;
pub mod directional;
pub mod holt;
pub mod holt_winters;
pub mod kalman;
pub mod kama;
pub mod lfilter;
pub mod macd;
pub mod momentum;
pub mod parabolic;
pub mod seeded;
pub mod trix;
pub mod true_range;

#[cfg(test)]
pub(crate) mod plain;

/// Columns with worked values, and what the tests of the smoothers share.
#[cfg(test)]
pub(crate) mod worked {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, RecordBatch};

    use crate::reference::{fields, numbers};
    use crate::{KernelSpec, Stage, evaluate};

    const Z: [f64; 20] =
        [1.0, 3.0, 2.0, 5.0, 4.0, 7.0, 6.0, 9.0, 8.0, 10.0, 12.0, 11.0, 9.0, 13.0, 14.0, 12.0, 15.0, 16.0, 13.0, 17.0];
    const Q: [f64; 12] = [3.0, 5.0, 9.0, 20.0, 12.0, 8.0, 15.0, 24.0, 14.0, 12.0, 18.0, 30.0];

    /// A table with this column.
    pub fn table_of(columns: &[(&str, Vec<Option<f64>>)]) -> RecordBatch {
        let array = |values: &Vec<Option<f64>>| Arc::new(Float64Array::from(values.clone())) as ArrayRef;
        RecordBatch::try_from_iter_with_nullable(columns.iter().map(|(name, values)| (*name, array(values), true)))
            .unwrap()
    }

    fn whole(values: &[f64]) -> Vec<Option<f64>> {
        values.iter().copied().map(Some).collect()
    }

    /// The result of a kernel over a table; of a struct, the field.
    pub fn result(spec: &KernelSpec, rows: &RecordBatch, field: Option<&str>) -> Vec<Option<f64>> {
        let results = evaluate(rows, std::slice::from_ref(&spec.clone().alias("y")), Some(1)).unwrap();
        let all = fields(results.column(0));
        let (_, column) = all.iter().find(|(name, _)| name.as_deref() == field).unwrap();
        numbers(column)
    }

    /// The result over the column `z`, and `high`, `low` and `close` made of it.
    pub fn of_z(spec: &KernelSpec) -> Vec<Option<f64>> {
        field_of_z(spec, None)
    }

    /// A field of the result over `z`.
    pub fn field_of_z(spec: &KernelSpec, field: impl Into<Option<&'static str>>) -> Vec<Option<f64>> {
        let moved = |by: f64| Z.iter().map(|z| Some(z + by)).collect();
        let rows = table_of(&[("z", whole(&Z)), ("high", moved(1.0)), ("low", moved(-1.0)), ("close", whole(&Z))]);
        result(spec, &rows, field.into())
    }

    /// A field of the result over the column `q`.
    pub fn field_of_q(spec: &KernelSpec, field: &'static str) -> Vec<Option<f64>> {
        result(spec, &table_of(&[("q", whole(&Q))]), Some(field))
    }

    /// The result over the column `x`: 1 - 4 2 8 -.
    pub fn with_nulls(spec: &KernelSpec) -> Vec<Option<f64>> {
        let x = vec![Some(1.0), None, Some(4.0), Some(2.0), Some(8.0), None];
        result(spec, &table_of(&[("x", x)]), None)
    }

    /// The first results are null, and these follow.
    pub fn assert_close(got: &[Option<f64>], first: usize, expected: &[f64]) {
        assert!(got[..first].iter().all(Option::is_none), "not null before row {first}: {got:?}");
        for (i, want) in expected.iter().enumerate() {
            let found = got[first + i].unwrap_or_else(|| panic!("row {} is null", first + i));
            assert!((found - want).abs() <= 1e-12 * want.abs().max(1.0), "row {}: {found}, expected {want}", first + i);
        }
    }

    /// The specification is refused with a message that has this part.
    pub fn assert_refused(spec: &KernelSpec, part: &str) {
        let message = spec.validate().expect_err("the specification is valid").to_string();
        assert!(message.contains(part), "{message}");
    }

    /// A length of billions of rows is fine: memory grows with the rows that come.
    pub fn huge_windows_are_cheap(spec: &KernelSpec, parameter: &str) {
        for length in [1_000_000_000i64, i64::MAX] {
            let spec = spec.clone().with(parameter, length);
            assert_eq!(field_or_whole(&spec).iter().flatten().count(), 0, "{spec}");
            Stage::new(vec![spec]).unwrap();
        }
    }

    fn field_or_whole(spec: &KernelSpec) -> Vec<Option<f64>> {
        let rows = table_of(&[("z", whole(&Z)), ("high", whole(&Z)), ("low", whole(&Z)), ("close", whole(&Z))]);
        let results = evaluate(&rows, std::slice::from_ref(&spec.clone().alias("y")), Some(1)).unwrap();
        fields(results.column(0)).into_iter().flat_map(|(_, column)| numbers(&column)).collect()
    }
}
