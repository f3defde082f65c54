//! The typed form of a function: operations that are pure and total, in an order in which each uses earlier ones only.
//!
//! There is no control flow, no memory and no failure: `if` has become [`Op::Select`], what CPython would raise has become a
//! boolean.  So the same operations run one row at a time, as vectors or block by block, and give the same bits.

use std::fmt::{self, Write as _};

/// The type of a value; booleans are 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    Float,
    Int,
    Bool,
}

/// The number of an operation, which is the name of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u32);

impl Id {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// An operation.  Integers have 64 bits and wrap around; that they would have left them is an operation of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// The value of a column; arbitrary where it is null.
    Column(u16, Type),
    /// Whether a column is null.
    IsNull(u16),
    /// A field of the state before this row.
    Field(u16, Type),
    /// The bits of a float.
    Float(u64),
    Int(i64),
    Bool(bool),
    FloatUnary(FloatUnary, Id),
    FloatBinary(FloatBinary, Id, Id),
    FloatCompare(Compare, Id, Id),
    IntBinary(IntBinary, Id, Id),
    /// Whether the exact result has more than 64 bits.
    IntOverflows(Overflow, Id, Id),
    IntCompare(Compare, Id, Id),
    BoolBinary(BoolBinary, Id, Id),
    Not(Id),
    IntToFloat(Id),
    /// Towards 0; the nearest integer that there is, 0 for NaN.
    FloatToInt(Id),
    BoolToInt(Id),
    /// The bits of a float as an integer.
    FloatToBits(Id),
    /// The float of these bits.
    BitsToFloat(Id),
    /// The second value where the first is true, else the third.
    Select(Id, Id, Id),
    /// A function of the library's own, of a float.
    Math(Math, Id),
    /// A function of the library's own, of two floats.
    Math2(Math2, Id, Id),
    /// A function of two values where the first is true, which is seldom; else the last.
    Rarely(Rare, Id, [Id; 2], Id),
    /// A float rounded to this many decimal digits, as Python's `round(x, n)`.
    Round(Id, i32),
    /// The quotient of two integers, correctly rounded.
    IntQuotient(Id, Id),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FloatUnary {
    Neg,
    Abs,
    Sqrt,
    Floor,
    Ceil,
    Trunc,
    /// To the nearest integer, ties to even.
    Nearest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FloatBinary {
    Add,
    Sub,
    Mul,
    Div,
    /// The first with the sign of the second.
    CopySign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compare {
    Lt,
    Le,
    Eq,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IntBinary {
    Add,
    Sub,
    Mul,
    /// Towards minus infinity; 0 if the divisor is 0.
    FloorDiv,
    /// With the sign of the divisor; 0 if that is 0.
    Mod,
    And,
    Or,
    Xor,
    /// By the lowest 6 bits of the second.
    Shl,
    /// By the lowest 6 bits of the second, with sign.
    Shr,
    /// A power whose exponent is not negative; 0 if it is.
    Pow,
    /// To a multiple of ten to the second, ties to even.
    Round,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Overflow {
    Add,
    Sub,
    Mul,
    Pow,
    Round,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BoolBinary {
    And,
    Or,
    Xor,
}

macro_rules! functions {
    ($(#[$doc:meta])* $kind:ident { $($variant:ident => $name:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $kind { $($variant),* }

        impl $kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name, in the module `math` of Python if that has it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

functions!(
    /// A function of one float.
    Math {
        Exp => "exp", Exp2 => "exp2", Expm1 => "expm1", Log => "log", Log2 => "log2", Log10 => "log10", Log1p => "log1p",
        Sin => "sin", Cos => "cos", Tan => "tan", Asin => "asin", Acos => "acos", Atan => "atan", Sinh => "sinh",
        Cosh => "cosh", Tanh => "tanh", Asinh => "asinh", Acosh => "acosh", Atanh => "atanh", Cbrt => "cbrt",
        Erf => "erf", Erfc => "erfc", Gamma => "gamma", Lgamma => "lgamma",
    }
);

functions!(
    /// A function of two floats.
    Math2 {
        Pow => "pow", Atan2 => "atan2", Hypot => "hypot", Fmod => "fmod", FloorDiv => "floordiv", Mod => "mod",
    }
);

functions!(
    /// What the operations that are written for a function do not reach.
    Rare { Sin => "sin_of_many_turns", Cos => "cos_of_many_turns", Quotient => "quotient_of_large" }
);

impl Op {
    /// The values that it uses.
    pub fn operands(&self) -> impl Iterator<Item = Id> + use<> {
        let (a, b, c) = match *self {
            Self::Rarely(_, when, [a, b], other) => {
                return [Some(when), Some(a), Some(b), Some(other)].into_iter().flatten();
            }
            Self::Column(..) | Self::IsNull(_) | Self::Field(..) | Self::Float(_) | Self::Int(_) | Self::Bool(_) => {
                (None, None, None)
            }
            Self::FloatUnary(_, a)
            | Self::Not(a)
            | Self::IntToFloat(a)
            | Self::FloatToInt(a)
            | Self::BoolToInt(a)
            | Self::FloatToBits(a)
            | Self::BitsToFloat(a)
            | Self::Math(_, a)
            | Self::Round(a, _) => (Some(a), None, None),
            Self::FloatBinary(_, a, b)
            | Self::FloatCompare(_, a, b)
            | Self::IntBinary(_, a, b)
            | Self::IntOverflows(_, a, b)
            | Self::IntCompare(_, a, b)
            | Self::BoolBinary(_, a, b)
            | Self::Math2(_, a, b)
            | Self::IntQuotient(a, b) => (Some(a), Some(b), None),
            Self::Select(a, b, c) => (Some(a), Some(b), Some(c)),
        };
        [a, b, c, None].into_iter().flatten()
    }

    /// The same operation of other values.
    pub fn map(self, mut to: impl FnMut(Id) -> Id) -> Self {
        match self {
            Self::Column(..) | Self::IsNull(_) | Self::Field(..) | Self::Float(_) | Self::Int(_) | Self::Bool(_) => {
                self
            }
            Self::FloatUnary(op, a) => Self::FloatUnary(op, to(a)),
            Self::Not(a) => Self::Not(to(a)),
            Self::IntToFloat(a) => Self::IntToFloat(to(a)),
            Self::FloatToInt(a) => Self::FloatToInt(to(a)),
            Self::BoolToInt(a) => Self::BoolToInt(to(a)),
            Self::FloatToBits(a) => Self::FloatToBits(to(a)),
            Self::BitsToFloat(a) => Self::BitsToFloat(to(a)),
            Self::Math(op, a) => Self::Math(op, to(a)),
            Self::Round(a, digits) => Self::Round(to(a), digits),
            Self::FloatBinary(op, a, b) => Self::FloatBinary(op, to(a), to(b)),
            Self::FloatCompare(op, a, b) => Self::FloatCompare(op, to(a), to(b)),
            Self::IntBinary(op, a, b) => Self::IntBinary(op, to(a), to(b)),
            Self::IntOverflows(op, a, b) => Self::IntOverflows(op, to(a), to(b)),
            Self::IntCompare(op, a, b) => Self::IntCompare(op, to(a), to(b)),
            Self::BoolBinary(op, a, b) => Self::BoolBinary(op, to(a), to(b)),
            Self::Math2(op, a, b) => Self::Math2(op, to(a), to(b)),
            Self::IntQuotient(a, b) => Self::IntQuotient(to(a), to(b)),
            Self::Rarely(op, when, [a, b], other) => Self::Rarely(op, to(when), [to(a), to(b)], to(other)),
            Self::Select(a, b, c) => Self::Select(to(a), to(b), to(c)),
        }
    }
}

/// Operations, with what they are for.
#[derive(Debug, Clone, PartialEq)]
pub struct Code {
    pub ops: Vec<Op>,
    pub types: Vec<Type>,
    /// A value and whether it is null, which it is where the row is in error, for each result.
    pub results: Vec<(Id, Id)>,
    /// Whether the row is in error: CPython would have raised.
    pub error: Id,
    /// The fields of the state after this row, if it is not in error.
    pub next: Vec<Id>,
}

impl Code {
    pub fn type_of(&self, id: Id) -> Type {
        self.types[id.index()]
    }

    /// The value of a boolean that does not depend on the row.
    pub fn constant_bool(&self, id: Id) -> Option<bool> {
        match self.ops[id.index()] {
            Op::Bool(x) => Some(x),
            _ => None,
        }
    }

    /// The value of an integer that does not depend on the row.
    pub fn constant_int(&self, id: Id) -> Option<i64> {
        match self.ops[id.index()] {
            Op::Int(x) => Some(x),
            _ => None,
        }
    }

    /// The columns whose values are used.
    pub fn uses_column(&self, column: usize) -> bool {
        self.ops.iter().any(|op| matches!(op, Op::Column(used, _) | Op::IsNull(used) if usize::from(*used) == column))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, op) in self.ops.iter().enumerate() {
            let kind = match self.types[at] {
                Type::Float => "float",
                Type::Int => "int",
                Type::Bool => "bool",
            };
            writeln!(f, "%{at}: {kind} = {}", shown(op))?;
        }
        let mut line = String::new();
        for (value, null) in &self.results {
            let _ = write!(line, "return %{}, null where %{}; ", value.0, null.0);
        }
        let _ = write!(line, "in error where %{}", self.error.0);
        for next in &self.next {
            let _ = write!(line, "; next %{}", next.0);
        }
        writeln!(f, "{line}")
    }
}

fn shown(op: &Op) -> String {
    let name = match op {
        Op::Column(column, _) => return format!("column {column}"),
        Op::IsNull(column) => return format!("column {column} is null"),
        Op::Field(field, _) => return format!("field {field}"),
        Op::Float(bits) => return format!("{:?}", f64::from_bits(*bits)),
        Op::Int(x) => return x.to_string(),
        Op::Bool(x) => return x.to_string(),
        Op::FloatUnary(op, _) => format!("{op:?}"),
        Op::FloatBinary(op, ..) => format!("{op:?}"),
        Op::FloatCompare(op, ..) | Op::IntCompare(op, ..) => format!("{op:?}"),
        Op::IntBinary(op, ..) => format!("{op:?}"),
        Op::IntOverflows(op, ..) => format!("{op:?} overflows"),
        Op::BoolBinary(op, ..) => format!("{op:?}"),
        Op::Not(_) => "not".to_string(),
        Op::IntToFloat(_) => "float".to_string(),
        Op::FloatToInt(_) => "int".to_string(),
        Op::BoolToInt(_) => "int of bool".to_string(),
        Op::FloatToBits(_) => "bits".to_string(),
        Op::BitsToFloat(_) => "float of bits".to_string(),
        Op::Select(..) => "select".to_string(),
        Op::Math(op, _) => op.name().to_string(),
        Op::Math2(op, ..) => op.name().to_string(),
        Op::Rarely(op, ..) => format!("{} where", op.name()),
        Op::Round(_, digits) => format!("round to {digits}"),
        Op::IntQuotient(..) => "quotient".to_string(),
    };
    let operands: Vec<String> = op.operands().map(|id| format!("%{}", id.0)).collect();
    format!("{} {}", name.to_lowercase(), operands.join(" "))
}
