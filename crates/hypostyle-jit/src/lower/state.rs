//! The fields of a state while a function is walked: as values before the row, and as slots after it.

use super::Walk;
use super::fields::Field;
use super::kinds::{Kind, Ticks, Value, Whole, joined};
use crate::ops::{Id, Op};
use crate::program::{Checked, Constant, invalid};

impl Walk<'_> {
    /// A field before the row; its slots begin with `slot`.
    pub(super) fn field(&mut self, slot: &mut u16, field: Field) -> Value {
        let slots: Vec<Id> = field
            .as_type()
            .slots()
            .map(|(_, of)| {
                *slot += 1;
                self.build.push(Op::Field(*slot - 1, of))
            })
            .collect();
        if field.kind == Kind::None {
            return self.nothing();
        }
        let none = if field.nullable { slots[slots.len() - 1] } else { self.no };
        let mut whole = None;
        if field.kind == Kind::Number {
            whole = Some(Whole { int: slots[1], here: slots[2] });
            self.small.extend(field.small.then_some(slots[1]));
        }
        Value { kind: field.kind, id: slots[0], none, unbound: self.no, whole, time: field.time }
    }

    /// A field after the row, which is at least what it was before, and its slots; `settled`: it is known already whether it can be
    /// `None`, which may not show where more is known of the columns.
    pub(super) fn next(&mut self, value: Value, least: Option<Field>, settled: bool) -> Checked<(Field, Vec<Id>)> {
        let least = least.unwrap_or(Field { nullable: false, ..Field::of(&Constant::None) });
        let mut kind = joined(least.kind, value.kind);
        if kind == Kind::Mixed {
            return invalid("a field of the state is a string in one row and a number in another");
        }
        if least.rounded {
            kind = Kind::Float;
        }
        let time = Ticks::joined((least.kind, least.time), (value.kind, value.time));
        let (value, missing) = self.read(value);
        let here = self.build.not(self.error);
        let can_miss = self.build.and(here, missing);
        let may_be_none = !settled && !self.build.is_certainly(can_miss, false);
        let nullable = kind == Kind::None || least.nullable || may_be_none;
        let whole = self.whole(value);
        let small = least.small && whole.is_none_or(|whole| self.is_small(whole.int));
        let mut slots = vec![self.converted(value, kind)];
        if kind == Kind::Number {
            let int = whole.map_or_else(|| self.build.int(0), |whole| whole.int);
            slots.extend([int, whole.map_or(self.no, |whole| whole.here)]);
        }
        slots.extend(nullable.then_some(missing));
        Ok((Field { kind, nullable, small, rounded: least.rounded, time }, slots))
    }
}
