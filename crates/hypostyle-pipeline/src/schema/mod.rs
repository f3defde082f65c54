//! The JSON Schema of pipeline files, by which editors complete and check them as they are written.
//!
//! The keys come from the structs that read the file, with their comments; the kernels from the catalog.  It is of draft 7,
//! which all editors of TOML know.  A schema that accepts too much costs a run of `hypostyle check`; one that accepts too
//! little marks what is right.  So what it cannot say exactly, it leaves open.

mod tidy;

use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::config::Config;

/// The schema as `hypostyle schema` prints it and docs/pipeline.schema.json holds it.
pub(crate) fn text() -> String {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.with_transform(tidy::tidy).into_generator().into_root_schema_for::<Config>();
    schema.insert("title".to_string(), "A Hypostyle pipeline".into());
    schema.insert(
        "description".to_string(),
        "Rows are read from files, taken through stages of kernels, and written to a file.".into(),
    );
    schema.insert(
        "$comment".to_string(),
        "Printed by `hypostyle schema`: edit the structs in crates/hypostyle-pipeline/src/config/tables.rs or a kernel's constant, \
         and run make generate."
            .into(),
    );
    let mut value = schema.to_value();
    // Whether objects keep an order of their own depends on what else is built.
    value.sort_all_objects();
    // Lines, so that changes show; no indentation, which would be a third of the file.
    let mut text = Vec::new();
    let lines = PrettyFormatter::with_indent(b"");
    value.serialize(&mut Serializer::with_formatter(&mut text, lines)).expect("JSON is written to memory without fail");
    String::from_utf8(text).expect("JSON is text") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/pipeline.schema.json");

    #[test]
    fn the_file_is_what_the_command_prints() {
        let kept = std::fs::read_to_string(FILE).unwrap_or_default();
        assert!(
            kept == text(),
            "docs/pipeline.schema.json is out of date: make generate, or \
             cargo run --release -p hypostyle-pipeline -- schema > docs/pipeline.schema.json"
        );
    }

    #[test]
    fn no_alternatives_are_left() {
        let text = text();
        for word in ["anyOf", "oneOf"] {
            assert!(!text.contains(&format!("\"{word}\"")), "{word} is one completion for each alternative");
        }
    }
}
