//! A kernel in two steps: its parameters are validated once, without data (a [`Plan`]), then the plan is bound to the columns
//! of a schema (a [`Binding`]).

use arrow::datatypes::{DataType, Schema};

use super::running::Running;
use crate::error::{Error, ErrorKind, Result, nearest};
use crate::values::Domain;

type Bind = dyn Fn(&Binding) -> Result<Box<dyn Running>> + Send + Sync;

/// A kernel whose parameters are valid, as far as that can be checked without data; the rest needs a schema.
pub struct Plan {
    latency: usize,
    /// The parameter that asks for the latency, if it is not the kernel itself.
    late_by: Option<&'static str>,
    bind: Box<Bind>,
}

impl Plan {
    /// A plan whose kernel `bind` makes; it looks up the columns and their types.
    pub fn new(bind: impl Fn(&Binding) -> Result<Box<dyn Running>> + Send + Sync + 'static) -> Self {
        Self { latency: 0, late_by: None, bind: Box::new(bind) }
    }

    /// The result of a row needs this many later rows of its key, because a parameter says so or by the kernel's definition.
    pub(crate) fn with_latency(self, rows: usize, late_by: Option<&'static str>) -> Self {
        Self { latency: rows, late_by, ..self }
    }

    /// How many later rows of its key the result of a row needs.  A stage returns a row's result with the row, so it takes
    /// kernels of latency 0 only.
    pub fn latency(&self) -> usize {
        self.latency
    }

    /// The parameter that asks for later rows, if one does.
    pub(crate) fn late_by(&self) -> Option<&'static str> {
        self.late_by
    }

    /// The kernel over these columns.
    ///
    /// # Errors
    /// A column that is missing or has a type that the kernel cannot use.
    pub fn bind(&self, binding: &Binding) -> Result<Box<dyn Running>> {
        (self.bind)(binding)
    }
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").field("latency", &self.latency).finish_non_exhaustive()
    }
}

/// The columns that a plan is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    schema: &'a Schema,
    kernel: &'a str,
    whole: bool,
}

impl<'a> Binding<'a> {
    /// `whole` says that all rows come in one batch.
    pub(crate) fn new(schema: &'a Schema, kernel: &'a str, whole: bool) -> Self {
        Self { schema, kernel, whole }
    }

    /// The kernel's name, for messages.
    pub fn kernel_name(&self) -> &'a str {
        self.kernel
    }

    /// Whether all rows come in one batch, so that the start of a window may decrease.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// A column's index and type.
    ///
    /// # Errors
    /// No such column, or two of them.
    pub fn column(&self, name: &str) -> Result<(usize, &'a DataType)> {
        find_column(self.schema, name).map_err(|error| error.in_kernel(self.kernel))
    }

    /// A column of numbers or booleans.
    ///
    /// # Errors
    /// No such column, or two of them; and if the column has another type.
    pub fn number_column(&self, name: &str) -> Result<(usize, &'a DataType)> {
        let (index, data_type) = self.column(name)?;
        if Domain::Float.reads(data_type) {
            Ok((index, data_type))
        } else {
            Err(self.column_type(name, "a number or a boolean", data_type))
        }
    }

    /// A column of times or integers.
    ///
    /// # Errors
    /// No such column, or two of them; and if the column has another type.
    pub fn time_column(&self, name: &str) -> Result<(usize, &'a DataType)> {
        let (index, data_type) = self.column(name)?;
        if Domain::Integer.reads(data_type) && *data_type != DataType::Boolean {
            Ok((index, data_type))
        } else {
            Err(self.column_type(name, "a date, a timestamp or an integer", data_type))
        }
    }

    /// An error about a column's type.
    pub fn column_type(&self, name: &str, expected: &str, found: &DataType) -> Error {
        Error::column_type(self.kernel, name, expected, found)
    }
}

/// The index and type of the column of this name.
///
/// # Errors
/// If there is none, or more than one.
pub(crate) fn find_column<'s>(schema: &'s Schema, name: &str) -> Result<(usize, &'s DataType)> {
    let mut found = schema.fields().iter().enumerate().filter(|(_, field)| field.name() == name);
    match (found.next(), found.next()) {
        (Some((index, field)), None) => Ok((index, field.data_type())),
        (Some(_), Some(_)) => Err(Error::new(ErrorKind::MissingColumn, "the input has this column more than once")
            .at_column(name)
            .with_help("rename all but one")),
        (None, _) => {
            let known: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            let shown = &known[..known.len().min(20)];
            let more = if known.len() > shown.len() { ", ..." } else { "" };
            let help = match nearest(name, known.iter().copied()) {
                _ if shown.is_empty() => "the input has no columns".to_string(),
                Some(near) => format!("did you mean '{near}'? the columns are {}{more}", shown.join(", ")),
                None => format!("the columns are {}{more}", shown.join(", ")),
            };
            Err(Error::new(ErrorKind::MissingColumn, "column not found").at_column(name).with_help(help))
        }
    }
}
