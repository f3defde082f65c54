//! A recurrence: the state is what one row leaves for the next.  Keys, nulls, saving and loading need no code here.

use hypostyle::{Arguments, COLUMN, Entry, Family, Inputs, Kind, Literal, Parameter, Plan, Recurrence, Result, Shape};

#[derive(Clone)]
struct FadingPeak {
    keep: f64,
}

impl Recurrence for FadingPeak {
    type Input = f64;
    type Output = f64;
    /// The peak, once there was a value.
    type State = Option<f64>;

    fn start(&self) -> Option<f64> {
        None
    }

    fn step(&self, peak: &mut Option<f64>, x: f64) -> Option<f64> {
        *peak = Some(peak.map_or(x, |peak| (peak * self.keep).max(x)));
        *peak
    }

    fn skip(&self, peak: &mut Option<f64>) -> Option<f64> {
        *peak = peak.map(|peak| peak * self.keep);
        *peak
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let keep = arguments.number("keep")?;
    if !(0.0..=1.0).contains(&keep) {
        return Err(arguments.refuse("keep", format!("must be from 0 to 1, got {keep}")));
    }
    Ok(Plan::recurrence(Inputs::of(arguments, &["column"])?, FadingPeak { keep }))
}

pub const FADING_PEAK: Entry = Entry {
    names: &["fading_peak"],
    shape: Shape::Single(Family::Recurrence),
    summary: "The largest value so far, which fades from row to row.",
    formula: "y[i] = max(keep * y[i-1], x[i])",
    notes: "A null row returns the faded peak. Rows before the first value are null.",
    source: "Peak meters.",
    parameters: &[
        COLUMN,
        Parameter::optional(
            "keep",
            Kind::Number,
            Literal::Number(0.5),
            "The share of the peak that is left after a row, from 0 to 1.",
        ),
    ],
    example: &[("column", Literal::Text("x"))],
    plan,
};
