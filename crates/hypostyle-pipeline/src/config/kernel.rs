//! `[[stage.kernel]]`: which keys such a table has follows from its `name`.
//!
//! Two layers, because of how editors go about it: those that complete look at `properties` only, and get every parameter that
//! some kernel has; validators also follow the conditions below, which hold each kernel to its own parameters.  What all
//! kernels say alike of a parameter stands in the first layer alone; what they say differently is a definition each.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use hypostyle::{Catalog, Kind, Literal, Parameter, SHAPES};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use crate::model::types;

/// A kernel of a stage, for the schema.
pub(crate) struct Kernel;

/// The kernels of the command.
fn kernels() -> &'static [Arc<hypostyle::Kernel>] {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(hypostyle_jit::catalog);
    CATALOG.kernels()
}

/// `5m`, `1h30m`; or `10i`, for steps of an integer time column.
const DURATION: &str = r"^\s*(([0-9]+(ns|us|µs|ms|s|m|h|d|w))+|[0-9]+i)\s*$";

impl JsonSchema for Kernel {
    fn schema_name() -> Cow<'static, str> {
        "Kernel".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = kernels().iter().map(|kernel| kernel.name.as_str()).collect();
        let summaries: Vec<&str> = kernels().iter().map(|kernel| kernel.summary.as_str()).collect();
        let said = said();
        let mut properties = Map::new();
        properties.insert(
            "name".to_string(),
            json!({
                "type": "string",
                "description": "The kernel; `hypostyle kernels` lists them, and `hypostyle kernels NAME` explains one.",
                "enum": names,
                "x-taplo": { "docs": { "enumValues": summaries } },
            }),
        );
        properties.insert(
            "alias".to_string(),
            json!({
                "type": "string",
                "description": "The output's name. By default that of the first input column, which is then replaced.",
            }),
        );
        properties.insert(
            "over".to_string(),
            json!({
                "type": ["string", "array"],
                "items": { "type": "string" },
                "description": "The key column, or a list of them: rows with equal keys are a sequence of their own. \
                                By default those of the stage.",
            }),
        );
        let own: Vec<String> = properties.keys().cloned().collect();
        properties.extend(said.iter().map(|(name, schemas)| (name.to_string(), common(schemas))));
        for (name, schemas) in said.iter().filter(|(_, schemas)| schemas.len() > 1) {
            let definitions =
                schemas.iter().enumerate().map(|(index, schema)| (definition(name, index), schema.clone()));
            generator.definitions_mut().extend(definitions);
        }
        let conditions: Vec<Value> = kernels().iter().map(|kernel| condition(kernel, &own, &said)).collect();
        json_schema!({
            "type": "object",
            "description": "A kernel with its parameters.",
            "properties": properties,
            "required": ["name"],
            "if": { "required": ["name"] },
            "then": { "allOf": conditions },
        })
    }
}

/// What the kernels say of each parameter: once where they agree.
fn said() -> BTreeMap<&'static str, Vec<Value>> {
    let mut said: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for parameter in kernels().iter().flat_map(|kernel| &kernel.parameters) {
        let schemas = said.entry(&parameter.name).or_default();
        let schema = schema(parameter);
        if !schemas.contains(&schema) {
            schemas.push(schema);
        }
    }
    said
}

/// What one of the kernels that differ says of a parameter.
fn definition(parameter: &str, index: usize) -> String {
    format!("{parameter}_{}", index + 1)
}

/// What holds of a parameter whichever the kernel.
fn common(schemas: &[Value]) -> Value {
    let [first, others @ ..] = schemas else { return json!({}) };
    let mut common = first.as_object().cloned().unwrap_or_default();
    common.retain(|keyword, value| others.iter().all(|other| other.get(keyword) == Some(value)));
    let list = |keyword: &str| {
        let mut all: Vec<&Value> = Vec::new();
        for schema in schemas {
            let values = schema.get(keyword)?;
            for value in values.as_array().map_or(std::slice::from_ref(values), Vec::as_slice) {
                if !all.contains(&value) {
                    all.push(value);
                }
            }
        }
        Some(all.into_iter().cloned().collect::<Vec<_>>())
    };
    for keyword in ["type", "enum"] {
        if let (false, Some(all)) = (common.contains_key(keyword), list(keyword)) {
            common.insert(keyword.to_string(), all.into());
        }
    }
    if let (false, Some(all)) = (common.contains_key("description"), list("description")) {
        let mut all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
        // What another begins with is said by that one.
        all = all
            .iter()
            .copied()
            .filter(|text| !all.iter().any(|other| other != text && other.starts_with(text)))
            .collect();
        common.insert("description".to_string(), format!("By kernel: {}", all.join(" / ")).into());
    }
    common.into()
}

/// The parameters of one kernel.
fn condition(kernel: &hypostyle::Kernel, own: &[String], said: &BTreeMap<&str, Vec<Value>>) -> Value {
    let mut properties: Map<String, Value> = own.iter().map(|key| (key.clone(), true.into())).collect();
    for parameter in &kernel.parameters {
        let schemas = said.get(&*parameter.name).map_or(&[][..], Vec::as_slice);
        let own = schemas.iter().position(|said| *said == schema(parameter)).filter(|_| schemas.len() > 1);
        let schema = own.map_or(
            Value::Bool(true),
            |index| json!({ "$ref": format!("#/definitions/{}", definition(&parameter.name, index)) }),
        );
        properties.insert(parameter.name.to_string(), schema);
    }
    let required = kernel.parameters.iter().filter(|parameter| parameter.default == Literal::Required);
    json!({
        "if": { "properties": { "name": { "const": kernel.name } } },
        "then": {
            "properties": properties,
            "required": required.map(|parameter| &*parameter.name).collect::<Vec<_>>(),
            "additionalProperties": false,
        },
    })
}

fn schema(parameter: &Parameter) -> Value {
    let mut schema = values(&parameter.kind);
    schema["description"] = (*parameter.doc).into();
    let default = match parameter.default {
        Literal::Required | Literal::Omitted => Value::Null,
        Literal::Flag(flag) => flag.into(),
        Literal::Count(count) => count.into(),
        Literal::Number(number) => number.into(),
        Literal::Text(text) => text.into(),
        Literal::Texts(items) => items.into(),
        Literal::Numbers(items) => items.into(),
        Literal::Table(rows) => rows.iter().map(|row| Value::from(row.to_vec())).collect(),
    };
    if !default.is_null() {
        schema["default"] = default;
    }
    schema
}

/// The values of a kind of parameter.
fn values(kind: &Kind) -> Value {
    match kind {
        Kind::Column | Kind::Flags | Kind::Time(_) => json!({ "type": "string" }),
        Kind::Columns => json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 }),
        Kind::Number => json!({ "type": "number" }),
        Kind::NumberOrColumn => json!({ "type": ["number", "string"] }),
        Kind::NumbersOrColumns => {
            json!({ "type": "array", "items": { "type": ["number", "string"] }, "minItems": 1 })
        }
        Kind::Numbers => json!({ "type": "array", "items": { "type": "number" } }),
        Kind::Table => {
            let row = json!({ "type": "array", "items": { "type": "integer" } });
            json!({ "type": "array", "items": row })
        }
        Kind::Count => json!({ "type": "integer", "minimum": 0 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Choice(known) => json!({ "type": "string", "enum": known }),
        Kind::Words(known) => {
            json!({ "type": "array", "items": { "type": "string", "enum": known }, "minItems": 1 })
        }
        Kind::Window => json!({
            "type": ["integer", "string", "object"],
            "minimum": 1,
            "pattern": DURATION,
            "properties": {
                "length": { "type": "string", "description": "The column that holds the length of each row's window." },
                "start": { "type": "string", "description": "The column that holds the far end of each row's window." },
            },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        }),
        Kind::Rows => json!({ "type": "integer", "minimum": 1 }),
        Kind::Weights => json!({
            "type": ["array", "string"],
            "items": { "type": "number" },
            "pattern": format!("^(exponential|gaussian|{})$", SHAPES.join("|")),
        }),
        Kind::Program => json!({ "type": "string" }),
        Kind::HalfLife => json!({ "type": ["number", "string"], "pattern": DURATION }),
        Kind::Offset => json!({ "type": ["integer", "string"], "pattern": DURATION }),
        Kind::Duration => json!({ "type": ["integer", "string"], "minimum": 1, "pattern": DURATION }),
    }
}

/// A column's type, by its name.
pub(crate) struct ColumnType;

impl JsonSchema for ColumnType {
    fn schema_name() -> Cow<'static, str> {
        "ColumnType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "The column's type, such as `\"f64\"`, `\"string\"`, `\"date\"`, `\"timestamp[us]\"`, \
                            `\"timestamp[ns, UTC]\"` or `\"decimal[18, 2]\"`.",
            "pattern": types::pattern(),
            "examples": types::examples().collect::<Vec<_>>(),
        })
    }
}
