//! A function of a row: it gets whole columns, so that the compiler can vectorize it.

use hypostyle::{Entry, Family, Inputs, Kind, Literal, Parameter, Plan, RowFunction, Shape};

#[derive(Clone)]
struct RelativeSpread;

impl RowFunction for RelativeSpread {
    fn evaluate(&self, columns: &[&[f64]], results: &mut [f64]) {
        for ((y, bid), ask) in results.iter_mut().zip(columns[0]).zip(columns[1]) {
            *y = 2.0 * (ask - bid) / (ask + bid);
        }
    }
}

pub const RELATIVE_SPREAD: Entry = Entry {
    names: &["relative_spread"],
    shape: Shape::Single(Family::Row),
    summary: "Difference between two prices, relative to their mean.",
    formula: "y[i] = (ask[i] - bid[i]) / ((ask[i] + bid[i]) / 2)",
    notes: "A null in either column gives null.",
    source: "Market microstructure.",
    parameters: &[
        Parameter::required("bid", Kind::Column, "The lower price."),
        Parameter::required("ask", Kind::Column, "The higher price."),
    ],
    example: &[("bid", Literal::Text("x")), ("ask", Literal::Text("z"))],
    plan: |arguments| Ok(Plan::row_function(Inputs::of(arguments, &["bid", "ask"])?, RelativeSpread)),
};
