//! A state machine that is given as a table: which state follows on which event.

use arrow::datatypes::DataType;

use crate::error::Result;
use crate::model::{Recurrence, as_f64};
use crate::run::parameters::COLUMN;
use crate::run::{Entry, Inputs, Plan, Shape};
use crate::spec::{Arguments, Family, Kind, Literal, Parameter};

/// See the module.
#[derive(Debug, Clone)]
struct StateMachine {
    /// The next state by state and event, state by state.
    next: Box<[i64]>,
    events: usize,
    start: i64,
}

impl Recurrence for StateMachine {
    /// The event.
    type Input = f64;
    type Output = i64;
    /// The state, and whether there was an event.
    type State = (i64, bool);

    fn start(&self) -> (i64, bool) {
        (self.start, false)
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is no event differs from its number"
    )]
    fn step(&self, (state, seen): &mut (i64, bool), x: f64) -> Option<i64> {
        let event = x as usize;
        if event < self.events && as_f64(event) == x {
            let place = usize::try_from(*state).unwrap_or(usize::MAX).saturating_mul(self.events).saturating_add(event);
            *state = self.next.get(place).copied().unwrap_or(*state);
        }
        *seen = true;
        Some(*state)
    }

    #[inline]
    fn skip(&self, (state, seen): &mut (i64, bool)) -> Option<i64> {
        seen.then_some(*state)
    }
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let rows = arguments.table("transitions")?;
    let states = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let known = |state: i64| (0..states).contains(&state);
    for (number, row) in rows.iter().enumerate() {
        if let Some((event, next)) = row.iter().enumerate().find(|(_, next)| !known(**next)) {
            let problem =
                format!("state {number} goes to {next} on event {event}, and there are states 0 to {}", states - 1);
            return Err(arguments.refuse("transitions", problem).with_help("give one row for each state"));
        }
    }
    let start = i64::try_from(arguments.count("start")?).unwrap_or(i64::MAX);
    if !known(start) {
        return Err(arguments.refuse("start", format!("must be a state from 0 to {}, got {start}", states - 1)));
    }
    let events = rows[0].len();
    let next: Box<[i64]> = rows.into_iter().flatten().collect();
    let inputs = Inputs::of(arguments, &["column"])?.returning(DataType::Int64);
    Ok(Plan::recurrence(inputs, StateMachine { next, events, start }))
}

pub(crate) const STATE_MACHINE: Entry = Entry {
    names: &["state_machine"],
    shape: Shape::Single(Family::Recurrence),
    summary: "State machine: the state after each event, by a table of transitions.",
    formula: "y[i] = transitions[y[i-1]][x[i]], y[-1] = start",
    notes: "Events and states are numbers from 0; a boolean is event 0 or 1. The table has a row for each state and a number, the next \
            state, for each event. An event that the table does not have changes nothing. A null row returns the last state, and \
            null before the first event. A 64-bit integer, exact. Texts become numbers by `pl.Enum` and `.to_physical()`.",
    source: "A deterministic finite automaton; Flux `stateTracking` counts the rows of one state.",
    parameters: &[
        COLUMN,
        Parameter::required(
            "transitions",
            Kind::Table,
            "For each state the next one on each event: `[[0, 1], [1, 0]]` changes sides on event 1.",
        ),
        Parameter::optional("start", Kind::Count, Literal::Count(0), "The state before the first event."),
    ],
    example: &[("column", Literal::Text("x")), ("transitions", Literal::Table(&[&[0, 1, 0], &[1, 0, 0]]))],
    plan,
    #[cfg(test)]
    reference: reference::state_machine,
};

/// The states since the first row, followed again for each row.
#[cfg(test)]
mod reference {
    use crate::KernelSpec;
    use crate::reference::{Slow, Table, column, exact, number};
    use crate::spec::Value;

    pub fn state_machine(spec: &KernelSpec, table: &Table, _: Option<&str>) -> Vec<Slow> {
        let Some(Value::List(rows)) = spec.parameters.get("transitions") else { unreachable!() };
        let next = |state: f64, event: f64| {
            let Some(Value::List(row)) = rows.get(state as usize) else { return None };
            let (_, next) = row.iter().enumerate().find(|(number, _)| *number as f64 == event)?;
            if let Value::Int(next) = next { Some(*next as f64) } else { None }
        };
        let events = column(spec, table);
        let start = number(spec, "start").unwrap_or(0.0);
        let at = |i: usize| {
            let so_far: Vec<f64> = events[..=i].iter().copied().flatten().collect();
            let follow = |state: f64, event: &f64| next(state, *event).unwrap_or(state);
            (!so_far.is_empty()).then(|| so_far.iter().fold(start, follow))
        };
        (0..events.len()).map(|i| exact(at(i))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, UInt64Array};
    use arrow::datatypes::Int64Type;

    use crate::kernels::fields::worked::refused;
    use crate::spec::Value;
    use crate::{KernelSpec, evaluate};

    fn table(rows: &[&[i64]]) -> Value {
        rows.iter().map(|row| Value::from(row.to_vec())).collect::<Vec<_>>().into()
    }

    /// Idle, armed, fired: 0 disarms, 1 arms, 2 fires if armed.
    fn spec() -> KernelSpec {
        KernelSpec::new("state_machine")
            .with("column", "e")
            .with("transitions", table(&[&[0, 1, 0], &[0, 1, 2], &[0, 2, 2]]))
    }

    fn states(spec: &KernelSpec, events: ArrayRef) -> Vec<Option<i64>> {
        let rows = RecordBatch::try_from_iter_with_nullable([("e", events, true)]).unwrap();
        let states = evaluate(&rows, std::slice::from_ref(spec), Some(1)).unwrap();
        states.column(0).as_primitive::<Int64Type>().iter().collect()
    }

    #[test]
    fn worked_values() {
        let events = [None, Some(2), Some(1), None, Some(7), Some(-1), Some(2), Some(1), Some(0)];
        let expected = [None, Some(0), Some(1), Some(1), Some(1), Some(1), Some(2), Some(2), Some(0)];
        assert_eq!(states(&spec(), Arc::new(Int64Array::from(events.to_vec()))), expected);
        let unsigned = Arc::new(UInt64Array::from(vec![1, u64::MAX, 2, 1 << 63, 0]));
        assert_eq!(states(&spec(), unsigned), [1, 1, 2, 2, 0].map(Some));
        let floats = Arc::new(Float64Array::from(vec![1.0, 1.5, f64::NAN, 2.0, f64::INFINITY]));
        assert_eq!(states(&spec(), floats), [1, 1, 1, 2, 2].map(Some));
        let flags = Arc::new(BooleanArray::from(vec![true, false, true]));
        assert_eq!(states(&spec().with("start", 2), flags), [2, 0, 1].map(Some));
    }

    #[test]
    fn what_is_refused() {
        refused(
            spec().with("transitions", table(&[&[0, 2], &[1, 0]])),
            "state 0 goes to 2 on event 1, and there are states 0 to 1",
        );
        refused(spec().with("transitions", table(&[&[0, 1], &[1]])), "row 1 has 1 numbers, and row 0 has 2");
        refused(spec().with("transitions", table(&[])), "is empty");
        refused(spec().with("transitions", table(&[&[]])), "is empty");
        refused(spec().with("transitions", vec![0i64, 1]), "a list of lists of integers");
        refused(spec().with("start", 3), "must be a state from 0 to 2, got 3");
    }
}
