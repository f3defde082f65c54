//! A kernel with its parameters as plain data.  The Polars plugin, pipeline files, saved states and the Rust builder all
//! carry this one type, and [`KernelSpec::plan`](crate::KernelSpec::plan) alone validates it, so that an error has the
//! same message everywhere.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};

/// A kernel's name, the keys it runs by, its output's name and its parameters.
///
/// ```
/// use hypostyle::KernelSpec;
/// let spec = KernelSpec::new("rolling_mean").with("column", "price").with("window", 20).over(["symbol"]).alias("m20");
/// assert_eq!(KernelSpec::from_json(&spec.to_json()).unwrap(), spec);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KernelSpec {
    /// The kernel's name in the catalog.
    pub name: String,
    /// The output's name; without it the output is named as the first input column, as in Polars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The key columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_several")]
    pub over: Vec<String>,
    /// Everything else, by parameter name.
    #[serde(flatten)]
    pub parameters: BTreeMap<String, Value>,
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number.
    Float(f64),
    /// A name, a choice or a duration.
    Text(String),
    /// Several of them.
    List(Vec<Value>),
    /// The column that holds the length of each row's window.
    LengthIn(String),
    /// The column that holds the start of each row's window.
    StartIn(String),
}

impl Value {
    /// A window whose size is in a column: a number of rows, or a duration of the time column `by`.
    pub fn length_in(column: impl Into<String>) -> Self {
        Self::LengthIn(column.into())
    }

    /// A window whose start is in a column: a row's number within its key, or a time of the column `by`.
    pub fn start_in(column: impl Into<String>) -> Self {
        Self::StartIn(column.into())
    }
}

impl KernelSpec {
    /// The kernel `name`, without parameters yet.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), alias: None, over: Vec::new(), parameters: BTreeMap::new() }
    }

    /// Sets a parameter.
    pub fn with(mut self, parameter: impl Into<String>, value: impl Into<Value>) -> Self {
        self.parameters.insert(parameter.into(), value.into());
        self
    }

    /// Names the output.
    pub fn alias(mut self, name: impl Into<String>) -> Self {
        self.alias = Some(name.into());
        self
    }

    /// Runs the kernel separately for each distinct value of these columns.
    pub fn over<S: Into<String>>(mut self, keys: impl IntoIterator<Item = S>) -> Self {
        self.over = keys.into_iter().map(Into::into).collect();
        self
    }

    /// The time column, for windows that are durations.
    pub fn by(self, time: impl Into<String>) -> Self {
        self.with("by", time.into())
    }

    /// The minimum number of values for a result.
    pub fn min_samples(self, count: usize) -> Self {
        self.with("min_samples", count)
    }

    /// Which ends of the window are inclusive: `right`, `left`, `both` or `neither`.
    pub fn closed(self, closed: impl Into<String>) -> Self {
        self.with("closed", closed.into())
    }

    /// Reads a specification from JSON.
    ///
    /// # Errors
    /// If the text is not a valid specification.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text)
            .map_err(|e| Error::new(ErrorKind::ParameterType, format!("not a valid kernel specification: {e}: {text}")))
    }

    /// The specification as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a map with string keys is always JSON")
    }
}

impl fmt::Display for KernelSpec {
    /// `rolling_mean(column='price', window=20, over=['symbol'])`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (i, (name, value)) in self.parameters.iter().enumerate() {
            write!(f, "{}{name}={value}", if i == 0 { "" } else { ", " })?;
        }
        if !self.over.is_empty() {
            write!(f, "{}over={:?}", if self.parameters.is_empty() { "" } else { ", " }, self.over)?;
        }
        f.write_str(")")
    }
}

/// Texts of more bytes are shortened in messages.
const LONG: usize = 100;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(x) => write!(f, "{x}"),
            Self::Int(x) => write!(f, "{x}"),
            Self::Float(x) => write!(f, "{x:?}"),
            // A program: its beginning has the name, and its hash tells two of one name apart.
            Self::Text(x) if x.len() > LONG => {
                let shown: String = x.chars().take(24).collect();
                write!(f, "'{shown}... {:08x}'", xxhash_rust::xxh3::xxh3_64(x.as_bytes()) >> 32)
            }
            Self::Text(x) => write!(f, "'{x}'"),
            Self::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::LengthIn(column) => write!(f, "{{length='{column}'}}"),
            Self::StartIn(column) => write!(f, "{{start='{column}'}}"),
        }
    }
}

impl From<bool> for Value {
    fn from(x: bool) -> Self {
        Self::Bool(x)
    }
}
impl From<i32> for Value {
    fn from(x: i32) -> Self {
        Self::Int(x.into())
    }
}
impl From<i64> for Value {
    fn from(x: i64) -> Self {
        Self::Int(x)
    }
}
impl From<usize> for Value {
    fn from(x: usize) -> Self {
        Self::Int(i64::try_from(x).unwrap_or(i64::MAX))
    }
}
impl From<f64> for Value {
    fn from(x: f64) -> Self {
        Self::Float(x)
    }
}
impl From<&str> for Value {
    fn from(x: &str) -> Self {
        Self::Text(x.to_string())
    }
}
impl From<String> for Value {
    fn from(x: String) -> Self {
        Self::Text(x)
    }
}
impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

/// [`Value`] in JSON and TOML; `{"float": "inf"}` is a number that JSON lacks, and `{"length": "n"}` and
/// `{"start": "since"}` are columns that set a window.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Plain {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Value>),
    NonFinite { float: String },
    LengthIn { length: String },
    StartIn { start: String },
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.clone() {
            Self::Bool(x) => Plain::Bool(x),
            Self::Int(x) => Plain::Int(x),
            Self::Float(x) if x.is_finite() => Plain::Float(x),
            Self::Float(x) => Plain::NonFinite { float: x.to_string() },
            Self::Text(x) => Plain::Text(x),
            Self::List(x) => Plain::List(x),
            Self::LengthIn(length) => Plain::LengthIn { length },
            Self::StartIn(start) => Plain::StartIn { start },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Ok(match Plain::deserialize(deserializer)? {
            Plain::Bool(x) => Self::Bool(x),
            Plain::Int(x) => Self::Int(x),
            Plain::Float(x) => Self::Float(x),
            Plain::Text(x) => Self::Text(x),
            Plain::List(x) => Self::List(x),
            Plain::LengthIn { length } => Self::LengthIn(length),
            Plain::StartIn { start } => Self::StartIn(start),
            Plain::NonFinite { float } => Self::Float(float.parse().map_err(serde::de::Error::custom)?),
        })
    }
}

fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Names {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Names::deserialize(deserializer)? {
        Names::One(name) => vec![name],
        Names::Several(names) => names,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_keeps_every_value() {
        let spec = KernelSpec::new("cumsum_clip")
            .with("column", "x")
            .with("lower", f64::NEG_INFINITY)
            .with("upper", 3)
            .with("initial", 0.1)
            .over(["a", "b"]);
        assert_eq!(KernelSpec::from_json(&spec.to_json()).unwrap(), spec);
    }

    #[test]
    fn over_takes_one_name_or_several() {
        let one =
            KernelSpec::from_json(r#"{"name": "rolling_mean", "column": "x", "window": 2, "over": "k"}"#).unwrap();
        assert_eq!(one.over, ["k"]);
    }
}
