//! The columns, constants and row numbers that make up a row of a kernel, by name; bound to a schema, their indices and the
//! type of the kernel's result.

use arrow::datatypes::DataType;

use super::plan::Binding;
use super::source::Source;
use super::wiring::Wiring;
use crate::error::Result;
use crate::spec::{Arguments, NumberOrColumn};
use crate::values::{Coded, Domain, Input, Output, computed_type, is_coded};

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    sources: Vec<Named>,
    /// How many of the first sources determine the type of a computed result.
    typed_by: usize,
    output: Option<DataType>,
    time: Option<String>,
    /// Which columns are read as integers though they are none.
    coded: Coded,
}

fn is_long_integer(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int64 | DataType::UInt64)
}

/// A source by name.
#[derive(Debug, Clone, PartialEq)]
enum Named {
    Column(String),
    /// A column whose nulls the kernel sees.
    Optional(String),
    /// Which rows of such a column have a value.
    Presence(String),
    Constant(f64),
    Position,
}

impl Inputs {
    /// The columns (or numbers) that these parameters name.
    ///
    /// # Errors
    /// An internal one if the kernel's table lacks one of them.
    pub fn of(arguments: &Arguments, parameters: &[&str]) -> Result<Self> {
        let values = parameters.iter().map(|parameter| arguments.number_or_column(parameter));
        Ok(Self::of_values(values.collect::<Result<Vec<_>>>()?))
    }

    /// Columns and numbers.
    pub fn of_values(values: impl IntoIterator<Item = NumberOrColumn>) -> Self {
        let named = |value| match value {
            NumberOrColumn::Number(x) => Named::Constant(x),
            NumberOrColumn::Column(name) => Named::Column(name),
        };
        Self::from_sources(values.into_iter().map(named).collect())
    }

    /// Columns by name.
    pub fn columns<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self::from_sources(names.into_iter().map(|name| Named::Column(name.into())).collect())
    }

    fn from_sources(sources: Vec<Named>) -> Self {
        Self { typed_by: sources.len(), sources, output: None, time: None, coded: Coded::Nothing }
    }

    /// If all but one are numbers: the column alone, its place, and the numbers.
    pub(crate) fn alone<const K: usize>(&self) -> Option<(Self, usize, [f64; K])> {
        let mut numbers = [0.0; K];
        let mut column = None;
        for (place, source) in self.sources.iter().enumerate() {
            match source {
                Named::Constant(x) => *numbers.get_mut(place)? = *x,
                Named::Column(_) if column.is_none() && place < self.typed_by => column = Some(place),
                _ => return None,
            }
        }
        let place = column?;
        Some((Self { sources: vec![self.sources[place].clone()], typed_by: 1, ..self.clone() }, place, numbers))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.sources.len()
    }

    /// One more input: the same number in every row.
    pub fn with_constant(mut self, x: f64) -> Self {
        self.sources.push(Named::Constant(x));
        self
    }

    /// One more input: the row's number within its key.
    pub fn with_position(mut self) -> Self {
        self.sources.push(Named::Position);
        self
    }

    /// Makes all inputs optional: each becomes a row of `Option`, and a null in one does not make the row null.
    pub fn optional(mut self) -> Self {
        let typed_by = 2 * self.typed_by;
        let both = |named| match named {
            Named::Column(name) => [Named::Optional(name.clone()), Named::Presence(name)],
            other => [other, Named::Constant(1.0)],
        };
        self.sources = self.sources.into_iter().flat_map(both).collect();
        Self { typed_by, ..self }
    }

    /// One more input: a column that does not determine the type of the result.
    pub fn with_column(mut self, name: impl Into<String>) -> Self {
        self.sources.push(Named::Column(name.into()));
        self
    }

    /// Only the first `inputs` inputs determine the type of a computed result: f32 if they are f32, else f64.
    pub fn typed_by(mut self, inputs: usize) -> Self {
        self.typed_by = inputs;
        self
    }

    /// The type of the result, if it does not follow from the inputs.
    pub fn returning(mut self, output: DataType) -> Self {
        self.output = Some(output);
        self
    }

    /// Columns of decimals are read too, as integers in steps of their last digit: for kernels that compare values or return
    /// them.
    pub fn with_decimals(mut self) -> Self {
        self.coded = Coded::Decimals;
        self
    }

    /// Columns of decimals and of texts are read too, as integers that are equal if the values are: for kernels that only ask
    /// whether values are equal, or return them.
    pub fn with_decimals_and_texts(mut self) -> Self {
        self.coded = Coded::DecimalsAndTexts;
        self
    }

    /// How kernels that keep the input's type read a column: as an integer, exactly, if possible.
    ///
    /// # Errors
    /// No such column, or two of them; and if the column has a type that is not read.
    pub fn exact_domain(&self, binding: &Binding, name: &str) -> Result<Domain> {
        let (_, data_type) = binding.column(name)?;
        match [Domain::Integer, Domain::Float].into_iter().find(|domain| self.coded.reads(*domain, data_type)) {
            Some(domain) => Ok(domain),
            None => Err(binding.column_type(name, self.coded.expected(), data_type)),
        }
    }

    /// The rows must be sorted by this time column within each key.
    pub fn sorted_by(mut self, time: impl Into<String>) -> Self {
        self.time = Some(time.into());
        self
    }

    /// The type of a result that is computed from the inputs: f32 if all of them are, else f64.
    ///
    /// # Errors
    /// A column that is missing.
    pub fn computed_type(&self, binding: &Binding) -> Result<DataType> {
        let columns = self.sources.iter().take(self.typed_by).filter_map(|source| match source {
            Named::Column(name) | Named::Optional(name) => Some(binding.column(name).map(|(_, data_type)| data_type)),
            Named::Presence(_) | Named::Constant(_) | Named::Position => None,
        });
        Ok(computed_type(&columns.collect::<Result<Vec<_>>>()?))
    }

    /// The inputs bound to columns, as rows of `I` with results of `O`.
    ///
    /// # Errors
    /// A column that is missing or has a type that is not read in its domain.
    pub(crate) fn bind<I: Input, O: Output>(&self, binding: &Binding) -> Result<Wiring> {
        let output = |inputs: &[&DataType]| match inputs {
            // A kernel that returns values of its input keeps their type.
            [only] if O::EXACT && I::LANES == 1 && I::domain(0) == Domain::Integer => (*only).clone(),
            _ if O::EXACT => DataType::Int64,
            inputs => computed_type(inputs),
        };
        self.bind_lanes(binding, I::domain, output)
    }

    /// Whether one of the inputs is a column of integers of 64 bits.
    ///
    /// # Errors
    /// A column that is missing.
    pub fn has_long_integer(&self, binding: &Binding) -> Result<bool> {
        for source in &self.sources {
            if let Named::Column(name) | Named::Optional(name) = source
                && is_long_integer(binding.column(name)?.1)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// As [`Inputs::bind`], with numbers read exactly: columns of integers of 64 bits as integers.  Results are computed floats.
    ///
    /// # Errors
    /// As [`Inputs::bind`].
    pub(crate) fn bind_exactly(&self, binding: &Binding) -> Result<Wiring> {
        let domain = |lane: usize| match self.sources.get(lane) {
            Some(Named::Position) => Domain::Integer,
            Some(Named::Column(name)) if binding.column(name).is_ok_and(|(_, of)| is_long_integer(of)) => {
                Domain::Integer
            }
            _ => Domain::Float,
        };
        self.bind_lanes(binding, domain, computed_type)
    }

    /// As [`Inputs::bind`], with numbers of the first `exact` inputs read exactly.
    ///
    /// # Errors
    /// As [`Inputs::bind`].
    pub(crate) fn bind_first_exactly<I: Input>(&self, binding: &Binding, exact: usize) -> Result<Wiring> {
        let domain = |lane: usize| match self.sources.get(lane) {
            Some(Named::Column(name)) if lane < exact => {
                let long = binding.column(name).is_ok_and(|(_, of)| is_long_integer(of));
                if long { Domain::Integer } else { Domain::Float }
            }
            _ => I::domain(lane),
        };
        self.bind_lanes(binding, domain, computed_type)
    }

    /// As [`Inputs::bind`], with the domain of each input and the type of the result from functions.
    pub(crate) fn bind_lanes(
        &self,
        binding: &Binding,
        domain: impl Fn(usize) -> Domain,
        output: impl Fn(&[&DataType]) -> DataType,
    ) -> Result<Wiring> {
        let (mut sources, mut types, mut unsigned, mut coded) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (lane, named) in self.sources.iter().enumerate() {
            sources.push(match named {
                Named::Constant(x) => Source::Constant(*x),
                Named::Position => Source::Position,
                Named::Presence(name) => Source::Presence(binding.column(name)?.0),
                Named::Column(name) | Named::Optional(name) => {
                    let domain = domain(lane);
                    let (index, data_type) = match domain {
                        Domain::Float => binding.number_column(name)?,
                        Domain::Integer | Domain::Presence => binding.column(name)?,
                    };
                    if !self.coded.reads(domain, data_type) {
                        return Err(binding.column_type(name, "an integer, a boolean, a date or a time", data_type));
                    }
                    if lane < self.typed_by {
                        types.push(data_type);
                    }
                    if domain == Domain::Integer && *data_type == DataType::UInt64 {
                        unsigned.push(lane);
                    }
                    if domain == Domain::Integer && is_coded(data_type) {
                        coded.push(index);
                    }
                    Source::Column { index, domain, required: matches!(named, Named::Column(_)) }
                }
            });
        }
        let time = self.time.as_ref().map(|time| binding.time_column(time)).transpose()?;
        Ok(Wiring {
            output: self.output.clone().unwrap_or_else(|| output(&types)),
            sources,
            unsigned,
            coded,
            texts: Vec::new(),
            time: time.map(|(index, _)| index),
            bounds: None,
            step: 1,
            looks_ahead: false,
            interleaved: false,
            state_size: 0,
            cost: 2,
            splits: false,
            refuses: false,
        })
    }
}
