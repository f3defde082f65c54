//! Operations are made here: one after another, simplified, and in the end those that are needed.

use std::collections::HashMap;

use crate::elementary::{self, Arithmetic};
use crate::interpret::constant_of;
use crate::ops::{BoolBinary, Code, Compare, FloatBinary, FloatUnary, Id, IntBinary, Op, Overflow, Rare, Type};

/// 1.5 * 2^52: the bits of its sum with a small integer are its own and that integer.
const SHIFT: f64 = 6_755_399_441_055_744.0;
/// What is small enough for that: below 2^51.
const SHIFTED: f64 = 2_251_799_813_685_247.0;

/// Appends operations; equal ones are one, and constants are computed at once.
#[derive(Debug, Default)]
pub struct Builder {
    pub ops: Vec<Op>,
    pub types: Vec<Type>,
    /// The least and the largest value of each integer.
    ranges: Vec<(i64, i64)>,
    /// What each float is certainly not larger than, and no NaN, if anything is known.
    sizes: Vec<Option<f64>>,
    /// The least and the largest value of columns of integers.
    columns: Option<(i64, i64)>,
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
        self.ranges.push(self.range_of(op));
        self.sizes.push(self.size_of(op));
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
            | Op::BitsToFloat(_)
            | Op::Math(..)
            | Op::Math2(..)
            | Op::Rarely(..)
            | Op::Round(..)
            | Op::IntQuotient(..) => Type::Float,
            Op::Int(_) | Op::IntBinary(..) | Op::FloatToInt(_) | Op::BoolToInt(_) | Op::FloatToBits(_) => Type::Int,
            Op::IsNull(_)
            | Op::Bool(_)
            | Op::FloatCompare(..)
            | Op::IntOverflows(..)
            | Op::IntCompare(..)
            | Op::BoolBinary(..)
            | Op::Not(_) => Type::Bool,
        }
    }

    fn range(&self, id: Id) -> (i64, i64) {
        self.ranges[id.index()]
    }

    /// What an integer's value certainly lies between.
    fn range_of(&self, op: Op) -> (i64, i64) {
        let any = (i64::MIN, i64::MAX);
        match op {
            Op::Int(x) => (x, x),
            Op::BoolToInt(_) => (0, 1),
            Op::Column(_, Type::Int) => self.columns.unwrap_or(any),
            Op::Select(_, a, b) => {
                let ((low, high), (other_low, other_high)) = (self.range(a), self.range(b));
                (low.min(other_low), high.max(other_high))
            }
            Op::IntBinary(op, a, b) => match (op, self.range(a), self.range(b)) {
                (IntBinary::Add, a, b) => within(exact_range(Overflow::Add, a, b)).unwrap_or(any),
                (IntBinary::Sub, a, b) => within(exact_range(Overflow::Sub, a, b)).unwrap_or(any),
                (IntBinary::Mul, a, b) => within(exact_range(Overflow::Mul, a, b)).unwrap_or(any),
                (IntBinary::And, _, (0.., high)) => (0, high),
                (IntBinary::And, (0.., high), _) => (0, high),
                (IntBinary::Mod, _, (1.., high)) => (0, high - 1),
                (IntBinary::Shr, (low, high), (amount, same)) if amount == same && (0..64).contains(&amount) => {
                    (low >> amount, high >> amount)
                }
                (IntBinary::FloorDiv, (low, high), (1.., _)) => (low.min(0), high.max(0)),
                _ => any,
            },
            #[expect(clippy::cast_possible_truncation, reason = "far below 2^63")]
            Op::FloatToInt(x) => match self.sizes[x.index()] {
                Some(size) if size <= SHIFTED => (-(size as i64), size as i64),
                _ => any,
            },
            _ => any,
        }
    }

    /// What the size of a float is certainly not above, in rows that are not in error.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53, or not used")]
    fn size_of(&self, op: Op) -> Option<f64> {
        let of_int = |id: Id| {
            let (least, most) = self.range(id);
            Some(least.unsigned_abs().max(most.unsigned_abs()) as f64)
        };
        let of = |id: Id| self.sizes[id.index()];
        let size = match op {
            Op::Float(bits) => Some(f64::from_bits(bits).abs()),
            Op::IntToFloat(a) => of_int(a),
            // A divisor of 0 is an error, and of integers no other one makes the quotient larger.
            Op::IntQuotient(a, _) => of_int(a),
            Op::FloatUnary(FloatUnary::Neg | FloatUnary::Abs | FloatUnary::Trunc, a) => of(a),
            Op::FloatUnary(FloatUnary::Floor | FloatUnary::Ceil | FloatUnary::Nearest, a) => {
                of(a).map(|size| size + 1.0)
            }
            Op::FloatBinary(FloatBinary::Add | FloatBinary::Sub, a, b) => of(a).zip(of(b)).map(|(a, b)| a + b),
            Op::FloatBinary(FloatBinary::Mul, a, b) => of(a).zip(of(b)).map(|(a, b)| a * b),
            Op::Select(_, a, b) => of(a).zip(of(b)).map(|(a, b)| a.max(b)),
            _ => None,
        };
        // Sizes above this are of no use, and of those below it the roundings above do not matter.
        size.map(|size| size * (1.0 + f64::EPSILON)).filter(|size| *size <= SHIFTED)
    }

    /// The quotient of two integers: that of two floats, but where one of them is not exact.
    fn quotient(&mut self, a: Id, b: Id) -> Id {
        const EXACT: (i64, i64) = (-(1 << 53), 1 << 53);
        let (x, y) = (self.push(Op::IntToFloat(a)), self.push(Op::IntToFloat(b)));
        let quotient = self.push(Op::FloatBinary(FloatBinary::Div, x, y));
        let [first, second] = [a, b].map(|id| self.is_outside(id, EXACT));
        let large = self.or(first, second);
        self.push(Op::Rarely(Rare::Quotient, large, [a, b], quotient))
    }

    /// Whether an integer is below the least of these numbers or above the largest.
    fn is_outside(&mut self, a: Id, (low, high): (i64, i64)) -> Id {
        let (least, most) = self.range(a);
        let (below, above) = (least < low, most > high);
        let below = if below {
            let low = self.int(low);
            self.icmp(Compare::Lt, a, low)
        } else {
            self.bool(false)
        };
        let above = if above {
            let high = self.int(high);
            self.icmp(Compare::Lt, high, a)
        } else {
            self.bool(false)
        };
        self.or(below, above)
    }

    /// Whether an operation leaves 64 bits, by what is known of its operands: a comparison, or nothing at all.
    fn overflow(&mut self, op: Overflow, a: Id, b: Id) -> Option<Id> {
        if !matches!(op, Overflow::Add | Overflow::Sub | Overflow::Mul) {
            return None;
        }
        let (of_a, of_b) = (self.range(a), self.range(b));
        if within(exact_range(op, of_a, of_b)).is_some() {
            return Some(self.bool(false));
        }
        let fixed = |(low, high): (i64, i64)| (low == high).then_some(i128::from(low));
        let (least, most) = (i128::from(i64::MIN), i128::from(i64::MAX));
        // Which values of the operand that is not fixed keep the result within 64 bits.
        let (other, range) = match (op, fixed(of_a), fixed(of_b)) {
            (Overflow::Add, Some(x), _) => (b, (least - x, most - x)),
            (Overflow::Add, _, Some(x)) => (a, (least - x, most - x)),
            (Overflow::Sub, _, Some(x)) => (a, (least + x, most + x)),
            (Overflow::Sub, Some(x), _) => (b, (x - most, x - least)),
            (Overflow::Mul, Some(x), _) => (b, quotients(x)?),
            (Overflow::Mul, _, Some(x)) => (a, quotients(x)?),
            _ => return None,
        };
        let clamped = |x: i128| i64::try_from(x.clamp(least, most)).unwrap_or_default();
        Some(self.is_outside(other, (clamped(range.0), clamped(range.1))))
    }

    /// Whether an integer certainly fits the last bits of `SHIFT`.
    fn is_short(&self, id: Id) -> bool {
        let (least, most) = self.range(id);
        least > -(1 << 51) && most < 1 << 51
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
            Op::IntOverflows(op, a, b) => self.overflow(op, a, b),
            Op::IntCompare(op, a, b) => {
                let ((least, most), (other_least, other_most)) = (self.range(a), self.range(b));
                let (always, never) = match op {
                    Compare::Lt => (most < other_least, least >= other_most),
                    Compare::Le => (most <= other_least, least > other_most),
                    Compare::Eq => (false, most < other_least || least > other_most),
                };
                if always || never { Some(self.bool(always)) } else { None }
            }
            // By a power of two, as Python rounds: a shift, and the lowest bits.
            Op::IntBinary(kind @ (IntBinary::FloorDiv | IntBinary::Mod), a, b) => match self.ops[b.index()] {
                Op::Int(x) if x > 0 && x.count_ones() == 1 && kind == IntBinary::Mod => {
                    let mask = self.int(x - 1);
                    Some(self.push(Op::IntBinary(IntBinary::And, a, mask)))
                }
                Op::Int(x) if x > 0 && x.count_ones() == 1 => {
                    let amount = self.int(i64::from(x.trailing_zeros()));
                    Some(self.push(Op::IntBinary(IntBinary::Shr, a, amount)))
                }
                _ => None,
            },
            Op::IntToFloat(a) => match self.ops[a.index()] {
                Op::BoolToInt(truth) => {
                    let (one, zero) = (self.float(1.0), self.float(0.0));
                    Some(self.select(truth, one, zero))
                }
                // As the last bits of a float of this size, which vectors have instructions for.
                _ if self.columns.is_some() && self.is_short(a) => {
                    let (bits, shift) = (self.int(SHIFT.to_bits().cast_signed()), self.float(SHIFT));
                    let bits = self.push(Op::IntBinary(IntBinary::Add, a, bits));
                    let shifted = self.push(Op::BitsToFloat(bits));
                    let float = self.push(Op::FloatBinary(FloatBinary::Sub, shifted, shift));
                    self.sizes[float.index()] = self.size_of(op);
                    Some(float)
                }
                _ => None,
            },
            Op::FloatToInt(a) if self.columns.is_some() && self.sizes[a.index()].is_some() => {
                let (bits, shift) = (self.int(SHIFT.to_bits().cast_signed()), self.float(SHIFT));
                let whole = self.push(Op::FloatUnary(FloatUnary::Trunc, a));
                let shifted = self.push(Op::FloatBinary(FloatBinary::Add, whole, shift));
                let shifted = self.push(Op::FloatToBits(shifted));
                let int = self.push(Op::IntBinary(IntBinary::Sub, shifted, bits));
                self.ranges[int.index()] = self.range_of(op);
                Some(int)
            }
            Op::FloatUnary(FloatUnary::Trunc, a) => match self.ops[a.index()] {
                Op::FloatUnary(FloatUnary::Trunc, _) => Some(a),
                _ => None,
            },
            Op::FloatCompare(Compare::Lt | Compare::Le, a, b) => {
                let constant = |id: Id| match self.ops[id.index()] {
                    Op::Float(bits) => Some(f64::from_bits(bits)),
                    _ => None,
                };
                let (always, never) = match (constant(a), constant(b), self.sizes[a.index()], self.sizes[b.index()]) {
                    (None, Some(b), Some(size), _) => (size < b, b < -size),
                    (Some(a), None, _, Some(size)) => (a < -size, size < a),
                    _ => (false, false),
                };
                if always || never { Some(self.bool(always)) } else { None }
            }
            Op::Rarely(function, when, [a, b], other) if self.is_certainly(when, false) => {
                if function == Rare::Quotient {
                    self.sizes[other.index()] = self.size_of(Op::IntQuotient(a, b));
                }
                Some(other)
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

impl Arithmetic for Builder {
    type Float = Id;
    type Int = Id;
    type Bool = Id;

    fn float(&mut self, x: f64) -> Id {
        Self::float(self, x)
    }
    fn add(&mut self, a: Id, b: Id) -> Id {
        self.push(Op::FloatBinary(FloatBinary::Add, a, b))
    }
    fn sub(&mut self, a: Id, b: Id) -> Id {
        self.push(Op::FloatBinary(FloatBinary::Sub, a, b))
    }
    fn mul(&mut self, a: Id, b: Id) -> Id {
        self.push(Op::FloatBinary(FloatBinary::Mul, a, b))
    }
    fn div(&mut self, a: Id, b: Id) -> Id {
        self.push(Op::FloatBinary(FloatBinary::Div, a, b))
    }
    fn abs(&mut self, x: Id) -> Id {
        self.push(Op::FloatUnary(FloatUnary::Abs, x))
    }
    fn sqrt(&mut self, x: Id) -> Id {
        self.push(Op::FloatUnary(FloatUnary::Sqrt, x))
    }
    fn copysign(&mut self, x: Id, sign: Id) -> Id {
        self.push(Op::FloatBinary(FloatBinary::CopySign, x, sign))
    }
    fn less(&mut self, a: Id, b: Id) -> Id {
        self.fcmp(Compare::Lt, a, b)
    }
    fn equal(&mut self, a: Id, b: Id) -> Id {
        self.fcmp(Compare::Eq, a, b)
    }
    fn or(&mut self, a: Id, b: Id) -> Id {
        Self::or(self, a, b)
    }
    fn select(&mut self, c: Id, a: Id, b: Id) -> Id {
        Self::select(self, c, a, b)
    }
    fn bits(&mut self, x: Id) -> Id {
        self.push(Op::FloatToBits(x))
    }
    fn float_of(&mut self, bits: Id) -> Id {
        self.push(Op::BitsToFloat(bits))
    }
    fn int(&mut self, x: i64) -> Id {
        Self::int(self, x)
    }
    fn plus(&mut self, a: Id, b: Id) -> Id {
        self.push(Op::IntBinary(IntBinary::Add, a, b))
    }
    fn minus(&mut self, a: Id, b: Id) -> Id {
        self.push(Op::IntBinary(IntBinary::Sub, a, b))
    }
    fn and(&mut self, a: Id, b: Id) -> Id {
        self.push(Op::IntBinary(IntBinary::And, a, b))
    }
    fn shift_left(&mut self, a: Id, by: u8) -> Id {
        let by = Self::int(self, i64::from(by));
        self.push(Op::IntBinary(IntBinary::Shl, a, by))
    }
    fn shift_right(&mut self, a: Id, by: u8) -> Id {
        let by = Self::int(self, i64::from(by));
        self.push(Op::IntBinary(IntBinary::Shr, a, by))
    }
    fn same(&mut self, a: Id, b: Id) -> Id {
        self.icmp(Compare::Eq, a, b)
    }
    fn rarely(&mut self, function: Rare, when: Id, x: Id, other: Id) -> Id {
        self.push(Op::Rarely(function, when, [x, x], other))
    }
}

/// The same code with the functions of [`elementary`] written out.
pub fn expanded(code: &Code) -> Code {
    rebuilt(code, Builder::default(), |op| op)
}

/// The same code for columns without nulls.
pub fn without_nulls(code: &Code) -> Code {
    rebuilt(code, Builder::default(), |op| if let Op::IsNull(_) = op { Op::Bool(false) } else { op })
}

/// What [`is_small`] is true of.
const SMALL: (i64, i64) = (-(1 << 31), (1 << 31) - 1);

/// The same code for rows in which all integers of columns are small: most of what finds that they leave 64 bits is not needed.
/// `None` if there is no such check.
pub fn of_small_integers(code: &Code) -> Option<Code> {
    let small = rebuilt(code, Builder { columns: Some(SMALL), ..Builder::default() }, |op| op);
    (small.ops.len() < code.ops.len()).then_some(small)
}

/// Whether all of these integers are.
pub fn is_small(integers: &[u64]) -> bool {
    integers.iter().fold(0, |all, bits| all | bits.wrapping_sub(SMALL.0.cast_unsigned()) >> 32) == 0
}

/// The same operations once more, with some of them replaced, by what this builder knows.
fn rebuilt(code: &Code, mut build: Builder, replaced: impl Fn(Op) -> Op) -> Code {
    let mut ids: Vec<Id> = Vec::with_capacity(code.ops.len());
    for op in &code.ops {
        let op = replaced(op.map(|id| ids[id.index()]));
        ids.push(match op {
            Op::Math(function, x) => elementary::of_math(&mut build, function, x).unwrap_or_else(|| build.push(op)),
            Op::Math2(function, x, y) => {
                elementary::of_math2(&mut build, function, x, y).unwrap_or_else(|| build.push(op))
            }
            Op::IntQuotient(a, b) => build.quotient(a, b),
            other => build.push(other),
        });
    }
    let now = |id: &Id| ids[id.index()];
    let mut results: Vec<(Id, Id)> = code.results.iter().map(|(value, null)| (now(value), now(null))).collect();
    let (mut error, mut next) = (now(&code.error), code.next.iter().map(now).collect::<Vec<Id>>());
    let both = results.iter_mut().flat_map(|(value, null)| [value, null]);
    let mut wanted: Vec<&mut Id> = both.chain(std::iter::once(&mut error)).chain(&mut next).collect();
    let (ops, types) = build.finish(&mut wanted);
    Code { ops, types, results, error, next }
}

/// The range of the exact results, whose operands lie in these ranges.
fn exact_range(op: Overflow, a: (i64, i64), b: (i64, i64)) -> (i128, i128) {
    let (a, b) = ([a.0, a.1].map(i128::from), [b.0, b.1].map(i128::from));
    match op {
        Overflow::Add => (a[0] + b[0], a[1] + b[1]),
        Overflow::Sub => (a[0] - b[1], a[1] - b[0]),
        _ => {
            let corners = [a[0] * b[0], a[0] * b[1], a[1] * b[0], a[1] * b[1]];
            corners.into_iter().fold((i128::MAX, i128::MIN), |(low, high), x| (low.min(x), high.max(x)))
        }
    }
}

/// A range of 64 bits, if it is one.
fn within((low, high): (i128, i128)) -> Option<(i64, i64)> {
    Some((i64::try_from(low).ok()?, i64::try_from(high).ok()?))
}

/// The integers whose product by `x` has 64 bits, for any `x` but 0.
fn quotients(x: i128) -> Option<(i128, i128)> {
    let (least, most) = (i128::from(i64::MIN), i128::from(i64::MAX));
    match x {
        0 => None,
        1.. => Some((-(-least / x), most / x)),
        _ => Some((-(most / -x), -least / -x)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overflow_is_found_by_comparison() {
        let edges = [i64::MIN, i64::MIN + 1, -3, -1, 0, 1, 2, 3, 7, 1 << 40, i64::MAX / 3, i64::MAX - 1, i64::MAX];
        for op in [Overflow::Add, Overflow::Sub, Overflow::Mul] {
            for x in edges {
                for constant_first in [false, true] {
                    let mut build = Builder::default();
                    let column = build.push(Op::Column(0, Type::Int));
                    let constant = build.int(x);
                    let (a, b) = if constant_first { (constant, column) } else { (column, constant) };
                    let found = build.push(Op::IntOverflows(op, a, b));
                    assert!(!matches!(build.ops[found.index()], Op::IntOverflows(..)), "{op:?} by {x}");
                    let near = |y: i64| [y.saturating_sub(1), y, y.saturating_add(1)];
                    let bounds = if x == 0 { edges } else { edges.map(|y| y.checked_div(x).unwrap_or(i64::MAX)) };
                    for y in edges.into_iter().chain(bounds).flat_map(near) {
                        let wanted = if constant_first { op.of(x, y) } else { op.of(y, x) };
                        assert_eq!(truth(&build, found, y), wanted, "{op:?}: {x}, {y}, {constant_first}");
                    }
                }
            }
        }
    }

    /// The value of a comparison, or of several, for a value of the column.
    fn truth(build: &Builder, id: Id, y: i64) -> bool {
        let int = |id: Id| match build.ops[id.index()] {
            Op::Int(x) => x,
            _ => y,
        };
        match build.ops[id.index()] {
            Op::Bool(x) => x,
            Op::IntCompare(Compare::Lt, a, b) => int(a) < int(b),
            Op::BoolBinary(BoolBinary::Or, a, b) => truth(build, a, y) || truth(build, b, y),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_known_of_integers_saves_checks() {
        let mut build = Builder::default();
        let (flag, column) = (build.push(Op::Column(0, Type::Bool)), build.push(Op::Column(1, Type::Int)));
        let (high, low) = (build.int(25), build.int(-10));
        let bonus = build.select(flag, high, low);
        let base = build.int(600);
        let never = build.push(Op::IntOverflows(Overflow::Add, base, bonus));
        assert_eq!(build.ops[never.index()], Op::Bool(false));
        let (eight, three) = (build.int(8), build.int(3));
        let rest = build.push(Op::IntBinary(IntBinary::Mod, column, eight));
        assert!(matches!(build.ops[rest.index()], Op::IntBinary(IntBinary::And, ..)));
        let never = build.push(Op::IntOverflows(Overflow::Mul, rest, three));
        assert_eq!(build.ops[never.index()], Op::Bool(false));
        let half = build.push(Op::IntBinary(IntBinary::FloorDiv, column, eight));
        assert!(matches!(build.ops[half.index()], Op::IntBinary(IntBinary::Shr, ..)));
        let never = build.push(Op::IntOverflows(Overflow::Mul, half, three));
        assert_eq!(build.ops[never.index()], Op::Bool(false));
        let perhaps = build.push(Op::IntOverflows(Overflow::Add, column, rest));
        assert!(matches!(build.ops[perhaps.index()], Op::IntOverflows(..)));
    }

    #[test]
    fn small_integers_need_no_checks() {
        let mut build = Builder::default();
        let (a, b) = (build.push(Op::Column(0, Type::Int)), build.push(Op::Column(1, Type::Int)));
        let product = build.push(Op::IntBinary(IntBinary::Mul, a, b));
        let over = build.push(Op::IntOverflows(Overflow::Mul, a, b));
        let hundred = build.int(100);
        let (mut sum, more) = (
            build.push(Op::IntBinary(IntBinary::Add, product, hundred)),
            build.push(Op::IntOverflows(Overflow::Add, product, hundred)),
        );
        let mut error = build.or(over, more);
        let (ops, types) = build.finish(&mut [&mut sum, &mut error]);
        let code = Code { ops, types, results: vec![(sum, error)], error, next: Vec::new() };
        let small = of_small_integers(&code).unwrap();
        assert_eq!((code.constant_bool(code.error), small.constant_bool(small.error)), (None, Some(false)));
        assert!(of_small_integers(&small).is_none());
        let words = |numbers: &[i64]| numbers.iter().map(|x| x.cast_unsigned()).collect::<Vec<u64>>();
        assert!(is_small(&words(&[0, -1, i64::from(i32::MIN), i64::from(i32::MAX)])));
        for large in [i64::from(i32::MAX) + 1, i64::from(i32::MIN) - 1, i64::MIN, i64::MAX] {
            assert!(!is_small(&words(&[0, large, 3])), "{large}");
        }
    }
}
