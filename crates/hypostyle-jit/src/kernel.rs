//! The kernel `program`: a user's function over columns, in every place where kernels run.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::datatypes::{DataType, Field, TimeUnit};
use hypostyle::{
    Arguments, Binding, Domain, Error, ErrorKind, Family, Inputs, Kernel, Kind, Lane, Literal, Parameter, Plan,
    Program, ProgramRows, Refused, Result, RowKeys, Scalar, StateField, Valid, Value, Values, is_text,
};

use crate::clock::Clock;
use crate::execute::{Answers, Backend, Bound, Keys};
use crate::interpret::Column;
use crate::lower::{InputType, Ticks};
use crate::ops::Type;
use crate::program::Function;

/// The name of the kernel.
pub const NAME: &str = "program";

/// What happens to rows in error.
pub(crate) const ERRORS: Parameter = Parameter::optional(
    "errors",
    Kind::Choice(&["null", "raise"]),
    Literal::Text("null"),
    "What happens to a row where Python would raise, or an int leaves 64 bits: it is null, or an error.",
);

/// Whether rows in error are errors.
pub(crate) fn raises(arguments: &Arguments) -> Result<bool> {
    arguments.choice("errors", &[("null", false), ("raise", true)])
}

/// A row in error.
pub(crate) fn refused(name: &str, row: usize) -> Refused {
    Refused { row, problem: format!("the function '{name}' raises in Python here, or an int leaves 64 bits") }
}

const PARAMETERS: [Parameter; 3] = [
    Parameter::required(
        "columns",
        Kind::Columns,
        "The columns that the function reads, in the order of its parameters.",
    ),
    Parameter::required("program", Kind::Program, "What the function does, as `kernel.program` of Python gives it."),
    ERRORS,
];

/// The kernel, for catalogs.
pub fn kernel() -> Kernel {
    let mut kernel = Kernel::new(NAME, Family::Function, PARAMETERS.to_vec(), plan);
    kernel.summary = "A user's own function, written in Python: of a row, or with state from row to row.".to_string();
    kernel.formula = "y[i], state = f(state, x[i], ...)".to_string();
    kernel.notes = "The meaning is that of CPython. A null is None. A row where Python would raise, or where an int leaves 64 \
                    bits, is null and leaves the state as it was. `hs.jit`, `hs.scan` and `hs.loop` of Python make the program."
        .to_string();
    kernel.source = "docs/own-functions.md".to_string();
    kernel.example =
        vec![("columns".to_string(), Value::from(vec!["x", "z"])), ("program".to_string(), Value::from(EXAMPLE))];
    kernel
}

/// What was understood of a program for columns of these types (`float`, `int`, `bool` or `str`): its operations, as text.
///
/// Times are in microseconds.
///
/// # Errors
/// Whatever is not a program, and operations that Python does not have for these types.
pub fn shown(program: &str, types: &[String]) -> Result<String> {
    let refused = |problem: String| Error::new(ErrorKind::Parameter, problem).in_kernel(NAME).at_parameter("program");
    let function = Function::parse(program).map_err(|error| refused(error.to_string()))?;
    let function = function.at(&Clock::microseconds()).map_err(|error| refused(error.to_string()))?;
    let input = |name: &String| match name.as_str() {
        "float" => Ok(InputType::Float),
        "int" => Ok(InputType::Int),
        "bool" => Ok(InputType::Bool),
        "str" => Ok(InputType::Text),
        other => Err(refused(format!("'{other}' is no type; the types are float, int, bool and str"))),
    };
    let types = types.iter().map(input).collect::<Result<Vec<_>>>()?;
    if types.len() != function.inputs.len() {
        let (wanted, given) = (function.inputs.len(), types.len());
        return Err(refused(format!("the function has {wanted} columns, and {given} types are given")));
    }
    let bound = Bound::new(&function, &types, Backend::Interpreted).map_err(|error| refused(error.to_string()))?;
    Ok(bound.shown())
}

/// `lambda x, z: x + z`.
const EXAMPLE: &str = concat!(
    r#"{"name":"add","inputs":["x","z"],"state":[],"outputs":[],"#,
    r#""body":[["return",[["+",["get","x"],["get","z"]]],[]]]}"#
);

fn plan(arguments: &Arguments) -> Result<Plan> {
    let columns = arguments.columns("columns")?;
    let text = arguments.text("program")?;
    let raises = raises(arguments)?;
    let function = Function::parse(&text).map_err(|error| arguments.refuse("program", error))?;
    if function.inputs.len() != columns.len() {
        let (wanted, given) = (function.inputs.len(), columns.len());
        return Err(
            arguments.refuse("columns", format!("the function has {wanted} parameters, and {given} columns are given"))
        );
    }
    if columns.is_empty() {
        return Err(arguments.refuse("columns", "is empty: a function needs a column"));
    }
    let function = Arc::new(function);
    let known = Mutex::new(HashMap::new());
    let inputs = Inputs::columns(columns.clone()).with_decimals_and_texts();
    Ok(Plan::program(inputs, move |binding| {
        let data_types = columns.iter().map(|name| Ok(binding.column(name)?.1)).collect::<Result<Vec<_>>>()?;
        let types = columns.iter().zip(&data_types).map(|(name, of)| input_type(binding, name, of));
        let types = types.collect::<Result<Vec<_>>>()?;
        let clock = Clock::of(data_types.iter().copied());
        let bound = bound(&function, (types.clone(), clock), &known);
        let bound = bound.map_err(|error| about_strings(error, &columns, &types))?;
        let program = UserFunction::new(&function, bound, &types, &data_types, raises);
        Ok((program, function.name.clone()))
    }))
}

fn input_type(binding: &Binding, name: &str, data_type: &DataType) -> Result<InputType> {
    type_as_input(data_type)
        .ok_or_else(|| binding.column_type(name, "a number, a boolean, a date, a time or a string", data_type))
}

/// An error of a function, with the columns of strings, which are what it does not expect.
fn about_strings(error: Error, columns: &[String], types: &[InputType]) -> Error {
    let strings: Vec<String> = columns
        .iter()
        .zip(types)
        .filter(|(_, of)| **of == InputType::Text)
        .map(|(name, _)| format!("'{name}'"))
        .collect();
    match strings.as_slice() {
        [] => error,
        strings => {
            error.with_help(format!("strings are compared only, by ==, != and in; of strings: {}", strings.join(", ")))
        }
    }
}

/// How a column of this type is read.
pub(crate) fn type_as_input(data_type: &DataType) -> Option<InputType> {
    match data_type {
        DataType::Boolean => Some(InputType::Bool),
        DataType::UInt64 => Some(InputType::Unsigned),
        text if is_text(text) => Some(InputType::Text),
        DataType::Duration(_) => Some(InputType::Duration),
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) | DataType::Time32(_) | DataType::Time64(_) => {
            Some(InputType::Moment)
        }
        other if Domain::Integer.reads(other) => Some(InputType::Int),
        other if Domain::Float.reads(other) => Some(InputType::Float),
        _ => None,
    }
}

/// The function for these types.
pub(crate) fn bound_for(function: &Function, types: &[InputType]) -> Result<Bound> {
    Bound::new(function, types, Backend::chosen())
        .map_err(|error| Error::new(ErrorKind::ColumnType, error.to_string()).in_kernel(&function.name))
}

/// What is known of a function's columns.
type Columns = (Vec<InputType>, Clock);

/// The function for these types, made once.
fn bound(function: &Function, columns: Columns, known: &Mutex<HashMap<Columns, Arc<Bound>>>) -> Result<Arc<Bound>> {
    let mut known = known.try_lock().ok();
    if let Some(bound) = known.as_ref().and_then(|known| known.get(&columns)) {
        return Ok(bound.clone());
    }
    let (types, clock) = &columns;
    let function = function
        .at(clock)
        .map_err(|error| Error::new(ErrorKind::ColumnType, error.to_string()).in_kernel(&function.name))?;
    let bound = Arc::new(bound_for(&function, types)?);
    if let Some(known) = &mut known {
        known.insert(columns, bound.clone());
    }
    Ok(bound)
}

/// A function bound to columns of some types.
pub(crate) struct UserFunction {
    name: String,
    bound: Arc<Bound>,
    inputs: Vec<Domain>,
    state: Vec<StateField>,
    output: DataType,
    /// The strings that results may be, if some are strings.
    texts: Vec<String>,
    raises: bool,
}

impl UserFunction {
    /// The function over columns that are read as `inputs` and have the types `columns`.
    pub(crate) fn new(
        function: &Function,
        bound: Arc<Bound>,
        inputs: &[InputType],
        columns: &[&DataType],
        raises: bool,
    ) -> Self {
        let domain = |of: InputType| if of == InputType::Float { Domain::Float } else { Domain::Integer };
        let mut state = Vec::new();
        let mut start = bound.start().iter();
        for ((name, _), field) in function.state.iter().zip(bound.fields()) {
            for (part, of) in field.slots() {
                let bits = start.next().copied().unwrap_or_default();
                state.push(StateField { name: format!("{name}{part}"), start: scalar(bits, of) });
            }
        }
        let of_time = |time: &Option<Ticks>| time.and_then(|time| time_type(time, columns));
        let results = bound.results().iter().zip(bound.times());
        let types = results.zip(bound.texts()).map(|((of, time), is_text)| match is_text {
            true => DataType::Utf8,
            false => of_time(time).unwrap_or_else(|| data_type(*of)),
        });
        let types = types.collect();
        let output = output_type(&function.outputs, types);
        let inputs = inputs.iter().map(|of| domain(*of)).collect();
        let texts = if bound.texts().contains(&true) { function.texts.clone() } else { Vec::new() };
        Self { name: function.name.clone(), bound, inputs, state, output, texts, raises }
    }

    /// Nulls of a column count where the function uses it.
    fn used<'r>(&self, rows: &'r ProgramRows) -> impl Iterator<Item = &'r Valid<'r>> {
        let uses = |(at, column): (usize, &'r _)| self.bound.uses(at).then_some(column);
        rows.columns.iter().map(|column| &column.valid).enumerate().filter_map(uses)
    }

    fn map(&self, rows: &ProgramRows) -> std::result::Result<Vec<Lane>, Refused> {
        let strict = self.bound.is_strict() && !self.raises;
        // A strict function takes no notice of nulls: they are joined with those of its results.
        let flags: Vec<Option<Cow<[bool]>>> =
            rows.columns.iter().map(|column| if strict { None } else { flags_of(&column.valid) }).collect();
        let columns = columns(rows, &flags);
        let answers = match self.bound.map(&columns, rows.len, rows.threads, self.raises) {
            Ok(answers) => answers,
            Err(row) => return Err(refused(&self.name, row)),
        };
        if !strict {
            return Ok(answers.into_iter().map(|answers| lane(answers, rows.len)).collect());
        }
        let mut nulls: Option<NullBuffer> = None;
        for valid in self.used(rows) {
            let of_column = match valid {
                Valid::All => None,
                Valid::Flags(flags) => Some(NullBuffer::from(flags.to_vec())),
                Valid::Bits(bits) => Some(bits.clone()),
            };
            nulls = NullBuffer::union(nulls.as_ref(), of_column.as_ref());
        }
        let with_nulls = |answers: Answers| {
            let lane = lane(answers, rows.len);
            Lane { nulls: NullBuffer::union(lane.nulls.as_ref(), nulls.as_ref()), ..lane }
        };
        Ok(answers.into_iter().map(with_nulls).collect())
    }

    fn scan(&self, rows: &ProgramRows, states: &mut [u64]) -> std::result::Result<Vec<Lane>, Refused> {
        let flags: Vec<Option<Cow<[bool]>>> = rows.columns.iter().map(|column| flags_of(&column.valid)).collect();
        let mut read: Option<Cow<[bool]>> = None;
        if self.bound.is_strict() {
            for (_, flags) in flags.iter().enumerate().filter(|(at, _)| self.bound.uses(*at)) {
                match (&mut read, flags) {
                    (_, None) => {}
                    (None, Some(flags)) => read = Some(Cow::Borrowed(flags)),
                    (Some(read), Some(flags)) => {
                        read.to_mut().iter_mut().zip(flags.iter()).for_each(|(all, valid)| *all &= valid);
                    }
                }
            }
        }
        let columns = columns(rows, &flags);
        let keys = match &rows.keys {
            RowKeys::One => Keys::One,
            RowKeys::Each(keys) => Keys::Each(keys),
            RowKeys::Runs(runs) => Keys::Runs(runs),
        };
        match self.bound.scan(&columns, rows.len, read.as_deref(), keys, states, self.raises) {
            Ok(answers) => Ok(answers.into_iter().map(|answers| lane(answers, rows.len)).collect()),
            Err(row) => Err(refused(&self.name, row)),
        }
    }
}

impl Program for UserFunction {
    fn inputs(&self) -> &[Domain] {
        &self.inputs
    }

    fn state(&self) -> &[StateField] {
        &self.state
    }

    fn output_type(&self) -> DataType {
        self.output.clone()
    }

    fn texts(&self) -> Vec<String> {
        self.texts.clone()
    }

    fn may_refuse(&self) -> bool {
        self.raises
    }

    fn cost(&self) -> usize {
        self.bound.cost()
    }

    fn step(
        &self,
        row: &[Option<Scalar>],
        state: &mut [Scalar],
        results: &mut [Option<Scalar>],
    ) -> std::result::Result<(), Refused> {
        let bits = |scalar: &Scalar| match scalar {
            Scalar::Float(x) => x.to_bits(),
            Scalar::Integer(x) => x.cast_unsigned(),
        };
        let values: Vec<[u64; 1]> = row.iter().map(|value| [value.as_ref().map_or(0, bits)]).collect();
        let valid: Vec<[bool; 1]> = row.iter().map(|value| [value.is_some()]).collect();
        let columns: Vec<Column> = values
            .iter()
            .zip(&valid)
            .map(|(values, valid)| Column { values, valid: (!valid[0]).then_some(valid) })
            .collect();
        let used = (0..row.len()).all(|at| !self.bound.uses(at) || row[at].is_some());
        let left_out = self.bound.is_strict() && !used;
        let mut words: Vec<u64> = state.iter().map(bits).collect();
        let answers =
            match self.bound.scan(&columns, 1, left_out.then_some(&[false]), Keys::One, &mut words, self.raises) {
                Ok(answers) => answers,
                Err(row) => return Err(refused(&self.name, row)),
            };
        for (field, bits) in state.iter_mut().zip(words) {
            *field = match field {
                Scalar::Float(_) => Scalar::Float(f64::from_bits(bits)),
                Scalar::Integer(_) => Scalar::Integer(bits.cast_signed()),
            };
        }
        for ((result, answers), of) in results.iter_mut().zip(answers).zip(self.bound.results()) {
            let is_valid = answers.valid.is_none_or(|bits| bits[0] & 1 == 1);
            *result = is_valid.then(|| scalar(answers.values.word(0), *of));
        }
        Ok(())
    }

    fn run(&self, rows: &ProgramRows, states: &mut [u64]) -> Option<std::result::Result<Vec<Lane>, Refused>> {
        Some(if self.state.is_empty() { self.map(rows) } else { self.scan(rows, states) })
    }
}

fn scalar(bits: u64, of: Type) -> Scalar {
    match of {
        Type::Float => Scalar::Float(f64::from_bits(bits)),
        Type::Int | Type::Bool => Scalar::Integer(bits.cast_signed()),
    }
}

/// The type of one result, or of a struct of those with these names.
pub(crate) fn output_type(names: &[String], mut types: Vec<DataType>) -> DataType {
    if names.is_empty() {
        return types.swap_remove(0);
    }
    let fields = names.iter().zip(types).map(|(name, of)| Field::new(name, of, true));
    DataType::Struct(fields.collect())
}

pub(crate) fn data_type(of: Type) -> DataType {
    match of {
        Type::Float => DataType::Float64,
        Type::Int => DataType::Int64,
        Type::Bool => DataType::Boolean,
    }
}

/// The type of results that are times, for columns of these types: that of the moments among them, or durations in their unit.
///
/// None, and the results are integers, if the moments have several types or are times of day, which have no sums, or the unit is
/// days.
fn time_type(time: Ticks, columns: &[&DataType]) -> Option<DataType> {
    match time {
        Ticks::Moment => {
            let mut moments = columns.iter().filter(|of| type_as_input(of) == Some(InputType::Moment));
            let first = *moments.next()?;
            let is_day = !matches!(first, DataType::Time32(_) | DataType::Time64(_));
            (is_day && moments.all(|of| *of == first)).then(|| first.clone())
        }
        Ticks::Duration => columns.iter().find_map(|of| match of {
            DataType::Timestamp(unit, _)
            | DataType::Duration(unit)
            | DataType::Time32(unit)
            | DataType::Time64(unit) => Some(DataType::Duration(*unit)),
            DataType::Date64 => Some(DataType::Duration(TimeUnit::Millisecond)),
            _ => None,
        }),
    }
}

fn flags_of<'v>(valid: &'v Valid) -> Option<Cow<'v, [bool]>> {
    match valid {
        Valid::All => None,
        Valid::Flags(flags) => Some(Cow::Borrowed(flags)),
        Valid::Bits(nulls) => Some(Cow::Owned(unpacked(nulls))),
    }
}

/// A flag for each bit, eight at a time.
fn unpacked(nulls: &NullBuffer) -> Vec<bool> {
    let chunks = nulls.inner().bit_chunks();
    let mut flags = Vec::with_capacity(nulls.len() + 64);
    for word in chunks.iter().chain(std::iter::once(chunks.remainder_bits())) {
        for byte in word.to_le_bytes() {
            // Its bits in a byte each, then moved down.
            let apart = u64::from(byte).wrapping_mul(0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
            let apart = (apart + 0x7F7F_7F7F_7F7F_7F7F) >> 7 & 0x0101_0101_0101_0101;
            flags.extend(apart.to_le_bytes().map(|flag| flag == 1));
        }
    }
    flags.truncate(nulls.len());
    flags
}

fn columns<'r>(rows: &'r ProgramRows, flags: &'r [Option<Cow<[bool]>>]) -> Vec<Column<'r>> {
    let values = |values: &'r Values| match values {
        Values::Float(values) => bytemuck::cast_slice(values.as_ref()),
        Values::Integer(values) => bytemuck::cast_slice(values.as_ref()),
        Values::Constant(_) | Values::Nothing => &[],
    };
    let column = |(column, valid): (&'r hypostyle::ProgramColumn, &'r Option<Cow<[bool]>>)| Column {
        values: values(&column.values),
        valid: valid.as_deref(),
    };
    rows.columns.iter().zip(flags).map(column).collect()
}

fn lane(answers: Answers, rows: usize) -> Lane {
    let nulls = |bits: Vec<u8>| NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(bits), 0, rows));
    Lane { values: answers.values, nulls: answers.valid.map(nulls).filter(|nulls| nulls.null_count() > 0) }
}
