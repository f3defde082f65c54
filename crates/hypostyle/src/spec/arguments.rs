//! A specification's parameters read against the kernel's table: unknown, missing and ill-typed ones are errors here, so that
//! a kernel reads typed values only.  Reading a parameter that the table lacks is an error too, never a default.

use std::collections::BTreeMap;

use super::kernel_spec::{KernelSpec, Value};
use super::other_names::OTHER_NAMES;
use super::parameter::{Family, Kind, Literal, Parameter};
use super::window::{Closed, Duration, DurationError, Extent, Offset};
use crate::error::{Error, Result, listed, nearest};

/// A kernel's parameters, checked against its table; defaults are filled in.
#[derive(Debug, Clone, Copy)]
pub struct Arguments<'a> {
    kernel: &'a str,
    family: Family,
    parameters: &'a [Parameter],
    values: &'a BTreeMap<String, Value>,
}

/// A parameter that may be a number or a column.
#[derive(Debug, Clone, PartialEq)]
pub enum NumberOrColumn {
    /// The same number for every row.
    Number(f64),
    /// The column of this name.
    Column(String),
}

impl<'a> Arguments<'a> {
    /// Reads the parameters of `spec` against `parameters`, the table of its kernel.
    ///
    /// # Errors
    /// A parameter that is unknown, missing or of the wrong type.
    pub(crate) fn new(spec: &'a KernelSpec, family: Family, parameters: &'a [Parameter]) -> Result<Self> {
        let arguments = Self { kernel: &spec.name, family, parameters, values: &spec.parameters };
        for (name, value) in arguments.values {
            arguments.check(arguments.known(name)?, value)?;
        }
        for parameter in parameters {
            if matches!(parameter.default, Literal::Required) && !arguments.values.contains_key(&*parameter.name) {
                let expected = parameter.kind.expected();
                return Err(arguments.refuse(&parameter.name, format!("required, expected {expected}")));
            }
        }
        Ok(arguments)
    }

    /// The kernel's name, for messages.
    pub fn kernel_name(&self) -> &'a str {
        self.kernel
    }

    /// The kernel's family.
    pub fn family(&self) -> Family {
        self.family
    }

    /// An error about one of the parameters.
    pub fn refuse(&self, parameter: &str, problem: impl std::fmt::Display) -> Error {
        Error::parameter(self.kernel, parameter, problem)
    }

    fn refuse_duration(&self, parameter: &str, problem: &DurationError) -> Error {
        self.refuse(parameter, problem).with_help(problem.help())
    }

    /// The table's entry for a parameter of the specification.
    fn known(&self, name: &str) -> Result<&'a Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.parameters.iter().map(|parameter| &*parameter.name).collect();
            let is_meant = |(_, others): &&(&str, &[&str])| others.contains(&name);
            let meant =
                OTHER_NAMES.iter().filter(is_meant).map(|(meant, _)| *meant).find(|meant| known.contains(meant));
            let help = match meant.or_else(|| nearest(name, known.iter().copied())) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("the parameters are {}", listed(&known)),
            };
            self.refuse(name, "unknown parameter").with_help(help)
        })
    }

    /// The table's entry for a parameter that the kernel reads.
    fn entry(&self, name: &str) -> Result<&'a Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name).ok_or_else(|| {
            Error::internal(format!("{} reads the parameter '{name}', which its table lacks", self.kernel))
        })
    }

    fn mistyped<T>(&self, parameter: &Parameter, wanted: &str) -> Result<T> {
        let name = &parameter.name;
        Err(Error::internal(format!("{} reads the parameter '{name}' as {wanted}", self.kernel)))
    }

    fn check(&self, parameter: &Parameter, value: &Value) -> Result<()> {
        let name = &parameter.name;
        let fits = match (&parameter.kind, value) {
            (Kind::Column | Kind::Flags | Kind::Time(_), Value::Text(_)) => true,
            (Kind::Columns, Value::List(items)) => {
                if items.is_empty() {
                    return Err(self.refuse(name, "is empty").with_help("name at least one column"));
                }
                items.iter().all(|item| matches!(item, Value::Text(_)))
            }
            (Kind::NumbersOrColumns, Value::List(items)) => {
                if items.is_empty() {
                    return Err(self.refuse(name, "is empty").with_help("give at least one number or column"));
                }
                items.iter().all(|item| matches!(item, Value::Int(_) | Value::Float(_) | Value::Text(_)))
            }
            (Kind::Table, Value::List(rows)) => rows
                .iter()
                .all(|row| matches!(row, Value::List(items) if items.iter().all(|item| matches!(item, Value::Int(_))))),
            (Kind::Number, Value::Int(_) | Value::Float(_)) => true,
            (Kind::NumberOrColumn | Kind::HalfLife, Value::Int(_) | Value::Float(_) | Value::Text(_)) => true,
            (Kind::Numbers | Kind::Weights, Value::List(items)) => {
                items.iter().all(|item| matches!(item, Value::Int(_) | Value::Float(_)))
            }
            (Kind::Count | Kind::Rows, Value::Int(count)) => {
                if *count < 0 {
                    return Err(self.refuse(name, format!("must not be negative, got {count}")));
                }
                true
            }
            (Kind::Words(known), Value::List(items)) => {
                if items.is_empty() {
                    let help = format!("name at least one of {}", listed(known));
                    return Err(self.refuse(name, "is empty").with_help(help));
                }
                for item in items {
                    match item {
                        Value::Text(word) => self.check_word(name, word, known)?,
                        _ => return Err(self.wrong_type(parameter, value)),
                    }
                }
                true
            }
            (Kind::Flag, Value::Bool(_)) | (Kind::Program, Value::Text(_)) => true,
            (Kind::Choice(known), Value::Text(word)) => {
                self.check_word(name, word, known)?;
                true
            }
            (Kind::Window | Kind::Duration | Kind::Offset, Value::Int(_) | Value::Text(_)) => true,
            (Kind::Window, Value::LengthIn(_) | Value::StartIn(_)) => true,
            (Kind::Weights, Value::Text(_)) => true,
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.wrong_type(parameter, value)) }
    }

    fn check_word(&self, name: &str, word: &str, known: &[&str]) -> Result<()> {
        if known.contains(&word) {
            return Ok(());
        }
        let quoted: Vec<String> = known.iter().map(|word| format!("\"{word}\"")).collect();
        let quoted: Vec<&str> = quoted.iter().map(String::as_str).collect();
        Err(self.refuse(name, format!("unknown value \"{word}\", expected {}", listed(&quoted))))
    }

    fn wrong_type(&self, parameter: &Parameter, value: &Value) -> Error {
        let expected = parameter.kind.expected();
        match value {
            // Each interface writes its values in its own way.
            Value::Bool(_) => Error::parameter_type(self.kernel, &parameter.name, expected, "a boolean"),
            _ => Error::parameter_type(self.kernel, &parameter.name, expected, value),
        }
    }

    /// The given value, else the default; `None` if there is neither.
    fn value(&self, name: &str) -> Result<(&'a Parameter, Option<Value>)> {
        let parameter = self.entry(name)?;
        Ok((parameter, self.values.get(name).cloned().or_else(|| parameter.default.value())))
    }

    fn required(&self, name: &str) -> Result<(&'a Parameter, Value)> {
        match self.value(name)? {
            (parameter, Some(value)) => Ok((parameter, value)),
            (parameter, None) => self.mistyped(parameter, "one that always has a value"),
        }
    }

    /// Whether the kernel has this parameter, given or not.
    pub fn accepts(&self, name: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter.name == name)
    }

    /// Whether the parameter has a value.
    ///
    /// # Errors
    /// As all of these: an internal one if the kernel's table lacks the parameter or has another kind for it.
    pub fn has(&self, name: &str) -> Result<bool> {
        Ok(self.value(name)?.1.is_some())
    }

    /// A column's name.
    pub fn column(&self, name: &str) -> Result<String> {
        self.text(name)
    }

    /// A column's name, if given.
    pub fn optional_column(&self, name: &str) -> Result<Option<String>> {
        self.optional_text(name)
    }

    /// The names of several columns.
    pub fn columns(&self, name: &str) -> Result<Vec<String>> {
        match self.required(name)? {
            (parameter, Value::List(items)) => items
                .into_iter()
                .map(|item| match item {
                    Value::Text(column) => Ok(column),
                    _ => self.mistyped(parameter, "a list of names"),
                })
                .collect(),
            (parameter, _) => self.mistyped(parameter, "a list of names"),
        }
    }

    /// Some of the words of a [`Kind::Words`]; default: all of them.
    pub fn words(&self, name: &str) -> Result<Vec<String>> {
        match self.value(name)? {
            (_, Some(_)) => self.columns(name),
            (Parameter { kind: Kind::Words(known), .. }, None) => {
                Ok(known.iter().map(|word| (*word).to_string()).collect())
            }
            (parameter, None) => self.mistyped(parameter, "some of its words"),
        }
    }

    /// A string.
    pub fn text(&self, name: &str) -> Result<String> {
        match self.required(name)? {
            (_, Value::Text(text)) => Ok(text),
            (parameter, _) => self.mistyped(parameter, "a string"),
        }
    }

    /// A string, if given.
    pub fn optional_text(&self, name: &str) -> Result<Option<String>> {
        match self.value(name)? {
            (_, Some(Value::Text(text))) => Ok(Some(text)),
            (_, None) => Ok(None),
            (parameter, _) => self.mistyped(parameter, "a string"),
        }
    }

    /// One of a [`Kind::Choice`]'s words, as its meaning.
    pub fn choice<T: Copy>(&self, name: &str, meanings: &[(&str, T)]) -> Result<T> {
        let word = self.text(name)?;
        match meanings.iter().find(|(known, _)| *known == word) {
            Some((_, meaning)) => Ok(*meaning),
            None => self.mistyped(self.entry(name)?, &format!("a choice without \"{word}\"")),
        }
    }

    /// A count.
    pub fn count(&self, name: &str) -> Result<usize> {
        match self.optional_count(name)? {
            Some(count) => Ok(count),
            None => self.mistyped(self.entry(name)?, "one that always has a value"),
        }
    }

    /// A count, if given.
    pub fn optional_count(&self, name: &str) -> Result<Option<usize>> {
        match self.value(name)? {
            (parameter, Some(Value::Int(count))) => match usize::try_from(count) {
                Ok(count) => Ok(Some(count)),
                Err(_) => self.mistyped(parameter, "a count"),
            },
            (_, None) => Ok(None),
            (parameter, _) => self.mistyped(parameter, "a count"),
        }
    }

    /// A number.
    pub fn number(&self, name: &str) -> Result<f64> {
        match self.optional_number(name)? {
            Some(number) => Ok(number),
            None => self.mistyped(self.entry(name)?, "one that always has a value"),
        }
    }

    /// A number, if given.
    pub fn optional_number(&self, name: &str) -> Result<Option<f64>> {
        match self.value(name)? {
            (_, None) => Ok(None),
            (parameter, Some(value)) => match as_number(&value) {
                Some(number) => Ok(Some(number)),
                None => self.mistyped(parameter, "a number"),
            },
        }
    }

    /// A list of numbers.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        match self.required(name)? {
            (parameter, Value::List(items)) => items
                .iter()
                .map(|item| as_number(item).map_or_else(|| self.mistyped(parameter, "a list of numbers"), Ok))
                .collect(),
            (parameter, _) => self.mistyped(parameter, "a list of numbers"),
        }
    }

    /// Rows of integers, all of one length, which is not 0.
    pub fn table(&self, name: &str) -> Result<Vec<Vec<i64>>> {
        let (parameter, value) = self.required(name)?;
        let integer = |item: &Value| match item {
            Value::Int(x) => Ok(*x),
            _ => self.mistyped(parameter, "a list of lists of integers"),
        };
        let row = |row: &Value| match row {
            Value::List(items) => items.iter().map(integer).collect(),
            _ => self.mistyped(parameter, "a list of lists of integers"),
        };
        let rows = match &value {
            Value::List(rows) => rows.iter().map(row).collect::<Result<Vec<Vec<i64>>>>()?,
            _ => return self.mistyped(parameter, "a list of lists of integers"),
        };
        let width = rows.first().map_or(0, Vec::len);
        match rows.iter().position(|row| row.len() != width || width == 0) {
            None if width > 0 => Ok(rows),
            Some(at) if width > 0 => {
                Err(self.refuse(name, format!("row {at} has {} numbers, and row 0 has {width}", rows[at].len())))
            }
            _ => Err(self.refuse(name, "is empty")),
        }
    }

    /// A number or a column.
    pub fn number_or_column(&self, name: &str) -> Result<NumberOrColumn> {
        match self.required(name)? {
            (_, Value::Text(column)) => Ok(NumberOrColumn::Column(column)),
            (parameter, value) => match as_number(&value) {
                Some(number) => Ok(NumberOrColumn::Number(number)),
                None => self.mistyped(parameter, "a number or a column"),
            },
        }
    }

    /// Numbers and columns.
    pub fn numbers_or_columns(&self, name: &str) -> Result<Vec<NumberOrColumn>> {
        let (parameter, value) = self.required(name)?;
        let Value::List(items) = value else { return self.mistyped(parameter, "a list of numbers and columns") };
        let read = |item| match item {
            Value::Text(column) => Ok(NumberOrColumn::Column(column)),
            item => match as_number(&item) {
                Some(number) => Ok(NumberOrColumn::Number(number)),
                None => self.mistyped(parameter, "a list of numbers and columns"),
            },
        };
        items.into_iter().map(read).collect()
    }

    /// A boolean.
    pub fn flag(&self, name: &str) -> Result<bool> {
        match self.required(name)? {
            (_, Value::Bool(flag)) => Ok(flag),
            (parameter, _) => self.mistyped(parameter, "a boolean"),
        }
    }

    /// A window's extent: a number of rows, a duration, or a column that holds its length or start.
    pub fn extent(&self, name: &str) -> Result<Extent> {
        match self.required(name)? {
            (_, Value::Int(rows)) => match usize::try_from(rows) {
                Ok(rows) if rows > 0 => Ok(Extent::Rows(rows)),
                _ => Err(self.refuse(name, format!("must be at least 1 row, got {rows}"))),
            },
            (_, Value::Text(text)) => {
                Duration::parse(&text).map(Extent::Duration).map_err(|problem| self.refuse_duration(name, &problem))
            }
            (_, Value::LengthIn(column)) => Ok(Extent::LengthIn(column)),
            (_, Value::StartIn(column)) => Ok(Extent::StartIn(column)),
            (parameter, _) => self.mistyped(parameter, "a window"),
        }
    }

    /// How far away another row is: a number of rows, or a duration.
    pub fn offset(&self, name: &str) -> Result<Offset> {
        match self.required(name)? {
            (_, Value::Int(rows)) => Ok(Offset::Rows(rows)),
            (_, Value::Text(text)) => {
                Duration::parse(&text).map(Offset::Duration).map_err(|problem| self.refuse_duration(name, &problem))
            }
            (parameter, _) => self.mistyped(parameter, "an offset"),
        }
    }

    /// A duration; a bare number counts the units of an integer time column.
    pub fn duration(&self, name: &str) -> Result<Duration> {
        match self.required(name)? {
            (_, Value::Int(units)) if units > 0 => Ok(Duration::Units(units.unsigned_abs())),
            (_, Value::Int(units)) => Err(self.refuse(name, format!("must be positive, got {units}"))),
            (_, Value::Text(text)) => Duration::parse(&text).map_err(|problem| self.refuse_duration(name, &problem)),
            (parameter, _) => self.mistyped(parameter, "a duration"),
        }
    }

    /// Which ends of the window are inclusive.
    pub fn closed(&self) -> Result<Closed> {
        let meanings =
            [("right", Closed::Right), ("left", Closed::Left), ("both", Closed::Both), ("neither", Closed::Neither)];
        self.choice("closed", &meanings)
    }

    /// The value of a parameter, if one was given.
    pub fn given(&self, name: &str) -> Option<Value> {
        self.values.get(name).cloned()
    }

    /// The columns that the parameters name, each with its parameter, in the table's order; a column may come twice.
    pub fn named_columns(&self) -> Result<Vec<(&'a str, String)>> {
        let mut named = Vec::new();
        for parameter in self.parameters {
            let columns = match (&parameter.kind, self.value(&parameter.name)?.1) {
                (Kind::Column | Kind::Flags | Kind::Time(_) | Kind::NumberOrColumn, Some(Value::Text(name))) => {
                    vec![name]
                }
                (Kind::Window, Some(Value::LengthIn(name) | Value::StartIn(name))) => vec![name],
                (Kind::Columns, Some(_)) => self.columns(&parameter.name)?,
                (Kind::NumbersOrColumns, Some(_)) => {
                    let items = self.numbers_or_columns(&parameter.name)?;
                    let columns = items.into_iter().filter_map(|item| match item {
                        NumberOrColumn::Column(name) => Some(name),
                        NumberOrColumn::Number(_) => None,
                    });
                    columns.collect()
                }
                _ => Vec::new(),
            };
            named.extend(columns.into_iter().map(|column| (&*parameter.name, column)));
        }
        Ok(named)
    }

    /// The parameters in their normal form: defaults are omitted, numbers are floats and durations are written in one way, so
    /// that specifications with the same meaning are equal.
    pub(crate) fn normal(&self) -> BTreeMap<String, Value> {
        let mut normal = BTreeMap::new();
        for parameter in self.parameters {
            let Some(value) = self.values.get(&*parameter.name) else { continue };
            let value = normal_value(&parameter.kind, value.clone());
            let usual = match parameter.kind {
                Kind::Words(known) => Some(Value::from(known.to_vec())),
                _ => parameter.default.value().map(|usual| normal_value(&parameter.kind, usual)),
            };
            if usual.as_ref() != Some(&value) {
                normal.insert(parameter.name.to_string(), value);
            }
        }
        normal
    }
}

fn normal_value(kind: &Kind, value: Value) -> Value {
    match (kind, value) {
        (Kind::Number | Kind::NumberOrColumn | Kind::HalfLife, Value::Int(x)) => Value::Float(int_as_number(x)),
        (Kind::Numbers | Kind::Weights | Kind::NumbersOrColumns, Value::List(items)) => {
            let number = |item: Value| as_number(&item).map_or(item, Value::Float);
            Value::List(items.into_iter().map(number).collect())
        }
        (Kind::Duration, Value::Int(units)) if units > 0 => {
            Value::Text(Duration::Units(units.unsigned_abs()).to_string())
        }
        (Kind::Duration | Kind::Window | Kind::Offset | Kind::HalfLife, Value::Text(text)) => {
            Value::Text(Duration::parse(&text).map_or(text, |duration| duration.to_string()))
        }
        (_, value) => value,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a parameter that large is rounded to the nearest f64")]
fn int_as_number(x: i64) -> f64 {
    x as f64
}

fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(x) => Some(int_as_number(*x)),
        Value::Float(x) => Some(*x),
        _ => None,
    }
}
