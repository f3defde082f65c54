//! Sessions: runs of rows without a long pause.

use arrow::datatypes::DataType;

use crate::error::Result;
use crate::model::Recurrence;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};

/// Numbers the sessions of a key.
#[derive(Debug, Clone)]
pub struct SessionId {
    /// The longest pause within a session, in the unit of the time column.
    longest_pause: u64,
}

impl Recurrence for SessionId {
    type Input = i64;
    type Output = i64;
    /// The time of the last row, and the number of its session; -1 before the first row.
    type State = (i64, i64);

    fn start(&self) -> (i64, i64) {
        (0, -1)
    }

    #[inline]
    fn step(&self, (last, session): &mut (i64, i64), time: i64) -> Option<i64> {
        // Times do not decrease, so the difference is exact as an unsigned number.
        let pause = time.wrapping_sub(*last).cast_unsigned();
        if *session < 0 || pause > self.longest_pause {
            *session += 1;
        }
        *last = time;
        Some(*session)
    }

    fn skip(&self, (_, session): &mut (i64, i64)) -> Option<i64> {
        (*session >= 0).then_some(*session)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (time, gap) = (arguments.column("time")?, arguments.duration("gap")?);
    let inputs = Inputs::of(arguments, &["time"])?.returning(DataType::Int64).sorted_by(&time);
    Ok(Plan::recurrence_of(inputs, move |binding| {
        let (_, data_type) = binding.column(&time)?;
        Ok(SessionId { longest_pause: gap.reach(binding.kernel_name(), &time, data_type, true)? })
    }))
}

pub(crate) const SESSION_ID: Entry = Entry {
    names: &["session_id"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Number of the session of each row: a new session begins after a pause longer than `gap`.",
    formula: "y[i] = y[i-1] + 1 if time[i] - time[i-1] > gap else y[i-1], y[0] = 0",
    notes: "A 64-bit integer, from 0 for each key. The time column must be sorted within each key and have no nulls. Exact.",
    source: "Requested in skrub#1930; the session windows of stream processors.",
    parameters: &[
        Parameter::required("time", Kind::Time("gap"), "The time column."),
        Parameter::required(
            "gap",
            Kind::Duration,
            "The longest pause within a session: a duration such as '30m', or an integer for an integer time column.",
        ),
    ],
    example: &[("time", Literal::Text("t")), ("gap", Literal::Text("30m"))],
    plan,
    #[cfg(test)]
    reference: reference::session_id,
};

/// The number of long pauses so far, for each row.
#[cfg(test)]
mod reference {
    use crate::reference::{Slow, Table, exact, text};
    use crate::{KernelSpec, Value};

    pub fn session_id(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let times = table.times(&text(spec, "time"));
        let gap = match &spec.parameters["gap"] {
            Value::Int(n) => *n,
            Value::Text(t) if t.ends_with('i') => t.trim_end_matches('i').parse().unwrap(),
            Value::Text(t) => t.trim_end_matches('s').parse::<i64>().unwrap() * 1000,
            other => panic!("{other}"),
        };
        let pauses = |i: usize| times[..=i].windows(2).filter(|pair| pair[1] - pair[0] > gap).count();
        (0..times.len()).map(|i| exact(Some(pauses(i) as f64))).collect()
    }
}
