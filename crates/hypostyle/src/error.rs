//! The one error of the crate.  It names what is at fault (kernel, parameter, column, row, file) and the way out, so that
//! every face can show the message as it stands.

use std::fmt;

use arrow::datatypes::DataType;

/// What went wrong, for callers that decide by it (the Python package picks an exception class by it).
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
    /// A column has a type that the kernel can't use, or another type than in earlier batches.
    ColumnType,
    /// The time column decreases within a key, or holds a null.
    Order,
    /// The kernels don't fit into one stage.
    Stage,
    /// A saved state is damaged, of another version or of another stage.
    State,
    /// A file can't be read or written.
    Io,
    /// Arrow refused an operation.
    Arrow,
}

/// An error of Hypostyle: a kind and a message that names the culprit and the way out.
#[derive(Debug, thiserror::Error)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A result of Hypostyle.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` with a message; kernels of one's own use it too.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) fn parameter(kernel: &str, parameter: &str, problem: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Parameter, format!("{kernel}: parameter '{parameter}': {problem}"))
    }

    pub(crate) fn parameter_type(kernel: &str, parameter: &str, expected: &str, found: impl fmt::Display) -> Self {
        Self::new(ErrorKind::ParameterType, format!("{kernel}: parameter '{parameter}' takes {expected}, not {found}"))
    }

    pub(crate) fn column_type(kernel: &str, column: &str, expected: &str, found: &DataType) -> Self {
        let found = type_name(found);
        Self::new(
            ErrorKind::ColumnType,
            format!("{kernel}: column '{column}' has type {found}, but {expected} is needed; cast it first"),
        )
    }

    pub(crate) fn state(problem: impl fmt::Display) -> Self {
        Self::new(ErrorKind::State, format!("the state can't be used: {problem}"))
    }

    pub(crate) fn io(action: &str, path: &std::path::Path, source: std::io::Error) -> Self {
        Self {
            kind: ErrorKind::Io,
            message: format!("can't {action} '{}': {source}", path.display()),
            source: Some(Box::new(source)),
        }
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(source: arrow::error::ArrowError) -> Self {
        Self { kind: ErrorKind::Arrow, message: format!("Arrow: {source}"), source: Some(Box::new(source)) }
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

/// The known name nearest to `given`, where one is near enough to be what was meant.
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
