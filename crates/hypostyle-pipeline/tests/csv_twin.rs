//! The slow, obvious twin of the CSV reader: the `csv` crate and the standard library's parsers, a field at a time, over
//! random tables with quotes, line ends, delimiters and empty fields anywhere.

mod common;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};
use common::Folder;
use proptest::prelude::*;

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z,;\"\n\r é]{0,12}", "x{0,300}"]
}

fn numbers() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        any::<f64>().prop_map(|x| x.to_string()),
        any::<f64>().prop_map(|x| format!("{x:e}")),
        (-1_000_000_i64..1_000_000).prop_map(|x| format!("{}", x as f64 / 100.0)),
    ]
}

fn integers() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), any::<i64>().prop_map(|x| x.to_string())]
}

/// One field as some program may have written it: quoted where it must be, and sometimes where it need not.
fn written(field: &str, quote: bool) -> String {
    if quote || field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_string()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn agrees_with_the_slow_twin(
        rows in prop::collection::vec((texts(), numbers(), integers(), any::<bool>()), 0..60),
        batch_rows in 1_usize..70,
        crlf: bool,
        closed: bool,
        bom: bool,
    ) {
        let line_end = if crlf { "\r\n" } else { "\n" };
        let mut lines = vec!["text,number,integer".to_string()];
        for (text, number, integer, quote) in &rows {
            lines.push([text, number, integer].map(|field| written(field, *quote)).join(","));
        }
        let mut csv = if bom { "\u{feff}" } else { "" }.to_string() + &lines.join(line_end);
        if closed {
            csv.push_str(line_end);
        }

        let folder = Folder::new();
        folder.write("in.csv", &csv);
        let toml = format!("[source]\nbatch_rows = {batch_rows}\nschema = {{ text = \"string\", number = \"f64\", integer = \"i64\" }}");
        let summary = folder.run(&toml, "in.csv", "out.parquet").unwrap();
        prop_assert_eq!(summary.rows, rows.len() as u64);
        let batch = folder.parquet("out.parquet");
        let text = batch.column(0).as_string::<i32>();
        let number = batch.column(1).as_primitive::<Float64Type>();
        let integer = batch.column(2).as_primitive::<Int64Type>();

        let mut twin = csv::Reader::from_path(folder.path("in.csv")).unwrap();
        let mut row = 0;
        for record in twin.records() {
            let record = record.unwrap();
            let expected = (!record[0].is_empty()).then(|| &record[0]);
            prop_assert_eq!(text.is_valid(row).then(|| text.value(row)), expected);
            let expected = (!record[1].is_empty()).then(|| record[1].parse::<f64>().unwrap().to_bits());
            prop_assert_eq!(number.is_valid(row).then(|| number.value(row).to_bits()), expected);
            let expected = (!record[2].is_empty()).then(|| record[2].parse::<i64>().unwrap());
            prop_assert_eq!(integer.is_valid(row).then(|| integer.value(row)), expected);
            row += 1;
        }
        prop_assert_eq!(row, batch.num_rows());

        // What is written as CSV reads back the same.
        folder.run(&toml, "in.csv", "round.csv").unwrap();
        folder.run(&toml, "round.csv", "round.parquet").unwrap();
        common::assert_same_bits(&folder.parquet("round.parquet"), &batch);
    }

    /// Any bytes at all: a result or an error with a place, never a panic.
    #[test]
    fn any_bytes_give_a_result_or_an_error(bytes in prop::collection::vec(prop_oneof![Just(b','), Just(b'"'), Just(b'\n'), Just(b'\r'), Just(b'1'), any::<u8>()], 0..200)) {
        let folder = Folder::new();
        folder.write("in.csv", &bytes);
        if let Err(error) = folder.run("", "in.csv", "out.parquet") {
            prop_assert!(error.file().is_some(), "{}", error);
            prop_assert_eq!(folder.names(), ["in.csv"]);
        }
    }

    /// Any text at all as a pipeline file.
    #[test]
    fn any_pipeline_file_gives_a_plan_or_an_error(text in "(\\[\\[?(source|stage|sink|stage.kernel|source.schema)\\]\\]?\n|(path|name|window|over|by|schema) ?= ?(\"[a-z]*\"|-?[0-9]+|\\[\\])\n|.){0,30}") {
        if let Ok(pipeline) = text.parse::<hypostyle_pipeline::Pipeline>() {
            let _ = pipeline.plan();
        }
    }
}
