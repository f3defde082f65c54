//! Functions of a window that go through its values.
//!
//! Such a function is a row of parts: statements before a loop over the window, the loop, statements after it.  Each part is a
//! function with a state, which holds the variables that a later part or a later turn reads.

use std::collections::{BTreeSet, HashSet};

use super::fields::Field;
use super::{InputType, Nulls, Walk};
use crate::ops::{Code, Type};
use crate::program::{Checked, Constant, Expression, Function, Statement, invalid};

/// What a part sees besides its variables: how many values the window has, the first, the last, and the one of this turn.
pub const INPUTS: [&str; 3] = ["count", "first", "last"];

/// Whether a `return` was reached in an earlier part.
const DONE: &str = ".done";

/// With which result.
fn returned(result: usize) -> String {
    format!(".result.{result}")
}

/// A part of a function of a window.
#[derive(Debug)]
pub struct Part {
    pub code: Code,
    /// Whether it runs for each value of the window; its columns are [`INPUTS`], and then the value.
    pub each: bool,
}

/// The parts of a function, in order, and the types of its results, which the last one has.
///
/// # Errors
/// Operations that Python does not have, in words.
pub fn lower_window(function: &Function) -> Checked<(Vec<Part>, Vec<Type>)> {
    for input in &function.inputs {
        if !INPUTS.contains(&input.as_str()) {
            return invalid(format!("beside a loop over the window, its {input} is not known"));
        }
    }
    if !function.state.is_empty() {
        return invalid("a function of a window has no state");
    }
    let pieces = pieces_of(&function.body);
    let results = function.outputs.len().max(1);
    let carried = carried(&pieces, results);
    let last = pieces.len() - 1;
    // Nothing is bound before the first part.
    let mut fields = vec![Field::of(&Constant::None); carried.len()];
    let (mut parts, mut results) = (Vec::new(), Vec::new());
    // The part before a loop, with the variables as it finds them.
    let mut before: Option<(Function, Vec<Field>)> = None;
    for (at, piece) in pieces.iter().enumerate() {
        let part = part_of(function, piece, at, &carried, at == last);
        let mut types = vec![InputType::Int, InputType::Float, InputType::Float];
        types.extend(piece.variable.map(|_| InputType::Float));
        let nulls = vec![Nulls::Never; types.len()];
        let each = piece.variable.is_some();
        let lower =
            |fields: &[Field], least: &[Field]| Walk::new(&part, &types, &nulls, fields).run(fields, &[], least);
        if !each {
            let typed = lower(&fields, &[])?;
            if typed.texts.contains(&true) {
                return invalid(
                    "a result that is a string is not compiled beside a loop over the window: number the strings",
                );
            }
            if at == last {
                results = typed.results;
            }
            parts.push(Part { code: typed.code, each });
            before = Some((part, std::mem::replace(&mut fields, typed.known)));
            continue;
        }
        // A turn can only widen what the variables may be; then they are so before the loop already.
        let entered = fields.clone();
        let mut code = None;
        for _ in 0..8 + 4 * carried.len() {
            let typed = lower(&fields, &fields)?;
            if typed.known == fields {
                code = Some(typed.code);
                break;
            }
            fields = typed.known;
        }
        let Some(code) = code else { return invalid("the types of the variables in a loop are not settled") };
        if let (true, Some((part, first))) = (fields != entered, before.take()) {
            let types = [InputType::Int, InputType::Float, InputType::Float];
            let typed = Walk::new(&part, &types, &[Nulls::Never; 3], &first).run(&first, &[], &fields)?;
            parts.pop();
            parts.push(Part { code: typed.code, each: false });
        }
        parts.push(Part { code, each });
    }
    Ok((parts, results))
}

/// Some statements of the body, or a loop over the window.
struct Piece<'p> {
    variable: Option<&'p str>,
    body: &'p [Statement],
}

fn pieces_of(body: &[Statement]) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.iter().position(|statement| matches!(statement, Statement::Each(..))) {
        pieces.push(Piece { variable: None, body: &rest[..at] });
        if let Statement::Each(variable, body) = &rest[at] {
            pieces.push(Piece { variable: Some(variable), body });
        }
        rest = &rest[at + 1..];
    }
    pieces.push(Piece { variable: None, body: rest });
    pieces
}

/// The variables that are read in another part than the one that binds them, or in another turn.
fn carried(pieces: &[Piece], results: usize) -> Vec<String> {
    let names: Vec<Names> = pieces.iter().map(Names::of).collect();
    let mut carried = BTreeSet::new();
    for (at, piece) in pieces.iter().enumerate() {
        for name in &names[at].set {
            let elsewhere = names.iter().enumerate().any(|(other, names)| other != at && names.read.contains(name));
            let in_turns = piece.variable.is_some() && names[at].read.contains(name) && piece.variable != Some(name);
            if elsewhere || in_turns {
                carried.insert((*name).to_string());
            }
        }
    }
    carried.extend(pieces.iter().enumerate().filter(|(_, piece)| breaks(piece)).map(|(at, _)| broken(at)));
    if pieces[..pieces.len() - 1].iter().any(|piece| has_return(piece.body)) {
        carried.insert(DONE.to_string());
        carried.extend((0..results).map(returned));
    }
    carried.into_iter().collect()
}

/// The names that statements bind and read.
#[derive(Default)]
struct Names<'p> {
    set: HashSet<&'p str>,
    read: HashSet<&'p str>,
}

impl<'p> Names<'p> {
    fn of(piece: &Piece<'p>) -> Self {
        let mut names = Self::default();
        names.set.extend(piece.variable);
        names.statements(piece.body);
        names
    }

    fn statements(&mut self, body: &'p [Statement]) {
        for statement in body {
            match statement {
                Statement::Set(name, value) => {
                    self.set.insert(name);
                    self.expression(value);
                }
                Statement::If(condition, then, other) => {
                    self.expression(condition);
                    self.statements(then);
                    self.statements(other);
                }
                Statement::For(name, items, body) => {
                    self.set.insert(name);
                    items.iter().for_each(|item| self.expression(item));
                    self.statements(body);
                }
                Statement::While(condition, body) => {
                    self.expression(condition);
                    self.statements(body);
                }
                Statement::Each(name, body) => {
                    self.set.insert(name);
                    self.statements(body);
                }
                Statement::Return { results, state } => {
                    results.iter().chain(state).for_each(|value| self.expression(value));
                }
                Statement::Break | Statement::Continue => {}
            }
        }
    }

    fn expression(&mut self, expression: &'p Expression) {
        match expression {
            Expression::Get(name) | Expression::Kept(name) => {
                self.read.insert(name);
            }
            Expression::Constant(_) | Expression::Field(_) => {}
            Expression::Unary(_, a) | Expression::IsNone(a) => self.expression(a),
            Expression::Binary(_, a, b) => {
                self.expression(a);
                self.expression(b);
            }
            Expression::Compare(first, rest) => {
                self.expression(first);
                rest.iter().for_each(|(_, value)| self.expression(value));
            }
            Expression::In(value, items) => {
                self.expression(value);
                items.iter().for_each(|item| self.expression(item));
            }
            Expression::And(items) | Expression::Or(items) | Expression::Call(_, items) => {
                items.iter().for_each(|item| self.expression(item));
            }
            Expression::If(condition, a, b) => [condition, a, b].into_iter().for_each(|part| self.expression(part)),
            Expression::Block(body) => self.statements(body),
        }
    }
}

/// Whether a loop over the window was left.
fn broken(piece: usize) -> String {
    format!(".broken.{piece}")
}

/// Whether there is a way to leave a loop over the window.
fn breaks(piece: &Piece) -> bool {
    fn any(body: &[Statement]) -> bool {
        body.iter().any(|statement| match statement {
            Statement::Break => true,
            Statement::If(_, then, other) => any(then) || any(other),
            _ => false,
        })
    }
    piece.variable.is_some() && any(piece.body)
}

/// The body of a loop over the window, with flags in place of `break`.
fn with_flags(body: &[Statement], flag: &str) -> Vec<Statement> {
    let mut made = Vec::new();
    for statement in body {
        match statement {
            Statement::Break => {
                made.push(Statement::Set(flag.to_string(), Expression::Constant(Constant::Bool(true))));
                made.push(Statement::Continue);
            }
            Statement::If(condition, then, other) => {
                made.push(Statement::If(condition.clone(), with_flags(then, flag), with_flags(other, flag)));
            }
            other => made.push(other.clone()),
        }
    }
    made
}

fn has_return(body: &[Statement]) -> bool {
    body.iter().any(|statement| match statement {
        Statement::Return { .. } => true,
        Statement::If(_, then, other) => has_return(then) || has_return(other),
        Statement::For(_, _, body) | Statement::While(_, body) | Statement::Each(_, body) => has_return(body),
        _ => false,
    })
}

/// A part as a function whose state are the carried variables; they are bound first, and returned last.
fn part_of(function: &Function, piece: &Piece, at: usize, carried: &[String], is_last: bool) -> Function {
    let returns = carried.iter().any(|name| name == DONE);
    let get = |name: &str| Expression::Get(name.to_string());
    let mut body: Vec<Statement> =
        carried.iter().map(|name| Statement::Set(name.clone(), Expression::Field(name.clone()))).collect();
    let own = if is_last { piece.body.to_vec() } else { with_state(piece.body, carried) };
    // A turn is a loop of one turn, so that `continue` leaves it.
    let turn = |body: Vec<Statement>| {
        let once = vec![Expression::Constant(Constant::None)];
        vec![Statement::For(".turn".to_string(), once, body)]
    };
    let own = match piece.variable {
        None => own,
        Some(_) if breaks(piece) => {
            vec![Statement::If(get(&broken(at)), vec![], turn(with_flags(&own, &broken(at))))]
        }
        Some(_) => turn(own),
    };
    if is_last && returns {
        body.push(Statement::If(
            get(DONE),
            vec![Statement::Return {
                results: (0..function.outputs.len().max(1)).map(|result| get(&returned(result))).collect(),
                state: vec![],
            }],
            vec![],
        ));
        body.extend(own);
    } else if returns {
        body.push(Statement::If(get(DONE), vec![], own));
    } else {
        body.extend(own);
    }
    if !is_last {
        body.push(end(carried, &[]));
    }
    let inputs = INPUTS.iter().copied().chain(piece.variable).map(str::to_string).collect();
    let state = carried.iter().map(|name| (name.clone(), Constant::None)).collect();
    let outputs = if is_last { function.outputs.clone() } else { vec![] };
    let (name, texts, clock) = (function.name.clone(), function.texts.clone(), function.clock.clone());
    Function { name, inputs, state, outputs, body, texts, clock }
}

/// The end of a part that is not the last: the carried variables, and what was returned.
fn end(carried: &[String], results: &[Expression]) -> Statement {
    let value = |name: &String| {
        if name == DONE && !results.is_empty() {
            return Expression::Constant(Constant::Bool(true));
        }
        let result = (0..results.len()).find(|result| *name == returned(*result));
        result.map_or_else(|| Expression::Kept(name.clone()), |result| results[result].clone())
    };
    Statement::Return { results: vec![], state: carried.iter().map(value).collect() }
}

fn with_state(body: &[Statement], carried: &[String]) -> Vec<Statement> {
    let inner = |body: &[Statement]| with_state(body, carried);
    body.iter()
        .map(|statement| match statement {
            Statement::Return { results, .. } => end(carried, results),
            Statement::If(condition, then, other) => Statement::If(condition.clone(), inner(then), inner(other)),
            Statement::For(name, items, body) => Statement::For(name.clone(), items.clone(), inner(body)),
            Statement::While(condition, body) => Statement::While(condition.clone(), inner(body)),
            other => other.clone(),
        })
        .collect()
}
