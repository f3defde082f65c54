//! Functions with a loop over the window, as ordered windows: a queue of values, and the function over it.
//!
//! An ordered window has one result, so a function with several is one for each of them, and one more tells the rows in error if
//! these are to be named; `Gathered` puts them together.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow::datatypes::DataType;
use hypostyle::{
    Arguments, Cells, Domain, Inputs, Lane, OrderedWindow, Output, Plan, Program, ProgramRows, Refused, Result, Scalar,
    StateField, Valid, Values,
};

use crate::interpret::{ERROR, VALID};
use crate::kernel::{data_type, output_type, refused};
use crate::ops::Type;
use crate::program::Function;
use crate::windows::{Answered, WindowFunction};

/// The plan of a function with a loop over the window of `arguments`.
///
/// # Errors
/// A window whose parameters are out of range or conflict.
pub fn plan(arguments: &Arguments, function: &Function, window: WindowFunction, raises: bool) -> Result<Plan> {
    let types = window.results().to_vec();
    let window = Arc::new(window);
    let part = |wanted: Wanted, of: Type| -> Result<Plan> {
        let inputs = Inputs::of(arguments, &["column"])?.returning(data_type(of));
        let window = window.clone();
        match of {
            Type::Float => {
                Plan::ordered_over(arguments, inputs, LoopWindow { window, wanted, output: PhantomData::<f64> })
            }
            Type::Int | Type::Bool => {
                Plan::ordered_over(arguments, inputs, LoopWindow { window, wanted, output: PhantomData::<i64> })
            }
        }
    };
    if let ([of], false, false) = (types.as_slice(), raises, !function.outputs.is_empty()) {
        return part(Wanted::Result(0, *of), *of);
    }
    let mut parts = Vec::new();
    for (at, of) in types.iter().enumerate() {
        parts.push((format!("result.{at}"), Arc::new(part(Wanted::Result(at, *of), *of)?)));
    }
    if raises {
        parts.push(("error".to_string(), Arc::new(part(Wanted::Error, Type::Bool)?)));
    }
    let domain = |of: &Type| if *of == Type::Float { Domain::Float } else { Domain::Integer };
    let gathered = Gathered {
        name: function.name.clone(),
        inputs: types.iter().map(domain).chain(raises.then_some(Domain::Integer)).collect(),
        output: output_type(&function.outputs, types.iter().map(|of| data_type(*of)).collect()),
        results: types.len(),
    };
    let name = function.name.clone();
    Ok(Plan::of_parts(parts, move |_| Ok((gathered.clone(), name.clone()))))
}

/// What of a function's answer is asked for.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    Result(usize, Type),
    /// True where the row is in error, else null.
    Error,
}

impl Wanted {
    fn of<O: Output>(self, answered: &Answered, row: usize) -> Option<O> {
        match self {
            Self::Result(at, of) => {
                let bits = answered.values[at][row];
                let scalar = move |_| match of {
                    Type::Float => Scalar::Float(f64::from_bits(bits)),
                    Type::Int | Type::Bool => Scalar::Integer(bits.cast_signed()),
                };
                (answered.kinds[at][row] == VALID).then(|| O::from_lanes(scalar))
            }
            Self::Error => (answered.kinds[0][row] == ERROR).then(|| O::from_lanes(|_| Scalar::Integer(1))),
        }
    }
}

/// One result of a function.  Windows are queues, so what is removed is the oldest value.
#[derive(Debug, Clone)]
struct LoopWindow<O> {
    window: Arc<WindowFunction>,
    wanted: Wanted,
    output: PhantomData<O>,
}

/// The values of a window, oldest first, behind some that have left it.
#[derive(Debug, Clone, Default)]
struct Queue {
    values: Vec<f64>,
    gone: usize,
}

impl<O: Output> OrderedWindow for LoopWindow<O> {
    type Input = f64;
    type Output = O;
    type State = Queue;

    fn empty(&self) -> Queue {
        Queue::default()
    }

    fn insert(&self, queue: &mut Queue, x: f64) {
        queue.values.push(x);
    }

    fn remove(&self, queue: &mut Queue, _: f64) {
        queue.gone += 1;
        if queue.gone > queue.values.len() / 2 + 64 {
            queue.values.drain(..queue.gone);
            queue.gone = 0;
        }
    }

    fn answer(&self, queue: &Queue, _: Option<f64>) -> Option<O> {
        let values = &queue.values[queue.gone..];
        self.wanted.of(&self.window.evaluate(values, &[0], &[values.len() as u64]), 0)
    }

    fn answer_all(
        &self,
        rows: &[f64],
        valid: Option<&[bool]>,
        len: usize,
        mut answer: impl FnMut(usize, usize, Option<O>),
    ) -> bool {
        // The values without nulls, and how many of them are before each row.
        let (mut values, mut before) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len() + 1));
        before.push(0);
        for (row, x) in rows.iter().enumerate() {
            if valid.is_none_or(|valid| valid[row]) {
                values.push(*x);
            }
            before.push(values.len() as u64);
        }
        // The first window is that of the rows before the first row that is asked for.
        let windows = || (len..rows.len()).map(|row| (before[row + 1 - len], before[row + 1]));
        let filled = || windows().filter(|(first, end)| first < end);
        let (firsts, ends): (Vec<u64>, Vec<u64>) = filled().unzip();
        let answered = self.window.evaluate(&values, &firsts, &ends);
        let mut answers = (0..firsts.len()).map(|row| self.wanted.of(&answered, row));
        for (row, (first, end)) in windows().enumerate() {
            let result = if first < end { answers.next().flatten() } else { None };
            answer(row, usize::try_from(end - first).unwrap_or(0), result);
        }
        true
    }

    fn heap_bytes(&self, queue: &Queue) -> usize {
        queue.values.capacity() * size_of::<f64>()
    }
}

/// The results of a function, and last whether the row is in error, if there is one more input.
#[derive(Debug, Clone)]
struct Gathered {
    name: String,
    inputs: Vec<Domain>,
    output: DataType,
    results: usize,
}

impl Program for Gathered {
    fn inputs(&self) -> &[Domain] {
        &self.inputs
    }

    fn state(&self) -> &[StateField] {
        &[]
    }

    fn output_type(&self) -> DataType {
        self.output.clone()
    }

    fn may_refuse(&self) -> bool {
        self.inputs.len() > self.results
    }

    fn step(
        &self,
        row: &[Option<Scalar>],
        _: &mut [Scalar],
        results: &mut [Option<Scalar>],
    ) -> std::result::Result<(), Refused> {
        if row.get(self.results).is_some_and(Option::is_some) {
            return Err(refused(&self.name, 0));
        }
        results.copy_from_slice(&row[..self.results]);
        Ok(())
    }

    fn run(&self, rows: &ProgramRows, _: &mut [u64]) -> Option<std::result::Result<Vec<Lane>, Refused>> {
        if let Some(row) = rows.columns.get(self.results).and_then(|error| first_valid(&error.valid, rows.len)) {
            return Some(Err(refused(&self.name, row)));
        }
        let lane = |column: &hypostyle::ProgramColumn| Lane {
            values: Cells::Words(match &column.values {
                Values::Float(values) => values.iter().map(|x| x.to_bits()).collect(),
                Values::Integer(values) => values.iter().map(|x| x.cast_unsigned()).collect(),
                Values::Constant(_) | Values::Nothing => vec![0; rows.len],
            }),
            nulls: match &column.valid {
                Valid::All => None,
                Valid::Flags(flags) => Some(flags.to_vec().into()),
                Valid::Bits(nulls) => Some(nulls.clone()),
            },
        };
        Some(Ok(rows.columns[..self.results].iter().map(lane).collect()))
    }
}

fn first_valid(valid: &Valid, rows: usize) -> Option<usize> {
    match valid {
        Valid::All => (rows > 0).then_some(0),
        Valid::Flags(flags) => flags.iter().position(|valid| *valid),
        Valid::Bits(nulls) => nulls.iter().position(|valid| valid),
    }
}
