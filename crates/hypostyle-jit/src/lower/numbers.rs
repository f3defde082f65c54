//! Arithmetic and comparisons of Python.

use super::Walk;
use super::kinds::{Kind, Ticks, Value};
use crate::ops::{BoolBinary, Compare, FloatBinary, FloatUnary, Id, IntBinary, Math2, Op, Overflow, Type};
use crate::program::{Binary, Checked, Comparison, Expression, Unary, invalid};

/// Floats from here on are integers that no `i64` holds.
const INT_END: f64 = 9_223_372_036_854_775_808.0;

impl<'p> Walk<'p> {
    pub(super) fn int(&mut self, op: IntBinary, a: Id, b: Id) -> Id {
        self.build.push(Op::IntBinary(op, a, b))
    }

    pub(super) fn float(&mut self, op: FloatBinary, a: Id, b: Id) -> Id {
        self.build.push(Op::FloatBinary(op, a, b))
    }

    pub(super) fn unary_float(&mut self, op: FloatUnary, a: Id) -> Id {
        self.build.push(Op::FloatUnary(op, a))
    }

    /// A number or None, which raises, as where it is not bound.
    pub(super) fn there(&mut self, value: Value, what: &str) -> Checked<Value> {
        self.raise(value.unbound);
        self.raise(value.none);
        match value.kind {
            Kind::Text => invalid(format!("{what} needs numbers, and an operand is a string")),
            Kind::Mixed => invalid("a variable is a string on one path and a number on another"),
            _ => Ok(Value { none: self.no, unbound: self.no, ..value }),
        }
    }

    /// The same, for what takes an int or a float as a float.
    pub(super) fn number(&mut self, value: Value, what: &str) -> Checked<(Kind, Id)> {
        let value = self.there(value, what)?;
        Ok((if value.kind == Kind::Number { Kind::Float } else { value.kind }, value.id))
    }

    /// The value as another kind that holds it.
    pub(super) fn converted(&mut self, value: Value, kind: Kind) -> Id {
        match (value.kind, kind) {
            (Kind::Bool, Kind::Int) => self.build.push(Op::BoolToInt(value.id)),
            (Kind::Bool, Kind::Float | Kind::Number) => {
                let int = self.build.push(Op::BoolToInt(value.id));
                self.build.push(Op::IntToFloat(int))
            }
            (Kind::Int, Kind::Float | Kind::Number) => self.build.push(Op::IntToFloat(value.id)),
            (Kind::None, kind) => match kind {
                Kind::Int | Kind::Text => self.build.int(0),
                Kind::Bool => self.no,
                _ => self.build.float(0.0),
            },
            _ => value.id,
        }
    }

    pub(super) fn as_float(&mut self, kind: Kind, id: Id) -> Id {
        let value = self.value(kind, id);
        self.converted(value, Kind::Float)
    }

    fn as_int(&mut self, kind: Kind, id: Id) -> Id {
        let value = self.value(kind, id);
        self.converted(value, Kind::Int)
    }

    pub(super) fn unary(&mut self, op: Unary, value: Value) -> Checked<Value> {
        let found = self.for_each_kind(&[value], &|walk, operands| walk.unary_of(op, operands[0]))?;
        Ok(Value { time: value.time.filter(|time| *time == Ticks::Duration), ..found })
    }

    fn unary_of(&mut self, op: Unary, value: Value) -> Checked<Value> {
        let (kind, id) = self.number(value, "a sign")?;
        Ok(match (op, kind) {
            // It raises, so that its result is of any kind.
            (Unary::Pos | Unary::Neg | Unary::Invert, Kind::None) => self.nothing(),
            (Unary::Pos, Kind::Float) => self.value(Kind::Float, id),
            (Unary::Pos, _) => {
                let id = self.as_int(kind, id);
                self.value(Kind::Int, id)
            }
            (Unary::Neg, Kind::Float) => {
                let id = self.unary_float(FloatUnary::Neg, id);
                self.value(Kind::Float, id)
            }
            (Unary::Neg, _) => {
                let (zero, id) = (self.build.int(0), self.as_int(kind, id));
                let over = self.build.push(Op::IntOverflows(Overflow::Sub, zero, id));
                self.raise(over);
                let id = self.int(IntBinary::Sub, zero, id);
                self.value(Kind::Int, id)
            }
            (Unary::Invert, Kind::Float) => return invalid("'~' needs an int, and the operand is a float"),
            (Unary::Invert, _) => {
                let (ones, id) = (self.build.int(-1), self.as_int(kind, id));
                let id = self.int(IntBinary::Xor, id, ones);
                self.value(Kind::Int, id)
            }
            (Unary::Not, _) => unreachable!("'not' is read before"),
        })
    }

    pub(super) fn binary(&mut self, op: Binary, a: Value, b: Value) -> Checked<Value> {
        if let Some(part) = self.part_of_duration(op, a, b)? {
            return Ok(part);
        }
        let value = Value { time: Ticks::of(op, a.time, b.time), ..self.plain_binary(op, a, b)? };
        if value.time == Some(Ticks::Moment) {
            self.raise_beyond_years(value.id);
        }
        Ok(value)
    }

    /// Python has no moments before the year 1 and after 9999.
    fn raise_beyond_years(&mut self, moment: Id) {
        if let Some((first, last)) = self.function.clock.years() {
            let (first, last) = (self.build.int(first), self.build.int(last));
            let early = self.build.icmp(Compare::Lt, moment, first);
            self.raise(early);
            let late = self.build.icmp(Compare::Lt, last, moment);
            self.raise(late);
        }
    }

    /// A duration times a float, or by a number: rounded to ticks, ties to even.  `None` for anything else.
    fn part_of_duration(&mut self, op: Binary, a: Value, b: Value) -> Checked<Option<Value>> {
        let is_duration = |value: Value| value.time == Some(Ticks::Duration);
        let is_float = |value: Value| matches!(value.kind, Kind::Float | Kind::Number);
        let id = match (op, a, b) {
            (Binary::Mul, x, y) | (Binary::Mul, y, x) if is_duration(x) && y.time.is_none() && is_float(y) => {
                let (x, y) = (self.float_of(x, "*")?, self.float_of(y, "*")?);
                let (product, lost) = self.exact_product(x, y);
                self.nearest_ticks(product, lost, y)
            }
            (Binary::Div, x, y) if is_duration(x) && y.time.is_none() && is_float(y) => {
                let (x, y) = (self.float_of(x, "/")?, self.float_of(y, "/")?);
                let zero = self.build.float(0.0);
                let by_zero = self.build.fcmp(Compare::Eq, y, zero);
                self.raise(by_zero);
                let quotient = self.float(FloatBinary::Div, x, y);
                let (product, lost) = self.exact_product(quotient, y);
                let rest = self.float(FloatBinary::Sub, x, product);
                let rest = self.float(FloatBinary::Sub, rest, lost);
                // What remains has the sign of what the quotient lacks, or the other one where the divisor is negative.
                let lost = self.float(FloatBinary::Mul, rest, y);
                self.nearest_ticks(quotient, lost, y)
            }
            (Binary::Div, x, y) if is_duration(x) && y.time.is_none() && y.kind != Kind::None => {
                let ((_, x), (kind, y)) = (self.number(x, "/")?, self.number(y, "/")?);
                let y = self.as_int(kind, y);
                self.raise_if_zero(y);
                self.nearest_quotient(x, y)
            }
            _ => return Ok(None),
        };
        Ok(Some(Value { time: Some(Ticks::Duration), ..self.value(Kind::Int, id) }))
    }

    /// A product of floats, and what its rounding loses.
    fn exact_product(&mut self, a: Id, b: Id) -> (Id, Id) {
        /// 2^27 + 1 parts a float into halves whose products are exact.
        const HALVES: f64 = 134_217_729.0;
        let product = self.float(FloatBinary::Mul, a, b);
        let [(a, rest_a), (b, rest_b)] = [a, b].map(|x| {
            let factor = self.build.float(HALVES);
            let large = self.float(FloatBinary::Mul, factor, x);
            let upper = self.float(FloatBinary::Sub, large, x);
            let upper = self.float(FloatBinary::Sub, large, upper);
            (upper, self.float(FloatBinary::Sub, x, upper))
        });
        let mut lost = self.float(FloatBinary::Mul, a, b);
        lost = self.float(FloatBinary::Sub, lost, product);
        for (x, y) in [(a, rest_b), (rest_a, b), (rest_a, rest_b)] {
            let part = self.float(FloatBinary::Mul, x, y);
            lost = self.float(FloatBinary::Add, lost, part);
        }
        (product, lost)
    }

    /// The nearest integer of a number that has lost something of this sign by rounding, which tells where it is a tie; raises unless
    /// the factor or divisor is finite.
    fn nearest_ticks(&mut self, x: Id, lost: Id, by: Id) -> Id {
        let finite = self.is_finite(by);
        let infinite = self.build.not(finite);
        self.raise(infinite);
        let (half, zero, one) = (self.build.float(0.5), self.build.float(0.0), self.build.float(1.0));
        let floor = self.unary_float(FloatUnary::Floor, x);
        let part = self.float(FloatBinary::Sub, x, floor);
        let is_tie = self.build.fcmp(Compare::Eq, part, half);
        let (more, less) = (self.build.fcmp(Compare::Lt, zero, lost), self.build.fcmp(Compare::Lt, lost, zero));
        let nearest = self.unary_float(FloatUnary::Nearest, x);
        let above = self.float(FloatBinary::Add, floor, one);
        let tie = self.build.select(less, floor, nearest);
        let tie = self.build.select(more, above, tie);
        let nearest = self.build.select(is_tie, tie, nearest);
        self.whole_to_int(nearest)
    }

    /// The integer nearest to the exact quotient, ties to even.
    fn nearest_quotient(&mut self, a: Id, b: Id) -> Id {
        let floor = self.int(IntBinary::FloorDiv, a, b);
        let rest = self.int(IntBinary::Mod, a, b);
        // The rest has the sign of the divisor, and so has what is missing to it.
        let missing = self.int(IntBinary::Sub, b, rest);
        let (zero, one) = (self.build.int(0), self.build.int(1));
        let negative = self.build.icmp(Compare::Lt, b, zero);
        let (above, below) = (self.build.icmp(Compare::Lt, missing, rest), self.build.icmp(Compare::Lt, rest, missing));
        let more = self.build.select(negative, below, above);
        let tie = self.build.icmp(Compare::Eq, rest, missing);
        let last = self.int(IntBinary::And, floor, one);
        let odd = self.build.icmp(Compare::Eq, last, one);
        let up = self.build.and(tie, odd);
        let up = self.build.or(more, up);
        let up = self.build.push(Op::BoolToInt(up));
        self.int(IntBinary::Add, floor, up)
    }

    fn plain_binary(&mut self, op: Binary, a: Value, b: Value) -> Checked<Value> {
        let mixed = [a, b].iter().any(|value| value.kind == Kind::Number);
        let floats = [a, b].iter().any(|value| value.kind == Kind::Float);
        // Beside a float an int is a float, and the quotient is the same if both are exact.
        if mixed && (floats || op == Binary::Div && self.is_exact(a) && self.is_exact(b)) {
            let (a, b) = (self.rounded(a), self.rounded(b));
            return self.binary_of(op, a, b);
        }
        self.for_each_kind(&[a, b], &|walk, operands| walk.binary_of(op, operands[0], operands[1]))
    }

    fn binary_of(&mut self, op: Binary, a: Value, b: Value) -> Checked<Value> {
        let symbol = op.symbol();
        let ((kind_a, a), (kind_b, b)) = (self.number(a, symbol)?, self.number(b, symbol)?);
        // Beside a None, which raises, the kind of the other operand is as good as any.
        let (kind_a, kind_b) = match (kind_a, kind_b) {
            (Kind::None, Kind::None) => return Ok(self.nothing()),
            (Kind::None, other) => (other, other),
            (other, Kind::None) => (other, other),
            both => both,
        };
        let (a, b) = (self.build_typed(a, kind_a), self.build_typed(b, kind_b));
        let bools = (kind_a, kind_b) == (Kind::Bool, Kind::Bool);
        let floats = [kind_a, kind_b].contains(&Kind::Float);
        match op {
            Binary::And | Binary::Or | Binary::Xor if bools => {
                let op = match op {
                    Binary::And => BoolBinary::And,
                    Binary::Or => BoolBinary::Or,
                    _ => BoolBinary::Xor,
                };
                let id = self.build.push(Op::BoolBinary(op, a, b));
                Ok(self.value(Kind::Bool, id))
            }
            _ if floats && op.needs_ints() => {
                invalid(format!("'{symbol}' needs ints, and an operand is a float; int(x) makes one of it"))
            }
            Binary::Pow => self.power(kind_a, a, kind_b, b),
            _ if floats => {
                let (a, b) = (self.as_float(kind_a, a), self.as_float(kind_b, b));
                let id = self.floats(op, a, b);
                Ok(self.value(Kind::Float, id))
            }
            Binary::Div => {
                let (a, b) = (self.as_int(kind_a, a), self.as_int(kind_b, b));
                self.raise_if_zero(b);
                let id = self.build.push(Op::IntQuotient(a, b));
                Ok(self.value(Kind::Float, id))
            }
            _ => {
                let (a, b) = (self.as_int(kind_a, a), self.as_int(kind_b, b));
                let id = self.ints(op, a, b);
                Ok(self.value(Kind::Int, id))
            }
        }
    }

    /// A dummy of the kind in place of a None.
    fn build_typed(&mut self, id: Id, kind: Kind) -> Id {
        let wanted = super::kinds::type_of(kind);
        if self.build.types[id.index()] == wanted {
            return id;
        }
        match wanted {
            Type::Float => self.build.float(0.0),
            Type::Int => self.build.int(0),
            Type::Bool => self.no,
        }
    }

    fn raise_if_zero(&mut self, int: Id) {
        let zero = self.build.int(0);
        let is_zero = self.build.icmp(Compare::Eq, int, zero);
        self.raise(is_zero);
    }

    fn floats(&mut self, op: Binary, a: Id, b: Id) -> Id {
        if matches!(op, Binary::Div | Binary::FloorDiv | Binary::Mod) {
            let zero = self.build.float(0.0);
            let is_zero = self.build.fcmp(Compare::Eq, b, zero);
            self.raise(is_zero);
        }
        match op {
            Binary::Add => self.float(FloatBinary::Add, a, b),
            Binary::Sub => self.float(FloatBinary::Sub, a, b),
            Binary::Mul => self.float(FloatBinary::Mul, a, b),
            Binary::Div => self.float(FloatBinary::Div, a, b),
            Binary::FloorDiv => self.build.push(Op::Math2(Math2::FloorDiv, a, b)),
            _ => self.build.push(Op::Math2(Math2::Mod, a, b)),
        }
    }

    fn ints(&mut self, op: Binary, a: Id, b: Id) -> Id {
        let zero = self.build.int(0);
        let checked = |walk: &mut Self, overflow, op| {
            let over = walk.build.push(Op::IntOverflows(overflow, a, b));
            walk.raise(over);
            walk.int(op, a, b)
        };
        match op {
            Binary::Add => checked(self, Overflow::Add, IntBinary::Add),
            Binary::Sub => checked(self, Overflow::Sub, IntBinary::Sub),
            Binary::Mul => checked(self, Overflow::Mul, IntBinary::Mul),
            Binary::FloorDiv => {
                self.raise_if_zero(b);
                let (least, minus) = (self.build.int(i64::MIN), self.build.int(-1));
                let (is_least, by_minus) =
                    (self.build.icmp(Compare::Eq, a, least), self.build.icmp(Compare::Eq, b, minus));
                let over = self.build.and(is_least, by_minus);
                self.raise(over);
                self.int(IntBinary::FloorDiv, a, b)
            }
            Binary::Mod => {
                self.raise_if_zero(b);
                self.int(IntBinary::Mod, a, b)
            }
            Binary::Shl | Binary::Shr => {
                let negative = self.build.icmp(Compare::Lt, b, zero);
                self.raise(negative);
                let most = self.build.int(63);
                let far = self.build.icmp(Compare::Lt, most, b);
                let amount = self.build.select(far, most, b);
                if op == Binary::Shr {
                    return self.int(IntBinary::Shr, a, amount);
                }
                let shifted = self.int(IntBinary::Shl, a, amount);
                let back = self.int(IntBinary::Shr, shifted, amount);
                let kept = self.build.icmp(Compare::Eq, back, a);
                let lost = self.build.not(kept);
                let nothing = self.build.icmp(Compare::Eq, a, zero);
                let something = self.build.not(nothing);
                let far = self.build.and(far, something);
                let over = self.build.or(lost, far);
                self.raise(over);
                shifted
            }
            Binary::And => self.int(IntBinary::And, a, b),
            Binary::Or => self.int(IntBinary::Or, a, b),
            _ => self.int(IntBinary::Xor, a, b),
        }
    }

    fn constant_int(&self, id: Id) -> Option<i64> {
        match self.build.ops[id.index()] {
            Op::Int(x) => Some(x),
            Op::Bool(x) => Some(i64::from(x)),
            _ => None,
        }
    }

    fn power(&mut self, kind_a: Kind, a: Id, kind_b: Kind, b: Id) -> Checked<Value> {
        if ![kind_a, kind_b].contains(&Kind::Float) {
            return match self.constant_int(b) {
                Some(exponent) if exponent >= 0 => {
                    let (a, b) = (self.as_int(kind_a, a), self.build.int(exponent));
                    let over = self.build.push(Op::IntOverflows(Overflow::Pow, a, b));
                    self.raise(over);
                    let id = self.int(IntBinary::Pow, a, b);
                    Ok(self.value(Kind::Int, id))
                }
                Some(_) => {
                    let (a, b) = (self.as_float(kind_a, a), self.as_float(kind_b, b));
                    let id = self.float_power(a, b);
                    Ok(self.value(Kind::Float, id))
                }
                None => invalid(
                    "int ** int is an int or a float, depending on the value of the exponent; write float(x) ** n, or a \
                     constant exponent",
                ),
            };
        }
        let (a, b) = (self.as_float(kind_a, a), self.as_float(kind_b, b));
        let id = self.float_power(a, b);
        Ok(self.value(Kind::Float, id))
    }

    pub(super) fn float_power(&mut self, a: Id, b: Id) -> Id {
        let zero = self.build.float(0.0);
        let result = match self.build.ops[b.index()] {
            // The correctly rounded power, which is what the library's `pow` gives too.
            Op::Float(bits) if bits == 2f64.to_bits() => self.float(FloatBinary::Mul, a, a),
            Op::Float(bits) if bits == 1f64.to_bits() => a,
            _ => self.build.push(Op::Math2(Math2::Pow, a, b)),
        };
        let base_is_zero = self.build.fcmp(Compare::Eq, a, zero);
        let below = self.build.fcmp(Compare::Lt, b, zero);
        let (finite_a, finite_b) = (self.is_finite(a), self.is_finite(b));
        let by_zero = self.build.and(base_is_zero, below);
        // To the power of minus infinity it is infinite.
        let by_zero = self.build.and(by_zero, finite_b);
        self.raise(by_zero);
        let finite = self.build.and(finite_a, finite_b);
        let negative = self.build.fcmp(Compare::Lt, a, zero);
        let floor = self.unary_float(FloatUnary::Floor, b);
        let whole = self.build.fcmp(Compare::Eq, floor, b);
        let broken = self.build.not(whole);
        let complex = self.build.and(negative, broken);
        let complex = self.build.and(finite, complex);
        self.raise(complex);
        let infinite = self.is_infinite(result);
        let over = self.build.and(finite, infinite);
        self.raise(over);
        result
    }

    pub(super) fn is_infinite(&mut self, x: Id) -> Id {
        let (size, end) = (self.unary_float(FloatUnary::Abs, x), self.build.float(f64::INFINITY));
        self.build.fcmp(Compare::Eq, size, end)
    }

    pub(super) fn is_finite(&mut self, x: Id) -> Id {
        let (size, end) = (self.unary_float(FloatUnary::Abs, x), self.build.float(f64::INFINITY));
        self.build.fcmp(Compare::Lt, size, end)
    }

    pub(super) fn is_nan(&mut self, x: Id) -> Id {
        let same = self.build.fcmp(Compare::Eq, x, x);
        self.build.not(same)
    }

    /// An integer of a float without fraction; raises beyond 64 bits, for NaN and infinities.
    pub(super) fn whole_to_int(&mut self, x: Id) -> Id {
        let (least, end) = (self.build.float(-INT_END), self.build.float(INT_END));
        let (above, below) = (self.build.fcmp(Compare::Le, least, x), self.build.fcmp(Compare::Lt, x, end));
        let fits = self.build.and(above, below);
        let not = self.build.not(fits);
        self.raise(not);
        self.build.push(Op::FloatToInt(x))
    }

    /// `a < b`, exactly also between an int and a float.
    pub(super) fn less(&mut self, a: Value, b: Value, or_equal: bool) -> Id {
        let op = if or_equal { Compare::Le } else { Compare::Lt };
        self.compared(a, b, &|walk, a, b| match (a.kind, b.kind) {
            (Kind::Float, Kind::Float) => walk.build.fcmp(op, a.id, b.id),
            (Kind::Float, _) => {
                let int = walk.as_int(b.kind, b.id);
                // a < b: not the other way round, if they can be compared.
                let other = walk.int_below_float(int, a.id, !or_equal);
                let (nan, not) = (walk.is_nan(a.id), walk.build.not(other));
                let comparable = walk.build.not(nan);
                walk.build.and(comparable, not)
            }
            (_, Kind::Float) => {
                let int = walk.as_int(a.kind, a.id);
                walk.int_below_float(int, b.id, or_equal)
            }
            _ => {
                let (a, b) = (walk.as_int(a.kind, a.id), walk.as_int(b.kind, b.id));
                walk.build.icmp(op, a, b)
            }
        })
    }

    /// A comparison of two numbers, for the ints and for the floats that they may be.
    fn compared(&mut self, a: Value, b: Value, compare: &dyn Fn(&mut Self, Value, Value) -> Id) -> Id {
        let floats = [a, b].iter().any(|value| matches!(value.kind, Kind::Float | Kind::Number));
        if floats && self.is_exact(a) && self.is_exact(b) {
            let (a, b) = (self.rounded(a), self.rounded(b));
            return compare(self, a, b);
        }
        match (a.whole, b.whole) {
            (Some(whole), _) => {
                let (int, float) = (self.value(Kind::Int, whole.int), self.value(Kind::Float, a.id));
                let (of_int, of_float) = (self.compared(int, b, compare), self.compared(float, b, compare));
                self.build.select(whole.here, of_int, of_float)
            }
            (_, Some(whole)) => {
                let (int, float) = (self.value(Kind::Int, whole.int), self.value(Kind::Float, b.id));
                let (of_int, of_float) = (self.compared(a, int, compare), self.compared(a, float, compare));
                self.build.select(whole.here, of_int, of_float)
            }
            _ => compare(self, a, b),
        }
    }

    /// An int as a float is the nearest one, so only where both are equal as floats the integers decide.
    fn int_below_float(&mut self, int: Id, float: Id, or_equal: bool) -> Id {
        let rounded = self.build.push(Op::IntToFloat(int));
        let below = self.build.fcmp(Compare::Lt, rounded, float);
        let equal = self.build.fcmp(Compare::Eq, rounded, float);
        let back = self.build.push(Op::FloatToInt(float));
        let op = if or_equal { Compare::Le } else { Compare::Lt };
        let ints = self.build.icmp(op, int, back);
        let end = self.build.float(INT_END);
        let beyond = self.build.fcmp(Compare::Le, end, float);
        let tie = self.build.or(ints, beyond);
        let tie = self.build.and(equal, tie);
        self.build.or(below, tie)
    }

    fn equal_numbers(&mut self, a: Value, b: Value) -> Id {
        self.compared(a, b, &|walk, a, b| match (a.kind, b.kind) {
            (Kind::Float, Kind::Float) => walk.build.fcmp(Compare::Eq, a.id, b.id),
            (Kind::Float, _) => walk.int_is_float(b, a),
            (_, Kind::Float) => walk.int_is_float(a, b),
            _ => {
                let (a, b) = (walk.as_int(a.kind, a.id), walk.as_int(b.kind, b.id));
                walk.build.icmp(Compare::Eq, a, b)
            }
        })
    }

    fn int_is_float(&mut self, int: Value, float: Value) -> Id {
        let int = self.as_int(int.kind, int.id);
        let rounded = self.build.push(Op::IntToFloat(int));
        let equal = self.build.fcmp(Compare::Eq, rounded, float.id);
        let back = self.build.push(Op::FloatToInt(float.id));
        let same = self.build.icmp(Compare::Eq, int, back);
        let end = self.build.float(INT_END);
        let within = self.build.fcmp(Compare::Lt, float.id, end);
        let same = self.build.and(same, within);
        self.build.and(equal, same)
    }

    /// `a == b`; None equals None only.
    pub(super) fn equal(&mut self, a: Value, b: Value) -> Checked<Id> {
        self.raise(a.unbound);
        self.raise(b.unbound);
        let both_none = self.build.and(a.none, b.none);
        let equal = match (a.kind, b.kind) {
            (Kind::Mixed, _) | (_, Kind::Mixed) => {
                return invalid("a variable is a string on one path and a number on another");
            }
            (Kind::None, _) | (_, Kind::None) => self.no,
            (Kind::Text, Kind::Text) => self.build.icmp(Compare::Eq, a.id, b.id),
            (Kind::Text, _) | (_, Kind::Text) => self.no,
            _ => self.equal_numbers(a, b),
        };
        let one_none = self.build.or(a.none, b.none);
        let there = self.build.not(one_none);
        let equal = self.build.and(there, equal);
        Ok(self.build.or(both_none, equal))
    }

    fn compare(&mut self, op: Comparison, a: Value, b: Value) -> Checked<Id> {
        if matches!(op, Comparison::Eq | Comparison::Ne) {
            let equal = self.equal(a, b)?;
            return Ok(if op == Comparison::Eq { equal } else { self.build.not(equal) });
        }
        let (a, b) = (self.there(a, "a comparison")?, self.there(b, "a comparison")?);
        if a.kind == Kind::None || b.kind == Kind::None {
            return Ok(self.no);
        }
        Ok(match op {
            Comparison::Lt => self.less(a, b, false),
            Comparison::Le => self.less(a, b, true),
            Comparison::Gt => self.less(b, a, false),
            _ => self.less(b, a, true),
        })
    }

    /// `a < b < c`: each operand once, and none after a comparison that fails.
    pub(super) fn chain(&mut self, first: Value, rest: &'p [(Comparison, Expression)]) -> Checked<Value> {
        let Some(((op, next), rest)) = rest.split_first() else { return Ok(self.value(Kind::Bool, self.yes)) };
        let next = self.expression(next)?;
        let holds = self.compare(*op, first, next)?;
        if rest.is_empty() {
            return Ok(self.value(Kind::Bool, holds));
        }
        let id = match self.branch(holds, |walk| walk.chain(next, rest), |_| Ok(()))? {
            (Some(more), Some(())) => self.build.and(holds, more.id),
            (Some(more), None) => more.id,
            (None, _) => self.no,
        };
        Ok(self.value(Kind::Bool, id))
    }
}
