//! Programs as data: what the user's function says, with Python's meaning, before the types of its columns are known.
//!
//! A program travels as JSON: in the arguments of an expression, in saved states and in pipeline files.  It is parsed and
//! checked here wherever it comes from: sizes, names, and which statements may stand where.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::clock::{Clock, Time, TimeOf};

/// No program has more statements and expressions.
const MOST_NODES: usize = 100_000;

/// No program has more inputs, outputs or fields of the state.
const MOST_NAMES: usize = 500;

/// No program has deeper nesting, so that no thread runs out of stack.
const MOST_DEPTH: usize = 600;

/// How deep the brackets of a text are nested at most.
fn depth(text: &str) -> usize {
    let (mut depth, mut most, mut quoted, mut escaped) = (0usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                depth += 1;
                most = most.max(depth);
            }
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// Why a program is not valid, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(pub String);

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Invalid {}

pub(crate) type Checked<T> = Result<T, Invalid>;

pub(crate) fn invalid<T>(message: impl Into<String>) -> Checked<T> {
    Err(Invalid(message.into()))
}

/// A constant of Python.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// A duration or a moment, in the unit of the time columns.
    Time(Time),
    /// The same in that unit; no program has it.
    Ticks(i64, TimeOf),
}

/// A user's function.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    pub name: String,
    /// The columns.
    pub inputs: Vec<String>,
    /// The fields of the state, with their values before the first row.
    pub state: Vec<(String, Constant)>,
    /// The fields of the result; none for a result that is no struct.
    pub outputs: Vec<String>,
    pub body: Vec<Statement>,
    /// The strings of the body and the state, each once.
    pub texts: Vec<String>,
    /// What the times of the body are counted in, once the types of the columns are known.
    pub clock: Clock,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    Set(String, Expression),
    If(Expression, Vec<Statement>, Vec<Statement>),
    /// A loop over the items of a tuple.
    For(String, Vec<Expression>, Vec<Statement>),
    While(Expression, Vec<Statement>),
    /// A loop over the values of the window, for functions of a window only.
    Each(String, Vec<Statement>),
    Break,
    Continue,
    Return {
        results: Vec<Expression>,
        state: Vec<Expression>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    Constant(Constant),
    Get(String),
    Field(String),
    Unary(Unary, Box<Expression>),
    Binary(Binary, Box<Expression>, Box<Expression>),
    /// `a < b <= c`.
    Compare(Box<Expression>, Vec<(Comparison, Expression)>),
    IsNone(Box<Expression>),
    In(Box<Expression>, Vec<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
    If(Box<Expression>, Box<Expression>, Box<Expression>),
    Call(String, Vec<Expression>),
    /// An inlined function: the value of its `return`.
    Block(Vec<Statement>),
    /// As `Get`, but None where the variable is not bound; no program has it.
    Kept(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unary {
    Neg,
    Pos,
    Invert,
    Not,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    Pow,
    And,
    Or,
    Xor,
    Shl,
    Shr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
}

const BINARY: [(&str, Binary); 12] = [
    ("+", Binary::Add),
    ("-", Binary::Sub),
    ("*", Binary::Mul),
    ("/", Binary::Div),
    ("//", Binary::FloorDiv),
    ("%", Binary::Mod),
    ("**", Binary::Pow),
    ("&", Binary::And),
    ("|", Binary::Or),
    ("^", Binary::Xor),
    ("<<", Binary::Shl),
    (">>", Binary::Shr),
];

const COMPARISON: [(&str, Comparison); 6] = [
    ("<", Comparison::Lt),
    ("<=", Comparison::Le),
    (">", Comparison::Gt),
    (">=", Comparison::Ge),
    ("==", Comparison::Eq),
    ("!=", Comparison::Ne),
];

const UNARY: [(&str, Unary); 4] =
    [("neg", Unary::Neg), ("pos", Unary::Pos), ("invert", Unary::Invert), ("not", Unary::Not)];

impl Binary {
    /// As Python writes it.
    pub fn symbol(self) -> &'static str {
        BINARY.iter().find(|(_, known)| *known == self).map_or("?", |(symbol, _)| symbol)
    }

    /// Whether Python has it for integers only.
    pub(crate) fn needs_ints(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Xor | Self::Shl | Self::Shr)
    }
}

impl Function {
    /// Parses and checks a program.
    ///
    /// # Errors
    /// Whatever is not a program; the message says which part.
    pub fn parse(text: &str) -> Checked<Self> {
        if depth(text) > MOST_DEPTH {
            return invalid(format!("it is nested more than {MOST_DEPTH} levels deep"));
        }
        let mut reader = serde_json::Deserializer::from_str(text);
        reader.disable_recursion_limit();
        let json = Value::deserialize(&mut reader).and_then(|json| reader.end().map(|()| json));
        let json = json.map_err(|error| Invalid(format!("it is no JSON: {error}")))?;
        let Value::Object(json) = json else { return invalid("a program is a JSON object") };
        for key in json.keys() {
            if !["name", "inputs", "state", "outputs", "body"].contains(&key.as_str()) {
                return invalid(format!("a program has no part '{key}'"));
            }
        }
        let part = |name: &str| json.get(name).ok_or_else(|| Invalid(format!("the part '{name}' is missing")));
        let inputs = texts(part("inputs")?, "inputs")?;
        let outputs = texts(part("outputs")?, "outputs")?;
        let state = list(part("state")?, "state")?.iter().map(field).collect::<Checked<Vec<_>>>()?;
        let names = state.iter().map(|(name, _)| name);
        for (what, names) in [
            ("input", inputs.iter().collect::<Vec<_>>()),
            ("output", outputs.iter().collect()),
            ("field of the state", names.collect()),
        ] {
            let mut known = HashSet::new();
            if let Some(twice) = names.into_iter().find(|name| !known.insert(name.as_str())) {
                return invalid(format!("the {what} '{twice}' is there twice"));
            }
        }
        for (what, count) in
            [("inputs", inputs.len()), ("outputs", outputs.len()), ("fields of the state", state.len())]
        {
            if count > MOST_NAMES {
                return invalid(format!("it has {count} {what}, more than {MOST_NAMES}"));
            }
        }
        let mut reader = Reader {
            fields: state.iter().map(|(name, _)| name.as_str()).collect(),
            results: outputs.len().max(1),
            nodes: 0,
            loops: 0,
            in_block: false,
        };
        let body = reader.body(part("body")?)?;
        let mut texts = Vec::new();
        [part("body")?, part("state")?].into_iter().for_each(|part| strings(part, &mut texts));
        let name = text_of(part("name")?, "name")?.to_string();
        Ok(Self { name, inputs, outputs, body, state, texts, clock: Clock::None })
    }
}

impl Function {
    /// The function for time columns of this clock: the times that its state begins with are in their unit.
    ///
    /// # Errors
    /// A time that has no whole number of the unit, or no time column; in words.
    pub fn at(&self, clock: &Clock) -> Checked<Self> {
        let mut function = Self { clock: clock.clone(), ..self.clone() };
        for (_, start) in &mut function.state {
            if let Constant::Time(time) = *start {
                *start = Constant::Ticks(clock.ticks(time).map_err(Invalid)?, time.of);
            }
        }
        Ok(function)
    }
}

/// Reads a body, with what is around the place that it has reached.
struct Reader<'a> {
    fields: Vec<&'a str>,
    results: usize,
    nodes: usize,
    loops: usize,
    in_block: bool,
}

impl Reader<'_> {
    fn count(&mut self) -> Checked<()> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return invalid(format!("it has more than {MOST_NODES} statements and expressions"));
        }
        Ok(())
    }

    /// The statements of the function, among which there may be loops over a window.
    fn body(&mut self, json: &Value) -> Checked<Vec<Statement>> {
        let statement = |json| match node(json)? {
            ("each", [name, body]) => Ok(Statement::Each(text_of(name, "each")?.to_string(), self.looped(body)?)),
            _ => self.statement(json),
        };
        list(json, "statements")?.iter().map(statement).collect()
    }

    fn statements(&mut self, json: &Value) -> Checked<Vec<Statement>> {
        list(json, "statements")?.iter().map(|json| self.statement(json)).collect()
    }

    fn statement(&mut self, json: &Value) -> Checked<Statement> {
        self.count()?;
        let (head, rest) = node(json)?;
        Ok(match (head, rest) {
            ("set", [name, value]) => Statement::Set(text_of(name, "set")?.to_string(), self.expression(value)?),
            ("if", [condition, then, other]) => {
                Statement::If(self.expression(condition)?, self.statements(then)?, self.statements(other)?)
            }
            ("for", [name, items, body]) => {
                let (name, items) = (text_of(name, "for")?.to_string(), self.expressions(items)?);
                Statement::For(name, items, self.looped(body)?)
            }
            ("while", [condition, body]) => Statement::While(self.expression(condition)?, self.looped(body)?),
            ("break" | "continue", []) if self.loops == 0 => return invalid(format!("'{head}' outside a loop")),
            ("break", []) => Statement::Break,
            ("continue", []) => Statement::Continue,
            ("return", [results, state]) => {
                let (results, state) = (self.expressions(results)?, self.expressions(state)?);
                let wanted = if self.in_block { (1, 0) } else { (self.results, self.fields.len()) };
                if (results.len(), state.len()) != wanted {
                    let (some, fields) = wanted;
                    return invalid(format!("'return' has to have {some} results and {fields} fields of the state"));
                }
                Statement::Return { results, state }
            }
            _ => return invalid(format!("'{head}' with {} parts is no statement", rest.len())),
        })
    }

    fn looped(&mut self, body: &Value) -> Checked<Vec<Statement>> {
        self.loops += 1;
        let body = self.statements(body);
        self.loops -= 1;
        body
    }

    fn expressions(&mut self, json: &Value) -> Checked<Vec<Expression>> {
        list(json, "expressions")?.iter().map(|json| self.expression(json)).collect()
    }

    fn boxed(&mut self, json: &Value) -> Checked<Box<Expression>> {
        Ok(Box::new(self.expression(json)?))
    }

    fn expression(&mut self, json: &Value) -> Checked<Expression> {
        self.count()?;
        if !json.is_array() {
            return Ok(Expression::Constant(constant(json)?));
        }
        let (head, rest) = node(json)?;
        let found = |table: &[(&str, Binary)]| table.iter().find(|(name, _)| *name == head).map(|(_, op)| *op);
        if let ([a, b], Some(op)) = (rest, found(&BINARY)) {
            return Ok(Expression::Binary(op, self.boxed(a)?, self.boxed(b)?));
        }
        if let ([a], Some((_, op))) = (rest, UNARY.iter().find(|(name, _)| *name == head)) {
            return Ok(Expression::Unary(*op, self.boxed(a)?));
        }
        Ok(match (head, rest) {
            ("float" | "text", [_]) | ("time", [_, _]) => Expression::Constant(constant(json)?),
            ("get", [name]) => Expression::Get(text_of(name, "get")?.to_string()),
            ("field", [name]) => {
                let name = text_of(name, "field")?;
                if !self.fields.contains(&name) {
                    return invalid(format!("the state has no field '{name}'"));
                }
                Expression::Field(name.to_string())
            }
            ("compare", [first, others]) => {
                let first = self.boxed(first)?;
                let others = list(others, "compare")?.iter().map(|json| {
                    let (symbol, rest) = node(json)?;
                    let op = COMPARISON.iter().find(|(known, _)| *known == symbol);
                    match (op, rest) {
                        (Some((_, op)), [value]) => Ok((*op, self.expression(value)?)),
                        _ => invalid(format!("'{symbol}' is no comparison")),
                    }
                });
                Expression::Compare(first, others.collect::<Checked<_>>()?)
            }
            ("is_none", [value]) => Expression::IsNone(self.boxed(value)?),
            ("in", [value, items]) => Expression::In(self.boxed(value)?, self.expressions(items)?),
            ("and" | "or", [items]) => {
                let items = self.expressions(items)?;
                match (items.is_empty(), head) {
                    (true, _) => return invalid(format!("'{head}' of nothing")),
                    (false, "and") => Expression::And(items),
                    (false, _) => Expression::Or(items),
                }
            }
            ("if", [condition, a, b]) => Expression::If(self.boxed(condition)?, self.boxed(a)?, self.boxed(b)?),
            ("call", [name, arguments]) => {
                Expression::Call(text_of(name, "call")?.to_string(), self.expressions(arguments)?)
            }
            ("block", [body]) => {
                let (loops, in_block) = (std::mem::take(&mut self.loops), std::mem::replace(&mut self.in_block, true));
                let body = self.statements(body);
                (self.loops, self.in_block) = (loops, in_block);
                Expression::Block(body?)
            }
            _ => return invalid(format!("'{head}' with {} parts is no expression", rest.len())),
        })
    }
}

fn list<'a>(json: &'a Value, what: &str) -> Checked<&'a Vec<Value>> {
    json.as_array().ok_or_else(|| Invalid(format!("'{what}' is no list")))
}

/// Adds the strings of a program, `["text", "low"]`, to those that are known.
fn strings(json: &Value, known: &mut Vec<String>) {
    match json.as_array().map(Vec::as_slice) {
        Some([Value::String(head), Value::String(text)]) if head == "text" && !known.contains(text) => {
            known.push(text.clone());
        }
        Some(items) => items.iter().for_each(|item| strings(item, known)),
        None => {}
    }
}

fn text_of<'a>(json: &'a Value, what: &str) -> Checked<&'a str> {
    json.as_str().ok_or_else(|| Invalid(format!("'{what}' has a name that is no text")))
}

fn texts(json: &Value, what: &str) -> Checked<Vec<String>> {
    list(json, what)?.iter().map(|json| Ok(text_of(json, what)?.to_string())).collect()
}

/// A list whose first item says what it is.
fn node(json: &Value) -> Checked<(&str, &[Value])> {
    match json.as_array().map(Vec::as_slice) {
        Some([Value::String(head), rest @ ..]) => Ok((head, rest)),
        _ => invalid(format!("a list that begins with a word was expected, not {}", shortened(json))),
    }
}

fn shortened(json: &Value) -> String {
    let mut text: String = json.to_string().chars().take(40).collect();
    if text.chars().count() == 40 {
        text.push_str("...");
    }
    text
}

fn field(json: &Value) -> Checked<(String, Constant)> {
    match json.as_array().map(Vec::as_slice) {
        Some([Value::String(name), start]) => Ok((name.clone(), constant(start)?)),
        _ => invalid("a field of the state is a name and a start value"),
    }
}

fn constant(json: &Value) -> Checked<Constant> {
    Ok(match json {
        Value::Null => Constant::None,
        Value::Bool(x) => Constant::Bool(*x),
        Value::Number(x) => match x.as_i64() {
            Some(x) => Constant::Int(x),
            None => return invalid(format!("{x} is no integer of 64 bits")),
        },
        Value::Array(parts) => match parts.as_slice() {
            [Value::String(head), Value::String(text)] if head == "text" => Constant::Text(text.clone()),
            [Value::String(head), Value::String(text)] if head == "float" => match text.parse() {
                Ok(x) => Constant::Float(x),
                Err(_) => return invalid(format!("'{text}' is no float")),
            },
            [Value::String(head), nanoseconds, of] if head == "time" => {
                match (nanoseconds.as_i64(), of.as_str().and_then(TimeOf::named)) {
                    (Some(nanoseconds), Some(of)) => Constant::Time(Time { nanoseconds, of }),
                    _ => return invalid("'time' has a number of nanoseconds, and what it is"),
                }
            }
            _ => return invalid(format!("{} is no constant", shortened(json))),
        },
        _ => return invalid(format!("{} is no constant", shortened(json))),
    })
}
