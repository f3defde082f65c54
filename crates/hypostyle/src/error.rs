//! The one error of the crate.  It says where (file, kernel, parameter, column, row), what is wrong and how to fix it, as data
//! and as a message that every interface shows unchanged.

use std::fmt;
use std::path::PathBuf;

use arrow::datatypes::DataType;

/// What went wrong, for callers that handle errors by kind (the Python package chooses an exception class by it).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No kernel has this name.
    UnknownKernel,
    /// A parameter is unknown, missing or has a value outside its range.
    Parameter,
    /// A parameter has a value of the wrong type.
    ParameterType,
    /// The input has no column of this name.
    MissingColumn,
    /// A column has a type that the kernel cannot use, or another type than in earlier batches.
    ColumnType,
    /// The time column decreases within a key, or holds a null.
    Unsorted,
    /// A user's function refuses a row.
    Refused,
    /// The kernels don't fit into one stage.
    Stage,
    /// A saved state is damaged, of another version or of another stage.
    State,
    /// A file cannot be read or written.
    Io,
    /// Arrow refused an operation.
    Arrow,
    /// A bug of this library.
    Internal,
}

/// Where an error lies, from large to small.  What is not known, or does not apply, is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: Option<PathBuf>,
    /// The kernel.
    pub kernel: Option<String>,
    /// The parameter of the kernel.
    pub parameter: Option<String>,
    /// The column.
    pub column: Option<String>,
    /// The row, counted from 0 since the stage began.
    pub row: Option<u64>,
}

impl fmt::Display for Place {
    /// `rolling_mean, parameter 'window'`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.path.as_ref().map(|path| format!("'{}'", path.display())),
            self.kernel.clone(),
            self.parameter.as_ref().map(|parameter| format!("parameter '{parameter}'")),
            self.column.as_ref().map(|column| format!("column '{column}'")),
            self.row.map(|row| format!("row {row}")),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

/// An error of Hypostyle: its kind, where it lies, what is wrong and how to fix it.
///
/// It is shown as `WHERE: WHAT IS WRONG`, and on a line of its own `help: HOW TO FIX IT`.
///
/// ```
/// use hypostyle::{ErrorKind, rolling_mean};
/// let error = rolling_mean("price", 0).validate().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Parameter);
/// assert_eq!(error.place().parameter.as_deref(), Some("window"));
/// assert_eq!(error.to_string(), "rolling_mean, parameter 'window': must be at least 1 row, got 0");
/// ```
#[derive(Debug)]
pub struct Error(Box<Content>);

#[derive(Debug)]
struct Content {
    kind: ErrorKind,
    place: Place,
    problem: String,
    help: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Content { place, problem, help, .. } = &*self.0;
        if *place != Place::default() {
            write!(f, "{place}: ")?;
        }
        f.write_str(problem)?;
        help.as_ref().map_or(Ok(()), |help| write!(f, "\nhelp: {help}"))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

/// A result of Hypostyle.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` with what is wrong; custom kernels use it too.
    pub fn new(kind: ErrorKind, problem: impl Into<String>) -> Self {
        Self(Box::new(Content { kind, place: Place::default(), problem: problem.into(), help: None, source: None }))
    }

    /// Adds how to fix it.
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Adds the kernel.
    pub fn in_kernel(mut self, kernel: impl Into<String>) -> Self {
        self.0.place.kernel = Some(kernel.into());
        self
    }

    /// Adds the parameter.
    pub fn at_parameter(mut self, parameter: impl Into<String>) -> Self {
        self.0.place.parameter = Some(parameter.into());
        self
    }

    /// Adds the column.
    pub fn at_column(mut self, column: impl Into<String>) -> Self {
        self.0.place.column = Some(column.into());
        self
    }

    /// Adds the kernel and the parameter that read the column.
    pub(crate) fn read_by(mut self, reader: &Place) -> Self {
        self.0.place.kernel.clone_from(&reader.kernel);
        self.0.place.parameter.clone_from(&reader.parameter);
        self
    }

    /// Counts the row from so many rows earlier.
    pub(crate) fn after_rows(mut self, rows: u64) -> Self {
        self.0.place.row = self.0.place.row.map(|row| row + rows);
        self
    }

    /// Adds the row, counted from 0 since the stage began.
    pub fn at_row(mut self, row: u64) -> Self {
        self.0.place.row = Some(row);
        self
    }

    /// Adds the key of the row.
    pub(crate) fn for_key(mut self, key: &str) -> Self {
        self.0.problem.push_str(&format!(" (key {key})"));
        self
    }

    /// Adds the file.
    pub fn in_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.0.place.path = Some(path.into());
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Where it went wrong.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// What is wrong, without where and how to fix it.
    pub fn problem(&self) -> &str {
        &self.0.problem
    }

    /// How to fix it, if the message says so.
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    pub(crate) fn parameter(kernel: &str, parameter: &str, problem: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Parameter, problem.to_string()).in_kernel(kernel).at_parameter(parameter)
    }

    pub(crate) fn parameter_type(kernel: &str, parameter: &str, expected: &str, found: impl fmt::Display) -> Self {
        Self::new(ErrorKind::ParameterType, format!("expected {expected}, got {found}"))
            .in_kernel(kernel)
            .at_parameter(parameter)
    }

    pub(crate) fn column_type(kernel: &str, column: &str, expected: &str, found: &DataType) -> Self {
        Self::new(ErrorKind::ColumnType, format!("expected {expected}, got {}", type_name(found)))
            .in_kernel(kernel)
            .at_column(column)
            .with_help("cast the column first")
    }

    pub(crate) fn state(problem: impl fmt::Display) -> Self {
        Self::new(ErrorKind::State, format!("the state cannot be used: {problem}"))
    }

    /// A bug of this library, not of its user: something that the code around it rules out.
    pub(crate) fn internal(problem: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Internal, format!("internal error in hypostyle: {problem}"))
    }

    pub(crate) fn io(action: &str, path: &std::path::Path, source: std::io::Error) -> Self {
        let mut error = Self::new(ErrorKind::Io, format!("cannot {action}: {source}")).in_file(path);
        error.0.source = Some(Box::new(source));
        error
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(source: arrow::error::ArrowError) -> Self {
        let mut error = Self::new(ErrorKind::Arrow, format!("Arrow: {source}"));
        error.0.source = Some(Box::new(source));
        error
    }
}

/// A type's name for messages: the same for all of Arrow's layouts of strings.
pub(crate) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".to_string(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".to_string(),
        DataType::Dictionary(_, values) => format!("dictionary of {}", type_name(values)),
        other => other.to_string(),
    }
}

/// `a, b or c`, for messages that list what is known.
pub(crate) fn listed(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_string(),
        [one] => (*one).to_string(),
        [head @ .., last] => format!("{} or {last}", head.join(", ")),
    }
}

/// The known name nearest to `given`, if one is near enough to be what was meant.
pub(crate) fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (edit_distance(given, name), name))
        .min()
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .map(|(_, name)| name)
}

/// Levenshtein's distance, one row of the table at a time.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_only_when_near() {
        let known = ["rolling_mean", "rolling_max"];
        assert_eq!(nearest("roling_mean", known.into_iter()), Some("rolling_mean"));
        assert_eq!(nearest("fourier", known.into_iter()), None);
    }

    #[test]
    fn lists_read_as_english() {
        assert_eq!(listed(&["a", "b", "c"]), "a, b or c");
        assert_eq!(listed(&["a"]), "a");
    }
}
