//! Makes of what the structs' derives say a schema that editors have an easier time with.
//!
//! Editors take each alternative of a key for a key of its own, so that a key with four words to choose from is offered four
//! times.  And a validator that finds none of the alternatives to fit cannot say what is wrong.  So words become one `enum`,
//! and values of several types one schema with several types, whose other keywords each speak of one type only.

use schemars::Schema;
use schemars::transform::transform_subschemas;
use serde_json::{Map, Value, json};

/// Joins alternatives, and drops what means nothing in TOML.
pub(super) fn tidy(schema: &mut Schema) {
    transform_subschemas(&mut tidy, schema);
    let Some(object) = schema.as_object_mut() else { return };
    // The width of an integer in Rust, which no validator knows.
    object.remove("format");
    // Comments break their lines where the code's margin is.
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    if object.get("default").is_some_and(|value| *value == json!({}) || *value == json!([])) {
        object.remove("default");
    }
    for word in ["anyOf", "oneOf"] {
        if let Some(Value::Array(alternatives)) = object.remove(word) {
            join(object, alternatives);
        }
    }
    settle_null(object);
}

/// TOML has no null, so what may be left out needs none.  But it has inf and nan, which validators take for null, as JSON has
/// no numbers for them.
fn settle_null(object: &mut Map<String, Value>) {
    let mut types = types(object);
    if types.len() < 2 && types.iter().all(|name| name != "number") {
        return;
    }
    types.retain(|name| name != "null");
    if types.iter().any(|name| name == "number") {
        types.push("null".into());
    }
    object.insert("type".to_string(), one_or_several(types));
}

/// Says in the object itself what its alternatives say.
fn join(object: &mut Map<String, Value>, alternatives: Vec<Value>) {
    let is_null = |alternative: &Value| alternative["type"] == "null";
    let alternatives = alternatives.into_iter().filter(|alternative| !is_null(alternative));
    let mut alternatives: Vec<Map<String, Value>> =
        alternatives.filter_map(|value| if let Value::Object(object) = value { Some(object) } else { None }).collect();
    if let [alone] = &mut alternatives[..] {
        return fill(object, std::mem::take(alone));
    }
    let mut all = Vec::new();
    for name in alternatives.iter().flat_map(types) {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    if let Some(words) = alternatives.iter().map(words).collect::<Option<Vec<_>>>() {
        let words: Vec<(Value, Value)> = words.into_iter().flatten().collect();
        let (words, says): (Vec<Value>, Vec<Value>) = words.into_iter().unzip();
        object.insert("enum".to_string(), words.into());
        if says.iter().any(Value::is_string) {
            object.insert("x-taplo".to_string(), json!({ "docs": { "enumValues": says } }));
        }
    } else {
        for mut alternative in alternatives {
            alternative.remove("description");
            fill(object, alternative);
        }
    }
    object.insert("type".to_string(), one_or_several(all));
}

/// Takes over what the object doesn't say itself.
fn fill(object: &mut Map<String, Value>, other: Map<String, Value>) {
    for (keyword, value) in other {
        object.entry(keyword).or_insert(value);
    }
}

/// The values that a schema allows, where it lists them, each with what is said of it.
fn words(object: &Map<String, Value>) -> Option<Vec<(Value, Value)>> {
    let says = object.get("description").cloned().unwrap_or_default();
    if let Some(word) = object.get("const") {
        return Some(vec![(word.clone(), says)]);
    }
    if object.get("type").is_some_and(|name| name == "boolean") {
        return Some(vec![(true.into(), says), (false.into(), Value::Null)]);
    }
    let words = object.get("enum")?.as_array()?;
    let says = match object.get("x-taplo") {
        Some(taplo) => taplo["docs"]["enumValues"].as_array().cloned().unwrap_or_default(),
        None if words.len() == 1 => vec![says],
        None => vec![Value::Null; words.len()],
    };
    Some(words.iter().cloned().zip(says).collect())
}

fn types(object: &Map<String, Value>) -> Vec<Value> {
    match object.get("type") {
        None => Vec::new(),
        Some(Value::Array(types)) => types.clone(),
        Some(one) => vec![one.clone()],
    }
}

fn one_or_several(mut types: Vec<Value>) -> Value {
    if types.len() == 1 { types.remove(0) } else { types.into() }
}
