//! Values that are an int in one row and a float in another, such as `n` after `n = 0 if x < 0 else x`.
//!
//! Such a value is held as a float, and beside it as an int with the condition under which it is one.  An operation that differs
//! between ints and floats is made for both, and joined again; most take the float, and what is beside it is never computed.

use super::kinds::{Kind, Value, Whole};
use super::{Checked, Walk};
use crate::ops::{Id, Op};

impl Walk<'_> {
    /// Where a value of numbers is an int, and which; `None` where it never is.
    pub(super) fn whole(&mut self, value: Value) -> Option<Whole> {
        match value.kind {
            Kind::Int | Kind::Bool => Some(Whole { int: self.converted(value, Kind::Int), here: self.yes }),
            _ => value.whole,
        }
    }

    /// The ints of a value that is the first where the condition holds, else the second.
    pub(super) fn joined_whole(&mut self, condition: Id, a: Value, b: Value) -> Option<Whole> {
        let (first, second) = (self.whole(a), self.whole(b));
        // Where one is None for certain, its value does not matter.
        match (a.kind, b.kind) {
            (Kind::None, _) => return second,
            (_, Kind::None) => return first,
            _ => {}
        }
        let int = match (first, second) {
            (Some(a), Some(b)) => self.build.select(condition, a.int, b.int),
            (Some(only), None) | (None, Some(only)) => only.int,
            (None, None) => return None,
        };
        let [first, second] = [first, second].map(|whole| whole.map_or(self.no, |whole| whole.here));
        let here = self.build.select(condition, first, second);
        (!self.build.is_certainly(here, false)).then_some(Whole { int, here })
    }

    /// Runs an operation for the ints and for the floats that its operands may be; it raises where one is None.
    pub(super) fn for_each_kind(
        &mut self,
        operands: &[Value],
        operation: &dyn Fn(&mut Self, &[Value]) -> Checked<Value>,
    ) -> Checked<Value> {
        let found = operands.iter().enumerate().find_map(|(at, value)| value.whole.map(|whole| (at, whole)));
        let Some((at, whole)) = found else { return operation(self, operands) };
        let value = operands[at];
        self.raise(value.unbound);
        self.raise(value.none);
        let with = |only: Value| {
            let mut operands = operands.to_vec();
            operands[at] = only;
            operands
        };
        let ints = with(self.value(Kind::Int, whole.int));
        let floats = with(self.value(Kind::Float, value.id));
        if self.build.is_certainly(whole.here, true) {
            return self.for_each_kind(&ints, operation);
        }
        let path = self.path;
        self.path = self.build.and(path, whole.here);
        let of_ints = self.for_each_kind(&ints, operation)?;
        let not = self.build.not(whole.here);
        self.path = self.build.and(path, not);
        let of_floats = self.for_each_kind(&floats, operation)?;
        self.path = path;
        Ok(self.join(whole.here, of_ints, of_floats))
    }

    /// The same value as a float.
    pub(super) fn rounded(&mut self, value: Value) -> Value {
        match value.kind {
            Kind::Int | Kind::Bool | Kind::Number => {
                Value { kind: Kind::Float, id: self.converted(value, Kind::Float), whole: None, ..value }
            }
            _ => value,
        }
    }

    /// Whether a value is a number that a float holds exactly, for certain.
    pub(super) fn is_exact(&self, value: Value) -> bool {
        match value.kind {
            Kind::Float | Kind::Bool => true,
            Kind::Int => self.is_small(value.id),
            Kind::Number => value.whole.is_some_and(|whole| self.is_small(whole.int)),
            _ => false,
        }
    }

    /// Whether an integer is one that a float holds exactly, for certain.
    pub(super) fn is_small(&self, int: Id) -> bool {
        // Deep chains of choices are given up, which costs time only.
        let mut open = vec![int];
        for _ in 0..64 {
            let Some(int) = open.pop() else { return true };
            match self.build.ops[int.index()] {
                Op::Int(x) if x.unsigned_abs() <= 1 << 53 => {}
                Op::BoolToInt(_) => {}
                Op::Field(..) if self.small.contains(&int) => {}
                Op::Select(_, a, b) => open.extend([a, b]),
                _ => return false,
            }
        }
        false
    }
}
