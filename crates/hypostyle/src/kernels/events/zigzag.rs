//! Turning points: a pivot is an extreme from which the values have come back by a share of it.

use arrow::datatypes::DataType;

use crate::error::Result;
use crate::kernels::fields::of_fields;
use crate::model::Recurrence;
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};
use crate::values::{NO_FIELD, field};

/// See the module.
#[derive(Debug, Clone)]
struct Zigzag {
    threshold: f64,
}

/// The largest and the smallest value since the last pivot, and the pivot; the direction, 0 before the first pivot, and whether
/// there was a value.
type State = ([f64; 3], (i64, bool));

impl Zigzag {
    /// Whether a distance from an extreme is a reversal.
    #[inline]
    fn reverses(&self, distance: f64, extreme: f64) -> bool {
        distance > 0.0 && distance >= self.threshold * extreme.abs()
    }

    #[inline]
    fn answer(([_, _, pivot], (direction, seen)): &State) -> Option<[f64; 2]> {
        let direction = match direction {
            _ if !seen => return None,
            0 => return Some([0.0, NO_FIELD]),
            1 => 1.0,
            _ => -1.0,
        };
        Some([direction, field(*pivot)])
    }
}

impl Recurrence for Zigzag {
    type Input = f64;
    type Output = [f64; 2];
    type State = State;

    fn start(&self) -> State {
        ([f64::NEG_INFINITY, f64::INFINITY, 0.0], (0, false))
    }

    #[inline]
    fn step(&self, state: &mut State, x: f64) -> Option<[f64; 2]> {
        let ([high, low, pivot], (direction, seen)) = state;
        *seen = true;
        if x > *high {
            *high = x;
        }
        if x < *low {
            *low = x;
        }
        // On the way up a low is no news, and the other way round.
        if *direction >= 0 && self.reverses(*high - x, *high) {
            (*pivot, *direction) = (*high, -1);
            (*high, *low) = (x, x);
        } else if *direction <= 0 && self.reverses(x - *low, *low) {
            (*pivot, *direction) = (*low, 1);
            (*high, *low) = (x, x);
        }
        Self::answer(state)
    }

    #[inline]
    fn skip(&self, state: &mut State) -> Option<[f64; 2]> {
        Self::answer(state)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let threshold = arguments.number("threshold")?;
    if !(threshold > 0.0 && threshold.is_finite()) {
        return Err(arguments
            .refuse("threshold", format!("must be positive and finite, got {threshold}"))
            .with_help("it is a fraction: 0.05 is 5 percent"));
    }
    let inputs = Inputs::of(arguments, &["column"])?;
    Ok(Plan::new(move |binding| {
        let fields = of_fields([("direction", DataType::Int64), ("pivot", inputs.computed_type(binding)?)]);
        Plan::recurrence(inputs.clone().returning(fields), Zigzag { threshold }).bind(binding)
    }))
}

pub(crate) const ZIGZAG: Entry = Entry {
    names: &["zigzag"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Zigzag: the direction since the last turning point, and the value there; confirmed points only.",
    formula: "going up, a value at least threshold * |high| below the highest one since the last pivot makes that one the pivot and \
              the direction -1; going down, the same from the lowest one",
    notes: "A struct of `direction` (an integer: 1 up, -1 down, 0 before the first pivot) and `pivot` (null before the first). A pivot \
            is known once the values have come back from it, and never changes afterwards: no later row is needed. Before the first \
            pivot both directions are watched. For values above 0; a NaN changes nothing, and an infinity is an extreme like any \
            other. A null row returns the last result, and null before the first value. Exact but for the distance.",
    source: "The zigzag indicator of charting programs, without its last leg, which is revised until it is confirmed.",
    parameters: &[
        COLUMN,
        Parameter::required(
            "threshold",
            Kind::Number,
            "The reversal that makes a pivot, as a fraction: 0.05 is 5 percent.",
        ),
    ],
    example: &[("column", Literal::Text("z")), ("threshold", Literal::Number(0.5))],
    plan,
    #[cfg(test)]
    reference: reference::zigzag,
};

/// The values since the last pivot in a list.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, column, exact, number};

    pub fn zigzag(spec: &KernelSpec, table: &Table, name: Option<&str>) -> Vec<Slow> {
        let threshold = number(spec, "threshold").unwrap();
        let (mut leg, mut direction, mut pivot, mut seen) = (Vec::new(), 0.0, None, false);
        let row = |x: Option<f64>| {
            if let Some(x) = x {
                seen = true;
                leg.push(x);
                let high = leg.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let low = leg.iter().copied().fold(f64::INFINITY, f64::min);
                let back = |distance: f64, extreme: f64| distance > 0.0 && distance >= threshold * extreme.abs();
                if direction > -1.0 && back(high - x, high) {
                    (pivot, direction, leg) = (Some(high), -1.0, vec![x]);
                } else if direction < 1.0 && back(x - low, low) {
                    (pivot, direction, leg) = (Some(low), 1.0, vec![x]);
                }
            }
            exact(if name == Some("pivot") { pivot } else { seen.then_some(direction) })
        };
        column(spec, table).into_iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check, refused};

    fn spec(threshold: f64) -> KernelSpec {
        KernelSpec::new("zigzag").with("column", "x").with("threshold", threshold)
    }

    #[test]
    fn worked_values() {
        let x: [(&str, &[f64]); 1] =
            [("x", &[NULL, 100.0, 104.0, 110.0, NULL, f64::NAN, 121.0, 109.0, 108.0, 119.0, 100.0])];
        check(spec(0.1), &x, "direction", &[NULL, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, -1.0, 1.0, -1.0]);
        let pivots = [NULL, NULL, NULL, 100.0, 100.0, 100.0, 100.0, 100.0, 121.0, 108.0, 119.0];
        check(spec(0.1), &x, "pivot", &pivots);
    }

    #[test]
    fn what_is_refused() {
        for threshold in [0.0, -0.1, f64::NAN, f64::INFINITY] {
            refused(spec(threshold), "must be positive and finite, got");
        }
    }
}
