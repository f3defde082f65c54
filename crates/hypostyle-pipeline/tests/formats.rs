//! Data files as they are found: dialects, encodings, compressed files, directories, pipes, formats.

mod common;

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType};
use common::{Folder, KERNELS, trades};
use hypostyle_pipeline::{ErrorKind, Pipeline};

fn floats(folder: &Folder, column: usize) -> Vec<Option<f64>> {
    folder.parquet("out.parquet").column(column).as_primitive::<Float64Type>().iter().collect()
}

fn texts(folder: &Folder, column: usize) -> Vec<Option<String>> {
    let batch = folder.parquet("out.parquet");
    batch.column(column).as_string::<i32>().iter().map(|text| text.map(str::to_string)).collect()
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| (!text.is_empty()).then(|| (*text).to_string())).collect()
}

#[test]
fn european_files() {
    let folder = Folder::new();
    folder.write("in.csv", b"Stra\xdfe;Preis\nK\xf6ln;1,5\nBonn;-0,25\n\"a;b\";1.000,5\n");
    let toml = "[source]\ndelimiter = \";\"\ndecimal_comma = true\nencoding = \"latin1\"\n";
    folder
        .run(&format!("{toml}on_bad_row = \"null\"\nschema = {{ Preis = \"f64\" }}"), "in.csv", "out.parquet")
        .unwrap();
    assert_eq!(folder.parquet("out.parquet").schema().field(0).name(), "Straße");
    assert_eq!(texts(&folder, 0), some(&["Köln", "Bonn", "a;b"]));
    assert_eq!(floats(&folder, 1), [Some(1.5), Some(-0.25), None]);
    // The offset of a bad row is that in the file, not in its text.
    let error = folder.run(&format!("{toml}schema = {{ Preis = \"f64\" }}"), "in.csv", "out.parquet").unwrap_err();
    assert!(
        error.to_string().contains("in.csv:4: record 3, column 'Preis': \"1.000,5\" is not a valid f64"),
        "{error}"
    );
}

#[test]
fn quotes_escapes_and_comments() {
    let folder = Folder::new();
    folder.write("in.csv", "# made by hand, \"1\na,b\n'x,1',2\n# \"\n'it\\'s',3\n5\" pipe,4\n");
    let toml = "[source]\nquote = \"'\"\nescape = \"\\\\\"\ncomment = \"#\"\nchunk_bytes = 1";
    folder.run(toml, "in.csv", "out.parquet").unwrap();
    assert_eq!(texts(&folder, 0), some(&["x,1", "it's", "5\" pipe"]));
    folder.write("in.csv", "a,b\n\"x,1\n\"\"y\",2\n");
    folder.run("[source]\nquote = \"\"", "in.csv", "out.parquet").unwrap();
    assert_eq!(texts(&folder, 0), some(&["\"x", "\"\"y\""]));
    for (toml, words) in [
        ("quote = \"ab\"", "quote: got \"ab\", expected one ASCII character"),
        ("comment = \",\"", "delimiter and comment are both \",\""),
        ("decimal_comma = true\nquote = \"\"", "decimal_comma = true conflicts with delimiter"),
        ("encoding = \"utf16\"", "unknown variant `utf16`"),
    ] {
        let outcome = format!("[source]\n{toml}").parse::<Pipeline>();
        let planned =
            outcome.and_then(|p| p.with_input(folder.path("in.csv")).with_output(folder.path("o.csv")).plan());
        let message = planned.unwrap_err().to_string();
        assert!(message.contains(words), "{words} is not in: {message}");
    }
}

#[test]
fn old_line_ends() {
    let folder = Folder::new();
    folder.write("in.csv", "a,b\r1,\"x\ry\"\r2,z");
    folder.run("", "in.csv", "out.parquet").unwrap();
    assert_eq!(texts(&folder, 1), some(&["x\ry", "z"]));
    // The other kind of line end inside quotes is text.
    folder.write("in.csv", "id,s,p\r0,\"a\nb\",x\r1,plain,y\r");
    folder.run("", "in.csv", "out.parquet").unwrap();
    assert_eq!(texts(&folder, 1), some(&["a\nb", "plain"]));
}

#[test]
fn a_point_makes_no_number_where_decimals_have_commas() {
    let folder = Folder::new();
    folder.write("in.csv", "a;b\n1;1.5\n2;2,5\n");
    folder.run("[source]\ndelimiter = \";\"\ndecimal_comma = true", "in.csv", "out.parquet").unwrap();
    assert_eq!(texts(&folder, 1), some(&["1.5", "2,5"]));
}

#[test]
fn each_file_has_its_own_line_ends() {
    let folder = Folder::new();
    for (name, end) in [("1.csv", "\r"), ("2.csv", "\n"), ("3.csv", "\r\n"), ("4.csv", "\r")] {
        folder.write(name, ["a,b", &format!("1,{name}"), "2,\"two", "lines\"", "x,z"].join(end));
    }
    let toml = "[source]\nchunk_bytes = 1\non_bad_row = \"null\"\nschema = { a = \"i64\" }";
    let summary = folder.run(toml, "*.csv", "out.parquet").unwrap();
    assert_eq!((summary.rows_written, summary.bad_rows), (12, 4));
    let expected = ["1.csv", "two\rlines", "z", "2.csv", "two\nlines", "z", "3.csv", "two\r\nlines", "z"];
    assert_eq!(texts(&folder, 1)[..9], some(&expected));
    let error = folder.run("[source]\nschema = { a = \"i64\" }", "[34].csv", "out.parquet").unwrap_err();
    assert!(error.to_string().contains("3.csv:5: record 3, column 'a': \"x\" is not a valid i64"), "{error}");
}

#[test]
fn null_words_are_known_in_any_encoding() {
    let folder = Folder::new();
    folder.write("in.csv", b"a;b\nl\xe4sst aus;x\n1;\xe4\n");
    let toml = "[source]\ndelimiter = \";\"\nencoding = \"latin1\"\nnull_values = [\"l\u{e4}sst aus\"]";
    folder.run(toml, "in.csv", "out.parquet").unwrap();
    assert_eq!(folder.parquet("out.parquet").schema().field(0).data_type(), &DataType::Int64);
    assert_eq!(texts(&folder, 1), some(&["x", "\u{e4}"]));
}

#[test]
fn times_by_pattern_decimals_and_dictionaries() {
    let folder = Folder::new();
    folder.write("in.csv", "day,ts,price,side\n29/02/2024,1709164801500,10.50,buy\n01/03/2024,,-0.05,sell\n,0,7,buy\n");
    let toml = "[source.schema]\nday = \"date\"\nts = \"timestamp[ms]\"\nprice = \"decimal[10, 2]\"\nside = \"dictionary\"\n\
                [source.datetime_formats]\nday = \"%d/%m/%Y\"\nts = \"epoch[ms]\"\n";
    folder.run(toml, "in.csv", "out.parquet").unwrap();
    let batch = folder.parquet("out.parquet");
    let ts = batch.column(1).as_primitive::<TimestampMillisecondType>();
    assert_eq!((ts.value(0), ts.is_null(1), ts.value(2)), (1_709_164_801_500, true, 0));
    assert_eq!(batch.column(2).as_primitive::<Decimal128Type>().values(), &[1050, -5, 700]);
    assert!(matches!(batch.column(3).data_type(), DataType::Dictionary(..)));
    folder.run("", "out.parquet", "out.csv").unwrap();
    assert_eq!(
        folder.read("out.csv"),
        "day,ts,price,side\n2024-02-29,2024-02-29T00:00:01.500,10.50,buy\n2024-03-01,,-0.05,sell\n,1970-01-01T00:00:00,7.00,buy\n"
    );
    for (toml, csv, words) in [
        (toml, "day,ts,price,side\n2024-02-29,,,\n", "\"2024-02-29\" does not match the date format \"%d/%m/%Y\""),
        (toml, "day,ts,price,side\n,,1.555,\n", "has more decimals than decimal[10, 2] holds"),
        (
            "[source.datetime_formats]\nday = \"%Q\"\n[source.schema]\nday = \"date\"",
            "day\n\n",
            "\"%Q\" is not a valid format string",
        ),
        (
            "[source.datetime_formats]\nday = \"%Y\"\n[source.schema]\nday = \"string\"",
            "day\nx\n",
            "day: got type string, expected a date or timestamp",
        ),
        ("[source.datetime_formats]\nday = \"%Y\"", "day\nx\n", "\"x\" does not match the date format \"%Y\""),
        ("[source.datetime_formats]\nnix = \"%Y\"", "day\nx\n", "column 'nix' not found"),
    ] {
        let message = folder.complaint(toml, csv).to_string();
        assert!(
            message.contains(words) && (message.contains("help: ") || message.contains("expected")),
            "{words} is not in: {message}"
        );
    }
}

#[test]
fn compressed_files() {
    let folder = Folder::new();
    let text = trades(5_000);
    folder.write("in.csv", &text);
    folder.run(KERNELS, "in.csv", "plain.parquet").unwrap();
    let mut gzip = Vec::new();
    for part in text.as_bytes().chunks(70_000) {
        // A file of several members, as tools make that append.
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(part).unwrap();
        gzip.extend(encoder.finish().unwrap());
    }
    folder.write("in.csv.gz", &gzip);
    folder.write("in.csv.zst", zstd::encode_all(text.as_bytes(), 1).unwrap());
    for name in ["in.csv.gz", "in.csv.zst"] {
        let mut last = 0;
        let pipeline = folder.pipeline(KERNELS, name, "out.parquet");
        let summary = pipeline.run(&mut |progress| last = progress.bytes_read).unwrap();
        let bytes = fs::metadata(folder.path(name)).unwrap().len();
        assert_eq!((summary.rows_written, summary.bytes_read, last), (5_000, bytes, bytes), "{name}");
        common::assert_same_bits(&folder.parquet("plain.parquet"), &folder.parquet("out.parquet"));
    }
    folder.write("cut.csv.gz", &gzip[..gzip.len() - 100]);
    let error = folder.run("", "cut.csv.gz", "cut.parquet").unwrap_err();
    assert!(error.to_string().contains("cut.csv.gz: cannot read the input"), "{error}");
    folder.write("text.csv.zst", "a,b\n");
    assert!(folder.run("", "text.csv.zst", "cut.parquet").unwrap_err().to_string().contains("text.csv.zst"));
    assert!(!folder.path("cut.parquet").exists());
}

#[test]
fn folders_are_read_in_order_and_may_be_columns() {
    let folder = Folder::new();
    let text = trades(400);
    folder.write("all.csv", &text);
    let lines: Vec<&str> = text.lines().collect();
    for (index, rows) in lines[1..].chunks(90).enumerate() {
        let place = folder.path(&format!("in/part={index}"));
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("x.csv"), format!("{}\n{}\n", lines[0], rows.join("\n"))).unwrap();
    }
    fs::write(folder.path("in/part=2/empty.csv"), "").unwrap();
    folder.run(KERNELS, "all.csv", "all.parquet").unwrap();
    let kernels = format!(
        "{KERNELS}\n[sink]\ncolumns = [\"ts\", \"symbol\", \"price\", \"mean\", \"max\", \"ewm\", \"session\"]"
    );
    folder.run(&kernels, "in", "out.parquet").unwrap();
    common::assert_same_bits(&folder.parquet("all.parquet"), &folder.parquet("out.parquet"));
    folder.run("[source]\ncolumns = [\"price\", \"part\"]", "in/part=[0-2]/x*", "out.parquet").unwrap();
    let part = folder.parquet("out.parquet");
    let part = part.column(1).as_primitive::<Int64Type>();
    assert_eq!((part.len(), part.value(0), part.value(89), part.value(90), part.value(269)), (270, 0, 0, 1, 2));
    // The same over Parquet.
    for index in 0..3 {
        let place = format!("pq/part={index}");
        fs::create_dir_all(folder.path(&place)).unwrap();
        let own = "[source]\ncolumns = [\"ts\", \"symbol\", \"price\"]";
        folder.run(own, &format!("in/part={index}/x.csv"), &format!("{place}/x.parquet")).unwrap();
    }
    folder.run("[source]\nbatch_rows = 7\ncolumns = [\"price\", \"part\"]", "pq", "again.parquet").unwrap();
    common::assert_same_bits(&folder.parquet("again.parquet"), &folder.parquet("out.parquet"));

    fs::write(folder.path("in/part=4/y.csv"), "ts,price\n").unwrap();
    let error = folder.run("", "in", "out.parquet").unwrap_err().to_string();
    assert!(error.contains("y.csv: column 'symbol' of the first file is missing"), "{error}");
    let error = folder.run("", "none/*.csv", "out.parquet").unwrap_err().to_string();
    assert!(error.contains("no files found"), "{error}");
}

#[test]
fn an_empty_partition_is_null_beside_any_type() {
    for value in ["1", "1.5", "true", "2024-01-02", "2024-01-02 03:04:05", "2024-01-02T03%3A04%3A05Z"] {
        let folder = Folder::new();
        for (place, row) in [(format!("in/t={value}"), 1), ("in/t=".to_string(), 2)] {
            fs::create_dir_all(folder.path(&place)).unwrap();
            fs::write(folder.path(&place).join("x.csv"), format!("v\n{row}\n")).unwrap();
        }
        folder.run("", "in", "out.csv").unwrap();
        let rows = folder.read("out.csv");
        let rows: Vec<&str> = rows.lines().collect();
        assert_eq!((rows[0], rows[1]), ("v,t", "2,"), "{value}");
        assert!(rows[2].starts_with("1,") && rows[2] != "1,", "{value}: {rows:?}");
    }
}

#[test]
fn arrow_ipc_in_and_out() {
    let folder = Folder::new();
    folder.write("in.csv", trades(3_000));
    folder.run(KERNELS, "in.csv", "plain.parquet").unwrap();
    folder.run("", "in.csv", "in.arrow").unwrap();
    for batch_rows in [1_000, 100_000] {
        let toml = format!("[source]\nbatch_rows = {batch_rows}\n{KERNELS}\n[sink]\ncompression = \"zstd\"");
        folder.run(&toml, "in.arrow", "out.arrow").unwrap();
        folder.run("", "out.arrow", "out.parquet").unwrap();
        common::assert_same_bits(&folder.parquet("plain.parquet"), &folder.parquet("out.parquet"));
    }
    folder.write("bad.arrow", "no arrow at all");
    let error = folder.run("", "bad.arrow", "x.parquet").unwrap_err().to_string();
    assert!(error.contains("bad.arrow: the input is not a valid Arrow IPC file"), "{error}");
}

fn piped(folder: &Folder, toml: &str, input: &[u8], arguments: &[&str]) -> Vec<u8> {
    folder.write("p.toml", toml);
    let mut run = Command::new(env!("CARGO_BIN_EXE_hypostyle"))
        .args(["run", "p.toml", "--input", "-", "--output", "-"])
        .args(arguments)
        .current_dir(folder.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = run.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || stdin.write_all(&input));
    let done = run.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    feeder.join().unwrap().unwrap();
    done.stdout
}

#[test]
fn from_standard_input_to_standard_output() {
    let folder = Folder::new();
    let text = trades(3_000);
    folder.write("in.csv", &text);
    folder.run(KERNELS, "in.csv", "plain.csv").unwrap();
    folder.run(KERNELS, "in.csv", "plain.parquet").unwrap();
    let toml = |from: &str, to: &str| format!("[source]\nformat = \"{from}\"\n{KERNELS}\n[sink]\nformat = \"{to}\"\n");
    let csv = piped(&folder, &toml("csv", "csv"), text.as_bytes(), &["--threads", "2"]);
    assert_eq!(String::from_utf8(csv).unwrap(), folder.read("plain.csv"));
    // A stream of Arrow IPC through two runs.
    let stream = piped(&folder, "[source]\nformat = \"csv\"\n[sink]\nformat = \"ipc\"\n", text.as_bytes(), &[]);
    let parquet = piped(&folder, &toml("ipc", "parquet"), &stream, &["-q"]);
    folder.write("out.parquet", parquet);
    common::assert_same_bits(&folder.parquet("plain.parquet"), &folder.parquet("out.parquet"));
}

#[test]
fn progress_for_programs() {
    let folder = Folder::new();
    folder.write("in.csv", trades(300));
    folder.write("p.toml", format!("[source]\npath = \"in.csv\"\n{KERNELS}[sink]\npath = \"out.parquet\"\n"));
    let run = Command::new(env!("CARGO_BIN_EXE_hypostyle"))
        .args(["run", "p.toml", "--progress", "json"])
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    let lines = String::from_utf8(run.stderr).unwrap();
    let events: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((events[0]["event"].as_str(), events[0]["rows_written"].as_u64()), (Some("progress"), Some(300)));
    let done = events.last().unwrap();
    assert_eq!((done["event"].as_str(), done["output"].as_str()), (Some("done"), Some("out.parquet")));
}

#[test]
fn only_the_columns_that_are_wanted_are_read() {
    let folder = Folder::new();
    folder.write("in.csv", "a,b,c\n1,x,2024\n2,y,1\n");
    // A column that isn't read can't be wrong.
    let toml = "[source]\nschema = { a = \"f64\", c = \"date\" }\n[[stage]]\n[[stage.kernel]]\nname = \"expanding_sum\"\ncolumn = \"a\"\nalias = \"sum\"\n[sink]\ncolumns = [\"sum\", \"b\"]";
    folder.run(toml, "in.csv", "out.csv").unwrap();
    assert_eq!(folder.read("out.csv"), "sum,b\n1.0,x\n3.0,y\n");
    for (toml, words) in [
        ("[sink]\ncolumns = [\"nix\"]", "[sink] columns: column 'nix' not found"),
        ("[sink]\ncolumns = [\"a\", \"a\"]", "column 'a' is named twice"),
        ("[source]\ncolumns = [\"nix\"]", "[source] columns: column 'nix' not found"),
        (
            "[source]\ncolumns = [\"a\"]\n[source.rules]\nb = { not_null = true }",
            "[source.rules] b: the column is not in [source] columns",
        ),
    ] {
        let message = folder.run(toml, "in.csv", "o.csv").unwrap_err().to_string();
        assert!(message.contains(words), "{words} is not in: {message}");
    }
}

#[test]
fn memory_that_does_not_do_is_an_error() {
    let folder = Folder::new();
    let mut text = "key,x\n".to_string();
    text.extend((0..400_000).map(|i| format!("{i},1.5\n")));
    folder.write("in.csv", text);
    let toml = "[[stage]]\nover = \"key\"\n[[stage.kernel]]\nname = \"rolling_median\"\ncolumn = \"x\"\nwindow = 50\nalias = \"m\"";
    let run = |bytes| folder.pipeline(toml, "in.csv", "out.parquet").with_memory_limit(bytes).run(&mut |_| ());
    let error = run(30_000_000).unwrap_err();
    assert_eq!(error.kind(), &hypostyle_pipeline::ErrorKind::Memory);
    // It says what took the memory.
    for words in ["exceeded after", "before the first row", "for the state of", "reading and writing", "--memory-limit"]
    {
        assert!(error.to_string().contains(words), "{words} is not in: {error}");
    }
    assert!(!folder.path("out.parquet").exists());
    run(8_000_000_000).unwrap();
    let schema = folder.parquet("out.parquet").schema();
    assert_eq!(schema.field(0).data_type(), &DataType::Int64);
    assert_ne!(schema.field(1).data_type(), &DataType::Timestamp(TimeUnit::Second, None));
}

#[test]
fn outputs_of_many_files() {
    let folder = Folder::new();
    folder.write("in.csv", trades(3_000));
    folder.run(KERNELS, "in.csv", "plain.parquet").unwrap();
    let sink = "[sink]\nformat = \"parquet\"\npartition_by = \"symbol\"\nmax_rows_per_file = 400\n";
    let toml = format!("[source]\nchunk_bytes = 4000\n{KERNELS}\n{sink}");
    let summary = folder.run(&toml, "in.csv", "out").unwrap();
    assert_eq!(summary.rows_written, 3_000);
    assert!(folder.path("out/symbol=A/part-000002.parquet").is_file());
    assert_eq!(folder.names(), ["in.csv", "out", "plain.parquet"]);
    // Read again and put in the old order, it is what one file would hold.
    let order = "[sink]\ncolumns = [\"ts\", \"symbol\", \"price\", \"mean\", \"max\", \"ewm\", \"session\"]";
    folder.run(&format!("[source]\nformat = \"parquet\"\n{order}"), "out", "again.csv").unwrap();
    folder.run("", "plain.parquet", "plain.csv").unwrap();
    let sorted = |name: &str| {
        let text = folder.read(name);
        let mut lines: Vec<&str> = text.lines().skip(1).collect();
        lines.sort_by_key(|line| line.split(',').nth(1).map(str::to_string));
        lines.join("\n")
    };
    assert_eq!(sorted("again.csv"), sorted("plain.csv"));
    // Files by their rows alone.
    let toml = format!("{KERNELS}\n[sink]\nformat = \"csv\"\nmax_rows_per_file = 1300\n");
    folder.run(&toml, "in.csv", "rows").unwrap();
    let lines = |name: &str| folder.read(name).lines().count();
    let names = ["rows/part-000001.csv", "rows/part-000002.csv", "rows/part-000003.csv"];
    assert_eq!(names.map(lines), [1301, 1301, 401]);
    for (more, output, words) in [
        ("", "rows", "is not an empty directory"),
        ("partition_by = \"nix\"", "new", "partition_by: column 'nix' not found"),
        ("partition_by = [\"a\", \"b\"]", "new", "names all columns"),
        ("max_rows_per_file = 0", "new", "max_rows_per_file: got 0, expected at least 1"),
    ] {
        folder.write("two.csv", "a,b\n1,2\n");
        let more = if more.is_empty() { "max_rows_per_file = 5" } else { more };
        let toml = format!("[sink]\nformat = \"csv\"\n{more}\n");
        let message = folder.run(&toml, "two.csv", output).unwrap_err().to_string();
        assert!(
            message.contains(words) && (message.contains("help: ") || message.contains("expected")),
            "{words} is not in: {message}"
        );
    }
    // Odd values make names that can be read back.
    folder.write("odd.csv", "k,x\na/b=c,1\n,2\n\"ü %\",3\n");
    folder.run("[sink]\nformat = \"csv\"\npartition_by = \"k\"\n", "odd.csv", "odd").unwrap();
    folder.run("[source]\nformat = \"csv\"", "odd", "back.csv").unwrap();
    let mut back: Vec<String> = folder.read("back.csv").lines().skip(1).map(str::to_string).collect();
    back.sort();
    assert_eq!(back, ["1,a/b=c", "2,", "3,ü %"]);
}

#[test]
fn runs_that_add_their_files() {
    let folder = Folder::new();
    folder.write("one.csv", "day,k,x\n2024-01-01,a,1\n2024-01-01,b,2\n");
    folder.write("two.csv", "day,k,x\n2024-01-01,a,3\n2024-01-02,c,4\n");
    let rows = |output: &str| {
        folder.run("[source]\nformat = \"parquet\"\n[sink]\ncolumns = [\"k\", \"x\"]\n", output, "back.csv").unwrap();
        let mut rows: Vec<String> = folder.read("back.csv").lines().skip(1).map(str::to_string).collect();
        rows.sort();
        rows.join(" ")
    };
    for (output, more) in [
        ("days", "partition_by = \"day\"\n"),
        ("whole", ""),
        ("short", "max_rows_per_file = 1\n"),
        ("kept", "partition_by = \"day\"\n"),
    ] {
        let checkpoints = if output == "kept" { "checkpoint_interval = \"1h\"\n" } else { "" };
        let toml = format!("{checkpoints}[sink]\nformat = \"parquet\"\nappend = true\n{more}");
        folder.run(&toml, "one.csv", output).unwrap();
        folder.run(&toml, "two.csv", output).unwrap();
        assert_eq!(rows(output), "a,1 a,3 b,2 c,4", "{output}");
        // A run that is done twice adds nothing.
        let files = files_below(&folder.path(output));
        for input in ["one.csv", "two.csv"] {
            let error = folder.run(&toml, input, output).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::Processed, "{error}");
            assert!(
                error.to_string().contains("this input was already appended to the output by this pipeline"),
                "{error}"
            );
        }
        // One that was killed between two files puts the same ones there.
        for path in files.keys().filter(|path| path.to_string_lossy().contains("000002-of-")) {
            fs::remove_file(path).unwrap();
            let input = if output == "short" && files.len() == 4 { &["one.csv", "two.csv"][..] } else { &["two.csv"] };
            let again = input.iter().filter(|input| folder.run(&toml, input, output).is_ok()).count();
            assert_eq!(again, 1, "{output}");
            assert!(files_below(&folder.path(output)) == files, "{output}");
        }
        // Another pipeline over the same input is another run, and so is a file that changed.
        folder.run(&format!("{toml}# again\n"), "one.csv", output).unwrap();
        assert_eq!(rows(output), "a,1 a,1 a,3 b,2 b,2 c,4", "{output}");
    }
    assert_eq!(folder.names(), ["back.csv", "days", "kept", "one.csv", "short", "two.csv", "whole"]);

    // With a state it is the state that knows which runs were done: one that was killed before it was written is done again.
    let toml = "state = \"STATE\"\n[sink]\nformat = \"parquet\"\nappend = true\npartition_by = \"day\"\n";
    let toml = toml.replace("STATE", &folder.path("state").to_string_lossy());
    folder.run(&toml, "two.csv", "stated").unwrap();
    let files = files_below(&folder.path("stated"));
    assert_eq!(folder.run(&toml, "two.csv", "stated").unwrap_err().kind(), &ErrorKind::Processed);
    fs::remove_file(folder.path("state")).unwrap();
    folder.run(&toml, "two.csv", "stated").unwrap();
    assert!(files_below(&folder.path("stated")) == files && folder.path("state").exists());

    for (toml, words) in [
        ("format = \"csv\"\nappend = true\n", "this one does not end in .csv"),
        ("format = \"parquet\"\nappend = true\n", "partitioned by 'day', not by no column"),
        (
            "format = \"parquet\"\nappend = true\npartition_by = \"day\"\ncolumns = [\"day\", \"x\"]\n",
            "their columns are 'k', 'x', not 'x'",
        ),
    ] {
        let message = folder.run(&format!("[sink]\n{toml}"), "one.csv", "days").unwrap_err().to_string();
        assert!(message.contains(words) && message.contains("help: append to another directory"), "{words}: {message}");
    }
    folder.write("text.csv", "day,k,x\n2024-01-01,a,one\n");
    let toml = "[sink]\nformat = \"parquet\"\nappend = true\npartition_by = \"day\"\n";
    let message = folder.run(toml, "text.csv", "days").unwrap_err().to_string();
    assert!(message.contains("column 'x' has type i64, not string"), "{message}");
    let message = folder.run(toml, "one.csv", "two.csv").unwrap_err().to_string();
    assert!(message.contains("the output exists and is not a directory"), "{message}");
    let whole = "[source]\nformat = \"parquet\"\n[sink]\nformat = \"parquet\"\nappend = true\n";
    let message = folder.run(whole, "whole", "whole").unwrap_err().to_string();
    assert!(message.contains("the output is also an input"), "{message}");
}

#[test]
fn directories_are_made_where_it_is_asked_for() {
    let folder = Folder::new();
    folder.write("in.csv", "k,x\na,1\n");
    let message = folder.run("", "in.csv", "new/deep/out.csv").unwrap_err().to_string();
    assert!(
        message.contains("the directory of the output does not exist") && message.contains("mkdir = true"),
        "{message}"
    );
    for (more, output) in [
        ("", "new/deep/out.csv"),
        ("format = \"csv\"\npartition_by = \"k\"\n", "new/parts/out"),
        ("format = \"csv\"\nappend = true\n", "new/added/out"),
    ] {
        for checkpoints in ["", "checkpoint_interval = \"1h\"\n"] {
            let toml = format!("{checkpoints}[sink]\nmkdir = true\n{more}");
            let output = format!("{}{output}", if checkpoints.is_empty() { "a/" } else { "b/" });
            folder.pipeline(&toml, "in.csv", &output).plan().unwrap();
            assert!(!folder.path(&output).parent().unwrap().exists(), "checking makes nothing");
            folder.run(&toml, "in.csv", &output).unwrap();
            assert!(folder.path(&output).exists());
        }
    }
}

/// The files below a folder: their paths and bytes.
fn files_below(folder: &std::path::Path) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files_below(&path)),
            false => drop(found.insert(path.clone(), fs::read(&path).unwrap())),
        }
    }
    found
}

#[test]
fn partitions_have_one_file_each_whatever_the_chunks() {
    let folder = Folder::new();
    let mut text = "k,n,s\n".to_string();
    for row in 0..40_000 {
        text.push_str(&format!("{},{row},text {}\n", row * 7919 % 300, row % 1000));
    }
    folder.write("in.csv", &text);
    for (format, more) in
        [("parquet", ""), ("csv", ""), ("ipc", "max_rows_per_file = 100\n"), ("parquet", "row_group_size = 50\n")]
    {
        let mut expected = None;
        // Rows are put aside where the memory is little: with the last limit after every chunk.
        for (chunk_bytes, threads, limit) in [(1 << 20, 1, None), (5_000, 2, None), (20_000, 3, Some(400_000_000))] {
            let sink = format!("[sink]\nformat = \"{format}\"\npartition_by = \"k\"\n{more}");
            let toml = format!("[source]\nchunk_bytes = {chunk_bytes}\n{sink}");
            let pipeline = folder.pipeline(&toml, "in.csv", "out").with_threads(threads);
            let pipeline = match limit {
                Some(limit) => pipeline.with_memory_limit(limit),
                None => pipeline,
            };
            assert_eq!(pipeline.run(&mut |_| ()).unwrap().rows_written, 40_000);
            let files = files_below(&folder.path("out"));
            assert_eq!(files.len(), if more.starts_with("max") { 600 } else { 300 });
            assert!(
                *expected.get_or_insert_with(|| files.clone()) == files,
                "{format} {chunk_bytes} {threads} {limit:?}"
            );
            fs::remove_dir_all(folder.path("out")).unwrap();
            assert_eq!(folder.names(), ["in.csv"]);
        }
    }
}

#[test]
fn partitions_may_be_dates_and_hours() {
    let folder = Folder::new();
    folder.write("in.csv", "ts,x\n2024-01-02T23:30:00Z,1\n2024-01-03T00:30:00Z,2\n,3\n2024-01-02T23:59:59Z,4\n");
    let toml = "[sink]\nformat = \"csv\"\npartition_by = [\"date(ts)\", \"hour(ts)\"]\n";
    folder.run(toml, "in.csv", "out").unwrap();
    let none = "__HIVE_DEFAULT_PARTITION__";
    for (place, rows) in [
        ("date=2024-01-02/hour=23", "ts,x\n2024-01-02T23:30:00Z,1\n2024-01-02T23:59:59Z,4\n"),
        ("date=2024-01-03/hour=0", "ts,x\n2024-01-03T00:30:00Z,2\n"),
        (&format!("date={none}/hour={none}"), "ts,x\n,3\n"),
    ] {
        assert_eq!(folder.read(&format!("out/{place}/part-000001.csv")), rows, "{place}");
    }
    folder.run("[source]\nformat = \"csv\"\n[source.filter]\nhour = { min = 1 }", "out", "back.csv").unwrap();
    assert_eq!(folder.read("back.csv").lines().count(), 3);
    for (key, words) in [
        ("date(x)", "date(x): got a column of type i64, expected a timestamp"),
        ("date(tz)", "partition_by: column 'tz' not found; did you mean 'ts'?"),
        ("hour(ts)\", \"hour(ts)", "there are two columns 'hour'"),
    ] {
        let toml = format!("[sink]\nformat = \"csv\"\npartition_by = [\"{key}\"]\n");
        let message = folder.run(&toml, "in.csv", "new").unwrap_err().to_string();
        assert!(message.contains(words), "{words} is not in: {message}");
    }
}
