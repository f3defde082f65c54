//! The typed form of a function: operations that are pure and total, in an order in which each uses earlier ones only.
//!
//! There is no control flow, no memory and no failure: `if` has become [`Op::Select`], what CPython would raise has become a
//! boolean.  So the same operations run one row at a time, as vectors or block by block, and give the same bits.

use std::collections::HashMap;
use std::fmt::{self, Write as _};

use crate::interpret::constant_of;

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
    /// The second value where the first is true, else the third.
    Select(Id, Id, Id),
    /// A function of the library's own, of a float.
    Math(Math, Id),
    /// A function of the library's own, of two floats.
    Math2(Math2, Id, Id),
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

            /// Its name in the module `math` of Python.
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

impl Op {
    /// The values that it uses.
    pub fn operands(&self) -> impl Iterator<Item = Id> + use<> {
        let (a, b, c) = match *self {
            Self::Column(..) | Self::IsNull(_) | Self::Field(..) | Self::Float(_) | Self::Int(_) | Self::Bool(_) => {
                (None, None, None)
            }
            Self::FloatUnary(_, a)
            | Self::Not(a)
            | Self::IntToFloat(a)
            | Self::FloatToInt(a)
            | Self::BoolToInt(a)
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
        [a, b, c].into_iter().flatten()
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
        Op::Select(..) => "select".to_string(),
        Op::Math(op, _) => op.name().to_string(),
        Op::Math2(op, ..) => op.name().to_string(),
        Op::Round(_, digits) => format!("round to {digits}"),
        Op::IntQuotient(..) => "quotient".to_string(),
    };
    let operands: Vec<String> = op.operands().map(|id| format!("%{}", id.0)).collect();
    format!("{} {}", name.to_lowercase(), operands.join(" "))
}

/// Appends operations; equal ones are one, and constants are computed at once.
#[derive(Debug, Default)]
pub struct Builder {
    pub ops: Vec<Op>,
    pub types: Vec<Type>,
    known: HashMap<Op, Id>,
}

impl Builder {
    pub fn push(&mut self, op: Op) -> Id {
        if let Some(id) = self.known.get(&op) {
            return *id;
        }
        if let Some(known) = self.simpler(op) {
            return known;
        }
        let folded = constant_of(op, |id| self.ops[id.index()]).filter(|folded| *folded != op);
        if let Some(folded) = folded {
            let id = self.push(folded);
            self.known.insert(op, id);
            return id;
        }
        let id = Id(u32::try_from(self.ops.len()).unwrap_or(u32::MAX));
        self.types.push(self.type_of(op));
        self.ops.push(op);
        self.known.insert(op, id);
        id
    }

    fn type_of(&self, op: Op) -> Type {
        match op {
            Op::Column(_, of) | Op::Field(_, of) => of,
            Op::Select(_, a, _) => self.types[a.index()],
            Op::Float(_)
            | Op::FloatUnary(..)
            | Op::FloatBinary(..)
            | Op::IntToFloat(_)
            | Op::Math(..)
            | Op::Math2(..)
            | Op::Round(..)
            | Op::IntQuotient(..) => Type::Float,
            Op::Int(_) | Op::IntBinary(..) | Op::FloatToInt(_) | Op::BoolToInt(_) => Type::Int,
            Op::IsNull(_)
            | Op::Bool(_)
            | Op::FloatCompare(..)
            | Op::IntOverflows(..)
            | Op::IntCompare(..)
            | Op::BoolBinary(..)
            | Op::Not(_) => Type::Bool,
        }
    }

    fn bool_of(&self, id: Id) -> Option<bool> {
        match self.ops[id.index()] {
            Op::Bool(x) => Some(x),
            _ => None,
        }
    }

    /// The value that an operation certainly has, if that is one there is already or a simpler operation.
    fn simpler(&mut self, op: Op) -> Option<Id> {
        use BoolBinary::{And, Or};
        match op {
            Op::BoolBinary(And | Or, a, b) if a == b => Some(a),
            Op::BoolBinary(kind @ (And | Or), a, b) => {
                let neutral = kind == And;
                match (self.bool_of(a), self.bool_of(b)) {
                    (Some(x), _) => Some(if x == neutral { b } else { a }),
                    (_, Some(x)) => Some(if x == neutral { a } else { b }),
                    _ if self.is_not(a, b) => Some(self.bool(!neutral)),
                    _ if a > b => Some(self.push(Op::BoolBinary(kind, b, a))),
                    _ => self.absorbed(kind, a, b),
                }
            }
            Op::Not(a) => match self.ops[a.index()] {
                Op::Not(inner) => Some(inner),
                _ => None,
            },
            Op::Select(c, a, b) => {
                if a == b {
                    return Some(a);
                }
                if a == c {
                    return Some(self.or(c, b));
                }
                if b == c {
                    return Some(self.and(c, a));
                }
                if let Op::Not(inner) = self.ops[c.index()] {
                    return Some(self.push(Op::Select(inner, b, a)));
                }
                match self.bool_of(c) {
                    Some(true) => return Some(a),
                    Some(false) => return Some(b),
                    None => {}
                }
                match (self.bool_of(a), self.bool_of(b)) {
                    (Some(true), _) => Some(self.or(c, b)),
                    (Some(false), _) => {
                        let not = self.not(c);
                        Some(self.and(not, b))
                    }
                    (_, Some(false)) => Some(self.and(c, a)),
                    (_, Some(true)) => {
                        let not = self.not(c);
                        Some(self.or(not, a))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// `a and (a or b)` is `a`, `a or (a and b)` too; `a and (a and b)` is `a and b`, and so for `or`.
    fn absorbed(&mut self, kind: BoolBinary, a: Id, b: Id) -> Option<Id> {
        for (one, other) in [(a, b), (b, a)] {
            if let Op::BoolBinary(inner, x, y) = self.ops[other.index()]
                && inner != BoolBinary::Xor
                && (x == one || y == one)
            {
                return Some(if inner == kind { other } else { one });
            }
            // `a or (not a and b)` is `a or b`; `a and (not a or b)` is `a and b`.
            if let Op::BoolBinary(inner, x, y) = self.ops[other.index()]
                && inner != BoolBinary::Xor
                && inner != kind
            {
                if self.is_not(x, one) {
                    return Some(self.push(Op::BoolBinary(kind, one, y)));
                }
                if self.is_not(y, one) {
                    return Some(self.push(Op::BoolBinary(kind, one, x)));
                }
            }
        }
        None
    }

    fn is_not(&self, a: Id, b: Id) -> bool {
        self.ops[a.index()] == Op::Not(b) || self.ops[b.index()] == Op::Not(a)
    }

    pub fn bool(&mut self, x: bool) -> Id {
        self.push(Op::Bool(x))
    }

    pub fn float(&mut self, x: f64) -> Id {
        self.push(Op::Float(x.to_bits()))
    }

    pub fn int(&mut self, x: i64) -> Id {
        self.push(Op::Int(x))
    }

    pub fn and(&mut self, a: Id, b: Id) -> Id {
        self.push(Op::BoolBinary(BoolBinary::And, a, b))
    }

    pub fn or(&mut self, a: Id, b: Id) -> Id {
        self.push(Op::BoolBinary(BoolBinary::Or, a, b))
    }

    pub fn not(&mut self, a: Id) -> Id {
        self.push(Op::Not(a))
    }

    pub fn select(&mut self, c: Id, a: Id, b: Id) -> Id {
        self.push(Op::Select(c, a, b))
    }

    pub fn fcmp(&mut self, op: Compare, a: Id, b: Id) -> Id {
        self.push(Op::FloatCompare(op, a, b))
    }

    pub fn icmp(&mut self, op: Compare, a: Id, b: Id) -> Id {
        self.push(Op::IntCompare(op, a, b))
    }

    pub fn is_certainly(&self, id: Id, x: bool) -> bool {
        self.bool_of(id) == Some(x)
    }

    /// The operations that the given values need, in order; their new numbers are written over the old ones.
    pub fn finish(self, wanted: &mut [&mut Id]) -> (Vec<Op>, Vec<Type>) {
        let mut needed = vec![false; self.ops.len()];
        for id in wanted.iter() {
            needed[id.index()] = true;
        }
        for at in (0..self.ops.len()).rev() {
            if needed[at] {
                self.ops[at].operands().for_each(|id| needed[id.index()] = true);
            }
        }
        let mut numbers = vec![Id(0); self.ops.len()];
        let (mut ops, mut types) = (Vec::new(), Vec::new());
        for (at, op) in self.ops.iter().enumerate() {
            if needed[at] {
                numbers[at] = Id(u32::try_from(ops.len()).unwrap_or(u32::MAX));
                ops.push(op.map(|id| numbers[id.index()]));
                types.push(self.types[at]);
            }
        }
        for id in wanted {
            **id = numbers[id.index()];
        }
        (ops, types)
    }
}
