//! What bad input gets: one message with the place and the way out, no part of an output, the old output untouched.

mod common;

use common::{Folder, KERNELS, trades};
use hypostyle_pipeline::{ErrorKind, Pipeline};

/// A text, what the pipeline file says of it, the line and record at fault, and words of the message.
struct Case {
    toml: &'static str,
    csv: &'static [u8],
    line: u64,
    record: u64,
    column: Option<&'static str>,
    words: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        toml: "[source.schema]\nb = \"i64\"",
        csv: b"a,b\nx,1\ny,1.5\n",
        line: 3,
        record: 2,
        column: Some("b"),
        words: &["\"1.5\" is not a valid i64 (an integer)", "b = \"f64\" in [source.schema]"],
    },
    Case {
        toml: "[source.schema]\nb = \"f64\"",
        csv: b"a,b\r\nx,1\r\n\r\n\"two\r\nlines\",NA\r\n",
        line: 5,
        record: 2,
        column: Some("b"),
        words: &["\"NA\" is not a valid f64 (a number)", "null_values = [\"NA\"]", "b = \"string\""],
    },
    Case {
        toml: "[source.schema]\n\"b c\" = \"i8\"",
        csv: b"a,b c\nx,300\n",
        line: 2,
        record: 1,
        column: Some("b c"),
        words: &["\"300\" is out of range for i8", "\"b c\" = \"i64\""],
    },
    Case {
        toml: "[source.schema]\nb = \"bool\"",
        csv: b"a,b\nx,maybe\n",
        line: 2,
        record: 1,
        column: Some("b"),
        words: &["\"maybe\" is not a valid bool (true or false)", "boolean = { true = [...], false = [...] }"],
    },
    Case {
        toml: "[source.schema]\nb = \"date\"",
        csv: b"a,b\nx,2024-02-30\n",
        line: 2,
        record: 1,
        column: Some("b"),
        words: &["\"2024-02-30\" is not a valid date (such as 2024-12-31)"],
    },
    Case {
        toml: "[source.schema]\nb = \"timestamp[s]\"",
        csv: b"a,b\nx,2024-02-20T10:00:00.5\n",
        line: 2,
        record: 1,
        column: Some("b"),
        words: &["has more decimals than timestamp[s] holds", "b = \"timestamp[ns]\""],
    },
    Case {
        toml: "[source.schema]\nb = \"decimal[5, 2]\"",
        csv: b"a,b\nx,123.456\n",
        line: 2,
        record: 1,
        column: Some("b"),
        words: &["\"123.456\" has more decimals than decimal[5, 2] holds", "b = \"decimal[6, 3]\""],
    },
    Case {
        toml: "[source.schema]\nb = \"decimal[5, 2]\"",
        csv: b"a,b\nx,-1234567\n",
        line: 2,
        record: 1,
        column: Some("b"),
        words: &["\"-1234567\" is out of range for decimal[5, 2]", "b = \"decimal[9, 2]\""],
    },
    Case {
        toml: "[source.schema]\nb = \"decimal[38, 10]\"",
        csv: b"a,b\nx,0.12345678901\n",
        line: 2,
        record: 1,
        column: Some("b"),
        words: &["has more decimals than decimal[38, 10] holds", "b = \"string\""],
    },
    Case {
        toml: "[source.schema]\nb = \"timestamp[us]\"",
        csv: b"a,b\nx,2024-02-20T10:00:00Z\n",
        line: 2,
        record: 1,
        column: Some("b"),
        words: &["has a UTC offset", "b = \"timestamp[us, UTC]\""],
    },
    Case {
        toml: "",
        csv: b"a,b\nx,1\ny\n",
        line: 3,
        record: 2,
        column: None,
        words: &["record 2: got 1 field, expected 2"],
    },
    Case {
        toml: "",
        csv: b"a,b\nx,1,2\n",
        line: 2,
        record: 1,
        column: None,
        words: &["record 1: got 3 fields, expected 2"],
    },
    Case {
        toml: "",
        csv: b"a,b\nx,1\n\"y,2\nz,3\n",
        line: 3,
        record: 2,
        column: None,
        words: &["record 2: unclosed quote"],
    },
    Case {
        toml: "",
        csv: b"a,b\nx,1\ny,\"2\nz",
        line: 3,
        record: 2,
        column: None,
        words: &["unclosed quote", "inside a quoted field write a quote as \"\""],
    },
    Case {
        toml: "",
        csv: b"a,b\n\xff,1\n",
        line: 2,
        record: 1,
        column: Some("a"),
        words: &["is not valid UTF-8", "encoding = \"windows-1252\""],
    },
    Case {
        toml: "",
        csv: b"a,\xff\n",
        line: 1,
        record: 0,
        column: None,
        words: &["the header of column 2 is not valid UTF-8"],
    },
    Case {
        toml: "",
        csv: b"a,b,a\n1,2,3\n",
        line: 1,
        record: 0,
        column: None,
        words: &["the header names column 'a' twice", "header = false"],
    },
    // The first fault in the file is the one that is told, whatever the batches.
    Case {
        toml: "[source.schema]\na = \"i64\"\nb = \"i64\"",
        csv: b"a,b\n1,1\n2,x\ny,3\n4\n",
        line: 3,
        record: 2,
        column: Some("b"),
        words: &["\"x\" is not a valid i64"],
    },
];

#[test]
fn every_malformed_row_is_told_with_its_place_and_the_way_out() {
    for case in CASES {
        for batch_rows in [1, 2, 65_536] {
            let folder = Folder::new();
            folder.write("out.parquet", "the old output");
            let toml = match case.toml {
                "" => format!("[source]\nbatch_rows = {batch_rows}"),
                schema => format!("[source]\nbatch_rows = {batch_rows}\n{schema}"),
            };
            let error = folder.complaint(&toml, case.csv);
            let message = error.to_string();
            let expected =
                ErrorKind::Malformed { line: case.line, record: case.record, column: case.column.map(str::to_string) };
            assert_eq!(error.kind(), &expected, "{message}");
            assert!(message.starts_with(&format!("{}:{}: ", folder.path("in.csv").display(), case.line)), "{message}");
            for words in case.words {
                assert!(message.contains(words), "{words} is not in: {message}");
            }
            assert_eq!(folder.read("out.parquet"), "the old output");
            assert_eq!(folder.names(), ["in.csv", "out.parquet"], "{message}");
        }
    }
}

#[test]
fn a_type_that_changes_late_is_told_with_the_remedy() {
    let folder = Folder::new();
    let mut csv = "volume\n".to_string();
    csv.extend((0..30_000).map(|i| format!("{i}\n")));
    csv.push_str("1.5\n");
    let message = folder.complaint("", csv).to_string();
    assert!(
        message.contains("in.csv:30002: record 30001, column 'volume' (inferred from the first 10000 rows)"),
        "{message}"
    );
    assert!(message.contains("volume = \"f64\" in [source.schema]"), "{message}");
    assert_eq!(folder.names(), ["in.csv"]);
}

#[test]
fn an_unclosed_quote_does_not_eat_the_file() {
    let folder = Folder::new();
    let message = folder.complaint("", "a\n\"x\n".to_string() + &"line\n".repeat(20_000_000)).to_string();
    assert!(message.contains("in.csv:2: ") && message.contains("longer than 64 MiB"), "{message}");
}

#[test]
fn what_a_kernel_refuses_leaves_no_output() {
    let folder = Folder::new();
    folder.write("out.parquet", "the old output");
    let mut csv = trades(300);
    csv.push_str("2024-01-01T00:00:00,A,1\n");
    let error = folder.complaint(&format!("[source]\nbatch_rows = 16\n{KERNELS}"), csv);
    let message = error.to_string();
    assert_eq!(error.kind(), &ErrorKind::Stage(hypostyle::ErrorKind::Unsorted), "{message}");
    assert!(message.contains("in.csv: stage 1, rows 289 to 301 of the input"), "{message}");
    assert!(message.contains("'ts'") && message.contains('A'), "{message}");
    assert_eq!(folder.read("out.parquet"), "the old output");
    assert_eq!(folder.names(), ["in.csv", "out.parquet"]);
}

#[test]
fn a_pipeline_is_checked_before_any_work() {
    let folder = Folder::new();
    folder.write("in.csv", trades(3));
    folder.write("not.parquet", "no Parquet");
    folder.run("", "in.csv", "plain.parquet").unwrap();
    let kernel = |text: &str| format!("[[stage]]\n[[stage.kernel]]\n{text}");
    let mean = "name = \"rolling_mean\"\ncolumn = \"price\"\n";
    let cases: Vec<(String, &str, &str, &[&str])> = vec![
        (
            kernel("name = \"roling_mean\""),
            "in.csv",
            "out.csv",
            &["line 2: stage 1: ", "'roling_mean'", "'rolling_mean'?"],
        ),
        (
            kernel(&format!("{mean}window = 0")),
            "in.csv",
            "out.csv",
            &["line 2: stage 1, rolling_mean, parameter 'window': "],
        ),
        (kernel(&format!("{mean}window = 5\nwindows = 6")), "in.csv", "out.csv", &["'windows'"]),
        (kernel("name = \"rolling_mean\"\ncolumn = \"prise\"\nwindow = 5"), "in.csv", "out.csv", &["'prise'", "price"]),
        (kernel("name = \"rolling_mean\"\ncolumn = \"symbol\"\nwindow = 5"), "in.csv", "out.csv", &["'symbol'"]),
        (
            format!("[[stage]]\nover = \"sym\"\n[[stage.kernel]]\n{mean}window = 5"),
            "in.csv",
            "out.csv",
            &["'sym'", "'symbol'"],
        ),
        ("[[stage]]".to_string(), "in.csv", "out.csv", &["stage 1 has no kernel", "hypostyle kernels"]),
        (
            "[source.schema]\nprise = \"f64\"".to_string(),
            "in.csv",
            "out.csv",
            &["line 2: ", "'prise'", "'ts', 'symbol', 'price'"],
        ),
        (
            "[source.schema]\nprice = \"float\"".to_string(),
            "in.csv",
            "out.csv",
            &["line 2: ", "unknown type \"float\"", "f64"],
        ),
        ("[source]\nbatch_rows = 0".to_string(), "in.csv", "out.csv", &["batch_rows: got 0, expected at least 1"]),
        (
            "[source]\nchunk_bytes = 5000000000".to_string(),
            "in.csv",
            "out.csv",
            &["chunk_bytes: got 5000000000", "at most 1073741824"],
        ),
        ("[source]\ndelimiter = \"ab\"".to_string(), "in.csv", "out.csv", &["delimiter", "one ASCII character"]),
        ("[source]\nheader = false".to_string(), "plain.parquet", "out.csv", &["header: is for CSV"]),
        ("[sink]\ncompression = \"zstd\"".to_string(), "in.csv", "out.csv", &["compression: is for Parquet"]),
        (String::new(), "missing.csv", "out.csv", &["missing.csv: cannot open the input"]),
        (String::new(), "not.parquet", "out.csv", &["not.parquet: the input is not a valid Parquet file"]),
        (String::new(), "in.csv", "in.csv", &["the output is also an input"]),
        (String::new(), "in.csv", "no/such/out.csv", &["the directory of the output does not exist", "create it"]),
        (String::new(), "in.csv", "", &["cannot infer the format of", "format = \"csv\""]),
        ("[sink]\nformat = \"csv\"".to_string(), "in.csv", "", &["not a regular file"]),
        (String::new(), "in.csv", "out.xls", &["cannot infer the format of", "in [sink]"]),
    ];
    for (toml, input, output, words) in cases {
        let message = folder.run(&toml, input, output).unwrap_err().to_string();
        for words in words {
            assert!(message.contains(words), "{words} is not in: {message}");
        }
    }
    assert_eq!(folder.names(), ["in.csv", "not.parquet", "plain.parquet"]);
}

#[test]
fn an_invalid_pipeline_file_is_an_error_with_its_line() {
    let folder = Folder::new();
    let cases: [(&str, &[&str]); 5] = [
        ("[source]\npth = \"x\"\n", &["p.toml:2: unknown setting 'pth'; did you mean 'path'?"]),
        ("[sauce]\n", &["unknown setting 'sauce'; did you mean 'source'?"]),
        ("[source\n", &["p.toml:1: "]),
        ("[sink]\nformat = \"xls\"\n", &["p.toml:2: unknown variant `xls`", "`csv`"]),
        ("[[stage]]\n[[stage.kernel]]\ncolumn = 1\n", &["missing field `name`"]),
    ];
    for (text, words) in cases {
        let error = Pipeline::from_file(folder.write("p.toml", text)).unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with(&folder.path("p.toml").display().to_string()), "{message}");
        for words in words {
            assert!(message.contains(words), "{words} is not in: {message}");
        }
    }
    let error = Pipeline::from_file(folder.write("p.toml", "[[stage]]\n\n[[stage.kernel]]\nname = \"nothing\"\n"))
        .unwrap()
        .plan()
        .unwrap_err();
    assert!(error.to_string().contains("p.toml:3: stage 1: "), "{error}");
    assert_eq!((error.file(), error.line()), (Some(folder.path("p.toml").as_path()), Some(3)));
}
