//! The settings of CSV that tell programs' ways of writing apart, each with what it is for; and what `check` proposes.

mod common;

use arrow::array::{Array, ArrayRef};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use common::Folder;
use hypostyle_pipeline::Pipeline;

type Column = (String, Vec<Option<String>>);

fn read(toml: &str, csv: impl AsRef<[u8]>) -> Vec<Column> {
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

/// A column of the test: `-` is null.
fn expected(name: &str, values: &[&str]) -> Column {
    (name.to_string(), values.iter().map(|value| (*value != "-").then(|| value.to_string())).collect())
}

fn plan(toml: &str, csv: &str) -> String {
    let folder = Folder::new();
    folder.write("in.csv", csv);
    folder.pipeline(toml, "in.csv", "out.parquet").plan().unwrap().to_string()
}

#[test]
fn words_for_true_and_false() {
    let csv = "a,b,c\nt,Y,x\nf,N,f\nt,,f\n";
    let columns = read("", csv);
    assert_eq!(columns[0], expected("a: Boolean", &["true", "false", "true"]));
    assert_eq!((columns[1].0.as_str(), columns[2].0.as_str()), ("b: Utf8", "c: Utf8"));
    let toml = "[source]\nboolean = { true = [\"Y\", \"x\"], false = [\"N\", \"f\"] }";
    let columns = read(toml, csv);
    assert_eq!(columns[1], expected("b: Boolean", &["true", "false", "-"]));
    assert_eq!(columns[2], expected("c: Boolean", &["true", "false", "false"]));
    let declared = read("[source]\nschema.a = \"bool\"", "a\nyes\nNo\n1\nTRUE\n");
    assert_eq!(declared[0].1, expected("", &["true", "false", "true", "true"]).1);
    let folder = Folder::new();
    for (boolean, words) in [
        ("{ true = [], false = [\"N\"] }", "true and false need a word each"),
        ("{ true = [\"N\"], false = [\"N\"] }", "\"N\" is both"),
    ] {
        let message = folder.complaint(&format!("[source]\nboolean = {boolean}"), "a\n1\n").to_string();
        assert!(message.contains(words) && message.contains("help: "), "{message}");
    }
}

#[test]
fn nulls_by_quotes_and_by_value() {
    let csv = "country,n,x\nNA,NA,-200\n\"NA\",1,-200.0\n\"\",2,1.5\n";
    let toml = "[source]\nnull_values = [\"NA\", \"-200\"]";
    assert_eq!(read(toml, csv)[0].1, expected("", &["-", "-", "-"]).1);
    let columns = read(&format!("{toml}\nquoted_nulls = false\nempty = \"text\""), csv);
    assert_eq!(columns[0], expected("country: Utf8", &["-", "NA", ""]));
    assert_eq!(columns[1], expected("n: Int64", &["-", "1", "2"]));
    assert_eq!(columns[2], expected("x: Float64", &["-", "-", "1.5"]));
    // A text that looks like the number is none.
    assert_eq!(read(&format!("{toml}\nschema.x = \"string\""), csv)[2].1, expected("", &["-", "-200.0", "1.5"]).1);
    assert_eq!(read(&format!("{toml}\nschema.n = \"i64\""), "n\n-200.00\n5\n")[0].1, expected("", &["-", "5"]).1);
}

#[test]
fn marks_between_thousands() {
    let english = read("[source]\nthousands = \",\"", "a,b\n\"1,234\",\"1,234.5\"\n999,0.5\n");
    assert_eq!(english, [expected("a: Int64", &["1234", "999"]), expected("b: Float64", &["1234.5", "0.5"])]);
    let german = "[source]\ndelimiter = \";\"\nthousands = \".\"\ndecimal_comma = true\nschema.b = \"decimal[12, 2]\"";
    let columns = read(german, "a;b\n1.234;-1.234.567,89\n5;1,5\n");
    assert_eq!(
        columns,
        [expected("a: Int64", &["1234", "5"]), expected("b: Decimal128(12, 2)", &["-1234567.89", "1.50"])]
    );
    let folder = Folder::new();
    for (thousands, words) in [
        ("\".\"", "set decimal_comma = true"),
        ("\"5\"", "cannot stand between"),
        ("\"ab\"", "one ASCII"),
        ("\"\\\"\"", "or the quote"),
    ] {
        let message = folder.complaint(&format!("[source]\nthousands = {thousands}"), "a\n1\n").to_string();
        assert!(message.contains(words), "{message}");
    }
    let message = folder.complaint("[source]\nthousands = \",\"\nschema.a = \"i64\"", "a\n\"12,34\"\n").to_string();
    assert!(message.contains("\"12,34\" is not a valid i64"), "{message}");
}

#[test]
fn several_formats_and_formats_that_make_the_type() {
    let toml = "[source]\ndatetime_formats = { t = [\"%d.%m.%Y %H:%M\", \"%d.%m.%Y\", \"epoch[s]\"], d = \"%YQ%q\" }";
    let columns = read(toml, "t,d\n31.12.2024 23:59,2024Q1\n31.12.2024,2024Q4\n86400,1990Q2\n");
    // One of the formats is of UTC.
    assert_eq!(columns[0].1, expected("", &["2024-12-31T23:59:00Z", "2024-12-31T00:00:00Z", "1970-01-02T00:00:00Z"]).1);
    assert_eq!(columns[1], expected("d: Date32", &["2024-01-01", "2024-10-01", "1990-04-01"]));
    let folder = Folder::new();
    let message = folder.complaint(toml, "t,d\n31/12/2024,\n").to_string();
    assert!(
        message.contains("does not match the timestamp[us, UTC] format \"%d.%m.%Y %H:%M or %d.%m.%Y or epoch[s]\""),
        "{message}"
    );
    let naive = read("[source]\nschema.t = \"timestamp[ms]\"\ndatetime_formats.t = \"%s%.f\"", "t\n1.25\n");
    assert_eq!(naive[0].1, expected("", &["1970-01-01T00:00:01.250"]).1);
}

#[test]
fn a_time_of_two_columns() {
    let csv = "date,time,v\n20240229,12:30:05,1\n20240301,00:00:00,2\n,,3\n";
    let toml = "[source.datetime_formats]\nts = { from = [\"date\", \"time\"], format = \"%Y%m%d %H:%M:%S\" }";
    let columns = read(toml, csv);
    assert_eq!(columns[3].1, expected("", &["2024-02-29T12:30:05", "2024-03-01T00:00:00", "-"]).1);
    assert_eq!(columns[3].0, "ts: Timestamp(µs)");
    let filtered =
        format!("{toml}\n[source.filter]\nts = {{ min = \"2024-03-01\" }}\n[sink]\ncolumns = [\"ts\", \"v\"]");
    assert_eq!(read(&filtered, csv)[1].1, expected("", &["2"]).1);
    let iso = "[source]\nschema.ts = \"timestamp[s, UTC]\"\ndatetime_formats.ts = { from = [\"d\", \"t\"] }";
    assert_eq!(read(iso, "d,t\n2024-02-29,\" 12:30 \"\n")[2].1, expected("", &["2024-02-29T12:30:00Z"]).1);
    let folder = Folder::new();
    for (toml, csv, words) in [
        (toml, "date,time,v\n20240229,,1\n", "record 1, column 'ts': \"20240229 \" does not match"),
        (toml, "date,time,v\n20240230,12:00:00,1\n", "\"20240230 12:00:00\" does not match"),
        (toml, "date,time,ts\n1,2,3\n", "ts: the file has a column of this name"),
        (toml, "date,tim,v\n1,2,3\n", "column 'time' not found; did you mean 'tim'?"),
    ] {
        let message = folder.complaint(toml, csv).to_string();
        assert!(message.contains(words) && message.contains("help: "), "{message}");
    }
    folder.write("in.csv", "date,time,v\nx,y,1\n20240229,12:30:05,2,3\n20240301,00:00:00,2\n");
    let summary = folder.run(&format!("[source]\non_bad_row = \"skip\"\n{toml}"), "in.csv", "out.parquet").unwrap();
    assert_eq!((summary.rows_written, summary.bad_rows), (1, 2));
}

#[test]
fn rows_above_and_below_the_header() {
    let csv = "Report \"of\nsomething\n\na,b\nm,kg\n1,\"x\ny\"\n2,z\n";
    let toml = "[source]\nskip_rows = 3\nskip_rows_after_header = 1";
    let columns = read(toml, csv);
    assert_eq!(columns, [expected("a: Int64", &["1", "2"]), expected("b: Utf8", &["x\ny", "z"])]);
    let folder = Folder::new();
    let message = folder.complaint(&format!("{toml}\nschema = {{ a = \"i64\" }}"), csv.replace('2', "q")).to_string();
    assert!(message.contains("in.csv:8: record 2, column 'a': \"q\""), "{message}");
    let rows = read("[source]\nheader = false\nskip_rows = 1", "x\r\n1,2\r\n");
    assert_eq!(rows[0], expected("column_1: Int64", &["1"]));
    for (toml, words) in
        [("skip_rows = 99", "the input is empty"), ("header = false\nskip_rows_after_header = 1", "has no effect")]
    {
        let message = folder.complaint(&format!("[source]\n{toml}"), csv).to_string();
        assert!(message.contains(words), "{message}");
    }
    // Read in chunks of any size, and resumed, it is the same.
    for chunk_bytes in 1..12 {
        assert_eq!(read(&format!("{toml}\nchunk_bytes = {chunk_bytes}"), csv), columns);
    }
}

#[test]
fn runs_of_blanks_between_fields() {
    let csv = "  a   b\tc\n  1  \"x y\"  0.5  \n10\t z \t\t 2 \r\n\n3 \"\"  -1";
    for chunk_bytes in [1, 7, 1000] {
        let toml = format!("[source]\ndelimiter = \"blanks\"\nchunk_bytes = {chunk_bytes}");
        let columns = read(&toml, csv);
        assert_eq!(
            columns,
            [
                expected("a: Int64", &["1", "10", "3"]),
                expected("b: Utf8", &["x y", "z", "-"]),
                expected("c: Float64", &["0.5", "2.0", "-1.0"])
            ]
        );
    }
    let folder = Folder::new();
    let message = folder.complaint("[source]\ndelimiter = \"blanks\"", "a b\n1 2 3\n").to_string();
    assert!(message.contains("got 3 fields, expected 2"), "{message}");
}

#[test]
fn escapes_outside_quotes() {
    let csv = "1\ta\\tb\t\\N\n2\tline\\\nbreak\t5\n3\t\"q\\\\\t\n";
    for chunk_bytes in [1, 9, 1000] {
        let columns = read(&format!("[source]\ndialect = \"postgres-text\"\nchunk_bytes = {chunk_bytes}"), csv);
        assert_eq!(columns[0], expected("column_1: Int64", &["1", "2", "3"]));
        assert_eq!(columns[1], expected("column_2: Utf8", &["a\tb", "line\nbreak", "\"q\\"]));
        assert_eq!(columns[2], expected("column_3: Int64", &["-", "5", "-"]));
    }
    // Across the border of a block of 64 bytes too.
    for length in 55..70 {
        let text = "x".repeat(length);
        let columns = read("[source]\ndialect = \"mysql\"", format!("{text}\\\ty\t1\n"));
        assert_eq!(columns[0].1, [Some(format!("{text}\ty"))], "{length}");
    }
}

#[test]
fn dialects_are_sets_of_settings() {
    for (dialect, csv, columns) in [
        (
            "postgres",
            "a,b\nt,\"\"\nf,\n",
            vec![expected("a: Boolean", &["true", "false"]), expected("b: Utf8", &["", "-"])],
        ),
        (
            "spark",
            "a,b\n\"q\\\"q\",\"\"\nx,\n",
            vec![expected("a: Utf8", &["q\"q", "x"]), expected("b: Utf8", &["", "-"])],
        ),
        (
            "r",
            "\"a\",\"b\"\n\"NA\",NA\nNA,1\n",
            vec![expected("a: Utf8", &["NA", "-"]), expected("b: Int64", &["-", "1"])],
        ),
        (
            "r-table",
            "\"a\" \"b\"\n\"1\" \"x \\\"y\" NA\n\"2\" NA 1.5\n",
            vec![
                expected("column_1: Int64", &["1", "2"]),
                expected("a: Utf8", &["x \"y", "-"]),
                expected("b: Float64", &["-", "1.5"]),
            ],
        ),
        (
            "rdb",
            "# USGS\n#\nsite\tv\n5s\t10n\n01\t1.5\n",
            vec![expected("site: Utf8", &["01"]), expected("v: Float64", &["1.5"])],
        ),
        (
            "w3c",
            "#Software: Microsoft Internet Information Services 10.0\n#Fields: date s-ip  time-taken\n2024-01-01 - 5\n\
             #Date: 2024-01-02\n2024-01-02 ::1 7\n",
            vec![
                expected("date: Date32", &["2024-01-01", "2024-01-02"]),
                expected("s-ip: Utf8", &["-", "::1"]),
                expected("time-taken: Int64", &["5", "7"]),
            ],
        ),
        (
            "zeek",
            "#separator \\x09\n#path\tconn\n#fields\tid\tnote\n#types\tcount\tstring\n1\ta \"b\n-\t-\n#close\t2024-01-01\n",
            vec![expected("id: Int64", &["1", "-"]), expected("note: Utf8", &["a \"b", "-"])],
        ),
        (
            "excel-de",
            "a;b\n31.12.2024;1.234,5\n",
            vec![expected("a: Date32", &["2024-12-31"]), expected("b: Float64", &["1234.5"])],
        ),
        (
            "clickhouse",
            "a\tb\n\\N\tx\\'y\n5\t\n",
            vec![expected("a: Int64", &["-", "5"]), expected("b: Utf8", &["x'y", ""])],
        ),
    ] {
        assert_eq!(read(&format!("[source]\ndialect = \"{dialect}\""), csv), columns, "{dialect}");
    }
    // What is given takes precedence.
    let columns = read("[source]\ndialect = \"excel-de\"\ndelimiter = \"|\"", "a|b\n1,5|x\n");
    assert_eq!(columns[0], expected("a: Float64", &["1.5"]));
    let error = "[source]\ndialect = \"exel\"".parse::<Pipeline>().unwrap_err().to_string();
    assert!(error.contains("excel-de"), "{error}");
    let folder = Folder::new();
    folder.run("", &folder.write("in.csv", "a\n1\n").file_name().unwrap().to_string_lossy(), "x.parquet").unwrap();
    let message = folder.run("[source]\ndialect = \"r\"", "x.parquet", "out.csv").unwrap_err().to_string();
    assert!(message.contains("dialect: is for CSV"), "{message}");
}

#[test]
fn texts_as_formulas_and_blanks_around_fields() {
    let formulas = "[source]\ntext_formulas = true";
    let columns = read(formulas, "a,b\n=\"007\",\"=\"\"x,y\"\"\"\n=1+2,\"=\"\n");
    assert_eq!(columns, vec![expected("a: Utf8", &["007", "=1+2"]), expected("b: Utf8", &["x,y", "="])]);
    assert_eq!(read(formulas, "a\n=\"7\"\n=\"8\"\n"), vec![expected("a: Int64", &["7", "8"])]);
    let trimmed = read("[source]\ntrim = true", "a, b \nx , y z\n \"q\" ,w\n");
    assert_eq!(trimmed, vec![expected("a: Utf8", &["x", "q"]), expected("b: Utf8", &["y z", "w"])]);
    let plain = read("", "a, b \nx , y z\n");
    assert_eq!(plain, vec![expected("a: Utf8", &["x "]), expected(" b : Utf8", &[" y z"])]);
    let message = Folder::new().complaint("[source]\ntext_formulas = true\nquote = \"\"", "a\n1\n").to_string();
    assert!(message.contains("text_formulas = true conflicts with quote = \"\""), "{message}");
}

#[test]
fn names_stand_in_a_comment() {
    let toml = "[source]\ncomment = \"#\"\nheader_prefix = \"# cols:\"";
    let columns = read(toml, "# made by x\n# cols: 7,\"b,c\"\n# cols: a,\"b,c\"\n# units: s,m\n1,2\n");
    assert_eq!(columns, vec![expected("a: Int64", &["1"]), expected("b,c: Int64", &["2"])]);
    let columns = read("[source]\ndialect = \"w3c\"\nheader = false", "#Fields: a b\n1 2\n");
    assert_eq!(columns[1], expected("column_2: Int64", &["2"]));
    let columns = read("[source]\ndialect = \"w3c\"", "#Fields: a b\n");
    assert_eq!(columns[1], expected("b: Utf8", &[]));
    for (toml, csv, words) in [
        (toml, "# made by x\na,b\n1,2\n", "no comment above the rows begins with \"# cols:\""),
        (
            toml,
            "# cols: a,a\n1,2\n",
            "csv:1: the header names column 'a' twice\nhelp: rename one; or set header = false",
        ),
        (toml, "# cols: a,b,c\n1,2\n", "got 2 fields, expected 3"),
        ("[source]\nheader_prefix = \"#\"", "#a\n1\n", "no comment begins with \"#\""),
        ("[source]\ncomment = \"#\"\nheader_prefix = \"!\"", "#a\n1\n", "no comment begins with \"!\""),
        ("[source]\ndialect = \"w3c\"\nskip_rows_after_header = 1", "#Fields: a\n1\n", "conflicts with header_prefix"),
        ("[source]\ncomment = \"#\"\nheader = false\nheader_prefix = \"#\"", "#a\n1\n", "header = false conflicts"),
        ("[source]\ncomment = \"#\"", "#a b\n\n#c", "the input is empty: it has no header"),
        ("[source]\ndialect = \"w3c\"", "", "the input is empty: it has no header"),
    ] {
        let message = Folder::new().complaint(toml, csv).to_string();
        assert!(message.contains(words), "{csv:?}: {message}");
    }
}

#[test]
fn check_says_what_the_file_looks_like() {
    for (toml, csv, words) in [
        ("", "word\none\n", ""),
        (
            "",
            "a;b\n1;2\n",
            "note     IN looks like 2 fields separated by semicolons: set delimiter = \";\" in [source]",
        ),
        ("", "a|b\n1|2\n", "delimiter = \"|\""),
        (
            "[source]\ncomment = \"#\"",
            "# host;x\n# a,b\n1,2\n3,4\n",
            "comment = \"#\" ignores a line that may be the header",
        ),
    ] {
        let folder = Folder::new();
        let path = folder.write("in.csv", csv).display().to_string();
        let toml = if toml.contains("comment") { "[source]\ncomment = \"#\"\nheader = true" } else { toml };
        let plan = folder.pipeline(toml, "in.csv", "out.parquet").plan().unwrap().to_string();
        assert_eq!(plan.contains("note "), !words.is_empty(), "{plan}");
        assert!(plan.contains(&words.replace("IN", &path)), "{plan}");
    }
    let folder = Folder::new();
    let message = folder.complaint("", "a;b\n1,5;2\n2,5;3\n").to_string();
    assert!(
        message.contains("help: the file looks like 2 fields separated by semicolons, decimal commas: set delimiter = \";\", decimal_comma = true"),
        "{message}"
    );
    assert!(
        plan("", "t\n1/2/2024\n").contains("the day or the month may come first: t = \"%d/%m/%Y\" or \"%m/%d/%Y\"")
    );
}

#[test]
fn data_are_not_taken_for_a_header() {
    let folder = Folder::new();
    for csv in [
        "1502942400000,4261.48\n1502942460000,4261.49\n",
        "5.1,3.5,Iris-setosa\n4.9,3.0,Iris-setosa\n",
        "2024-01-01,1\n2024-01-02,2\n",
    ] {
        let error = folder.complaint("", csv).to_string();
        assert!(
            error.contains("the first row looks like data") && error.contains("set header = false in [source]"),
            "{error}"
        );
        read("[source]\nheader = true", csv);
        assert_eq!(read("[source]\nheader = false", csv)[0].1.len(), 2);
    }
    for csv in [
        "country,2000,2001\nx,1,2\n",
        "a,b\n1,2\n",
        "name,0.25,0.75\nx,1.5,2.5\n",
        "x,2024-01-01\ny,5\n",
        "10,20\n1,2\n",
    ] {
        read("", csv);
    }
}

#[test]
fn files_that_are_no_csv_are_named() {
    let folder = Folder::new();
    for (bytes, words) in [
        (&b"\x1f\x8b\x08\0"[..], "compressed by gzip\nhelp: rename it to end in .gz"),
        (b"\xff\xfea\0\n\0", "UTF-16\nhelp: convert it to UTF-8"),
        (b"PAR1\x15\x04", "Parquet\nhelp: set format = \"parquet\""),
        (b"PK\x03\x04", "Excel"),
    ] {
        let message = folder.complaint("", bytes).to_string();
        assert!(message.contains(words), "{message}");
    }
    assert_eq!(read("", "PAR1,PAR2\n1,2\n")[0], expected("PAR1: Int64", &["1"]));
}

#[test]
fn a_column_without_values_is_looked_up_in_further_files() {
    let folder = Folder::new();
    folder.write("1.csv", "a,b\n,\n");
    folder.write("2.csv", "a,b\n,x\n");
    folder.write("3.csv", "a,b\n1.5,\n");
    folder.run("", "[123].csv", "out.parquet").unwrap();
    let batch = folder.parquet("out.parquet");
    assert_eq!((shown(batch.column(0)), batch.num_rows()), (expected("", &["-", "-", "1.5"]).1, 3));
    assert_eq!(batch.column(0).data_type().to_string(), "Float64");
}

#[test]
fn percentages_and_amounts_are_numbers() {
    let folder = Folder::new();
    let text = "share,price,note\n12.5%,\"$1,234.50\",5%\n-3 %,-$2,x\n,,\n";
    folder.write("in.csv", text);
    let plan = |settings: &str| folder.pipeline(settings, "in.csv", "out.csv").plan().unwrap().to_string();
    let hints = plan("");
    assert!(hints.contains("numbers with \"%\": symbols = [\"%\"] in [source] would read them"), "{hints}");
    assert!(hints.contains("symbols = [\"$\"], thousands = \",\" in [source]"), "{hints}");
    let toml = "[source]\nsymbols = [\"%\", \"$\"]\nthousands = \",\"";
    folder.run(toml, "in.csv", "out.csv").unwrap();
    assert_eq!(folder.read("out.csv"), "share,price,note\n12.5,1234.5,5%\n-3.0,-2.0,x\n,,\n");
    // A column that is declared, and one that is not what it says.
    let toml =
        "[source]\nsymbols = [\"%\"]\non_bad_row = \"null\"\nschema = { share = \"decimal[5, 1]\", note = \"i64\" }";
    let summary = folder.run(toml, "in.csv", "out.csv").unwrap();
    assert_eq!(summary.bad_row_counts, [("invalid value in 'note'".to_string(), 1)]);
    assert_eq!(folder.read("out.csv"), "share,price,note\n12.5,\"$1,234.50\",5\n-3.0,-$2,\n,,\n");
    for odd in ["", "5", ".", "--"] {
        let message =
            folder.run(&format!("[source]\nsymbols = [{odd:?}]"), "in.csv", "out.csv").unwrap_err().to_string();
        assert!(message.contains("may be a part of a number"), "{message}");
    }
    let message = folder.run("[source]\nsymbols = [\"%\"]", "in.arrow", "out.csv").unwrap_err().to_string();
    assert!(message.contains("in.arrow"), "{message}");
}

#[test]
fn times_of_day_and_durations() {
    let csv = "t,d\n12:34:56,1 day 02:03:04\n9:30:00.5,PT1.5S\n,-1 days 23:00:00\n";
    let toml = "[source]\nschema.d = \"duration[ms]\"";
    let columns = read(toml, csv);
    assert_eq!(columns[0], expected("t: Time64(µs)", &["12:34:56", "09:30:00.500", "-"]));
    assert_eq!(columns[1].0, "d: Duration(ms)");
    // What is written comes back.
    let folder = Folder::new();
    folder.write("in.csv", csv);
    folder.run(toml, "in.csv", "out.csv").unwrap();
    let text = folder.read("out.csv");
    assert_eq!(text, "t,d\n12:34:56,1 days 02:03:04\n09:30:00.500,0 days 00:00:01.500\n,-1 days 23:00:00\n");
    assert_eq!(read(toml, &text), columns);
    // Conditions are written like values, and kernels that order or count take them.
    let filtered =
        "[source]\nschema.d = \"duration[ms]\"\nfilter = { t = { min = \"10:00\" }, d = { max = \"2 days\" } }
        [[stage]]\n[[stage.kernel]]\nname = \"cum_count\"\ncolumn = \"d\"\nalias = \"n\"";
    let rows = read(filtered, csv);
    assert_eq!(rows[0].1, [Some("12:34:56".to_string())]);
    let error = folder.complaint("[source]\nfilter.t = { min = \"10:00:00.0000001\" }", csv).to_string();
    assert!(error.contains("min: \"10:00:00.0000001\" is not a valid time[us]"), "{error}");
    let error = folder.complaint("[source]\nschema.t = \"time[ms]\"", "t\n25:10:00\n").to_string();
    assert!(error.contains("\"25:10:00\" is out of range for time[ms]"), "{error}");
    let error = format!("{:?}", folder.complaint("[source]\nschema.t = \"duration[s]\"", "t\n1 month\n"));
    assert!(error.contains("is not a valid duration[s] (such as 1 day 02:03:04.5"), "{error}");
    let plan = plan("", "trip,lap\n25:10:00,12:34\n24:05:00,2:05\n");
    for words in ["trip = \\\"duration[us]\\\"", "lap = \\\"time[us]\\\" or \\\"duration[us]\\\""] {
        assert!(plan.contains(&words.replace('\\', "")), "{words}: {plan}");
    }
}
