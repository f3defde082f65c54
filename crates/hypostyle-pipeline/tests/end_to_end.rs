//! Pipelines from file to file: every pair of formats, any batch size, the same bits as one stage over the whole table.

mod common;

use std::str::FromStr;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use common::{Folder, KERNELS, assert_same_bits, trades, write_parquet};
use hypostyle::{KernelSpec, Stage};
use hypostyle_pipeline::{Pipeline, Progress};

#[test]
fn csv_to_csv_by_hand() {
    let folder = Folder::new();
    folder.write(
        "in.csv",
        "ts,symbol,price\n2024-01-02T09:00:00,A,1.0\n2024-01-02T09:00:01,B,\n2024-01-02T09:00:02,A,2.0\n2024-01-02T09:00:13,A,4.5\n",
    );
    let without_ewm: String = KERNELS
        .split("[[stage.kernel]]")
        .filter(|kernel| !kernel.contains("ewm"))
        .collect::<Vec<_>>()
        .join("[[stage.kernel]]");
    let summary = folder.run(&without_ewm, "in.csv", "out.csv").unwrap();
    assert_eq!(summary.rows_written, 4);
    let expected = "ts,symbol,price,mean,max,session\n\
                    2024-01-02T09:00:00,A,1.0,1.0,1.0,0\n\
                    2024-01-02T09:00:01,B,,,,0\n\
                    2024-01-02T09:00:02,A,2.0,1.5,2.0,0\n\
                    2024-01-02T09:00:13,A,4.5,2.5,4.5,1\n";
    assert_eq!(folder.read("out.csv"), expected);
}

/// The reference: the kernels in one stage over the whole table at once.
#[test]
fn any_batch_size_gives_the_bits_of_one_stage_over_the_whole_table() {
    let folder = Folder::new();
    folder.write("in.csv", trades(2_000));
    folder.run("", "in.csv", "plain.parquet").unwrap();
    let specs = [
        KernelSpec::new("rolling_mean").with("column", "price").with("window", 3).with("min_samples", 1).alias("mean"),
        KernelSpec::new("rolling_max").with("column", "price").with("window", "5s").with("by", "ts").alias("max"),
        KernelSpec::new("ewm_mean").with("column", "price").with("span", 5).alias("ewm"),
        KernelSpec::new("session_id").with("time", "ts").with("gap", "10s").alias("session"),
    ];
    let mut stage = Stage::new(specs.map(|spec| spec.over(["symbol"])).to_vec()).unwrap();
    let whole = stage.advance(&folder.parquet("plain.parquet")).unwrap();
    assert!(whole.column_by_name("session").unwrap().as_primitive::<Int64Type>().values().iter().max() > Some(&3));
    for (rows, threads) in [(1, 1), (7, 2), (64, 1), (1_999, 2), (65_536, 4)] {
        for input in ["in.csv", "plain.parquet"] {
            let toml = format!("[source]\nbatch_rows = {rows}\n{KERNELS}");
            let pipeline = folder.pipeline(&toml, input, "out.parquet").with_threads(threads);
            pipeline.run(&mut |_| ()).unwrap();
            assert_same_bits(&folder.parquet("out.parquet"), &whole);
        }
    }
}

#[test]
fn parquet_and_csv_say_the_same() {
    let folder = Folder::new();
    folder.write("in.csv", trades(500));
    folder.run(KERNELS, "in.csv", "direct.csv").unwrap();
    folder.run("", "in.csv", "plain.parquet").unwrap();
    folder.run(KERNELS, "plain.parquet", "round.csv").unwrap();
    assert_eq!(folder.read("direct.csv"), folder.read("round.csv"));
    folder.run("", "round.csv", "again.csv").unwrap();
    assert_eq!(folder.read("again.csv"), folder.read("round.csv"));
}

#[test]
fn a_second_stage_reads_what_the_first_made() {
    let folder = Folder::new();
    folder.write("in.csv", "x\n1\n2\n3\n");
    let stage = |column: &str, alias: &str| {
        format!(
            "[[stage]]\n[[stage.kernel]]\nname = \"cumsum_clip\"\ncolumn = \"{column}\"\nlower = 0\nupper = 100\nalias = \"{alias}\"\n"
        )
    };
    folder.run(&(stage("x", "y") + &stage("y", "z")), "in.csv", "out.csv").unwrap();
    assert_eq!(folder.read("out.csv"), "x,y,z\n1,1.0,1.0\n2,3.0,4.0\n3,6.0,10.0\n");
}

#[test]
fn the_warts_of_published_files() {
    let folder = Folder::new();
    let text = "\u{feff}\"\",\"Date\",\"a \"\"quoted\"\" name\",\"flag\"\r\n\"1\",2007-01-03,\"multi\r\nline, text\",TRUE\r\n\r\n\"2\",2007-01-04,\"\",false";
    folder.write("in.csv", text);
    folder.run("", "in.csv", "out.parquet").unwrap();
    let batch = folder.parquet("out.parquet");
    let schema = batch.schema();
    let fields: Vec<(&str, &DataType)> = schema.fields().iter().map(|f| (f.name().as_str(), f.data_type())).collect();
    let expected = [
        ("column_1", &DataType::Int64),
        ("Date", &DataType::Date32),
        ("a \"quoted\" name", &DataType::Utf8),
        ("flag", &DataType::Boolean),
    ];
    assert_eq!(fields, expected);
    assert_eq!(batch.num_rows(), 2);
    let texts = batch.column(2).as_string::<i32>();
    assert_eq!((texts.value(0), texts.is_valid(1)), ("multi\r\nline, text", false));
}

#[test]
fn dialects_types_and_null_values() {
    let folder = Folder::new();
    folder.write("in.txt", "2024-01-02 09:00:00.5+02:00; 1.5 ;NA;7\n2024-01-02T07:00:01Z;;x;-\n");
    let toml = r#"
        [source]
        delimiter = ";"
        header = false
        null_values = ["NA", "-"]
        [source.schema]
        column_1 = "timestamp[ms, UTC]"
        column_2 = "f32"
        column_4 = "u8"
        [sink]
        delimiter = "\t"
    "#;
    folder.run(toml, "in.txt", "out.csv").unwrap();
    let expected =
        "column_1\tcolumn_2\tcolumn_3\tcolumn_4\n2024-01-02T07:00:00.500Z\t1.5\t\t7\n2024-01-02T07:00:01Z\t\tx\t\n";
    assert_eq!(folder.read("out.csv"), expected);
    let plan = folder.pipeline(toml, "in.txt", "out.csv").plan().unwrap();
    let schema = plan.output_schema();
    assert_eq!(schema.field(0).data_type(), &DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())));
    assert_eq!(schema.field(3).data_type(), &DataType::UInt8);
}

#[test]
fn no_rows_in_no_rows_out_but_the_columns() {
    let folder = Folder::new();
    folder.write("in.csv", "ts,symbol,price\n");
    let toml = format!("[source.schema]\nts = \"timestamp[us]\"\nprice = \"f64\"\n{KERNELS}");
    let summary = folder.run(&toml, "in.csv", "out.csv").unwrap();
    assert_eq!((summary.rows_written, folder.read("out.csv").as_str()), (0, "ts,symbol,price,mean,max,ewm,session\n"));
    folder.run(&toml, "in.csv", "out.parquet").unwrap();
    assert_eq!(folder.parquet("out.parquet").num_columns(), 7);
}

#[test]
fn the_limit_is_kept_and_progress_is_told() {
    let folder = Folder::new();
    folder.write("in.csv", trades(100));
    let mut seen: Vec<Progress> = Vec::new();
    let pipeline = folder.pipeline("[source]\nbatch_rows = 8", "in.csv", "out.parquet").with_limit(20);
    let summary = pipeline.run(&mut |status| seen.push(status)).unwrap();
    assert_eq!(summary.rows_written, 20);
    assert_eq!(seen.iter().map(|progress| progress.rows_written).collect::<Vec<_>>(), [8, 16, 20]);
    assert!(seen.iter().all(|progress| progress.bytes_read <= progress.total_bytes));
    assert_eq!(folder.names(), ["in.csv", "out.parquet"]);
}

#[test]
fn a_file_of_published_prices() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/stocks_daily.csv");
    let folder = Folder::new();
    if path.is_file() {
        std::fs::copy(path, folder.path("in.csv")).unwrap();
    } else {
        let rows = (0..500).map(|i| {
            format!(
                "\"{i}\",2007-{:02}-{:02},\"{}\",{}.5,0.1\n",
                1 + i / 50,
                1 + i / 2 % 25,
                ["A", "B"][i % 2],
                100 + i % 13
            )
        });
        folder
            .write("in.csv", "\"\",\"Date\",\"stock\",\"value\",\"change\"\n".to_string() + &rows.collect::<String>());
    }
    let toml = "[[stage]]\nover = \"stock\"\n[[stage.kernel]]\nname = \"rolling_mean\"\ncolumn = \"value\"\nwindow = 20\nalias = \"m20\"\n";
    let summary = folder.run(toml, "in.csv", "out.parquet").unwrap();
    let batch = folder.parquet("out.parquet");
    assert_eq!(batch.num_rows() as u64, summary.rows_written);
    let (stock, value) = (batch.column(2).as_string::<i32>(), batch.column(3).as_primitive::<Float64Type>());
    let mean = batch.column_by_name("m20").unwrap().as_primitive::<Float64Type>();
    let mut history: std::collections::HashMap<&str, Vec<f64>> = Default::default();
    for row in 0..batch.num_rows() {
        let values = history.entry(stock.value(row)).or_default();
        values.push(value.value(row));
        let window = &values[values.len().saturating_sub(20)..];
        let expected = window.iter().sum::<f64>() / 20.0;
        assert_eq!(mean.is_valid(row), window.len() == 20);
        assert!(!mean.is_valid(row) || (mean.value(row) - expected).abs() <= 1e-12 * expected.abs(), "row {row}");
    }
}

#[test]
fn metadata_of_other_tools_does_not_travel() {
    let folder = Folder::new();
    folder.write("in.csv", "x\n1\n");
    folder.run("", "in.csv", "plain.parquet").unwrap();
    let batch = folder.parquet("plain.parquet");
    let schema = (*batch.schema()).clone().with_metadata([("pandas".to_string(), "{}".to_string())]);
    write_parquet(&folder.path("noted.parquet"), &batch.with_schema(schema.into()).unwrap());
    folder.run("", "noted.parquet", "out.parquet").unwrap();
    assert!(folder.parquet("out.parquet").schema().metadata().is_empty());
}

#[test]
fn a_pipeline_is_text() {
    assert!(Pipeline::from_str("").is_ok());
}
