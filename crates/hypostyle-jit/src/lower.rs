//! From a program to typed operations, once the types of its columns are known.
//!
//! The body is walked once, as if it ran: a variable holds the number of an operation, its kind, and the conditions under which
//! it is `None` or not bound.  Both arms of an `if` are walked and joined by selection, loops are unrolled.  `path` is the
//! condition under which CPython would be where the walk is; what would raise there adds to `error`.

mod calls;
mod fields;
mod kinds;
mod loops;
mod mixed;
mod numbers;
mod state;
pub mod windows;

use std::collections::HashMap;

use hypostyle::code_of;

use self::fields::Field;
pub use self::fields::FieldType;
pub use self::kinds::Ticks;
use self::kinds::{Kind, Value, joined, type_of};
use crate::build::{Builder, without_nulls};
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
    /// Dates, times of day or both, and durations, in ticks of the function's clock.
    Moment,
    Duration,
    /// An unsigned integer of 64 bits whose top bit is flipped; values of more than 63 bits raise.
    Unsigned,
    /// The codes of strings.
    Text,
}

type Variables = HashMap<String, Value>;

/// A `return`: when it is reached, and with what.
struct Exit {
    when: Id,
    results: Vec<Value>,
    state: Vec<Value>,
    variables: Variables,
}

/// A function with types.
#[derive(Debug, Clone, PartialEq)]
pub struct Typed {
    pub code: Code,
    /// The type of each result.
    pub results: Vec<Type>,
    /// The results that are times, and what kind of time.
    pub times: Vec<Option<Ticks>>,
    /// Which results are codes of strings.
    pub texts: Vec<bool>,
    /// The fields of the state, which have slots in `code`.
    pub fields: Vec<FieldType>,
    /// The slots before the first row.
    pub start: Vec<u64>,
    /// What is known of each field: one that is always `None` has no type.
    known: Vec<Field>,
    /// The fields that are an int or a float as it happens, where it makes no difference which.
    unread: Vec<bool>,
}

impl Typed {
    /// The same function for columns without nulls, with the same state and the same types of results.
    #[must_use]
    pub fn without_nulls(&self) -> Self {
        Self { code: without_nulls(&self.code), ..self.clone() }
    }
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
    let mut fields: Vec<Field> = function.state.iter().map(|(_, start)| Field::of(start)).collect();
    // A field has the kind of its start value and of all that is assigned to it; each round can only widen it.
    for _ in 0..8 + 4 * fields.len() {
        let typed = Walk::new(function, types, &nulls, &fields).run(&fields, &[], &fields)?;
        if typed.known != fields {
            fields = typed.known;
        } else if typed.unread.contains(&true) {
            fields.iter_mut().zip(&typed.unread).filter(|(_, unread)| **unread).for_each(|(field, _)| field.round());
        } else {
            return Ok(typed);
        }
    }
    invalid("the types of the state's fields are not settled: begin each with a value of its type")
}

/// The same function where more is known of the nulls, with the same types of results and fields.
///
/// # Errors
/// An operation that has no meaning for a column that is always null.
pub fn lower_as(general: &Typed, function: &Function, types: &[InputType], nulls: &[Nulls]) -> Checked<Typed> {
    let kind = |(of, is_text): (&Type, &bool)| match of {
        _ if *is_text => Kind::Text,
        Type::Float => Kind::Float,
        Type::Int => Kind::Int,
        Type::Bool => Kind::Bool,
    };
    let results: Vec<Kind> = general.results.iter().zip(&general.texts).map(kind).collect();
    let fields = &general.known;
    Walk::new(function, types, nulls, fields).run(fields, &results, fields)
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
    /// Where CPython is here, within the function that is being inlined.
    path: Id,
    /// Where it entered that function.
    outer: Id,
    error: Id,
    exits: Vec<Exit>,
    /// How many blocks are being walked, one in the other: of the function itself no variable is read after its exits.
    blocks: usize,
    loops: Vec<Frame>,
    /// The ints of fields that a float holds exactly.
    small: Vec<Id>,
    /// How many statements were walked, in loops each time.
    walked: usize,
    yes: Id,
    no: Id,
}

impl<'p> Walk<'p> {
    fn new(function: &'p Function, types: &[InputType], nulls: &[Nulls], fields: &[Field]) -> Self {
        let mut build = Builder::default();
        let (yes, no) = (build.bool(true), build.bool(false));
        let mut walk = Self {
            function,
            build,
            variables: HashMap::new(),
            fields: Vec::new(),
            path: yes,
            outer: yes,
            error: no,
            exits: Vec::new(),
            blocks: 0,
            loops: Vec::new(),
            small: Vec::new(),
            walked: 0,
            yes,
            no,
        };
        for (at, name) in function.inputs.iter().enumerate() {
            let value = walk.input(at, types[at], nulls[at]);
            walk.variables.insert(name.clone(), value);
        }
        let mut slot = 0;
        for field in fields {
            let value = walk.field(&mut slot, *field);
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
            InputType::Int | InputType::Moment | InputType::Duration => {
                (Kind::Int, self.build.push(Op::Column(at, Type::Int)))
            }
            InputType::Text => (Kind::Text, self.build.push(Op::Column(at, Type::Int))),
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
        let time = match of {
            InputType::Moment => Some(Ticks::Moment),
            InputType::Duration => Some(Ticks::Duration),
            _ => None,
        };
        Value { kind, id, none, unbound: self.no, whole: None, time }
    }

    fn nothing(&mut self) -> Value {
        let id = self.build.float(0.0);
        Value { kind: Kind::None, id, none: self.yes, unbound: self.no, whole: None, time: None }
    }

    fn value(&self, kind: Kind, id: Id) -> Value {
        Value { kind, id, none: self.no, unbound: self.no, whole: None, time: None }
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
    fn run(mut self, fields: &[Field], wanted: &[Kind], least: &[Field]) -> Checked<Typed> {
        self.statements(&self.function.body)?;
        let width = self.function.outputs.len().max(1);
        let exit = self.left(width, self.function.state.len())?;
        // A function that ends without `return` returns None, which is no state.
        if !fields.is_empty() && !exit.state.is_empty() {
            let fallen = self.path;
            self.raise(fallen);
        }
        let mut known = Vec::new();
        let mut slots = Vec::new();
        for (at, value) in exit.state.iter().enumerate() {
            let (field, ids) = self.next(*value, least.get(at).copied(), !wanted.is_empty())?;
            known.push(field);
            slots.push(ids);
        }
        let mut results = Vec::new();
        let mut types = Vec::new();
        let mut times = Vec::new();
        let mut texts = Vec::new();
        for (at, value) in exit.results.iter().enumerate() {
            let kind = joined(value.kind, wanted.get(at).copied().unwrap_or(Kind::None));
            if kind == Kind::Mixed {
                return invalid("a result is a string on one path and a number on another");
            }
            let id = self.converted(*value, kind);
            let (_, missing) = self.read(*value);
            types.push(type_of(kind));
            times.push(value.time.filter(|_| kind == Kind::Int));
            texts.push(kind == Kind::Text);
            results.push((id, missing));
        }
        let mut error = self.error;
        for (_, null) in &mut results {
            *null = self.build.or(*null, error);
        }
        let roots: Vec<Id> = results.iter().flat_map(|(value, null)| [*value, *null]).chain([error]).collect();
        let unread = fields::unread(&self.build.ops, &roots, &known, &slots);
        let mut next: Vec<Id> = slots.into_iter().flatten().collect();
        let mut wanted: Vec<&mut Id> = vec![&mut error];
        wanted.extend(next.iter_mut());
        wanted.extend(results.iter_mut().flat_map(|(value, null)| [value, null]));
        let (ops, op_types) = self.build.finish(&mut wanted);
        if ops.len() > MOST_OPS {
            return invalid(format!("it has {} operations, more than {MOST_OPS}", ops.len()));
        }
        let code = Code { ops, types: op_types, results, error, next };
        let fields: Vec<FieldType> = known.iter().map(|field| field.as_type()).collect();
        let starts = self.function.state.iter().zip(&fields);
        let start = starts.flat_map(|((_, start), field)| field.start(start)).collect();
        Ok(Typed { code, results: types, times, texts, fields, start, known, unread })
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
                let variables = if self.blocks > 0 { self.variables.clone() } else { Variables::new() };
                self.exits.push(Exit { when: self.path, results, state, variables });
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
                let (x, y) = (self.converted(a, kind), self.converted(b, kind));
                // Where one is None for certain, its value does not matter.
                match (a.kind, b.kind) {
                    (Kind::None, _) => y,
                    (_, Kind::None) => x,
                    _ => self.build.select(condition, x, y),
                }
            }
        };
        let whole = if kind == Kind::Number { self.joined_whole(condition, a, b) } else { None };
        let kind = if kind == Kind::Number && whole.is_none() { Kind::Float } else { kind };
        let time = Ticks::joined((a.kind, a.time), (b.kind, b.time));
        Value { kind, id, none, unbound, whole, time }
    }

    /// The exits of the function that is being walked, as one.
    fn left(&mut self, results: usize, fields: usize) -> Checked<Exit> {
        let exits = std::mem::take(&mut self.exits);
        let nothing = self.nothing();
        let mut exits = exits.into_iter().rev();
        let variables = if self.blocks > 0 { std::mem::take(&mut self.variables) } else { Variables::new() };
        let fallen = Exit { when: self.path, results: vec![nothing; results], state: vec![nothing; fields], variables };
        let mut last = if self.dead() { exits.next().unwrap_or(fallen) } else { fallen };
        for exit in exits {
            let join = |walk: &mut Self, a: Vec<Value>, b: &[Value]| -> Vec<Value> {
                a.into_iter().zip(b).map(|(a, b)| walk.join(exit.when, a, *b)).collect()
            };
            last.results = join(self, exit.results, &last.results);
            last.state = join(self, exit.state, &last.state);
            last.variables = self.merged(exit.when, exit.variables, last.variables);
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
            Kind::Int if value.time == Some(Ticks::Moment) => self.yes,
            Kind::Float | Kind::Number => {
                let zero = self.build.float(0.0);
                let equal = self.build.fcmp(crate::ops::Compare::Eq, value.id, zero);
                self.build.not(equal)
            }
            // The code of the empty string is 0.
            Kind::Int | Kind::Text => {
                let zero = self.build.int(0);
                let equal = self.build.icmp(crate::ops::Compare::Eq, value.id, zero);
                self.build.not(equal)
            }
            Kind::Mixed => return invalid("a variable is a string on one path and a number on another"),
        };
        let there = self.build.not(value.none);
        Ok(self.build.and(there, truth))
    }

    fn expression(&mut self, expression: &'p Expression) -> Checked<Value> {
        Ok(match expression {
            Expression::Constant(constant) => self.constant(constant)?,
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
                self.blocks += 1;
                self.statements(body)?;
                let exit = self.left(1, 0)?;
                self.blocks -= 1;
                // What the body has set by then, on whatever way it was left.
                self.variables = exit.variables;
                (self.outer, self.path, self.exits, self.loops) = saved;
                exit.results[0]
            }
        })
    }

    fn constant(&mut self, constant: &'p Constant) -> Checked<Value> {
        let (kind, id) = match constant {
            Constant::None => return Ok(self.nothing()),
            Constant::Bool(x) => (Kind::Bool, self.build.bool(*x)),
            Constant::Int(x) => (Kind::Int, self.build.int(*x)),
            Constant::Float(x) => (Kind::Float, self.build.float(*x)),
            Constant::Text(text) => (Kind::Text, self.build.int(code_of(text))),
            Constant::Time(time) => {
                let ticks = self.function.clock.ticks(*time).map_err(Invalid)?;
                let id = self.build.int(ticks);
                return Ok(Value { time: Some(fields::ticks_of(time.of)), ..self.value(Kind::Int, id) });
            }
            Constant::Ticks(ticks, _) => (Kind::Int, self.build.int(*ticks)),
        };
        Ok(self.value(kind, id))
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
