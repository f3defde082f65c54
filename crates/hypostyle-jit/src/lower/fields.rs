//! The fields of a state: what is known of them, and the slots that hold them.

use hypostyle::code_of;

use super::kinds::{Kind, Ticks, type_of};
use crate::clock::TimeOf;
use crate::ops::{Id, Op, Type};
use crate::program::Constant;

/// What is known of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    pub kind: Kind,
    pub nullable: bool,
    /// Whether its ints are such that a float holds them exactly.
    pub small: bool,
    /// Whether it may become an int, which nobody tells from a float.
    pub rounded: bool,
    /// Whether its ints are times.
    pub time: Option<Ticks>,
}

/// What a time that a program names is as a value.
pub fn ticks_of(of: TimeOf) -> Ticks {
    match of {
        TimeOf::Duration | TimeOf::Calendar => Ticks::Duration,
        TimeOf::Naive | TimeOf::Aware => Ticks::Moment,
    }
}

impl Field {
    /// A field that begins with this.
    pub fn of(start: &Constant) -> Self {
        let (kind, nullable) = match start {
            Constant::None => (Kind::None, true),
            Constant::Text(_) => (Kind::Text, false),
            Constant::Bool(_) => (Kind::Bool, false),
            Constant::Int(_) | Constant::Time(_) | Constant::Ticks(..) => (Kind::Int, false),
            Constant::Float(_) => (Kind::Float, false),
        };
        let small = !matches!(start, Constant::Int(x) if x.unsigned_abs() > 1 << 53);
        let time = if let Constant::Ticks(_, of) = start { Some(ticks_of(*of)) } else { None };
        Self { kind, nullable, small, rounded: false, time }
    }

    /// Makes it a float.
    pub fn round(&mut self) {
        (self.kind, self.rounded) = (Kind::Float, true);
    }

    pub fn as_type(self) -> FieldType {
        FieldType { of: type_of(self.kind), mixed: self.kind == Kind::Number, nullable: self.nullable }
    }
}

/// A field of the state: its type, whether it is an int or a float as it happens, and whether it can be `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldType {
    pub of: Type,
    pub mixed: bool,
    pub nullable: bool,
}

impl FieldType {
    /// The slots that hold it: what is added to its name, and the type.
    pub fn slots(self) -> impl Iterator<Item = (&'static str, Type)> {
        let mixed = [(".int", Type::Int), (".is_int", Type::Bool)].into_iter().filter(move |_| self.mixed);
        let none = self.nullable.then_some((".none", Type::Bool));
        std::iter::once(("", self.of)).chain(mixed).chain(none)
    }

    /// The bits of its slots before the first row.
    pub fn start(self, start: &Constant) -> Vec<u64> {
        let (int, is_int) = match start {
            Constant::Int(x) | Constant::Ticks(x, _) => (*x, true),
            Constant::Bool(x) => (i64::from(*x), true),
            Constant::Text(text) => (code_of(text), false),
            _ => (0, false),
        };
        #[expect(clippy::cast_precision_loss, reason = "Python converts so too")]
        let own = match (start, self.of) {
            (Constant::Float(x), _) => x.to_bits(),
            (_, Type::Float) => (int as f64).to_bits(),
            _ => int.cast_unsigned(),
        };
        let of_slot = |(name, _): (&str, Type)| match name {
            ".int" => int.cast_unsigned(),
            ".is_int" => u64::from(is_int),
            ".none" => u64::from(*start == Constant::None),
            _ => own,
        };
        self.slots().map(of_slot).collect()
    }
}

/// Which fields are an int or a float without that anything depends on which it is, so that they can be floats.
pub fn unread(ops: &[Op], roots: &[Id], fields: &[Field], next: &[Vec<Id>]) -> Vec<bool> {
    let mut unread: Vec<bool> = fields.iter().map(|field| field.kind == Kind::Number).collect();
    while unread.contains(&true) {
        let mut needed = vec![false; ops.len()];
        roots.iter().for_each(|id| needed[id.index()] = true);
        for (slots, unread) in next.iter().zip(&unread) {
            let own = slots.iter().enumerate().filter(|(slot, _)| !unread || *slot != 1 && *slot != 2);
            own.for_each(|(_, id)| needed[id.index()] = true);
        }
        for at in (0..ops.len()).rev() {
            if needed[at] {
                ops[at].operands().for_each(|id| needed[id.index()] = true);
            }
        }
        let reads = |wanted: usize| {
            ops.iter()
                .zip(&needed)
                .any(|(op, needed)| *needed && matches!(op, Op::Field(slot, _) if usize::from(*slot) == wanted))
        };
        let mut slot = 0;
        let before = unread.clone();
        for (field, unread) in fields.iter().zip(&mut unread) {
            *unread = *unread && !reads(slot + 1) && !reads(slot + 2);
            slot += field.as_type().slots().count();
        }
        if unread == before {
            break;
        }
    }
    unread
}
