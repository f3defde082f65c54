//! The meaning of the operations, and the executor that needs no compiler: block by block, one operation at a time.
//!
//! It is what runs where memory cannot be made executable, and what compiled code is tested against.

use crate::elementary::int_quotient;
use crate::math::round_to;
use crate::ops::{BoolBinary, Code, Compare, FloatBinary, FloatUnary, Id, Op};

/// How many rows are computed at once: few enough that the values of a function stay in the first-level cache.
const BLOCK: usize = 256;

/// Applies operations to values, whose bits are in `u64`: of one row, of constants or of many rows.
trait Lanes {
    fn constant(&mut self, bits: u64);
    fn column(&mut self, column: u16);
    fn is_null(&mut self, column: u16);
    fn field(&mut self, field: u16);
    fn unary(&mut self, a: Id, f: impl Fn(u64) -> u64);
    fn binary(&mut self, a: Id, b: Id, f: impl Fn(u64, u64) -> u64);
    fn select(&mut self, c: Id, a: Id, b: Id);
    fn rarely(&mut self, when: Id, of: [Id; 2], other: Id, f: extern "C" fn(u64, u64) -> u64);
}

fn f(bits: u64) -> f64 {
    f64::from_bits(bits)
}

fn i(bits: u64) -> i64 {
    bits.cast_signed()
}

/// What each operation does, the only place that says so in Rust.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "these are the conversions")]
fn apply(op: Op, lanes: &mut impl Lanes) {
    match op {
        Op::Column(column, _) => lanes.column(column),
        Op::IsNull(column) => lanes.is_null(column),
        Op::Field(field, _) => lanes.field(field),
        Op::Float(bits) => lanes.constant(bits),
        Op::Int(x) => lanes.constant(x.cast_unsigned()),
        Op::Bool(x) => lanes.constant(u64::from(x)),
        Op::FloatUnary(op, a) => match op {
            FloatUnary::Neg => lanes.unary(a, |x| (-f(x)).to_bits()),
            FloatUnary::Abs => lanes.unary(a, |x| f(x).abs().to_bits()),
            FloatUnary::Sqrt => lanes.unary(a, |x| f(x).sqrt().to_bits()),
            FloatUnary::Floor => lanes.unary(a, |x| f(x).floor().to_bits()),
            FloatUnary::Ceil => lanes.unary(a, |x| f(x).ceil().to_bits()),
            FloatUnary::Trunc => lanes.unary(a, |x| f(x).trunc().to_bits()),
            FloatUnary::Nearest => lanes.unary(a, |x| f(x).round_ties_even().to_bits()),
        },
        Op::FloatBinary(op, a, b) => match op {
            FloatBinary::Add => lanes.binary(a, b, |x, y| (f(x) + f(y)).to_bits()),
            FloatBinary::Sub => lanes.binary(a, b, |x, y| (f(x) - f(y)).to_bits()),
            FloatBinary::Mul => lanes.binary(a, b, |x, y| (f(x) * f(y)).to_bits()),
            FloatBinary::Div => lanes.binary(a, b, |x, y| (f(x) / f(y)).to_bits()),
            FloatBinary::CopySign => lanes.binary(a, b, |x, y| f(x).copysign(f(y)).to_bits()),
        },
        Op::FloatCompare(op, a, b) => match op {
            Compare::Lt => lanes.binary(a, b, |x, y| u64::from(f(x) < f(y))),
            Compare::Le => lanes.binary(a, b, |x, y| u64::from(f(x) <= f(y))),
            Compare::Eq => lanes.binary(a, b, |x, y| u64::from(f(x) == f(y))),
        },
        Op::IntBinary(op, a, b) => lanes.binary(a, b, |x, y| op.of(i(x), i(y)).cast_unsigned()),
        Op::IntOverflows(op, a, b) => lanes.binary(a, b, |x, y| u64::from(op.of(i(x), i(y)))),
        Op::IntCompare(op, a, b) => match op {
            Compare::Lt => lanes.binary(a, b, |x, y| u64::from(i(x) < i(y))),
            Compare::Le => lanes.binary(a, b, |x, y| u64::from(i(x) <= i(y))),
            Compare::Eq => lanes.binary(a, b, |x, y| u64::from(x == y)),
        },
        Op::BoolBinary(op, a, b) => match op {
            BoolBinary::And => lanes.binary(a, b, |x, y| x & y),
            BoolBinary::Or => lanes.binary(a, b, |x, y| x | y),
            BoolBinary::Xor => lanes.binary(a, b, |x, y| x ^ y),
        },
        Op::Not(a) => lanes.unary(a, |x| x ^ 1),
        Op::IntToFloat(a) => lanes.unary(a, |x| (i(x) as f64).to_bits()),
        Op::FloatToInt(a) => lanes.unary(a, |x| (f(x) as i64).cast_unsigned()),
        Op::BoolToInt(a) | Op::FloatToBits(a) | Op::BitsToFloat(a) => lanes.unary(a, |x| x),
        Op::Select(c, a, b) => lanes.select(c, a, b),
        Op::Rarely(function, when, of, other) => lanes.rarely(when, of, other, function.function()),
        Op::Math(function, a) => {
            let function = function.function();
            lanes.unary(a, |x| function(f(x)).to_bits());
        }
        Op::Math2(function, a, b) => {
            let function = function.function();
            lanes.binary(a, b, |x, y| function(f(x), f(y)).to_bits());
        }
        Op::Round(a, digits) => lanes.unary(a, |x| round_to(f(x), digits).to_bits()),
        Op::IntQuotient(a, b) => lanes.binary(a, b, |x, y| int_quotient(i(x), i(y)).to_bits()),
    }
}

/// An operation on constants as a constant.
pub(crate) fn constant_of(op: Op, operand: impl Fn(Id) -> Op) -> Option<Op> {
    struct Constants<F> {
        operand: F,
        result: Option<u64>,
    }
    impl<F: Fn(Id) -> Op> Constants<F> {
        fn bits(&self, id: Id) -> Option<u64> {
            match (self.operand)(id) {
                Op::Float(bits) => Some(bits),
                Op::Int(x) => Some(x.cast_unsigned()),
                Op::Bool(x) => Some(u64::from(x)),
                _ => None,
            }
        }
    }
    impl<F: Fn(Id) -> Op> Lanes for Constants<F> {
        fn constant(&mut self, _: u64) {}
        fn column(&mut self, _: u16) {}
        fn is_null(&mut self, _: u16) {}
        fn field(&mut self, _: u16) {}
        fn unary(&mut self, a: Id, f: impl Fn(u64) -> u64) {
            self.result = self.bits(a).map(f);
        }
        fn binary(&mut self, a: Id, b: Id, f: impl Fn(u64, u64) -> u64) {
            self.result = self.bits(a).zip(self.bits(b)).map(|(a, b)| f(a, b));
        }
        fn select(&mut self, _: Id, _: Id, _: Id) {}
        fn rarely(&mut self, when: Id, of: [Id; 2], other: Id, f: extern "C" fn(u64, u64) -> u64) {
            self.result = match self.bits(when) {
                Some(1) => self.bits(of[0]).zip(self.bits(of[1])).map(|(a, b)| f(a, b)),
                Some(_) => self.bits(other),
                None => None,
            };
        }
    }
    let mut constants = Constants { operand, result: None };
    apply(op, &mut constants);
    let bits = constants.result?;
    Some(match op {
        Op::FloatCompare(..) | Op::IntCompare(..) | Op::IntOverflows(..) | Op::BoolBinary(..) | Op::Not(_) => {
            Op::Bool(bits == 1)
        }
        Op::IntBinary(..) | Op::FloatToInt(_) | Op::BoolToInt(_) | Op::FloatToBits(_) => Op::Int(bits.cast_signed()),
        _ => Op::Float(bits),
    })
}

/// The columns of some rows: values as bits, and which are null.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    /// The bits of floats or integers.
    pub values: &'a [u64],
    /// Which rows have a value; all, if there are none.
    pub valid: Option<&'a [bool]>,
}

impl Column<'_> {
    /// Some of the rows.
    pub fn part(&self, start: usize, end: usize) -> Self {
        let values = if self.values.is_empty() { self.values } else { &self.values[start..end] };
        Self { values, valid: self.valid.map(|valid| &valid[start..end]) }
    }
}

/// What a row's result is.
pub const VALID: u8 = 0;
/// The function returned `None`.
pub const NULL: u8 = 1;
/// CPython would have raised.
pub const ERROR: u8 = 2;

/// Values of a block of rows, one operation after another.
struct Rows<'a, 'c> {
    columns: &'a [Column<'c>],
    state: &'a [u64],
    start: usize,
    rows: usize,
    /// `BLOCK` values an operation; those computed so far, and the rest.
    values: &'a mut [u64],
    at: usize,
}

impl Rows<'_, '_> {
    fn split(&mut self) -> (&[u64], &mut [u64]) {
        let (done, rest) = self.values.split_at_mut(self.at * BLOCK);
        (done, &mut rest[..self.rows])
    }

    fn of(done: &[u64], id: Id, rows: usize) -> &[u64] {
        &done[id.index() * BLOCK..id.index() * BLOCK + rows]
    }
}

impl Lanes for Rows<'_, '_> {
    fn constant(&mut self, bits: u64) {
        self.split().1.fill(bits);
    }
    fn column(&mut self, column: u16) {
        let (start, rows) = (self.start, self.rows);
        let values = self.columns[usize::from(column)].values;
        self.split().1.copy_from_slice(&values[start..start + rows]);
    }
    fn is_null(&mut self, column: u16) {
        let (start, rows) = (self.start, self.rows);
        match self.columns[usize::from(column)].valid {
            None => self.split().1.fill(0),
            Some(valid) => {
                let out = self.split().1.iter_mut();
                out.zip(&valid[start..start + rows]).for_each(|(out, valid)| *out = u64::from(!valid));
            }
        }
    }
    fn field(&mut self, field: u16) {
        let bits = self.state[usize::from(field)];
        self.split().1.fill(bits);
    }
    fn unary(&mut self, a: Id, f: impl Fn(u64) -> u64) {
        let rows = self.rows;
        let (done, out) = self.split();
        out.iter_mut().zip(Self::of(done, a, rows)).for_each(|(out, x)| *out = f(*x));
    }
    fn binary(&mut self, a: Id, b: Id, f: impl Fn(u64, u64) -> u64) {
        let rows = self.rows;
        let (done, out) = self.split();
        let operands = Self::of(done, a, rows).iter().zip(Self::of(done, b, rows));
        out.iter_mut().zip(operands).for_each(|(out, (x, y))| *out = f(*x, *y));
    }
    fn select(&mut self, c: Id, a: Id, b: Id) {
        let rows = self.rows;
        let (done, out) = self.split();
        let (c, a, b) = (Self::of(done, c, rows), Self::of(done, a, rows), Self::of(done, b, rows));
        for (row, out) in out.iter_mut().enumerate() {
            *out = if c[row] == 1 { a[row] } else { b[row] };
        }
    }
    fn rarely(&mut self, when: Id, of: [Id; 2], other: Id, f: extern "C" fn(u64, u64) -> u64) {
        let rows = self.rows;
        let (done, out) = self.split();
        let [when, a, b, other] = [when, of[0], of[1], other].map(|id| Self::of(done, id, rows));
        for (row, out) in out.iter_mut().enumerate() {
            *out = if when[row] == 1 { f(a[row], b[row]) } else { other[row] };
        }
    }
}

/// Runs a function without state over rows; `start..start + rows` of the columns and of the results.
pub fn run_map(
    code: &Code,
    columns: &[Column],
    start: usize,
    rows: usize,
    results: &mut [&mut [u64]],
    kinds: &mut [&mut [u8]],
) {
    let mut values = vec![0; code.ops.len() * BLOCK];
    let mut done = 0;
    while done < rows {
        let block = BLOCK.min(rows - done);
        let mut lanes = Rows { columns, state: &[], start: start + done, rows: block, values: &mut values, at: 0 };
        for op in &code.ops {
            apply(*op, &mut lanes);
            lanes.at += 1;
        }
        let of = |id: Id, row: usize| values[id.index() * BLOCK + row];
        for ((value, null), (results, kinds)) in code.results.iter().zip(results.iter_mut().zip(kinds.iter_mut())) {
            for row in 0..block {
                results[start + done + row] = of(*value, row);
                kinds[start + done + row] = kind(of(code.error, row), of(*null, row));
            }
        }
        done += block;
    }
}

fn kind(error: u64, null: u64) -> u8 {
    match (error, null) {
        (1, _) => ERROR,
        (_, 1) => NULL,
        _ => VALID,
    }
}

/// A function with state, one row after another.
pub struct Stepper<'a> {
    code: &'a Code,
    values: Vec<u64>,
    next: Vec<u64>,
}

impl<'a> Stepper<'a> {
    pub fn new(code: &'a Code) -> Self {
        Self { code, values: vec![0; code.ops.len()], next: vec![0; code.next.len()] }
    }

    /// Reads a row, and changes the state unless the row is in error, which is returned; `result` is called with each result and
    /// its kind.
    pub fn step(
        &mut self,
        columns: &[Column],
        row: usize,
        state: &mut [u64],
        mut result: impl FnMut(usize, u64, u8),
    ) -> bool {
        struct One<'a, 'c> {
            columns: &'a [Column<'c>],
            state: &'a [u64],
            row: usize,
            values: &'a mut [u64],
            at: usize,
        }
        impl One<'_, '_> {
            fn set(&mut self, bits: u64) {
                self.values[self.at] = bits;
            }
        }
        impl Lanes for One<'_, '_> {
            fn constant(&mut self, bits: u64) {
                self.set(bits);
            }
            fn column(&mut self, column: u16) {
                self.set(self.columns[usize::from(column)].values[self.row]);
            }
            fn is_null(&mut self, column: u16) {
                let valid = self.columns[usize::from(column)].valid;
                self.set(u64::from(valid.is_some_and(|valid| !valid[self.row])));
            }
            fn field(&mut self, field: u16) {
                self.set(self.state[usize::from(field)]);
            }
            fn unary(&mut self, a: Id, f: impl Fn(u64) -> u64) {
                self.set(f(self.values[a.index()]));
            }
            fn binary(&mut self, a: Id, b: Id, f: impl Fn(u64, u64) -> u64) {
                self.set(f(self.values[a.index()], self.values[b.index()]));
            }
            fn select(&mut self, c: Id, a: Id, b: Id) {
                let chosen = if self.values[c.index()] == 1 { a } else { b };
                self.set(self.values[chosen.index()]);
            }
            fn rarely(&mut self, when: Id, of: [Id; 2], other: Id, f: extern "C" fn(u64, u64) -> u64) {
                let [when, a, b, other] = [when, of[0], of[1], other].map(|id| self.values[id.index()]);
                self.set(if when == 1 { f(a, b) } else { other });
            }
        }
        let mut one = One { columns, state, row, values: &mut self.values, at: 0 };
        for op in &self.code.ops {
            apply(*op, &mut one);
            one.at += 1;
        }
        let error = self.values[self.code.error.index()];
        for (at, (value, null)) in self.code.results.iter().enumerate() {
            result(at, self.values[value.index()], kind(error, self.values[null.index()]));
        }
        if error == 0 {
            for (next, id) in self.next.iter_mut().zip(&self.code.next) {
                *next = self.values[id.index()];
            }
            state[..self.next.len()].copy_from_slice(&self.next);
        }
        error == 1
    }
}
