//! Sessions: runs of rows without a long pause.

use super::Recurrence;
use crate::arguments::find_column;
use crate::catalogue::{Family, Kernel, Kind, Parameter};
use crate::column::Domain;
use crate::drive::scan::Scan;
use crate::kernel::{Keyed, Source};
use crate::spec::Value;

use arrow::datatypes::DataType;

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
        // Times don't decrease, so the difference is exact as an unsigned number.
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

pub(crate) const SESSION_ID: Kernel = Kernel {
    name: "session_id",
    family: Family::Recurrence,
    summary: "Number of the session that a row belongs to: a new one begins after a pause longer than `gap`.",
    formula: "y[i] = y[i-1] + 1 if time[i] - time[i-1] > gap else y[i-1], y[0] = 0",
    notes: "A 64-bit integer, from 0 for each key. The time column must not decrease within a key, nor be null. Exact.",
    source: "Asked for in skrub#1930; the session windows of stream processors.",
    parameters: &[
        Parameter::required("time", Kind::Time("gap"), "The time column."),
        Parameter::required(
            "gap",
            Kind::Duration,
            "The longest pause within a session: a duration such as '30m', or a whole number for an integer time column.",
        ),
    ],
    example: r#""t", "30m""#,
    build: |arguments, schema| {
        let name = arguments.column("time")?;
        let (index, data_type) = find_column(schema, arguments.kernel_name(), &name)?;
        let longest_pause = arguments.duration("gap")?.reach(arguments.kernel_name(), &name, data_type, true)?;
        let inputs = vec![Source::Column { index, domain: Domain::Integer }];
        Ok(Keyed::boxed(Scan(SessionId { longest_pause }), inputs, Some(index), DataType::Int64))
    },
};

/// Number of the session that a row belongs to: a new one begins after a pause longer than `gap`.
pub fn session_id(time: impl Into<String>, gap: impl Into<Value>) -> crate::KernelSpec {
    crate::KernelSpec::new("session_id").with("time", time.into()).with("gap", gap)
}
