//! A specification read against its kernel's table of parameters: unknown, missing and ill-typed parameters end here, so
//! that a kernel's `build` asks for typed values only.

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

use crate::catalogue::{Kernel, Kind, Literal, Parameter};
use crate::error::{Error, ErrorKind, Result, listed, nearest};
use crate::spec::{KernelSpec, Value};
use crate::window::{Closed, Duration, Extent};

/// A kernel's parameters, checked against its table; defaults are filled in as they are asked for.
pub struct Arguments<'a> {
    kernel: &'static Kernel,
    spec: &'a KernelSpec,
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
    pub(crate) fn new(kernel: &'static Kernel, spec: &'a KernelSpec) -> Result<Self> {
        let arguments = Self { kernel, spec };
        for (name, value) in &spec.parameters {
            arguments.check(arguments.parameter(name)?, value)?;
        }
        for parameter in kernel.parameters {
            if matches!(parameter.default, Literal::Required) && !spec.parameters.contains_key(parameter.name) {
                return Err(Error::parameter(
                    kernel.name,
                    parameter.name,
                    format!("is missing; it is {}", parameter.kind.expected()),
                ));
            }
        }
        Ok(arguments)
    }

    /// The kernel's name, for messages.
    pub fn kernel_name(&self) -> &'static str {
        self.kernel.name
    }

    /// An error about one of the parameters.
    pub fn refuse(&self, parameter: &str, problem: impl std::fmt::Display) -> Error {
        Error::parameter(self.kernel.name, parameter, problem)
    }

    fn parameter(&self, name: &str) -> Result<&'static Parameter> {
        self.kernel.parameters.iter().find(|p| p.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.kernel.parameters.iter().map(|p| p.name).collect();
            let hint = nearest(name, known.iter().copied()).map(|n| format!(" (did you mean '{n}'?)"));
            Error::parameter(
                self.kernel.name,
                name,
                format!("is unknown{}; it takes {}", hint.unwrap_or_default(), listed(&known)),
            )
        })
    }

    fn check(&self, parameter: &Parameter, value: &Value) -> Result<()> {
        let fits = match (&parameter.kind, value) {
            (Kind::Column | Kind::Flags | Kind::Time(_), Value::Text(_)) => true,
            (Kind::Columns, Value::List(items)) => {
                if items.is_empty() {
                    return Err(self.refuse(parameter.name, "is empty; name at least one column"));
                }
                items.iter().all(|item| matches!(item, Value::Text(_)))
            }
            (Kind::Number, Value::Int(_) | Value::Float(_)) => true,
            (Kind::NumberOrColumn, Value::Int(_) | Value::Float(_) | Value::Text(_)) => true,
            (Kind::Numbers | Kind::Weights, Value::List(items)) => {
                items.iter().all(|item| matches!(item, Value::Int(_) | Value::Float(_)))
            }
            (Kind::Count, Value::Int(count)) => {
                if *count < 0 {
                    return Err(self.refuse(parameter.name, format!("must not be negative, not {count}")));
                }
                true
            }
            (Kind::Words(known), Value::List(items)) => {
                if items.is_empty() {
                    return Err(
                        self.refuse(parameter.name, format!("is empty; name at least one of {}", listed(known)))
                    );
                }
                for item in items {
                    let Value::Text(word) = item else {
                        return Err(Error::parameter_type(
                            self.kernel.name,
                            parameter.name,
                            parameter.kind.expected(),
                            value,
                        ));
                    };
                    if !known.contains(&word.as_str()) {
                        return Err(
                            self.refuse(parameter.name, format!("knows no '{word}'; it takes {}", listed(known)))
                        );
                    }
                }
                true
            }
            (Kind::Flag, Value::Bool(_)) => true,
            (Kind::Choice(known), Value::Text(choice)) => {
                if !known.contains(&choice.as_str()) {
                    let quoted: Vec<String> = known.iter().map(|k| format!("'{k}'")).collect();
                    let quoted: Vec<&str> = quoted.iter().map(String::as_str).collect();
                    return Err(self.refuse(parameter.name, format!("must be {}, not '{choice}'", listed(&quoted))));
                }
                true
            }
            (Kind::Window | Kind::Duration, Value::Int(_) | Value::Text(_)) => true,
            (Kind::Window, Value::LengthIn(_) | Value::StartIn(_)) => true,
            (Kind::Rows, Value::Int(_)) | (Kind::Weights, Value::Text(_)) => true,
            _ => false,
        };
        if fits {
            Ok(())
        } else {
            Err(Error::parameter_type(self.kernel.name, parameter.name, parameter.kind.expected(), value))
        }
    }

    fn value(&self, name: &str) -> Option<Value> {
        let parameter = self.kernel.parameters.iter().find(|p| p.name == name)?;
        self.spec.parameters.get(name).cloned().or(match parameter.default {
            Literal::Required | Literal::Omitted => None,
            Literal::Flag(x) => Some(Value::Bool(x)),
            Literal::Count(x) => Some(Value::Int(x)),
            Literal::Number(x) => Some(Value::Float(x)),
            Literal::Text(x) => Some(Value::Text(x.to_string())),
        })
    }

    fn missing(&self, name: &str) -> Error {
        self.refuse(name, "is missing")
    }

    /// A column's name.
    pub fn column(&self, name: &str) -> Result<String> {
        self.text(name).ok_or_else(|| self.missing(name))
    }

    /// Several columns' names.
    pub fn column_list(&self, name: &str) -> Result<Vec<String>> {
        match self.value(name) {
            Some(Value::List(items)) => Ok(items
                .into_iter()
                .filter_map(|item| if let Value::Text(name) = item { Some(name) } else { None })
                .collect()),
            _ => Err(self.missing(name)),
        }
    }

    /// Some of the words of a [`Kind::Words`]; all of them unless given.
    pub fn words(&self, name: &str) -> Result<Vec<String>> {
        match (self.parameter(name)?, self.value(name)) {
            (_, Some(_)) => self.column_list(name),
            (Parameter { kind: Kind::Words(known), .. }, None) => {
                Ok(known.iter().map(|word| word.to_string()).collect())
            }
            _ => Err(self.missing(name)),
        }
    }

    /// Whether the parameter has a value.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// A text, where given.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.value(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A count, where given.
    pub fn count(&self, name: &str) -> Option<usize> {
        match self.value(name) {
            Some(Value::Int(count)) => Some(usize::try_from(count).unwrap_or(0)),
            _ => None,
        }
    }

    /// A number, where given.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.value(name).and_then(|value| as_number(&value))
    }

    /// A list of numbers.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        match self.value(name) {
            Some(Value::List(items)) => Ok(items.iter().filter_map(as_number).collect()),
            _ => Err(self.missing(name)),
        }
    }

    /// A number or a column.
    pub fn number_or_column(&self, name: &str) -> Result<NumberOrColumn> {
        match self.value(name) {
            Some(Value::Text(column)) => Ok(NumberOrColumn::Column(column)),
            Some(value) => as_number(&value).map(NumberOrColumn::Number).ok_or_else(|| self.missing(name)),
            None => Err(self.missing(name)),
        }
    }

    /// A flag; its default is in the table.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.value(name), Some(Value::Bool(true)))
    }

    /// The window's extent: a number of rows, a duration, or a column that holds its length or far end.
    pub fn extent(&self, name: &str) -> Result<Extent> {
        match self.value(name) {
            Some(Value::Int(rows)) => match usize::try_from(rows) {
                Ok(rows) if rows > 0 => Ok(Extent::Rows(rows)),
                _ => Err(self.refuse(name, format!("must be at least 1 row, not {rows}"))),
            },
            Some(Value::Text(text)) => {
                Duration::parse(&text).map(Extent::Duration).map_err(|problem| self.refuse(name, problem))
            }
            Some(Value::LengthIn(column)) => Ok(Extent::LengthIn(column)),
            Some(Value::StartIn(column)) => Ok(Extent::StartIn(column)),
            _ => Err(self.missing(name)),
        }
    }

    /// A duration; a bare number counts the units of an integer time column.
    pub fn duration(&self, name: &str) -> Result<Duration> {
        match self.value(name) {
            Some(Value::Int(units)) if units > 0 => Ok(Duration::Units(units.unsigned_abs())),
            Some(Value::Int(units)) => Err(self.refuse(name, format!("must be positive, not {units}"))),
            Some(Value::Text(text)) => Duration::parse(&text).map_err(|problem| self.refuse(name, problem)),
            _ => Err(self.missing(name)),
        }
    }

    /// Which ends of the window belong to it.
    pub fn closed(&self) -> Closed {
        match self.text("closed").as_deref() {
            Some("left") => Closed::Left,
            Some("both") => Closed::Both,
            Some("neither") => Closed::Neither,
            _ => Closed::Right,
        }
    }

    /// The names of the columns that the parameters mention, in the table's order.
    pub fn columns(&self) -> Vec<String> {
        let mut names = Vec::new();
        for parameter in self.kernel.parameters {
            match (&parameter.kind, self.value(parameter.name)) {
                (Kind::Column | Kind::Flags | Kind::Time(_) | Kind::NumberOrColumn, Some(Value::Text(name))) => {
                    names.push(name)
                }
                (Kind::Window, Some(Value::LengthIn(name) | Value::StartIn(name))) => names.push(name),
                (Kind::Columns, Some(Value::List(items))) => names.extend(
                    items.into_iter().filter_map(|item| if let Value::Text(name) = item { Some(name) } else { None }),
                ),
                _ => {}
            }
        }
        names
    }

    /// Whether a length of time is a number of steps of an integer column.
    fn counts_units(&self, parameter: &str) -> bool {
        let kind = self.kernel.parameters.iter().find(|p| p.name == parameter).map(|p| &p.kind);
        match self.value(parameter) {
            Some(Value::Text(text)) => matches!(Duration::parse(&text), Ok(Duration::Units(_))),
            Some(Value::Int(_)) => matches!(kind, Some(Kind::Duration)),
            _ => false,
        }
    }

    /// Whether the column of this parameter is one of values too.
    fn is_data(&self, parameter: &str) -> bool {
        let data = self.kernel.parameters.iter().filter(|p| matches!(p.kind, Kind::Column));
        let name = self.text(parameter);
        name.is_some() && data.into_iter().any(|p| self.text(p.name) == name)
    }

    /// The column that bounds the windows, where there is one, with the type that goes with the time column's.
    fn assumed_bound(&self, known: &[(String, DataType)]) -> Option<(String, DataType)> {
        let window = self.kernel.parameters.iter().find(|p| matches!(p.kind, Kind::Window))?;
        let time =
            self.kernel.parameters.iter().find(|p| matches!(p.kind, Kind::Time(length) if length == window.name));
        let by = time.and_then(|time| self.text(time.name));
        let time = by.and_then(|by| known.iter().find(|(name, _)| *name == by)).map(|(_, time)| time);
        match (self.value(window.name)?, time) {
            (Value::LengthIn(name), Some(DataType::Timestamp(unit, _))) => Some((name, DataType::Duration(*unit))),
            (Value::StartIn(name), Some(time)) => Some((name, time.clone())),
            (Value::LengthIn(name) | Value::StartIn(name), _) => Some((name, DataType::Int64)),
            _ => None,
        }
    }

    /// A schema in which every column has a type that suits the kernel: to check parameters where no data are.
    pub(crate) fn assumed_schema(&self) -> Schema {
        let mut types: Vec<(String, DataType)> = Vec::new();
        for parameter in self.kernel.parameters {
            let data_type = match parameter.kind {
                Kind::Time(length) if self.counts_units(length) || self.is_data(parameter.name) => DataType::Int64,
                Kind::Time(_) => DataType::Timestamp(TimeUnit::Nanosecond, None),
                Kind::Flags => DataType::Boolean,
                _ => continue,
            };
            types.extend(self.text(parameter.name).map(|name| (name, data_type)));
        }
        types.extend(self.assumed_bound(&types));
        // Where a column has two parts to play, a number of steps tells more than the lack of one.
        types.sort_by_key(|(_, data_type)| *data_type != DataType::Int64);
        let mut fields: Vec<Field> = Vec::new();
        for (name, data_type) in types {
            if fields.iter().all(|f| *f.name() != name) {
                fields.push(Field::new(name, data_type, true));
            }
        }
        for name in self.columns() {
            if fields.iter().all(|f| *f.name() != name) {
                fields.push(Field::new(name, DataType::Float64, true));
            }
        }
        Schema::new(fields)
    }
}

fn as_number(value: &Value) -> Option<f64> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "a parameter that large means its nearest f64")]
        Value::Int(x) => Some(*x as f64),
        Value::Float(x) => Some(*x),
        _ => None,
    }
}

/// The column of this name and its type.
pub(crate) fn find_column<'s>(schema: &'s Schema, kernel: &str, name: &str) -> Result<(usize, &'s DataType)> {
    let mut found = schema.fields().iter().enumerate().filter(|(_, f)| f.name() == name);
    match (found.next(), found.next()) {
        (Some((index, field)), None) => Ok((index, field.data_type())),
        (Some(_), Some(_)) => Err(Error::new(
            ErrorKind::MissingColumn,
            format!("{kernel}: the input has more than one column '{name}'; rename all but one"),
        )),
        (None, _) => {
            let known: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
            let hint = nearest(name, known.iter().copied()).map(|n| format!(" (did you mean '{n}'?)"));
            let shown = &known[..known.len().min(20)];
            let more = if known.len() > shown.len() { ", ..." } else { "" };
            Err(Error::new(
                ErrorKind::MissingColumn,
                format!(
                    "{kernel}: the input has no column '{name}'{}; it has {}{more}",
                    hint.unwrap_or_default(),
                    if shown.is_empty() { "no columns".to_string() } else { shown.join(", ") }
                ),
            ))
        }
    }
}
