//! Operations are made here: one after another, simplified, and in the end those that are needed.

use std::collections::HashMap;

use crate::interpret::constant_of;
use crate::ops::{BoolBinary, Compare, Id, Op, Type};

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
            Op::IntToFloat(a) => match self.ops[a.index()] {
                Op::BoolToInt(truth) => {
                    let (one, zero) = (self.float(1.0), self.float(0.0));
                    Some(self.select(truth, one, zero))
                }
                _ => None,
            },
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
