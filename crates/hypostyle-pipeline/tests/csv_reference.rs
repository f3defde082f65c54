//! The reference implementation of the CSV reader: the `csv` crate and the standard library's parsers, a field at a time, over
//! random tables with quotes, line ends, delimiters and empty fields anywhere, read in chunks with borders anywhere.

mod common;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};
use common::Folder;
use proptest::prelude::*;

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z,;\"\n\r é#\\\\]{0,12}", "x{0,300}", "\"{0,3}\n{0,2}\"{0,3}"]
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
fn written(field: &str, quote: bool, comments: bool) -> String {
    if quote || field.contains([',', '"', '\n', '\r']) || comments && field.starts_with('#') {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_string()
    }
}

/// The reference: rows of the first column's text, the second's number and the third's integer.
fn reference(bytes: &[u8], comments: bool) -> Vec<(Option<String>, Option<f64>, Option<i64>)> {
    let comment = comments.then_some(b'#');
    let mut reader = csv::ReaderBuilder::new().comment(comment).from_reader(bytes);
    let some = |text: &str| (!text.is_empty()).then(|| text.to_string());
    let rows = reader.records().map(|record| {
        let record = record.unwrap();
        (
            some(&record[0]),
            some(&record[1]).map(|text| text.parse().unwrap()),
            some(&record[2]).map(|text| text.parse().unwrap()),
        )
    });
    rows.collect()
}

/// Whether text follows the closing quote of a field, for each record with fields.
fn behind_quotes(text: &str) -> Vec<bool> {
    let bytes = text.as_bytes();
    let (mut found, mut wrong, mut at) = (Vec::new(), false, 0);
    let mut row = 0;
    while at < bytes.len() {
        let first = at == row || bytes[at - 1] == b',';
        if first && bytes[at] == b'"' {
            at += 1;
            while at < bytes.len() && (bytes[at] != b'"' || bytes.get(at + 1) == Some(&b'"')) {
                at += if bytes[at] == b'"' { 2 } else { 1 };
            }
            at += 1;
            let rest = bytes.get(at..).unwrap_or_default();
            wrong |=
                !(rest.is_empty() || rest.starts_with(b",") || rest.starts_with(b"\n") || rest.starts_with(b"\r\n"));
            continue;
        }
        if bytes[at] == b'\n' {
            if at > row && &bytes[row..at] != b"\r" {
                found.push(wrong);
            }
            (wrong, row) = (false, at + 1);
        }
        at += 1;
    }
    if row < bytes.len() {
        found.push(wrong);
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn agrees_with_the_reference(
        rows in prop::collection::vec((texts(), numbers(), integers(), any::<bool>(), any::<bool>()), 0..60),
        batch_rows in 1_usize..70,
        chunk_bytes in 1_usize..400,
        threads in 1_usize..4,
        crlf: bool,
        closed: bool,
        bom: bool,
        comments: bool,
    ) {
        let line_end = if crlf { "\r\n" } else { "\n" };
        let mut lines = vec!["text,number,integer".to_string()];
        for (text, number, integer, quote, comment) in &rows {
            if comments && *comment {
                lines.push(format!("#{},\"no, record", text.replace(['\n', '\r'], "")));
            }
            lines.push([text, number, integer].map(|field| written(field, *quote, comments)).join(","));
        }
        let mut csv = if bom { "\u{feff}" } else { "" }.to_string() + &lines.join(line_end);
        if closed {
            csv.push_str(line_end);
        }

        let folder = Folder::new();
        folder.write("in.csv", &csv);
        let toml = format!(
            "[source]\nbatch_rows = {batch_rows}\nchunk_bytes = {chunk_bytes}\n{}schema = {{ text = \"string\", number = \"f64\", integer = \"i64\" }}",
            if comments { "comment = \"#\"\n" } else { "" }
        );
        let summary = folder.pipeline(&toml, "in.csv", "out.parquet").with_threads(threads).run(&mut |_| ()).unwrap();
        prop_assert_eq!(summary.rows_written, rows.len() as u64);
        let batch = folder.parquet("out.parquet");
        let text = batch.column(0).as_string::<i32>();
        let number = batch.column(1).as_primitive::<Float64Type>();
        let integer = batch.column(2).as_primitive::<Int64Type>();
        let expected = reference(csv.strip_prefix('\u{feff}').unwrap_or(&csv).as_bytes(), comments);
        prop_assert_eq!(expected.len(), batch.num_rows());
        for (row, (t, n, i)) in expected.into_iter().enumerate() {
            prop_assert_eq!(text.is_valid(row).then(|| text.value(row).to_string()), t);
            prop_assert_eq!(number.is_valid(row).then(|| number.value(row).to_bits()), n.map(f64::to_bits));
            prop_assert_eq!(integer.is_valid(row).then(|| integer.value(row)), i);
        }

        // What is written as CSV reads back the same.
        let toml = "[source]\nschema = { text = \"string\", number = \"f64\", integer = \"i64\" }";
        folder.run(toml, "out.parquet", "round.csv").unwrap_err();
        folder.run("", "out.parquet", "round.csv").unwrap();
        folder.run(toml, "round.csv", "round.parquet").unwrap();
        common::assert_same_bits(&folder.parquet("round.parquet"), &batch);
    }

    /// Rows of any number of fields with quotes anywhere: the same fields as the reference, or the same complaint whatever the
    /// chunks; and rejects and rows are all the rows there are.
    #[test]
    fn no_row_is_lost(
        text in "([ab]{0,2}|\"|\"\"|,|\n|\"a,\n\"){0,60}",
        chunk_bytes in 1_usize..40,
        crlf: bool,
    ) {
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        let folder = Folder::new();
        folder.write("in.csv", format!("x,y\n{text}"));
        let toml = |chunk_bytes: usize, more: &str| {
            format!("[source]\nchunk_bytes = {chunk_bytes}\n{more}schema = {{ x = \"string\", y = \"string\" }}")
        };
        let reject = "on_bad_row = \"reject\"\nrejects = \"REJECTS\"\n".replace("REJECTS", &folder.path("rejects.csv").to_string_lossy());
        let outcome = folder.run(&toml(chunk_bytes, &reject), "in.csv", "out.parquet");
        let whole = folder.run(&toml(1 << 20, ""), "in.csv", "whole.parquet");
        if let Err(error) = &outcome {
            // An open quote at the end of the file is the one thing that can't be borne.
            prop_assert!(error.to_string().contains("unclosed quote"), "{}", error);
            prop_assert!(whole.is_err());
            return Ok(());
        }
        let summary = outcome.unwrap();
        let file = format!("x,y\n{text}");
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file.as_bytes());
        let reference: Vec<csv::StringRecord> = reader.records().map(|record| record.unwrap()).collect();
        let wrong = behind_quotes(&file);
        prop_assert_eq!(wrong.len(), reference.len() + 1);
        let rows = reference.iter().zip(&wrong[1..]);
        let (good, bad): (Vec<_>, Vec<_>) = rows.partition(|(record, wrong)| record.len() == 2 && !**wrong);
        prop_assert_eq!((summary.rows_written, summary.bad_rows), (good.len() as u64, bad.len() as u64));
        let batch = folder.parquet("out.parquet");
        for (row, (record, _)) in good.iter().enumerate() {
            for (column, field) in record.iter().enumerate() {
                let values = batch.column(column).as_string::<i32>();
                prop_assert_eq!(values.is_valid(row).then(|| values.value(row)), (!field.is_empty()).then_some(field));
            }
        }
        let rejects = csv::Reader::from_path(folder.path("rejects.csv")).unwrap().into_records().count();
        prop_assert_eq!(rejects, bad.len());
        match whole {
            Ok(summary) => {
                prop_assert_eq!((summary.rows_written, bad.len()), (reference.len() as u64, 0));
                common::assert_same_bits(&folder.parquet("whole.parquet"), &batch);
            }
            Err(error) => {
                let again = folder.run(&toml(chunk_bytes, ""), "in.csv", "again.parquet").unwrap_err();
                prop_assert_eq!((error.kind(), error.to_string()), (again.kind(), again.to_string()));
            }
        }
    }

    /// Any bytes at all: a result or an error with a place, never a panic.
    #[test]
    fn any_bytes_give_a_result_or_an_error(
        bytes in prop::collection::vec(prop_oneof![Just(b','), Just(b'"'), Just(b'\n'), Just(b'\r'), Just(b'1'), any::<u8>()], 0..200),
        latin1: bool,
        chunk_bytes in 1_usize..40,
    ) {
        let folder = Folder::new();
        folder.write("in.csv", &bytes);
        let encoding = if latin1 { "encoding = \"latin1\"" } else { "" };
        let toml = format!("[source]\nchunk_bytes = {chunk_bytes}\n{encoding}");
        if let Err(error) = folder.run(&toml, "in.csv", "out.parquet") {
            prop_assert!(error.file().is_some(), "{}", error);
            prop_assert_eq!(folder.names(), ["in.csv"]);
        }
    }

    /// Any text at all as a pipeline file.
    #[test]
    fn any_pipeline_file_gives_a_plan_or_an_error(text in "(\\[\\[?(source|stage|sink|stage.kernel|source.schema|source.rules|source.filter)\\]\\]?\n|(path|name|window|over|by|schema|state|memory|quote|comment) ?= ?(\"[a-z]*\"|-?[0-9]+|\\[\\])\n|.){0,30}") {
        if let Ok(pipeline) = text.parse::<hypostyle_pipeline::Pipeline>() {
            let _ = pipeline.plan();
        }
    }
}
