//! Sessions: runs of rows without a long pause.

use arrow::datatypes::DataType;

use crate::error::Result;
use crate::kernels::fields::check_boolean;
use crate::model::Recurrence;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Duration, Family, Kind, Literal, Parameter, Value};

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

/// Numbers sessions that also end when they are too long, or at a flag.
#[derive(Debug, Clone)]
struct Ended {
    /// The longest pause within a session, and the longest time from its first row to its last.
    longest: [u64; 2],
}

impl Recurrence for Ended {
    /// Whether a session begins with this row, and its time.
    type Input = (Option<i64>, i64);
    type Output = i64;
    /// The times of the last row and of its session's first, and the session's number; -1 before the first row.
    type State = [i64; 3];

    fn start(&self) -> [i64; 3] {
        [0, 0, -1]
    }

    #[inline]
    fn step(&self, [last, first, session]: &mut [i64; 3], (restart, time): Self::Input) -> Option<i64> {
        // Times do not decrease, so differences are exact as unsigned numbers.
        let [pause, length] = [*last, *first].map(|then| time.wrapping_sub(then).cast_unsigned());
        let ends = pause > self.longest[0] || length > self.longest[1] || restart.is_some_and(|flag| flag != 0);
        if *session < 0 || ends {
            *session += 1;
            *first = time;
        }
        *last = time;
        Some(*session)
    }

    fn skip(&self, [.., session]: &mut [i64; 3]) -> Option<i64> {
        (*session >= 0).then_some(*session)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let (time, restart) = (arguments.column("time")?, arguments.optional_column("restart")?);
    // No pause at all: rows of the same time.
    let gap = match arguments.given("gap") {
        Some(Value::Int(0)) => None,
        _ => Some(arguments.duration("gap")?),
    };
    let longest = if arguments.has("longest")? { Some(arguments.duration("longest")?) } else { None };
    Ok(Plan::new(move |binding| {
        let (_, data_type) = binding.column(&time)?;
        let reach = |duration: &Duration| duration.reach(binding.kernel_name(), &time, data_type, true);
        let pause = gap.as_ref().map_or(Ok(0), reach)?;
        let inputs = Inputs::columns([&time]).returning(DataType::Int64).sorted_by(&time);
        if restart.is_none() && longest.is_none() {
            return Plan::recurrence(inputs, SessionId { longest_pause: pause }).bind(binding);
        }
        let ended = Ended { longest: [pause, longest.as_ref().map_or(Ok(u64::MAX), reach)?] };
        let inputs = match &restart {
            Some(flag) => {
                check_boolean(binding, flag)?;
                Inputs::columns([flag]).optional().with_column(&time).returning(DataType::Int64).sorted_by(&time)
            }
            None => return Plan::recurrence(inputs, WithoutFlag(ended)).bind(binding),
        };
        Plan::recurrence(inputs, ended).bind(binding)
    }))
}

/// The same where no flag restarts.
#[derive(Debug, Clone)]
struct WithoutFlag(Ended);

impl Recurrence for WithoutFlag {
    type Input = i64;
    type Output = i64;
    type State = [i64; 3];

    fn start(&self) -> [i64; 3] {
        self.0.start()
    }

    #[inline]
    fn step(&self, state: &mut [i64; 3], time: i64) -> Option<i64> {
        self.0.step(state, (None, time))
    }

    fn skip(&self, state: &mut [i64; 3]) -> Option<i64> {
        self.0.skip(state)
    }
}

pub(crate) const SESSION_ID: Entry = Entry {
    names: &["session_id"],
    shape: Shape::Single(Family::Recurrence),
    summary: "Number of the session of each row: a new session begins after a pause longer than `gap`, once it would be longer than \
              `longest`, and where `restart` is true.",
    formula: "y[i] = y[i-1] + 1 if time[i] - time[i-1] > gap or time[i] - time[first of its session] > longest or restart[i] else \
              y[i-1], y[0] = 0",
    notes: "A 64-bit integer, from 0 for each key. With a gap of 0 rows of the same time are a session. The time column must be \
            sorted within each key and have no nulls; a null in `restart` is false. Exact.",
    source: "Requested in skrub#1930; the session windows of stream processors.",
    parameters: &[
        Parameter::required("time", Kind::Time("gap"), "The time column."),
        Parameter::required(
            "gap",
            Kind::Duration,
            "The longest pause within a session: a duration such as '30m', or an integer for an integer time column, or 0.",
        ),
        Parameter::optional(
            "longest",
            Kind::Duration,
            Literal::Omitted,
            "The longest time from the first row of a session to its last, as `gap`. Default: any.",
        ),
        Parameter::optional("restart", Kind::Flags, Literal::Omitted, "A column of booleans: true begins a session."),
    ],
    example: &[("time", Literal::Text("t")), ("gap", Literal::Text("30m"))],
    plan,
    #[cfg(test)]
    reference: reference::session_id,
};

/// Each session from its first row on.
#[cfg(test)]
mod reference {
    use crate::reference::{Slow, Table, exact, text};
    use crate::{KernelSpec, Value};

    fn length(spec: &KernelSpec, name: &str) -> i64 {
        match spec.parameters.get(name) {
            None => i64::MAX,
            Some(Value::Int(n)) => *n,
            Some(Value::Text(t)) if t.ends_with('i') => t.trim_end_matches('i').parse().unwrap(),
            Some(Value::Text(t)) => t.trim_end_matches('s').parse::<i64>().unwrap() * 1000,
            Some(other) => panic!("{other}"),
        }
    }

    pub fn session_id(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let times = table.times(&text(spec, "time"));
        let (gap, longest) = (length(spec, "gap"), length(spec, "longest"));
        let restarts = match spec.parameters.get("restart") {
            Some(_) => table.numbers(&text(spec, "restart")),
            None => vec![None; times.len()],
        };
        let mut firsts: Vec<usize> = Vec::new();
        let session = |i: usize| {
            let goes_on = firsts.last().is_some_and(|first| {
                times[i] - times[i - 1] <= gap && times[i] - times[*first] <= longest && restarts[i] != Some(1.0)
            });
            if !goes_on {
                firsts.push(i);
            }
            exact(Some((firsts.len() - 1) as f64))
        };
        (0..times.len()).map(session).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::KernelSpec;
    use crate::kernels::fields::worked::{NULL, check, refused};

    #[test]
    fn worked_values() {
        let spec = |gap: &str| KernelSpec::new("session_id").with("time", "t").with("gap", gap);
        let columns: [(&str, &[f64]); 2] =
            [("t", &[0.0, 0.0, 5.0, 9.0, 14.0, 30.0]), ("flag", &[1.0, NULL, 0.0, 1.0, 0.0, 0.0])];
        check(spec("5s"), &columns, "", &[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        let none = KernelSpec::new("session_id").with("time", "t").with("gap", 0);
        check(none, &columns, "", &[0.0, 0.0, 1.0, 2.0, 3.0, 4.0]);
        check(spec("5s").with("longest", "9s"), &columns, "", &[0.0, 0.0, 0.0, 0.0, 1.0, 2.0]);
        check(spec("5s").with("restart", "flag"), &columns, "", &[0.0, 0.0, 0.0, 1.0, 1.0, 2.0]);
        let both = spec("5s").with("restart", "flag").with("longest", "4s");
        check(both, &columns, "", &[0.0, 0.0, 1.0, 2.0, 3.0, 4.0]);
        refused(spec("5s").with("gap", -1), "must be positive");
        refused(spec("5s").with("longest", 0), "must be positive");
    }
}
