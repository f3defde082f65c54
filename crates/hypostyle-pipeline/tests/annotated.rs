//! Annotated CSV of InfluxDB: several tables in a file, with types, defaults and headers of their own.

mod common;

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use common::Folder;

const INFLUX: &str = "[source]\ndialect = \"influx\"\n";

/// Two tables, of which the second has another order, a tag more, and a measurement of another type; a string in it looks like
/// an annotation.
const TABLES: &str = "#datatype,string,long,dateTime:RFC3339,double,string\r\n\
#group,false,false,false,false,true\r\n\
#default,_result,,,,\r\n\
,result,table,_time,_value,_field\r\n\
,,0,2024-01-02T03:04:05Z,10.5,temp\r\n\
,,0,2024-01-02T03:04:06.5Z,11,\"a, b\"\r\n\
\r\n\
#datatype,string,long,dateTime:RFC3339,string,string,long\r\n\
#group,false,false,false,true,true,false\r\n\
#default,other,7,,,,\r\n\
,result,table,_time,host,_field,_value\r\n\
,,,2024-01-02T03:04:07Z,h1,\"x\r\n#datatype,y\",3\r\n\
,mine,8,2024-01-02T03:04:08Z,,count,-4\r\n\
\r\n";

#[test]
fn the_tables_are_one() {
    let folder = Folder::new();
    folder.write("in.csv", TABLES);
    for chunk in ["", "chunk_bytes = 7"] {
        let summary = folder.run(&format!("{INFLUX}{chunk}"), "in.csv", "out.csv").unwrap();
        assert_eq!(summary.rows_written, 4);
        assert_eq!(
            folder.read("out.csv"),
            "result,table,_time,_value,_field,host\n\
             _result,0,2024-01-02T03:04:05Z,10.5,temp,\n\
             _result,0,2024-01-02T03:04:06.500Z,11.0,\"a, b\",\n\
             other,7,2024-01-02T03:04:07Z,3.0,\"x\r\n#datatype,y\",h1\n\
             mine,8,2024-01-02T03:04:08Z,-4.0,count,\n"
        );
    }
    folder.run(INFLUX, "in.csv", "out.parquet").unwrap();
    let batch = folder.parquet("out.parquet");
    let types: Vec<String> = batch.schema().fields().iter().map(|field| field.data_type().to_string()).collect();
    assert_eq!(types, ["Utf8", "Int64", "Timestamp(ns, \"UTC\")", "Float64", "Utf8", "Utf8"]);
}

#[test]
fn columns_filters_and_types_work_as_ever() {
    let folder = Folder::new();
    folder.write("1.csv", TABLES);
    folder.write(
        "2.csv",
        "#datatype measurement,tag,string,time\nm,host,_value,_time\ncpu,h2,high,2024-01-03T00:00:00Z\n",
    );
    let toml = format!("{INFLUX}columns = [\"_value\", \"host\"]\nfilter.host = {{ not_null = true }}");
    folder.run(&toml, "[12].csv", "out.csv").unwrap();
    // Numbers and texts have no type in common but text.
    assert_eq!(folder.read("out.csv"), "_value,host\n3,h1\nhigh,h2\n");
    folder.run(&format!("{INFLUX}schema._value = \"f32\"\non_bad_row = \"null\""), "[12].csv", "out.parquet").unwrap();
    let batch = folder.parquet("out.parquet");
    let values = batch.column_by_name("_value").unwrap();
    assert_eq!((values.data_type(), values.null_count()), (&DataType::Float32, 1));
    let hosts = batch.column_by_name("host").unwrap().as_string::<i32>();
    assert_eq!(hosts.iter().collect::<Vec<_>>(), [None, None, Some("h1"), None, Some("h2")]);
}

#[test]
fn a_bad_value_is_found_where_it_is() {
    let folder = Folder::new();
    folder.write("in.csv", TABLES.replace("-4", "few"));
    for chunk in ["", "chunk_bytes = 7"] {
        let message = folder.run(&format!("{INFLUX}{chunk}"), "in.csv", "out.csv").unwrap_err().to_string();
        assert!(message.contains("in.csv:14: record 4, column '_value': \"few\" is not a valid f64"), "{message}");
    }
}

#[test]
fn what_is_not_annotated_is_refused() {
    let folder = Folder::new();
    for (text, settings, words) in [
        (TABLES, "", "in.csv: the file is annotated CSV of InfluxDB\nhelp: set dialect = \"influx\" in [source]"),
        ("a,b\n1,2\n", "dialect = \"influx\"", "does not begin with annotations of InfluxDB"),
        ("#group,false\n,a\n,1\n", "dialect = \"influx\"", "in.csv:2: the header has no #datatype above it"),
        ("#datatype,long,long\n,a\n,1\n", "dialect = \"influx\"", "in.csv:2: got 3 types, but 2 columns"),
        ("#datatype,long,long\n,a,a\n", "dialect = \"influx\"", "in.csv:2: the header names column 'a' twice"),
        ("#constant measurement,m\n#datatype long\na\n1\n", "dialect = \"influx\"", "#constant is not supported"),
        ("", "dialect = \"influx\"", "the input is empty"),
    ] {
        folder.write("in.csv", text);
        let message = folder.run(&format!("[source]\n{settings}"), "in.csv", "out.csv").unwrap_err().to_string();
        assert!(message.contains(words), "{text:?}: {message}");
    }
    // One table of it can be read as CSV with comments.
    folder.write("in.csv", "#datatype,long\n,a\n,1\n");
    folder.run("[source]\ncomment = \"#\"\ncolumns = [\"a\"]", "in.csv", "out.csv").unwrap();
    assert_eq!(folder.read("out.csv"), "a\n1\n");
}

#[test]
fn a_run_that_was_stopped_goes_on() {
    let folder = Folder::new();
    let mut text = String::new();
    for table in 0..3 {
        text.push_str("#datatype,string,long,double\n#default,r,,\n,result,n,v\n");
        (0..40).for_each(|row| text.push_str(&format!(",,{row},{}.5\n", table * 100 + row)));
        text.push('\n');
    }
    folder.write("in.csv", text);
    let stage = "\n[[stage]]\n[[stage.kernel]]\nname = \"cum_sum\"\ncolumn = \"v\"\nalias = \"s\"";
    folder.run(&format!("{INFLUX}{stage}"), "in.csv", "whole.csv").unwrap();
    let toml = format!("checkpoint_interval = \"1ns\"\n{INFLUX}chunk_bytes = 50{stage}\n[sink]\nrow_group_size = 1");
    for rows in [10, 45, 100] {
        let plan = folder.pipeline(&toml, "in.csv", "out.csv").plan().unwrap();
        let stop = std::sync::atomic::AtomicBool::new(false);
        let outcome = plan.run_until(&stop, &mut |now| {
            if now.rows_written >= rows {
                stop.store(true, std::sync::atomic::Ordering::Relaxed);
            }
        });
        assert!(outcome.is_err() || rows == 100, "stopped");
    }
    folder.run(&toml, "in.csv", "out.csv").unwrap();
    assert_eq!(folder.read("out.csv"), folder.read("whole.csv"));
}
