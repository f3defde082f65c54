//! CSV files as programs write them: what was silently wrong once, or refused though it was valid.

mod common;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use common::Folder;
use proptest::prelude::*;

/// The file as it comes in, each column with its type and values.
fn read(toml: &str, csv: impl AsRef<[u8]>) -> Vec<(String, Vec<Option<String>>)> {
    let folder = Folder::new();
    folder.write("in.csv", csv);
    folder.run(toml, "in.csv", "out.parquet").unwrap_or_else(|error| panic!("{toml}: {error}"));
    let batch = folder.parquet("out.parquet");
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    columns.map(|(field, column)| (format!("{}: {}", field.name(), field.data_type()), shown(column))).collect()
}

fn shown(column: &ArrayRef) -> Vec<Option<String>> {
    // Arrow shows no zone that has a name.
    let column = match column.data_type() {
        DataType::Timestamp(unit, Some(zone)) if **zone == *"UTC" => {
            &cast(column, &DataType::Timestamp(*unit, Some("+00:00".into()))).unwrap()
        }
        _ => column,
    };
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column, &options).unwrap();
    (0..column.len()).map(|row| column.is_valid(row).then(|| formatter.value(row).to_string())).collect()
}

/// The only column.
#[track_caller]
fn column(toml: &str, csv: impl AsRef<[u8]>) -> (String, Vec<Option<String>>) {
    let mut columns = read(toml, csv);
    assert_eq!(columns.len(), 1);
    let (name, values) = columns.remove(0);
    (name.split_once(": ").unwrap().1.to_string(), values)
}

fn some(values: &[&str]) -> Vec<Option<String>> {
    values.iter().map(|value| Some(value.to_string())).collect()
}

fn check(folder: &Folder, toml: &str) -> String {
    folder.pipeline(toml, "in.csv", "out.parquet").plan().unwrap().to_string()
}

#[test]
fn a_later_value_that_would_lose_something_is_bad() {
    for (first, later, lost) in [
        ("12", "02134", "its leading zeros as i64"),
        ("12", "+4915112345678", "its plus sign as i64"),
        ("1.5", "0012", "its leading zeros as f64"),
        ("1.5", "12345678901234567890.123", "digits as f64"),
        ("1.5", "1e400", "out of range"),
        ("true", "1", "not a valid bool"),
    ] {
        let csv = format!("x\n{}{later}\n", format!("{first}\n").repeat(10_000));
        let folder = Folder::new();
        folder.write("in.csv", &csv);
        let error = format!("{:?}", folder.run("", "in.csv", "out.parquet").unwrap_err());
        assert!(error.contains(lost) && error.contains("10002"), "{later}: {error}");
        // Where the type is declared, it is read as such.
        if lost.contains("lose") || first == "true" {
            let declared = ["i64", "f64", "bool"].into_iter().find(|of| lost.ends_with(of)).unwrap_or("bool");
            folder.run(&format!("[source]\nschema.x = \"{declared}\""), "in.csv", "out.parquet").unwrap();
        }
    }
}

#[test]
fn bytes_of_windows_are_its_characters() {
    let csv = b"a,b\n\x80 5,\x84M\xfcller\x93 \x96 ok\n";
    let found = read("[source]\nencoding = \"windows-1252\"\nsymbols = [\"\u{20ac}\"]", csv);
    assert_eq!(
        found,
        [
            ("a: Int64".to_string(), some(&["5"])),
            ("b: Utf8".to_string(), some(&["\u{201e}M\u{fc}ller\u{201c} \u{2013} ok"]))
        ]
    );
    let found = column("[source]\nencoding = \"windows-1251\"", b"x\n\xcf\xf0\n");
    assert_eq!(found.1, some(&["\u{41f}\u{440}"]));
    let folder = Folder::new();
    folder.write("in.csv", csv);
    let error = folder.run("", "in.csv", "out.parquet").unwrap_err();
    assert!(format!("{error:?}").contains("windows-1252"), "{error:?}");
}

#[test]
fn decimals_of_a_second_are_decimals() {
    let toml = "[source]\nschema.t = \"timestamp[us]\"\ndatetime_formats.t = \"%Y-%m-%d %H:%M:%S.%f\"";
    let (_, values) = column(toml, "t\n2020-12-30 01:25:58.138000\n2020-12-30 01:25:58.5\n");
    assert_eq!(values, some(&["2020-12-30T01:25:58.138", "2020-12-30T01:25:58.500"]));
}

#[test]
fn offsets_as_databases_write_them() {
    let (name, values) = column("", "t\n2024-01-02 03:04:05+00\n2024-01-02 00:04:05-03\n2024-01-02 03:04:05 UTC\n");
    assert!(name.contains("Timestamp(µs, \"UTC\")"), "{name}");
    assert_eq!(values, some(&["2024-01-02T03:04:05Z"; 3]));
}

#[test]
fn times_without_an_offset_are_not_taken_for_utc_among_others() {
    let mixed = "t,n\n2024-01-02T03:04:05Z,1\n2024-01-02T03:04:05,2\n";
    let columns = read("", mixed);
    assert_eq!(columns[0].0, "t: Utf8");
    let folder = Folder::new();
    folder.write("in.csv", mixed);
    let plan = check(&folder, "");
    assert!(
        plan.contains("times with and without UTC offset: t = \"timestamp[us, UTC]\" in [source.schema]"),
        "{plan}"
    );
    let declared = read("[source]\nschema.t = \"timestamp[us, +01:00]\"", mixed);
    assert_eq!(declared[0].1, some(&["2024-01-02T04:04:05+01:00", "2024-01-02T03:04:05+01:00"]));
    // Behind the sample it is a bad row.
    let late = "2024-01-02T03:04:05Z\n".repeat(10_000) + "2024-01-02T03:04:05\n";
    let message = folder.complaint("", format!("t\n{late}")).to_string();
    assert!(
        message.contains("record 10001")
            && message.contains("has no UTC offset, unlike the values")
            && message.contains("help: set t = \"timestamp[us, UTC]\" in [source.schema]"),
        "{message}"
    );
}

#[test]
fn names_of_zones_and_infinity_are_said() {
    let folder = Folder::new();
    let toml = "[source]\nschema.t = \"timestamp[us, UTC]\"";
    for (text, words, help) in [
        ("2024-01-02 03:04:05 CET", "names a time zone that is not known here", "write UTC offsets"),
        ("-infinity", "is beyond all times", "null_values = [\"-infinity\"]"),
        ("1704164645000", "is not a valid timestamp", "t = \"epoch[ms]\" in [source.datetime_formats]"),
        ("NA", "is not a valid timestamp", "null_values = [\"NA\"]"),
    ] {
        let message = folder.complaint(toml, format!("t\n{text}\n")).to_string();
        assert!(message.contains(words) && message.contains(help), "{message}");
    }
    let toml = "[source]\nschema.t = \"timestamp[us, UTC]\"\ndatetime_formats.t = \"%F %T %Z\"";
    let message = folder.complaint(toml, "t\n2024-01-02 03:04:05 CET\n").to_string();
    assert!(message.contains("names a time zone"), "{message}");
    assert_eq!(column(toml, "t\n2024-01-02 12:00:00 PDT\n").1, some(&["2024-01-02T19:00:00Z"]));
}

#[test]
fn text_behind_a_closing_quote_is_a_bad_row() {
    let folder = Folder::new();
    for (schema, csv) in [("string", "a,\"q\\\"q\""), ("i64", "a,\"1\\\"2\""), ("string", "a,\"q\\\"q\" ")] {
        let toml = format!("[source]\nheader = false\nschema.column_2 = \"{schema}\"");
        let message = folder.complaint(&toml, csv).to_string();
        assert!(
            message.contains("record 1, column 'column_2'") && message.contains("text behind the closing quote"),
            "{message}"
        );
        assert!(message.contains(r#"help: set escape = "\\" in [source]"#), "{message}");
    }
    let message = folder.complaint("", "a,b\n1,\"x\"y\n").to_string();
    assert!(message.contains("write a quote as \"\""), "{message}");
    let escaped = read("[source]\nescape = \"\\\\\"", "a,b\n1,\"q\\\"q\"\n");
    assert_eq!(escaped[1].1, some(&["q\"q"]));
    assert_eq!(read("", "a,b\n1,\"x\" \n")[1].1, some(&["x"]));
    folder.write("in.csv", "a,b\n1,\"x\"y\n2,z\n");
    let summary = folder.run("[source]\non_bad_row = \"skip\"", "in.csv", "out.parquet").unwrap();
    assert_eq!(summary.bad_row_counts, [("text behind the closing quote in 'b'".to_string(), 1)]);
}

#[test]
fn rows_that_are_made_to_fit_are_counted_and_rejected_as_they_are() {
    let folder = Folder::new();
    folder.write("in.csv", "a,b\n1\n2,x,y\n3,x,y,z\n4,x\nq,x,y\n");
    let toml = format!(
        "[source]\nragged = \"fit\"\non_bad_row = \"reject\"\nrejects = {:?}\nchunk_bytes = 4\nschema.a = \"i64\"",
        folder.path("rejects.csv")
    );
    let summary = folder.run(&toml, "in.csv", "out.parquet").unwrap();
    assert_eq!((summary.filled_rows, summary.cut_rows, summary.bad_rows), (1, 3, 1));
    assert!(folder.read("rejects.csv").ends_with("\"q,x,y\"\n"), "{}", folder.read("rejects.csv"));
    let nulls = folder.run("[source]\non_bad_row = \"null\"\nschema.a = \"i64\"", "in.csv", "out.parquet").unwrap();
    assert_eq!((nulls.filled_rows, nulls.cut_rows, nulls.bad_rows), (0, 0, 4));
}

#[test]
fn decimal_commas_in_a_comma_file_are_quoted() {
    let toml = "[source]\ndecimal_comma = true";
    let columns = read(toml, "n,t\n\"1234,5\",\"2024-01-02 03:04:05,500\"\n1,2024-01-02\n");
    assert_eq!(columns[0], ("n: Float64".to_string(), some(&["1234.5", "1.0"])));
    assert_eq!(columns[1].1, some(&["2024-01-02T03:04:05.500", "2024-01-02T00:00:00"]));
}

#[test]
fn a_header_that_comes_again_is_one_bad_row() {
    let folder = Folder::new();
    let csv = "a,b\n1,x\na,b\n2,y\n\"a\",b\n";
    let message = folder.complaint("", csv).to_string();
    assert!(
        message.contains("in.csv:3: record 2: repeats the header\nhelp: the file may be several files in one"),
        "{message}"
    );
    for schema in ["", "schema = { a = \"string\", b = \"string\" }"] {
        for policy in ["skip", "null"] {
            let toml = format!("[source]\non_bad_row = \"{policy}\"\nchunk_bytes = 5\n{schema}");
            let summary = folder.run(&toml, "in.csv", "out.parquet").unwrap();
            assert_eq!(summary.bad_row_counts, [("repeated header".to_string(), 2)], "{toml}");
            assert_eq!((summary.rows_written, folder.parquet("out.parquet").num_columns()), (2, 2));
        }
    }
    let batch = folder.parquet("out.parquet");
    assert_eq!(batch.column(0).as_string::<i32>().value(1), "2");
    // A column of words may hold its own name.
    assert_eq!(column("", "word\nword\nother\n").1, some(&["word", "other"]));
}

#[test]
fn digits_that_a_type_cannot_hold_stay_text() {
    let columns =
        read("", "a,b,c,d\n12345678901234567.89,0.0099999999999999999998,08.5,9999-12-31 23:59:59.999999999\n");
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a: Utf8", "b: Float64", "c: Float64", "d: Utf8"]);
    assert_eq!(columns[1].1, some(&["0.01"]));
}

#[test]
fn the_way_out_is_the_one_that_helps() {
    let folder = Folder::new();
    let message = folder.run("", "nothing*", "out.parquet").unwrap_err().to_string();
    assert!(message.contains("files without a known extension need format = \"csv\" in [source]"), "{message}");
    folder.write("in.csv", "a\nx\n");
    let toml = "[[stage]]\n[[stage.kernel]]\nname = \"rolling_mean\"\ncolumn = \"a\"\nwindow = 2";
    let message = folder.run(toml, "in.csv", "out.parquet").unwrap_err().to_string();
    assert!(message.contains("help: change the type of 'a': in [source.schema] for CSV"), "{message}");
    let message = folder.complaint("[source]\nschema.a = \"f64\"", "a\n\"1,5\"\n").to_string();
    assert!(!message.contains("null_values"), "digits are no word for null: {message}");
    // A quote that a backslash escapes may leave one open.
    let message = folder.complaint("", "a,b\n1,\"x\\\"\"\n2,y\n").to_string();
    assert!(message.contains("unclosed quote") && message.contains("escape = \"\\\\\""), "{message}");
}

#[test]
fn times_of_named_zones() {
    let folder = Folder::new();
    folder.write(
        "in.csv",
        "a,b\n2024-07-01 12:00 Europe/Berlin,2024-07-01 12:00\n2024-01-01T12:00:00+01:00[Europe/Berlin],2024-01-01 12:00:00Z\n",
    );
    let toml = "[source]\nschema.b = \"timestamp[us, Europe/Berlin]\"";
    folder.run(toml, "in.csv", "out.csv").unwrap();
    assert_eq!(
        folder.read("out.csv"),
        "a,b\n2024-07-01T10:00:00Z,2024-07-01T10:00:00Z\n2024-01-01T11:00:00Z,2024-01-01T12:00:00Z\n"
    );
    for (schema, text, words) in [
        (
            "timestamp[us, Europe/Berlin]",
            "2024-03-31 02:30",
            "is a time that the clocks of its time zone show twice or never",
        ),
        ("timestamp[us, UTC]", "2024-10-27 02:30 Europe/Berlin", "help: write the UTC offset, such as +01:00"),
        ("timestamp[us, UTC]", "2024-10-27 02:30 Europe/Berlim", "names a time zone that is not known here"),
        ("timestamp[us, Europe/Berlim]", "2024-10-27", "unknown type"),
    ] {
        let message = folder.complaint(&format!("[source]\nschema.t = {schema:?}"), format!("t\n{text}\n")).to_string();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_missing_file_is_known_as_one() {
    let folder = Folder::new();
    folder.write("in.csv", "a\n1\n");
    for (input, output) in [
        ("none.csv", "out.csv"),
        ("none.parquet", "out.csv"),
        ("none.arrow", "out.csv"),
        ("none/*.csv", "out.csv"),
        ("in.csv", "none/out.csv"),
    ] {
        let error = folder.run("", input, output).unwrap_err();
        assert!(error.is_not_found() && error.to_string().contains("none"), "{error}");
    }
    folder.write("in.csv", "a\nx,y\n");
    assert!(!folder.run("", "in.csv", "out.csv").unwrap_err().is_not_found());
}

#[test]
fn empty_strings_and_nulls_stay_apart() {
    let folder = Folder::new();
    let text = "a,n,b\n\"\",1,x\n,2,\"\"\n\"say \"\"no\"\"\",,\n\"x,y\",-3.5,\"two\nlines\"\nplain,4,\n";
    let read = "[source]\nempty = \"text\"\nschema.n = \"f64\"";
    let written = text.replace(",1,", ",1.0,").replace(",2,", ",2.0,").replace(",4,", ",4.0,");
    for schema in ["", "schema.a = \"dictionary\"\nschema.b = \"large_string\""] {
        folder.write("in.csv", text);
        folder.run(&format!("{read}\n{schema}"), "in.csv", "out.csv").unwrap();
        assert_eq!(folder.read("out.csv"), written);
        folder.run(read, "out.csv", "again.csv").unwrap();
        assert_eq!(folder.read("again.csv"), written);
    }
    // The same bytes, whatever is read at once, and with a delimiter that is in numbers.
    folder.run(&format!("{read}\nchunk_bytes = 5\n[sink]\ndelimiter = \".\""), "in.csv", "points.csv").unwrap();
    assert!(folder.read("points.csv").ends_with("x,y.\"-3.5\".\"two\nlines\"\nplain.\"4.0\".\n"));
    folder.run(&format!("{read}\n[sink]\nempty = \"null\""), "in.csv", "out.csv").unwrap();
    assert_eq!(folder.read("out.csv"), written.replace("\"\",1.0", ",1.0").replace("2.0,\"\"", "2.0,"));
    let message =
        folder.run(&format!("{read}\n[sink]\ncolumns = [\"a\"]"), "in.csv", "out.csv").unwrap_err().to_string();
    assert!(
        message.contains("the only column 'a' is null in a row") && message.contains("empty = \"null\""),
        "{message}"
    );
    folder.run(&format!("{read}\n[sink]\ncolumns = [\"a\"]\nempty = \"null\""), "in.csv", "out.csv").unwrap();
    let message = folder.run("[sink]\nempty = \"text\"", "in.csv", "out.parquet").unwrap_err().to_string();
    assert!(message.contains("[sink] empty: is for CSV"), "{message}");
}

/// Columns of texts that look like something.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,20}",
        "[+-]?[0-9]{1,20}[.,][0-9]{0,12}",
        "[+-]?[0-9]{1,3}([., '][0-9]{3}){1,3}",
        "[0-9]e-?[0-9]{1,3}|-?inf|nan|infinity|NA|t|f|yes|no|true|False|0|1",
        "(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9])",
        "(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9])[ T][01][0-9]:[0-5][0-9](:[0-5][0-9]([.,][0-9]{1,9})?)?",
        "2024-0[1-9]-1[0-9][ T][01][0-9]:[0-5][0-9](:[0-5][0-9])?( ?(Z|[+-][01][0-9](:?[0-5][0-9])?)| UTC| PDT| CET)",
        "9999-12-31 23:59:59(\\.9{6,9})?",
        "[0-3]?[0-9][./-][01]?[0-9][./-](19|20)?[0-9]{2}( [0-2]?[0-9]:[0-5][0-9]( [AP]M)?)?",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// What is inferred from some rows, these rows are read by: no value is bad, and none is lost.
    #[test]
    fn what_is_inferred_is_read(
        kinds in prop::collection::vec(texts(), 1..4),
        picks in prop::collection::vec((0_usize..4, any::<bool>()), 1..12),
        decimal_comma: bool,
    ) {
        let values: Vec<&str> = picks.iter().map(|(pick, _)| kinds[pick % kinds.len()].as_str()).collect();
        let rows: Vec<String> = values.iter().map(|value| format!("\"{value}\",1")).collect();
        let folder = Folder::new();
        folder.write("in.csv", format!("v,n\n{}\n", rows.join("\n")));
        let toml = if decimal_comma { "[source]\ndecimal_comma = true" } else { "" };
        let summary = folder.run(toml, "in.csv", "out.parquet");
        prop_assert!(summary.is_ok(), "{:?}: {}", values, summary.unwrap_err());
        let batch = folder.parquet("out.parquet");
        prop_assert_eq!((batch.num_rows(), batch.column(0).null_count()), (values.len(), 0), "{:?}", values);
    }
}
