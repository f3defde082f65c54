//! What is known of a value while a function is walked.

use crate::ops::{Id, Type};
use crate::program::Binary;

/// What is known of a value: its type, or that it is nothing else than `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    None,
    Float,
    Int,
    Bool,
    /// A float or an int, as it happens.
    Number,
    /// A string, by its code.
    Text,
    /// Values of kinds that do not go together; an error if it is used.
    Mixed,
}

/// A value of Python.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value {
    pub kind: Kind,
    /// Of a [`Kind::Number`] the nearest float.
    pub id: Id,
    /// Where it is `None`.
    pub none: Id,
    /// Where there is no value: the variable is not bound.
    pub unbound: Id,
    /// Of a [`Kind::Number`] where it is an int, and which.
    pub whole: Option<Whole>,
    /// Of an int, if it is known to be a time.
    pub time: Option<Ticks>,
}

/// What kind of time an int is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ticks {
    /// A date, a time of day or both, which is true, whatever it is.
    Moment,
    Duration,
}

impl Ticks {
    /// What the result of arithmetic is.
    pub fn of(op: Binary, a: Option<Self>, b: Option<Self>) -> Option<Self> {
        use Binary::{Add, FloorDiv, Mod, Mul, Sub};
        use Ticks::{Duration, Moment};
        match (op, a, b) {
            (Add, Some(Moment), Some(Duration)) | (Add, Some(Duration), Some(Moment)) => Some(Moment),
            (Sub, Some(Moment), Some(Duration)) => Some(Moment),
            (Sub, Some(Moment), Some(Moment)) => Some(Duration),
            (Add | Sub | Mod, Some(Duration), Some(Duration)) | (Mod, Some(Moment), Some(Duration)) => Some(Duration),
            (Mul, Some(Duration), None) | (Mul, None, Some(Duration)) | (FloorDiv, Some(Duration), None) => {
                Some(Duration)
            }
            _ => None,
        }
    }

    /// What a value is that is one or the other, of these kinds.
    pub fn joined((kind_a, a): (Kind, Option<Self>), (kind_b, b): (Kind, Option<Self>)) -> Option<Self> {
        match (kind_a, kind_b) {
            (Kind::None, _) => b,
            (_, Kind::None) => a,
            _ => a.filter(|_| a == b),
        }
    }
}

/// The int that a number is, and where it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whole {
    pub int: Id,
    pub here: Id,
}

/// The kind of a value that is one or the other.
pub fn joined(a: Kind, b: Kind) -> Kind {
    use Kind::{Bool, Float, Int, None, Number};
    match (a, b) {
        (None, x) | (x, None) => x,
        (Float | Number, Int | Bool | Number) | (Int | Bool | Number, Float) | (Int | Bool, Number) => Number,
        (Int, Int | Bool) | (Bool, Int) => Int,
        (x, y) if x == y => x,
        _ => Kind::Mixed,
    }
}

pub fn type_of(kind: Kind) -> Type {
    match kind {
        Kind::Int | Kind::Text => Type::Int,
        Kind::Bool => Type::Bool,
        Kind::Float | Kind::Number | Kind::None | Kind::Mixed => Type::Float,
    }
}
