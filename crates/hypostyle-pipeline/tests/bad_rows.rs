//! Bad rows: every one of them is counted, told with its place, and dealt with as the pipeline says.

mod common;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Float64Type, Int64Type};
use common::{Folder, write_parquet};

const CSV: &str = "id,price,note\n1,10.5,a\n2,x,b\n3\n4,11.5,\"two\nlines\"\n5,12.5,c,d\n6,999999,e\n\n7,,f\n";

fn toml(folder: &Folder, policy: &str) -> String {
    let policy = policy.replace("REJECTS", &folder.path("rejects.csv").to_string_lossy());
    format!("[source]\nchunk_bytes = 12\n{policy}\nschema = {{ id = \"i64\", price = \"f64\", note = \"string\" }}\n")
}

fn ids(folder: &Folder) -> Vec<i64> {
    folder.parquet("out.parquet").column(0).as_primitive::<Int64Type>().values().to_vec()
}

fn reasons(summary: &hypostyle_pipeline::Summary) -> Vec<(&str, u64)> {
    summary.bad_row_counts.iter().map(|(reason, count)| (reason.as_str(), *count)).collect()
}

#[test]
fn bad_rows_are_left_out_and_counted() {
    let folder = Folder::new();
    folder.write("in.csv", CSV);
    let summary = folder.run(&toml(&folder, "on_bad_row = \"skip\""), "in.csv", "out.parquet").unwrap();
    assert_eq!((summary.rows_written, summary.bad_rows), (4, 3));
    assert_eq!(reasons(&summary), [("invalid value in 'price'", 1), ("wrong number of fields", 2)]);
    assert_eq!(ids(&folder), [1, 4, 6, 7]);
}

#[test]
fn bad_values_become_null_and_are_counted() {
    let folder = Folder::new();
    folder.write("in.csv", CSV);
    let summary = folder.run(&toml(&folder, "on_bad_row = \"null\""), "in.csv", "out.parquet").unwrap();
    assert_eq!((summary.rows_written, summary.bad_rows), (7, 3));
    assert_eq!(ids(&folder), [1, 2, 3, 4, 5, 6, 7]);
    let batch = folder.parquet("out.parquet");
    let (price, note) = (batch.column(1).as_primitive::<Float64Type>(), batch.column(2).as_string::<i32>());
    let valid: Vec<bool> = (0..7).map(|row| price.is_valid(row)).collect();
    assert_eq!(valid, [true, false, false, true, true, true, false]);
    assert_eq!((note.is_valid(2), note.value(3), note.value(4)), (false, "two\nlines", "c"));
}

#[test]
fn rejects_hold_the_place_the_reason_and_the_row() {
    let folder = Folder::new();
    folder.write("in.csv", CSV);
    let policy = "on_bad_row = \"reject\"\nrejects = \"REJECTS\"";
    let summary = folder.run(&toml(&folder, policy), "in.csv", "out.parquet").unwrap();
    assert_eq!(summary.rejects, Some(folder.path("rejects.csv")));
    let file = folder.path("in.csv").display().to_string();
    let rejects = folder.read("rejects.csv").replace(&file, "in.csv");
    assert_eq!(
        rejects,
        "file,line,record,byte_offset,column,reason,row\n\
         in.csv,3,2,23,price,\"\"\"x\"\" is not a valid f64 (a number)\",\"2,x,b\"\n\
         in.csv,4,3,29,,\"got 1 field, expected 3\",3\n\
         in.csv,7,5,50,,\"got 4 fields, expected 3\",\"5,12.5,c,d\"\n"
    );
}

#[test]
fn too_many_bad_rows_fail_the_run() {
    let folder = Folder::new();
    folder.write("in.csv", CSV);
    let policy = "on_bad_row = \"reject\"\nrejects = \"REJECTS\"\nmax_bad_rows = 2";
    let message = folder.run(&toml(&folder, policy), "in.csv", "out.parquet").unwrap_err().to_string();
    assert!(message.contains("in.csv:7: more bad rows than max_bad_rows = 2; the last: record 5"), "{message}");
    assert_eq!(folder.names(), ["in.csv"]);
    folder.run(&toml(&folder, &policy.replace("= 2", "= 3")), "in.csv", "out.parquet").unwrap();
    assert_eq!(folder.names(), ["in.csv", "out.parquet", "rejects.csv"]);
}

#[test]
fn ragged_rows_may_be_fitted() {
    let folder = Folder::new();
    folder.write("in.csv", "id,price,note\n1\n2,1.5,a,b\n");
    // Those that bad values make null have fitted rows too, which count unless they were asked for.
    for (policy, bad) in [
        ("ragged = \"fit\"", 0),
        ("ragged = \"fit\"\non_bad_row = \"null\"", 0),
        ("on_bad_row = \"null\"", 2),
        ("ragged = \"bad\"\non_bad_row = \"null\"", 2),
    ] {
        let summary = folder.run(&toml(&folder, policy), "in.csv", "out.parquet").unwrap();
        assert_eq!((summary.rows_written, summary.bad_rows), (2, bad), "{policy}");
        let batch = folder.parquet("out.parquet");
        assert_eq!((batch.column(1).is_null(0), batch.column(2).as_string::<i32>().value(1)), (true, "a"));
    }
}

#[test]
fn policies_must_make_sense() {
    let folder = Folder::new();
    folder.write("in.csv", CSV);
    for (policy, words) in [
        ("on_bad_row = \"reject\"", "rejects: required by on_bad_row"),
        ("rejects = \"r.csv\"", "rejects: requires on_bad_row = \"reject\""),
        ("max_bad_rows = 3", "max_bad_rows: requires an on_bad_row other than"),
    ] {
        let message = folder.run(&toml(&folder, policy), "in.csv", "out.parquet").unwrap_err().to_string();
        assert!(message.contains(words) && (message.contains("help: ") || message.contains("expected")), "{message}");
    }
    let policy = toml(&folder, "on_bad_row = \"reject\"\nrejects = \"REJECTS\"").replace("rejects.csv", "in.csv");
    let message = folder.run(&policy, "in.csv", "out.parquet").unwrap_err().to_string();
    assert!(message.contains("the output is also an input"), "{message}");
}

const RULES: &str = "
[source.rules]
id = { unique = true, over = \"key\" }
price = { min = 0, max = 100, not_null = true }
side = { one_of = [\"buy\", \"sell\"] }
note = { regex = \"^[a-z]*$\" }
ts = { increasing = true, over = [\"key\"] }
";

const RULED: &str = "\
key,id,price,side,note,ts
A,1,1.5,buy,x,2024-01-01T00:00:01
A,1,1.5,buy,x,2024-01-01T00:00:02
B,1,-1,buy,x,2024-01-01T00:00:01
B,2,101,sell,x,2024-01-01T00:00:01
B,3,NaN,sell,x,2024-01-01T00:00:01
A,2,,sell,x,2024-01-01T00:00:02
A,3,5,hold,x,2024-01-01T00:00:02
A,4,5,buy,X1,2024-01-01T00:00:02
A,5,5,buy,,2024-01-01T00:00:00
B,4,5,,y,2024-01-01T00:00:01
A,6,5,buy,z,2024-01-01T00:00:01
A,7,5,buy,z,2024-01-01T00:00:00
";

const EXPECTED: [(&str, u64); 6] = [
    ("rule violation in 'id'", 1),
    ("rule violation in 'note'", 1),
    ("rule violation in 'price'", 4),
    ("rule violation in 'side'", 1),
    ("rule violation in 'ts'", 2),
    ("", 0),
];

#[test]
fn rules_are_kept_whatever_the_chunks_and_the_format() {
    for chunk_bytes in [1, 60, 1 << 20] {
        let folder = Folder::new();
        folder.write("in.csv", RULED);
        let rejects = folder.path("rejects.csv");
        let toml =
            format!("[source]\nchunk_bytes = {chunk_bytes}\non_bad_row = \"reject\"\nrejects = {rejects:?}\n{RULES}");
        let summary = folder.run(&toml, "in.csv", "out.csv").unwrap();
        // The row that repeats an id is no neighbour of others, so that it doesn't count for the order of times.
        assert_eq!(reasons(&summary), EXPECTED[..5], "{chunk_bytes}");
        assert_eq!(
            folder.read("out.csv"),
            "key,id,price,side,note,ts\nA,1,1.5,buy,x,2024-01-01T00:00:01\nB,4,5.0,,y,2024-01-01T00:00:01\nA,6,5.0,buy,z,2024-01-01T00:00:01\n"
        );
        let rejects = folder.read("rejects.csv");
        assert!(rejects.contains(",3,2,60,id,\"\"\"1\"\" violates unique over key\",\"A,1,1.5,"), "{rejects}");
        assert!(rejects.contains("\"\"\"2024-01-01T00:00:00\"\" violates increasing over key\""), "{rejects}");

        // The same over Parquet, where rows have numbers but no lines.
        folder.run("", "in.csv", "in.parquet").unwrap();
        let summary = folder.run(&toml.replace("chunk_bytes", "batch_rows"), "in.parquet", "out2.csv").unwrap();
        assert_eq!(reasons(&summary), EXPECTED[..5]);
        assert_eq!(folder.read("out2.csv"), folder.read("out.csv"));
        let numbers = |rejects: &str| {
            let mut reader = csv::Reader::from_reader(rejects.as_bytes());
            reader.records().map(|record| record.unwrap()[2].to_string()).collect::<Vec<_>>()
        };
        let of_parquet = folder.read("rejects.csv");
        assert_eq!(numbers(&of_parquet), numbers(&rejects));
        for row in [
            "/in.parquet,0,2,0,id,\"\"\"1\"\" violates unique over key\",\"A,1,1.5,buy,x,2024-01-01T00:00:02\"\n",
            ",\"\"\"NaN\"\" violates min = 0\",\"B,3,NaN,sell,x,2024-01-01T00:00:01\"\n",
            ",\"A,2,,sell,x,2024-01-01T00:00:02\"\n",
        ] {
            assert!(of_parquet.contains(row), "{row} is not in {of_parquet}");
        }
    }
}

#[test]
fn what_increases_is_not_below_or_strictly_above_what_came_before() {
    let values = ["1", "1", "", "3", "2", "3", "NaN", "-inf", "4", "4", "inf", "inf", "-0.0", "5"];
    let weakly = ["1", "1", "", "3", "3", "4", "4", "inf", "inf"];
    let strictly = ["1", "", "3", "4", "inf"];
    for (increasing, kept) in [("true", &weakly[..]), ("\"strictly\"", &strictly)] {
        for keys in [1, 3] {
            for chunk_bytes in [1, 20, 1 << 20] {
                let folder = Folder::new();
                let rows = values.iter().flat_map(|value| (0..keys).map(move |key| format!("k{key},{value}\n")));
                folder.write("in.csv", "key,x\n".to_string() + &rows.collect::<String>());
                let toml = format!(
                    "[source]\nchunk_bytes = {chunk_bytes}\non_bad_row = \"skip\"\nschema = {{ x = \"f64\" }}\n\
                     [source.rules]\nx = {{ increasing = {increasing}, over = \"key\" }}"
                );
                let summary = folder.run(&toml, "in.csv", "out.csv").unwrap();
                let out = folder.read("out.csv");
                for key in 0..keys {
                    let of_key = out.lines().filter_map(|line| line.strip_prefix(&format!("k{key},")));
                    let left: Vec<&str> = of_key.map(|value| value.trim_end_matches(".0")).collect();
                    assert_eq!(left, kept, "{increasing}, {keys} keys, {chunk_bytes}");
                }
                let broken = (keys * (values.len() - kept.len())) as u64;
                assert_eq!(reasons(&summary), [("rule violation in 'x'", broken)]);
            }
        }
    }
}

#[test]
fn a_broken_rule_fails_the_run_unless_it_is_borne() {
    let folder = Folder::new();
    folder.write("in.csv", RULED);
    let error = folder.run(RULES, "in.csv", "out.csv").unwrap_err().to_string();
    assert!(error.contains("in.csv:3: record 2, column 'id': \"1\" violates unique over key"), "{error}");
    let summary = folder.run(&format!("[source]\non_bad_row = \"null\"\n{RULES}"), "in.csv", "out.csv").unwrap();
    assert_eq!(summary.rows_written, 12);
    assert!(folder.read("out.csv").contains("B,1,,buy,x,"), "{}", folder.read("out.csv"));
    // A run that only checks writes nothing.
    let toml = format!("[source]\non_bad_row = \"skip\"\n{RULES}\n[sink]\nformat = \"none\"");
    let summary =
        toml.parse::<hypostyle_pipeline::Pipeline>().unwrap().with_input(folder.path("in.csv")).run(&mut |_| ());
    assert_eq!(summary.unwrap().bad_rows, 9);
}

#[test]
fn rules_must_fit_their_columns() {
    let folder = Folder::new();
    folder.write("in.csv", RULED);
    for (rule, words) in [
        ("nix = { min = 1 }", "column 'nix' not found"),
        ("price = { min = \"a\" }", "min: \"a\" is not a valid f64"),
        ("price = { regex = \"a\" }", "regex: got a column of type f64, expected string"),
        ("note = { regex = \"(\" }", "regex: not a valid regular expression"),
        ("note = { increasing = true }", "note"),
        ("price = { min = 0, over = \"key\" }", "over: requires unique or increasing"),
        ("price = { mini = 0 }", "unknown setting 'mini'; did you mean 'min'?"),
        ("id = { unique = true, over = \"nix\" }", "'nix'"),
    ] {
        let toml = format!("[source.rules]\n{rule}");
        let error = match toml.parse::<hypostyle_pipeline::Pipeline>() {
            Ok(pipeline) => {
                pipeline.with_input(folder.path("in.csv")).with_output(folder.path("o.csv")).plan().unwrap_err()
            }
            Err(error) => error,
        };
        let message = error.to_string();
        assert!(message.contains(words), "{words} is not in: {message}");
        assert!(message.contains("line 2") || error.line() == Some(2), "{message}");
    }
}

#[test]
fn timestamps_of_any_zone_are_shown_in_utc() {
    for (zone, input) in [("UTC", "in.parquet"), ("Europe/Berlin", "in.parquet"), ("+02:00", "in.arrow")] {
        let folder = Folder::new();
        let times = TimestampMicrosecondArray::from(vec![0, 60_000_000, 30_000_000]).with_timezone(zone);
        let texts = StringArray::from(vec!["a, b", "c", "d \"e\""]);
        let columns: [(&str, ArrayRef); 2] = [("ts", Arc::new(times)), ("text", Arc::new(texts))];
        write_parquet(&folder.path("in.parquet"), &RecordBatch::try_from_iter(columns).unwrap());
        if input != "in.parquet" {
            folder.run("", "in.parquet", input).unwrap();
        }
        let rule = "[source.rules]\nts = { increasing = true }\n";
        let error = folder.run(rule, input, "out.csv").unwrap_err().to_string();
        let told = "record 3, column 'ts': \"1970-01-01T00:00:30Z\" violates increasing";
        assert!(error.contains(told), "{zone}: {error}");
        let toml = toml(&folder, "on_bad_row = \"reject\"\nrejects = \"REJECTS\"");
        let toml = toml.split("schema").next().unwrap().replace("chunk_bytes", "batch_rows");
        folder.run(&format!("{toml}{rule}"), input, "out.csv").unwrap();
        assert_eq!(folder.read("out.csv"), "ts,text\n1970-01-01T00:00:00Z,\"a, b\"\n1970-01-01T00:01:00Z,c\n");
        assert!(
            folder.read("rejects.csv").ends_with(",\"1970-01-01T00:00:30Z,\"\"d \"\"\"\"e\"\"\"\"\"\"\"\n"),
            "{zone}"
        );
        // Stages tell them so too, and so do folders' names.
        let stage =
            "[[stage]]\nby = \"ts\"\n[[stage.kernel]]\nname = \"rolling_count\"\ncolumn = \"text\"\nwindow = \"1h\"\n";
        let error = folder.run(stage, input, "out.csv").unwrap_err().to_string();
        assert!(
            error.contains("row 2: the time column is not sorted: 1970-01-01T00:00:30Z after 1970-01-01T00:01:00Z"),
            "{error}"
        );
        folder.run("[sink]\npartition_by = \"ts\"\nformat = \"csv\"\n", input, "out").unwrap();
        assert!(folder.path("out/ts=1970-01-01T00%3A01%3A00Z").is_dir(), "{zone}");
    }
}

#[test]
fn timestamps_within_other_values_are_shown_in_utc_too() {
    let folder = Folder::new();
    let times =
        || Arc::new(TimestampMicrosecondArray::from(vec![0, 60_000_000]).with_timezone("Europe/Berlin")) as ArrayRef;
    let parts = StructArray::try_from(vec![("at", times())]).unwrap();
    let columns: [(&str, ArrayRef); 2] =
        [("x", Arc::new(Int64Array::from(vec![1, 2]))), ("parts", Arc::new(parts) as ArrayRef)];
    write_parquet(&folder.path("in.parquet"), &RecordBatch::try_from_iter(columns).unwrap());
    for policy in ["skip", "reject"] {
        let rejects = if policy == "reject" { "rejects = \"REJECTS\"" } else { "" };
        let toml = toml(&folder, &format!("on_bad_row = \"{policy}\"\n{rejects}"));
        let toml = toml.split("schema").next().unwrap().replace("chunk_bytes", "batch_rows");
        let summary = folder.run(&format!("{toml}[source.rules]\nx = {{ max = 1 }}\n"), "in.parquet", "out.parquet");
        assert_eq!((summary.unwrap().bad_rows, folder.parquet("out.parquet").num_rows()), (1, 1), "{policy}");
    }
    assert!(
        folder.read("rejects.csv").ends_with(",\"2,{at: 1970-01-01T00:01:00Z}\"\n"),
        "{}",
        folder.read("rejects.csv")
    );
}

#[test]
fn rules_are_for_rows_and_not_for_folders() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("in/day=1")).unwrap();
    folder.write("in/day=1/x.csv", "id\n1\n");
    for rule in ["min = 2", "increasing = true"] {
        let error =
            folder.run(&format!("[source.rules]\nday = {{ {rule} }}"), "in", "out.csv").unwrap_err().to_string();
        assert!(
            error.contains("day: a partition column cannot have rules") && error.contains("[source.filter]"),
            "{error}"
        );
    }
}

#[test]
fn rejects_of_each_run_may_be_kept() {
    let folder = Folder::new();
    folder.write("in.csv", "a\n1\nx\n");
    let toml = format!(
        "[source]\non_bad_row = \"reject\"\nschema = {{ a = \"i64\" }}\nrejects = '{}'",
        folder.path("rejects-{run}.csv").display()
    );
    for runs in 1..=2 {
        let summary = folder.run(&toml, "in.csv", "out.csv").unwrap();
        assert_eq!(summary.bad_rows, 1);
        let kept = folder.names().into_iter().filter(|name| name.starts_with("rejects-2") && name.ends_with("Z.csv"));
        assert_eq!(kept.count(), runs);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    // Where they would be replaced, the plan says so.
    let toml = "[source]\nschema = { a = \"i64\" }";
    let pipeline = folder.pipeline(toml, "in.csv", "out.csv").with_rejects(folder.path("rejects.csv"));
    assert!(!pipeline.plan().unwrap().to_string().contains("replaced"));
    pipeline.run(&mut |_| ()).unwrap();
    assert!(pipeline.plan().unwrap().to_string().contains("rejects.csv, which is replaced"));
}
