//! From a program to typed operations, once the types of its columns are known.
//!
//! The body is walked once, as if it ran: a variable holds the number of an operation, its kind, and the conditions under which
//! it is `None` or not bound.  Both arms of an `if` are walked and joined by selection, loops are unrolled.  `path` is the
//! condition under which CPython would be where the walk is; what would raise there adds to `error`.

mod calls;
mod loops;
mod numbers;
pub mod windows;

use std::collections::HashMap;

use crate::build::Builder;
use crate::ops::{Code, Id, Op, Type};
use crate::program::{Checked, Constant, Expression, Function, Invalid, Statement, Unary, invalid};

/// No function has more operations.
const MOST_OPS: usize = 20_000;

/// How an input is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InputType {
    Float,
    Int,
    Bool,
    /// An unsigned integer of 64 bits whose top bit is flipped; values of more than 63 bits raise.
    Unsigned,
}

/// What is known of a value: its type, or that it is nothing else than `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    None,
    Float,
    Int,
    Bool,
    /// A string constant, by its number.
    Text(u32),
    /// Values of kinds that do not go together; an error if it is used.
    Mixed,
}

/// A value of Python.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Value {
    kind: Kind,
    id: Id,
    /// Where it is `None`.
    none: Id,
    /// Where there is no value: the variable is not bound.
    unbound: Id,
}

type Variables = HashMap<String, Value>;

/// A `return`: when it is reached, and with what.
struct Exit {
    when: Id,
    results: Vec<Value>,
    state: Vec<Value>,
}

/// A field of the state: its kind, and whether it can be `None`, in which case it has a second slot that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldType {
    pub of: Type,
    pub nullable: bool,
}

/// A function with types.
#[derive(Debug, Clone, PartialEq)]
pub struct Typed {
    pub code: Code,
    /// The type of each result.
    pub results: Vec<Type>,
    /// The fields of the state; `code` has a slot for each, and one more for each that can be `None`.
    pub fields: Vec<FieldType>,
    /// The slots before the first row.
    pub start: Vec<u64>,
    /// What is known of each field: one that is always `None` has no type.
    kinds: Vec<(Kind, bool)>,
}

/// What is known of a column besides its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    /// It has none.
    Never,
    /// It may have some.
    Some,
    /// It is null in every row.
    Always,
}

/// What the function is for columns of these types, whatever is null.
///
/// # Errors
/// Operations that Python does not have for these types, in words.
pub fn lower(function: &Function, types: &[InputType]) -> Checked<Typed> {
    let nulls = vec![Nulls::Some; types.len()];
    let mut fields: Vec<(Kind, bool)> = function.state.iter().map(|(_, start)| kind_of(start)).collect();
    // A field has the kind of its start value and of all that is assigned to it; each round can only widen it.
    for _ in 0..8 {
        let typed = Walk::new(function, types, &nulls, &fields).run(&fields, &[], &fields)?;
        if typed.kinds == fields {
            return Ok(typed);
        }
        fields = typed.kinds;
    }
    invalid("the types of the state's fields are not settled: begin each with a value of its type")
}

/// The same function where more is known of the nulls, with the same types of results and fields.
///
/// # Errors
/// An operation that has no meaning for a column that is always null.
pub fn lower_as(general: &Typed, function: &Function, types: &[InputType], nulls: &[Nulls]) -> Checked<Typed> {
    let kind = |of: &Type| match of {
        Type::Float => Kind::Float,
        Type::Int => Kind::Int,
        Type::Bool => Kind::Bool,
    };
    let results: Vec<Kind> = general.results.iter().map(kind).collect();
    let fields = &general.kinds;
    Walk::new(function, types, nulls, fields).run(fields, &results, fields)
}

fn kind_of(start: &Constant) -> (Kind, bool) {
    match start {
        Constant::None | Constant::Text(_) => (Kind::None, true),
        Constant::Bool(_) => (Kind::Bool, false),
        Constant::Int(_) => (Kind::Int, false),
        Constant::Float(_) => (Kind::Float, false),
    }
}

/// The kind of a value that is one or the other.
fn joined(a: Kind, b: Kind) -> Kind {
    use Kind::{Bool, Float, Int, None};
    match (a, b) {
        (None, x) | (x, None) => x,
        (Float, Float | Int | Bool) | (Int | Bool, Float) => Float,
        (Int, Int | Bool) | (Bool, Int) => Int,
        (x, y) if x == y => x,
        _ => Kind::Mixed,
    }
}

fn type_of(kind: Kind) -> Type {
    match kind {
        Kind::Int | Kind::Text(_) => Type::Int,
        Kind::Bool => Type::Bool,
        Kind::Float | Kind::None | Kind::Mixed => Type::Float,
    }
}

/// The ways out of a loop's body: where they are taken, and the variables then.
#[derive(Default)]
struct Frame {
    breaks: Vec<(Id, Variables)>,
    continues: Vec<(Id, Variables)>,
}

struct Walk<'p> {
    function: &'p Function,
    build: Builder,
    variables: Variables,
    fields: Vec<Value>,
    texts: Vec<&'p str>,
    /// Where CPython is here, within the function that is being inlined.
    path: Id,
    /// Where it entered that function.
    outer: Id,
    error: Id,
    exits: Vec<Exit>,
    loops: Vec<Frame>,
    /// How many statements were walked, in loops each time.
    walked: usize,
    yes: Id,
    no: Id,
}

impl<'p> Walk<'p> {
    fn new(function: &'p Function, types: &[InputType], nulls: &[Nulls], fields: &[(Kind, bool)]) -> Self {
        let mut build = Builder::default();
        let (yes, no) = (build.bool(true), build.bool(false));
        let mut walk = Self {
            function,
            build,
            variables: HashMap::new(),
            fields: Vec::new(),
            texts: Vec::new(),
            path: yes,
            outer: yes,
            error: no,
            exits: Vec::new(),
            loops: Vec::new(),
            walked: 0,
            yes,
            no,
        };
        for (at, name) in function.inputs.iter().enumerate() {
            let value = walk.input(at, types[at], nulls[at]);
            walk.variables.insert(name.clone(), value);
        }
        let mut slot = 0;
        for (kind, nullable) in fields {
            let value = walk.slot(&mut slot, *kind, *nullable);
            walk.fields.push(value);
        }
        walk
    }

    fn input(&mut self, at: usize, of: InputType, nulls: Nulls) -> Value {
        let at = u16::try_from(at).unwrap_or(u16::MAX);
        let none = match nulls {
            Nulls::Always => return self.nothing(),
            Nulls::Some => self.build.push(Op::IsNull(at)),
            Nulls::Never => self.no,
        };
        let (kind, id) = match of {
            InputType::Float => (Kind::Float, self.build.push(Op::Column(at, Type::Float))),
            InputType::Bool => (Kind::Bool, self.build.push(Op::Column(at, Type::Bool))),
            InputType::Int => (Kind::Int, self.build.push(Op::Column(at, Type::Int))),
            InputType::Unsigned => {
                let flipped = self.build.push(Op::Column(at, Type::Int));
                let top = self.build.int(i64::MIN);
                let value = self.int(crate::ops::IntBinary::Xor, flipped, top);
                let zero = self.build.int(0);
                let large = self.build.icmp(crate::ops::Compare::Lt, value, zero);
                let there = self.build.not(none);
                let large = self.build.and(large, there);
                self.raise(large);
                (Kind::Int, value)
            }
        };
        Value { kind, id, none, unbound: self.no }
    }

    fn slot(&mut self, slot: &mut u16, kind: Kind, nullable: bool) -> Value {
        if kind == Kind::None {
            *slot += 2;
            return self.nothing();
        }
        let id = self.build.push(Op::Field(*slot, type_of(kind)));
        *slot += 1;
        let none = if nullable { self.build.push(Op::Field(*slot, Type::Bool)) } else { self.no };
        *slot += u16::from(nullable);
        Value { kind, id, none, unbound: self.no }
    }

    fn nothing(&mut self) -> Value {
        let id = self.build.float(0.0);
        Value { kind: Kind::None, id, none: self.yes, unbound: self.no }
    }

    fn value(&self, kind: Kind, id: Id) -> Value {
        Value { kind, id, none: self.no, unbound: self.no }
    }

    /// CPython raises here if this is so.
    fn raise(&mut self, when: Id) {
        let here = self.build.and(self.outer, self.path);
        let when = self.build.and(here, when);
        self.error = self.build.or(self.error, when);
    }

    fn dead(&self) -> bool {
        self.build.is_certainly(self.path, false)
    }

    /// `wanted` are the kinds that the results have at least, `least` those of the fields after the row, if anything is known.
    fn run(mut self, fields: &[(Kind, bool)], wanted: &[Kind], least: &[(Kind, bool)]) -> Checked<Typed> {
        self.statements(&self.function.body)?;
        let width = self.function.outputs.len().max(1);
        let exit = self.left(width, self.function.state.len())?;
        // A function that ends without `return` returns None, which is no state.
        if !fields.is_empty() && !exit.state.is_empty() {
            let fallen = self.path;
            self.raise(fallen);
        }
        let mut found = Vec::new();
        let mut next = Vec::new();
        for (at, value) in exit.state.iter().enumerate() {
            let (kind, nullable) = least.get(at).copied().unwrap_or((Kind::None, false));
            let joined = joined(kind, value.kind);
            if joined == Kind::Mixed || matches!(joined, Kind::Text(_)) {
                return invalid("a field of the state has to be a float, an int, a bool or None");
            }
            let (value, missing) = self.read(*value);
            let here = self.build.not(self.error);
            let can_miss = self.build.and(here, missing);
            let nullable = joined == Kind::None || nullable || !self.build.is_certainly(can_miss, false);
            found.push((joined, nullable));
            next.push(self.cast(value, joined)?.id);
            if nullable {
                next.push(missing);
            }
        }
        let mut results = Vec::new();
        let mut types = Vec::new();
        for (at, value) in exit.results.iter().enumerate() {
            let kind = joined(value.kind, wanted.get(at).copied().unwrap_or(Kind::None));
            if matches!(kind, Kind::Mixed | Kind::Text(_)) {
                return invalid("a result has to be a float, an int, a bool or None, on every path of one kind");
            }
            let value = self.cast(*value, kind)?;
            let (value, missing) = self.read(value);
            types.push(type_of(value.kind));
            results.push((value.id, missing));
        }
        let mut error = self.error;
        for (_, null) in &mut results {
            *null = self.build.or(*null, error);
        }
        let mut wanted: Vec<&mut Id> = vec![&mut error];
        wanted.extend(next.iter_mut());
        wanted.extend(results.iter_mut().flat_map(|(value, null)| [value, null]));
        let (ops, op_types) = self.build.finish(&mut wanted);
        if ops.len() > MOST_OPS {
            return invalid(format!("it has {} operations, more than {MOST_OPS}", ops.len()));
        }
        let code = Code { ops, types: op_types, results, error, next };
        let field = |(kind, nullable): &(Kind, bool)| FieldType { of: type_of(*kind), nullable: *nullable };
        let fields: Vec<FieldType> = found.iter().map(field).collect();
        let start = slots(self.function.state.iter().map(|(_, start)| start).zip(&fields));
        Ok(Typed { code, results: types, fields, start, kinds: found })
    }

    /// A value that is used: raises where the variable is not bound.
    fn read(&mut self, value: Value) -> (Value, Id) {
        self.raise(value.unbound);
        (value, value.none)
    }

    fn statements(&mut self, body: &'p [Statement]) -> Checked<()> {
        for statement in body {
            if self.dead() {
                break;
            }
            self.walked += 1;
            self.check_size()?;
            self.statement(statement)?;
        }
        Ok(())
    }

    fn check_size(&self) -> Checked<()> {
        if self.build.ops.len() > 4 * MOST_OPS || self.walked > 4 * MOST_OPS {
            return invalid(format!("its loops unroll to more than {MOST_OPS} operations"));
        }
        Ok(())
    }

    fn statement(&mut self, statement: &'p Statement) -> Checked<()> {
        match statement {
            Statement::Set(name, value) => {
                let value = self.expression(value)?;
                self.read(value);
                self.variables.insert(name.clone(), Value { unbound: self.no, ..value });
            }
            Statement::If(condition, then, other) => {
                let condition = self.truth_of(condition)?;
                self.branch(condition, |walk| walk.statements(then), |walk| walk.statements(other))?;
            }
            Statement::For(name, items, body) => self.for_loop(name, items, body)?,
            Statement::Each(..) => return invalid("only a function of a window has a loop over it"),
            Statement::While(condition, body) => self.while_loop(condition, body)?,
            Statement::Break => self.leave(true),
            Statement::Continue => self.leave(false),
            Statement::Return { results, state } => {
                let read = |walk: &mut Self, expressions: &'p [Expression]| {
                    expressions
                        .iter()
                        .map(|expression| {
                            let value = walk.expression(expression)?;
                            walk.read(value);
                            Ok(Value { unbound: walk.no, ..value })
                        })
                        .collect::<Checked<Vec<_>>>()
                };
                let (state, results) = (read(self, state)?, read(self, results)?);
                self.exits.push(Exit { when: self.path, results, state });
                self.path = self.no;
            }
        }
        Ok(())
    }

    /// Walks two branches and joins what they leave.
    fn branch<A, B>(
        &mut self,
        condition: Id,
        then: impl FnOnce(&mut Self) -> Checked<A>,
        other: impl FnOnce(&mut Self) -> Checked<B>,
    ) -> Checked<(Option<A>, Option<B>)> {
        if self.build.is_certainly(condition, true) {
            return Ok((Some(then(self)?), None));
        }
        if self.build.is_certainly(condition, false) {
            return Ok((None, Some(other(self)?)));
        }
        let (path, before) = (self.path, self.variables.clone());
        let on = self.build.and(path, condition);
        self.path = on;
        let first = then(self)?;
        let (on_end, on_variables) = (self.path, std::mem::replace(&mut self.variables, before));
        let not = self.build.not(condition);
        let off = self.build.and(path, not);
        self.path = off;
        let second = other(self)?;
        let off_end = self.path;
        if self.build.is_certainly(off_end, false) {
            self.variables = on_variables;
        } else if !self.build.is_certainly(on_end, false) {
            let off_variables = std::mem::take(&mut self.variables);
            self.variables = self.merged(condition, on_variables, off_variables);
        }
        self.path = if (on_end, off_end) == (on, off) { path } else { self.build.or(on_end, off_end) };
        Ok((Some(first), Some(second)))
    }

    /// The variables of one side where the condition holds, of the other elsewhere.
    fn merged(&mut self, condition: Id, on: Variables, mut off: Variables) -> Variables {
        let mut merged = Variables::new();
        let mut names: Vec<(String, Value)> = on.into_iter().collect();
        names.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, a) in names {
            let b = off.remove(&name).unwrap_or(Value { unbound: self.yes, ..a });
            let value = self.join(condition, a, b);
            merged.insert(name, value);
        }
        let mut rest: Vec<(String, Value)> = off.into_iter().collect();
        rest.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, b) in rest {
            let a = Value { unbound: self.yes, ..b };
            let value = self.join(condition, a, b);
            merged.insert(name, value);
        }
        merged
    }

    /// The first value where the condition holds, else the second.
    fn join(&mut self, condition: Id, a: Value, b: Value) -> Value {
        if a == b || self.build.is_certainly(condition, true) {
            return a;
        }
        if self.build.is_certainly(condition, false) {
            return b;
        }
        let none = self.build.select(condition, a.none, b.none);
        let unbound = self.build.select(condition, a.unbound, b.unbound);
        let kind = joined(a.kind, b.kind);
        let id = match kind {
            Kind::Mixed | Kind::None => a.id,
            kind => {
                let not = self.build.not(condition);
                for (value, taken) in [(a, condition), (b, not)] {
                    self.raise_if_rounded(value, kind, taken);
                }
                let (x, y) = (self.converted(a, kind), self.converted(b, kind));
                // Where one is None for certain, its value does not matter.
                match (a.kind, b.kind) {
                    (Kind::None, _) => y,
                    (_, Kind::None) => x,
                    _ => self.build.select(condition, x, y),
                }
            }
        };
        Value { kind, id, none, unbound }
    }

    /// Where an int becomes a float only because a float comes on another path, it must not change.
    fn raise_if_rounded(&mut self, value: Value, kind: Kind, taken: Id) {
        if (value.kind, kind) != (Kind::Int, Kind::Float) || self.is_small(value.id) {
            return;
        }
        let rounded = self.build.push(Op::IntToFloat(value.id));
        let own = self.value(Kind::Int, value.id);
        let float = self.value(Kind::Float, rounded);
        let same = self.equal_numbers((own.kind, own.id), (float.kind, float.id));
        let changed = self.build.not(same);
        let there = self.build.not(value.none);
        let changed = self.build.and(changed, there);
        let changed = self.build.and(changed, taken);
        self.raise(changed);
    }

    /// The exits of the function that is being walked as one.
    fn left(&mut self, results: usize, fields: usize) -> Checked<Exit> {
        let exits = std::mem::take(&mut self.exits);
        let nothing = self.nothing();
        let mut exits = exits.into_iter().rev();
        let fallen = Exit { when: self.path, results: vec![nothing; results], state: vec![nothing; fields] };
        let mut last = if self.dead() { exits.next().unwrap_or(fallen) } else { fallen };
        for exit in exits {
            let join = |walk: &mut Self, a: Vec<Value>, b: &[Value]| -> Vec<Value> {
                a.into_iter().zip(b).map(|(a, b)| walk.join(exit.when, a, *b)).collect()
            };
            last.results = join(self, exit.results, &last.results);
            last.state = join(self, exit.state, &last.state);
        }
        Ok(last)
    }

    fn truth_of(&mut self, expression: &'p Expression) -> Checked<Id> {
        let value = self.expression(expression)?;
        self.truth(value)
    }

    /// `bool(value)`.
    fn truth(&mut self, value: Value) -> Checked<Id> {
        self.raise(value.unbound);
        let truth = match value.kind {
            Kind::None => self.no,
            Kind::Bool => value.id,
            Kind::Float => {
                let zero = self.build.float(0.0);
                let equal = self.build.fcmp(crate::ops::Compare::Eq, value.id, zero);
                self.build.not(equal)
            }
            Kind::Int => {
                let zero = self.build.int(0);
                let equal = self.build.icmp(crate::ops::Compare::Eq, value.id, zero);
                self.build.not(equal)
            }
            Kind::Text(_) => self.yes,
            Kind::Mixed => return invalid("a variable is a text on one path and a number on another"),
        };
        let there = self.build.not(value.none);
        Ok(self.build.and(there, truth))
    }

    fn expression(&mut self, expression: &'p Expression) -> Checked<Value> {
        Ok(match expression {
            Expression::Constant(constant) => self.constant(constant),
            Expression::Get(name) => match self.variables.get(name) {
                Some(value) => *value,
                None => {
                    let nothing = self.nothing();
                    Value { unbound: self.yes, ..nothing }
                }
            },
            Expression::Kept(name) => match self.variables.get(name).copied() {
                Some(value) => {
                    let none = self.build.or(value.none, value.unbound);
                    Value { none, unbound: self.no, ..value }
                }
                None => self.nothing(),
            },
            Expression::Field(name) => {
                let at = self.function.state.iter().position(|(field, _)| field == name);
                self.fields[at.ok_or_else(|| Invalid(format!("the state has no field '{name}'")))?]
            }
            Expression::Unary(Unary::Not, value) => {
                let truth = self.truth_of(value)?;
                let not = self.build.not(truth);
                self.value(Kind::Bool, not)
            }
            Expression::Unary(op, value) => {
                let value = self.expression(value)?;
                self.unary(*op, value)?
            }
            Expression::Binary(op, a, b) => {
                let (a, b) = (self.expression(a)?, self.expression(b)?);
                self.binary(*op, a, b)?
            }
            Expression::Compare(first, rest) => {
                let first = self.expression(first)?;
                self.chain(first, rest)?
            }
            Expression::IsNone(value) => {
                let value = self.expression(value)?;
                let (_, none) = self.read(value);
                self.value(Kind::Bool, none)
            }
            Expression::In(value, items) => {
                let value = self.expression(value)?;
                let items = items.iter().map(|item| self.expression(item)).collect::<Checked<Vec<_>>>()?;
                let mut found = self.no;
                for item in items {
                    let equal = self.equal(value, item)?;
                    found = self.build.or(found, equal);
                }
                self.value(Kind::Bool, found)
            }
            Expression::And(items) => self.connected(items, true)?,
            Expression::Or(items) => self.connected(items, false)?,
            Expression::If(condition, a, b) => {
                let condition = self.truth_of(condition)?;
                match self.branch(condition, |walk| walk.expression(a), |walk| walk.expression(b))? {
                    (Some(a), Some(b)) => self.join(condition, a, b),
                    (Some(only), None) | (None, Some(only)) => only,
                    (None, None) => self.nothing(),
                }
            }
            Expression::Call(name, arguments) => self.call(name, arguments)?,
            Expression::Block(body) => {
                let outer = self.build.and(self.outer, self.path);
                let saved = (self.outer, self.path, std::mem::take(&mut self.exits), std::mem::take(&mut self.loops));
                (self.outer, self.path) = (outer, self.yes);
                self.statements(body)?;
                let exit = self.left(1, 0)?;
                (self.outer, self.path, self.exits, self.loops) = saved;
                exit.results[0]
            }
        })
    }

    fn constant(&mut self, constant: &'p Constant) -> Value {
        let (kind, id) = match constant {
            Constant::None => return self.nothing(),
            Constant::Bool(x) => (Kind::Bool, self.build.bool(*x)),
            Constant::Int(x) => (Kind::Int, self.build.int(*x)),
            Constant::Float(x) => (Kind::Float, self.build.float(*x)),
            Constant::Text(text) => {
                let known = self.texts.iter().position(|known| known == text);
                let number = known.unwrap_or_else(|| {
                    self.texts.push(text);
                    self.texts.len() - 1
                });
                let number = u32::try_from(number).unwrap_or(u32::MAX);
                (Kind::Text(number), self.build.int(i64::from(number)))
            }
        };
        self.value(kind, id)
    }

    /// `a and b and ...`, or with `or`: the first operand that decides.
    fn connected(&mut self, items: &'p [Expression], all: bool) -> Checked<Value> {
        let (first, rest) = items.split_first().ok_or_else(|| Invalid("'and' of nothing".to_string()))?;
        let first = self.expression(first)?;
        if rest.is_empty() {
            return Ok(first);
        }
        let truth = self.truth(first)?;
        let go_on = if all { truth } else { self.build.not(truth) };
        Ok(match self.branch(go_on, |walk| walk.connected(rest, all), |_| Ok(()))? {
            (Some(next), Some(())) => self.join(go_on, next, first),
            (Some(next), None) => next,
            (None, _) => first,
        })
    }
}

/// The bits of a state before the first row.
fn slots<'a>(fields: impl Iterator<Item = (&'a Constant, &'a FieldType)>) -> Vec<u64> {
    let mut slots = Vec::new();
    for (start, field) in fields {
        #[expect(clippy::cast_precision_loss, reason = "Python converts so too")]
        slots.push(match (start, field.of) {
            (Constant::Float(x), _) => x.to_bits(),
            (Constant::Int(x), Type::Float) => (*x as f64).to_bits(),
            (Constant::Int(x), _) => x.cast_unsigned(),
            (Constant::Bool(x), Type::Float) => f64::from(u8::from(*x)).to_bits(),
            (Constant::Bool(x), _) => u64::from(*x),
            (Constant::None | Constant::Text(_), _) => 0,
        });
        if field.nullable {
            slots.push(u64::from(*start == Constant::None));
        }
    }
    slots
}
