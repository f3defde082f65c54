//! The dot product of two lists, of numbers and of a row's columns.

use crate::error::Result;
use crate::model::RowFunction;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, NumberOrColumn, Parameter};

/// sum of weight * column
#[derive(Debug, Clone)]
pub struct RowDot {
    /// Each weight, if it is a number; the others are columns, which come after the first `weights.len()`.
    pub weights: Vec<Option<f64>>,
}

impl RowFunction for RowDot {
    fn evaluate(&self, columns: &[&[f64]], answers: &mut [f64]) {
        let (columns, mut weighing) = columns.split_at(self.weights.len());
        answers.fill(0.0);
        let mut terms = columns.iter().zip(&self.weights);
        // Two numbers at a time, so that each result is read and written half as often.
        while let Some((x, weight)) = terms.next() {
            match weight {
                None => {
                    let Some((weight, others)) = weighing.split_first() else { return };
                    weighing = others;
                    for ((y, x), w) in answers.iter_mut().zip(x.iter()).zip(weight.iter()) {
                        *y += w * x;
                    }
                }
                Some(v) => match terms.clone().next() {
                    Some((b, Some(w))) => {
                        terms.next();
                        for ((y, a), b) in answers.iter_mut().zip(x.iter()).zip(b.iter()) {
                            *y = (*y + v * a) + w * b;
                        }
                    }
                    _ => answers.iter_mut().zip(x.iter()).for_each(|(y, x)| *y += v * x),
                },
            }
        }
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (columns, weights) = (arguments.numbers_or_columns("columns")?, arguments.numbers_or_columns("weights")?);
    if columns.len() != weights.len() {
        return Err(arguments.refuse(
            "weights",
            format!("must hold one weight per column, got {} for {} columns", weights.len(), columns.len()),
        ));
    }
    let is_column = |value: &NumberOrColumn| matches!(value, NumberOrColumn::Column(_));
    if !columns.iter().chain(&weights).any(is_column) {
        return Err(arguments.refuse("columns", "names no column, and neither does weights"));
    }
    let numbers = weights.iter().map(|weight| match weight {
        NumberOrColumn::Number(x) => Some(*x),
        NumberOrColumn::Column(_) => None,
    });
    let row_dot = RowDot { weights: numbers.collect() };
    Ok(Plan::row_function(Inputs::of_values(columns.into_iter().chain(weights.into_iter().filter(is_column))), row_dot))
}

pub(crate) const ROW_DOT: Entry = Entry {
    names: &["row_dot"],
    shape: Shape::Single(Family::Row),
    summary: "Dot product of each row's columns with weights.",
    formula: "y[i] = sum over k of weights[k] * columns[k][i]",
    notes: "Each item of both lists is a column or a number. A row with a null in any column gives null. NaN and infinities follow \
            IEEE. The products are added to 0 from left to right.",
    source: "The row-wise weighted sums of Python pipelines.",
    parameters: &[
        Parameter::required(
            "columns",
            Kind::NumbersOrColumns,
            "The columns; numbers among them are the same in every row.",
        ),
        Parameter::required("weights", Kind::NumbersOrColumns, "One weight per column: a number or a column."),
    ],
    example: &[("columns", Literal::Texts(&["x", "z"])), ("weights", Literal::Numbers(&[0.5, 2.0]))],
    plan,
    #[cfg(test)]
    reference: reference::row_dot,
};

/// The terms of each row, summed in order.
#[cfg(test)]
pub(super) mod reference {
    use crate::reference::{EPS, Slow, Table, exact, list};
    use crate::{KernelSpec, Value};

    pub fn row_dot(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let ones = vec![Some(1.0); table.batch.num_rows()];
        dot(&values(spec, table, "weights"), &values(spec, table, "columns"), &ones)
    }

    /// The numbers of each item of a list, in every row.
    pub fn values(spec: &KernelSpec, table: &Table, parameter: &str) -> Vec<Vec<Option<f64>>> {
        list(spec, parameter).iter().map(|value| of_value(value, table)).collect()
    }

    pub fn of_value(value: &Value, table: &Table) -> Vec<Option<f64>> {
        match value {
            Value::Text(name) => table.numbers(name),
            Value::Float(x) => vec![Some(*x); table.batch.num_rows()],
            Value::Int(x) => vec![Some(*x as f64); table.batch.num_rows()],
            other => panic!("{other} is neither a number nor a column"),
        }
    }

    pub fn dot(weights: &[Vec<Option<f64>>], columns: &[Vec<Option<f64>>], divisor: &[Option<f64>]) -> Vec<Slow> {
        (0..divisor.len())
            .map(|i| {
                let terms: Option<Vec<f64>> = weights.iter().zip(columns).map(|(w, x)| Some(w[i]? * x[i]?)).collect();
                let (Some(terms), Some(divisor)) = (terms, divisor[i]) else { return exact(None) };
                let scale: f64 = terms.iter().map(|x| x.abs()).sum::<f64>() / divisor.abs();
                let answer = terms.iter().sum::<f64>() / divisor;
                Slow { answer: Some(answer), error: 8.0 * EPS * scale }
            })
            .collect()
    }
}
