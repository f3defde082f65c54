//! Pipelines over object stores and http, against a server in this process: the bytes of local files, requests that stay
//! sensible, and connections that break.
#![cfg(feature = "remote")]

mod common;
#[path = "common/server.rs"]
mod server;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Float64Array, RecordBatch};
use common::{Folder, KERNELS, trades};

use hypostyle_pipeline::{Error, ErrorKind, Pipeline, Result, Summary};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use server::{Fault, Request, Server};

const SECRET: &str = "hunter2-is-secret";

/// The storage options for the server, as a table in one line.
fn options(server: &Server) -> String {
    format!(
        "storage_options = {{ aws_endpoint = \"http://{}\", aws_access_key_id = \"someone\", \
         aws_secret_access_key = \"{SECRET}\", aws_region = \"eu-central-1\", allow_http = true, max_retries = 3 }}\n",
        server.address
    )
}

fn pipeline(server: &Server, path: &str, more: &str) -> Pipeline {
    let paths = if path.starts_with('[') { path.to_string() } else { format!("{path:?}") };
    let storage =
        if path.contains("s3://") { options(server) } else { "storage_options = { max_retries = 3 }\n".into() };
    format!("[source]\npath = {paths}\n{storage}{more}").parse().unwrap()
}

fn run(server: &Server, folder: &Folder, path: &str, more: &str, output: &str) -> Result<Summary> {
    pipeline(server, path, more).with_output(folder.path(output)).run(&mut |_| ())
}

fn http(server: &Server, path: &str) -> String {
    format!("http://{}{path}", server.address)
}

/// Trades of some days.
fn many(rows: usize) -> String {
    let day = trades(rows.min(30_000));
    let (header, day) = day.split_once('\n').unwrap();
    let days =
        (0..rows.div_ceil(30_000)).map(|n| day.replace("-01-02T", &format!("-{:02}-{:02}T", 1 + n / 28, 1 + n % 28)));
    format!("{header}\n{}", days.collect::<String>())
}

/// The same trades in every format, in the folder and on the server.
fn files(server: &Server, folder: &Folder, rows: usize) -> [&'static str; 6] {
    let csv = many(rows);
    folder.write("in.csv", &csv);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(csv.as_bytes()).unwrap();
    folder.write("in.csv.gz", packed.finish().unwrap());
    folder.write("in.csv.zst", zstd::encode_all(csv.as_bytes(), 1).unwrap());
    folder.run("[sink]\nrow_group_size = 40000", "in.csv", "in.parquet").unwrap();
    folder.run("[sink]\nrow_group_size = 40000", "in.csv", "in.arrow").unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&std::fs::read(folder.path("in.arrow")).unwrap()).unwrap();
    folder.write("in.arrow.gz", packed.finish().unwrap());
    let names = ["in.csv", "in.csv.gz", "in.csv.zst", "in.parquet", "in.arrow", "in.arrow.gz"];
    for name in names {
        server.put(&format!("/bucket/{name}"), std::fs::read(folder.path(name)).unwrap());
    }
    names
}

/// The local run's output and the remote ones' are the same bytes, and so are the counts of bytes read.
#[test]
fn every_format_gives_the_bytes_of_local_files() {
    let (server, folder) = (Server::start(), Folder::new());
    for name in files(&server, &folder, 150_000) {
        let local = folder.run(KERNELS, name, "local.csv").unwrap();
        let expected = folder.read("local.csv");
        for path in [format!("s3://bucket/{name}"), http(&server, &format!("/bucket/{name}?sig=a%2Fb&x=1"))] {
            let summary = run(&server, &folder, &path, KERNELS, "out.csv").unwrap();
            assert!(folder.read("out.csv") == expected, "{path}");
            assert_eq!((summary.rows_written, summary.bytes_read), (local.rows_written, local.bytes_read), "{path}");
        }
    }
    assert!(server.requests().iter().filter(|request| !request.query.is_empty()).all(|r| r.query == "sig=a%2Fb&x=1"));
}

#[test]
fn sequential_reading_asks_for_large_parts_ahead() {
    let (server, folder) = (Server::start(), Folder::new());
    let csv = many(600_000);
    server.put("/bucket/in.csv", csv.as_bytes());
    run(&server, &folder, "s3://bucket/in.csv", "", "out.csv").unwrap();
    let gets: Vec<Request> = server.requests().into_iter().filter(|request| request.method == "GET").collect();
    assert!(csv.len() > 15 << 20 && gets.len() <= 2 + csv.len() / (4 << 20) + 1, "{} of {}", gets.len(), csv.len());
    assert_eq!(gets.iter().map(|get| get.sent).sum::<usize>(), csv.len());
    assert!(gets.iter().all(|get| get.if_match.as_deref() == Some("\"v0\"")));
}

#[test]
fn servers_that_give_no_parts_are_read_in_order() {
    let (server, folder) = (Server::start(), Folder::new());
    let names = files(&server, &folder, 60_000);
    server.give_no_ranges();
    server.tell_little();
    for name in names {
        let outcome = run(&server, &folder, &http(&server, &format!("/bucket/{name}")), "", "out.csv");
        if name == "in.parquet" {
            let error = outcome.unwrap_err().to_string();
            assert!(
                error.contains("does not support range requests") && error.contains("download the file first"),
                "{error}"
            );
            continue;
        }
        outcome.unwrap();
        folder.run("", name, "local.csv").unwrap();
        assert!(folder.read("out.csv") == folder.read("local.csv"), "{name}");
    }
}

#[test]
fn signed_links_refuse_head() {
    let (server, folder) = (Server::start(), Folder::new());
    server.put("/a b/x.csv", "x\n1\n");
    server.put("/empty.csv", "");
    server.give_no_heads();
    run(&server, &folder, &http(&server, "/a%20b/x.csv?sig=1"), "", "out.csv").unwrap();
    assert_eq!(folder.read("out.csv"), "x\n1\n");
}

fn made_by(server: &Server, folder: &Folder, path: &str, more: &str) -> String {
    run(server, folder, path, more, "out.csv").unwrap_or_else(|error| panic!("{path}: {error}"));
    folder.read("out.csv")
}

#[test]
fn folders_patterns_and_lists() {
    let (server, folder) = (Server::start(), Folder::new());
    for (key, value) in [
        ("in/b.csv", 3),
        ("in/a.csv", 2),
        ("in/a-1.csv", 1),
        ("in/x/d.csv", 4),
        ("in/.hidden.csv", 9),
        ("in/_log/e.csv", 9),
        ("in/c.parq", 9),
        ("inner.csv", 9),
        ("odd/[1] %20+&.csv", 5),
    ] {
        server.put(&format!("/bucket/{key}"), format!("v\n{value}\n"));
    }
    server.put("/bucket/in/x", "");
    let whole = "v\n1\n2\n3\n4\n";
    assert_eq!(made_by(&server, &folder, "s3://bucket/in/", ""), whole);
    assert_eq!(made_by(&server, &folder, "s3://bucket/in", ""), whole);
    assert_eq!(made_by(&server, &folder, "s3://bucket/in/?.csv", ""), "v\n2\n3\n");
    assert_eq!(made_by(&server, &folder, "s3://bucket/i*/a*.csv", ""), "v\n1\n2\n");
    assert_eq!(made_by(&server, &folder, "s3://bucket/in/**/d.csv", ""), "v\n4\n");
    assert_eq!(made_by(&server, &folder, "s3://bucket/odd/[1] %20+&.csv", ""), "v\n5\n");
    let local = folder.write("local.csv", "v\n7\n");
    let list = format!("[\"s3://bucket/in/a.csv\", {local:?}, \"{}\"]", http(&server, "/bucket/in/b.csv"));
    assert_eq!(made_by(&server, &folder, &list, ""), "v\n2\n7\n3\n");
    let none = run(&server, &folder, "s3://bucket/in/*.tsv", "", "out.csv").unwrap_err().to_string();
    assert!(none.contains("s3://bucket/in/*.tsv: no files found"), "{none}");
    assert_eq!(made_by(&server, &folder, "s3://bucket/in/_log/*.csv", ""), "v\n9\n");
    // What a table's log says is gone must not be read; others beside it may be.
    for (key, text) in [("t/_delta_log/0.json", "{}"), ("t/day/p.csv", "v\n1\n"), ("in/p.csv", "v\n2\n")] {
        server.put(&format!("/tables/{key}"), text);
    }
    for path in ["s3://tables/t", "s3://tables/t/", "s3://tables/t/*/*.csv", "s3://tables/**/p.csv"] {
        let error = run(&server, &folder, path, "", "out.csv").unwrap_err().to_string();
        let words =
            if path.contains('*') { "t: this is a table of Delta" } else { ": cannot read this table of Delta" };
        assert!(error.contains("s3://tables/t") && error.contains(words), "{path}: {error}");
    }
    assert_eq!(made_by(&server, &folder, "s3://tables/*/p.csv", ""), "v\n2\n");
}

#[test]
fn tables_of_delta_are_read_as_on_the_disk() {
    let (server, folder) = (Server::start(), Folder::new());
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/files/deltalake/table");
    for file in glob::glob(&format!("{}/**/*", table.display())).unwrap().flatten().filter(|file| file.is_file()) {
        let below = file.strip_prefix(&table).unwrap().display().to_string();
        server.put(&format!("/bucket/in/table/{below}"), std::fs::read(&file).unwrap());
    }
    let local = made_by(&server, &folder, &table.display().to_string(), "");
    assert_eq!(local.lines().count(), 5);
    for path in ["s3://bucket/in/table", "s3://bucket/in/table/"] {
        assert_eq!(made_by(&server, &folder, path, ""), local);
    }
    let then = made_by(&server, &folder, "s3://bucket/in/table", "version = 0");
    assert_eq!(then.lines().count(), 4);
}

#[test]
fn folders_may_be_columns() {
    let (server, folder) = (Server::start(), Folder::new());
    for (key, value) in [("day=2024-01-02/venue=A%20B", 1), ("day=__HIVE_DEFAULT_PARTITION__/venue=C", 2)] {
        server.put(&format!("/bucket/t/{key}/x.csv"), format!("v\n{value}\n"));
    }
    assert_eq!(made_by(&server, &folder, "s3://bucket/t", ""), "v,day,venue\n1,2024-01-02,A B\n2,,C\n");
}

/// Columns of noise, in row groups.
fn wide(columns: usize, rows: usize, group: usize) -> Vec<u8> {
    let mut x = 1_u64;
    let mut noise = || {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (x >> 11) as f64
    };
    let arrays = (0..columns).map(|column| {
        let values: Vec<f64> = (0..rows).map(|_| noise()).collect();
        (format!("c{column}"), Arc::new(Float64Array::from(values)) as ArrayRef)
    });
    let batch = RecordBatch::try_from_iter(arrays).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group))
        .set_dictionary_enabled(false)
        .set_data_page_row_count_limit(5_000)
        .set_write_batch_size(5_000)
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn parquet_asks_for_the_wanted_columns_alone_and_once() {
    let (server, folder) = (Server::start(), Folder::new());
    // Ten columns of 6.4 MB each in one row group, and of 0.4 MB each in sixteen.
    let rows = 800_000;
    for (name, group) in [("large.parquet", rows), ("small.parquet", 50_000)] {
        let bytes = wide(10, rows, group);
        let column = bytes.len() / 10;
        std::fs::write(folder.path(name), &bytes).unwrap();
        server.put(&format!("/bucket/{name}"), bytes);
        let path = format!("s3://bucket/{name}");
        for (wanted, parts) in [
            ("[\"c3\"]", if group == rows { 2 } else { 16 }),
            ("[\"c2\", \"c7\"]", if group == rows { 4 } else { 32 }),
            ("[\"c4\", \"c5\", \"c6\"]", if group == rows { 9 } else { 16 }),
        ] {
            server.requests();
            run(&server, &folder, &path, &format!("[sink]\ncolumns = {wanted}"), "out.parquet").unwrap();
            let requests = server.requests();
            let sent: usize = requests.iter().map(|request| request.sent).sum();
            let columns = wanted.matches('"').count() / 2;
            // The footer: HEAD, and the end of the file.
            assert!(requests.len() <= parts + 3, "{name} {wanted}: {} requests", requests.len());
            assert!(sent < columns * column + (200 << 10), "{name} {wanted}: {sent} bytes");
            folder.run(&format!("[sink]\ncolumns = {wanted}"), name, "local.parquet").unwrap();
            assert!(
                std::fs::read(folder.path("out.parquet")).unwrap()
                    == std::fs::read(folder.path("local.parquet")).unwrap()
            );
        }
        run(&server, &folder, &path, "", "out.parquet").unwrap();
        let sent: usize = server.requests().iter().map(|request| request.sent).sum();
        assert!(sent < 10 * column + (200 << 10), "{name}: {sent} bytes");
    }
}

#[test]
fn connections_that_break_are_mended() {
    let (server, folder) = (Server::start(), Folder::new());
    let names = files(&server, &folder, 100_000);
    for name in names {
        folder.run("", name, "local.csv").unwrap();
        for plain in [false, true] {
            let path = if plain { http(&server, &format!("/bucket/{name}")) } else { format!("s3://bucket/{name}") };
            for fault in
                [Fault::Status(503, 2), Fault::Cut(30_000, 5), Fault::Cut(0, 2), Fault::Slow(Duration::from_millis(2))]
            {
                server.fail(Some(fault));
                run(&server, &folder, &path, "", "out.csv")
                    .unwrap_or_else(|error| panic!("{path}, {fault:?}: {error}"));
                assert!(folder.read("out.csv") == folder.read("local.csv"), "{path}, {fault:?}");
            }
        }
    }
    // Without e_tags too.
    server.tell_little();
    server.fail(Some(Fault::Cut(30_000, 5)));
    run(&server, &folder, &http(&server, "/bucket/in.csv"), "", "out.csv").unwrap();
    assert!(folder.read("out.csv") == folder.read("local.csv"));
}

fn complaint(server: &Server, folder: &Folder, path: &str, more: &str) -> Error {
    let error = run(server, folder, path, more, "out.csv").unwrap_err();
    let mut text = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text.push_str(&format!("{error} {error:?}"));
        cause = error.source();
    }
    assert!(!text.contains("hunter2") && error.to_string().contains("help: "), "{text}");
    assert!(!folder.names().iter().any(|name| name.starts_with("out")), "{:?}", folder.names());
    error
}

#[test]
fn errors_say_what_the_server_said_and_the_way_out() {
    let (server, folder) = (Server::start(), Folder::new());
    server.put("/bucket/in.csv", many(100_000));
    let link = |path: &str| http(&server, &format!("{path}?sig=hunter2"));
    for (path, words) in [
        (
            "s3://bucket/nothing.csv".to_string(),
            vec!["s3://bucket/nothing.csv: input not found (404", "check the host or bucket"],
        ),
        (link("/nothing.csv"), vec!["/nothing.csv: input not found (404 Not Found: NoSuchKey"]),
        (link("/*.csv"), vec!["HTTP does not support glob patterns"]),
        (http(&server, "/in/"), vec!["HTTP does not support directories"]),
        ("ftp://host/x.csv".to_string(), vec!["unknown URL scheme 'ftp://'", "https://"]),
        ("s3://bucket/a//b.csv".to_string(), vec!["invalid key"]),
        ("https://user:hunter2@host/x.csv".to_string(), vec!["URL contains credentials"]),
    ] {
        let error = complaint(&server, &folder, &path, "");
        assert!(words.iter().all(|word| error.to_string().contains(word)), "{error}");
    }
    server.fail(Some(Fault::Status(403, 100)));
    for (path, way) in [
        ("s3://bucket/in.csv".to_string(), "AWS_ACCESS_KEY_ID"),
        (link("/bucket/in.csv"), "a signed one may have expired"),
    ] {
        let error = complaint(&server, &folder, &path, "").to_string();
        assert!(error.contains("403 Forbidden: Told: as told") && error.contains(way), "{error}");
    }
    server.fail(Some(Fault::Status(500, 100)));
    let error = complaint(&server, &folder, "s3://bucket/in.csv", "").to_string();
    assert!(
        error.contains("s3://bucket/in.csv: cannot read the input: 500 Internal Server Error: Told: as told")
            && error.contains("max_retries"),
        "{error}"
    );
    server.fail(Some(Fault::Cut(0, 1000)));
    let begun = Instant::now();
    complaint(&server, &folder, "s3://bucket/in.csv", "");
    server.fail(None);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = complaint(&server, &folder, &format!("http://127.0.0.1:{port}/x.csv"), "").to_string();
    assert!(error.contains("refused"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn storage_options_are_judged() {
    let (server, folder) = (Server::start(), Folder::new());
    server.put("/x.csv", "x\n1\n");
    let url = http(&server, "/x.csv");
    let told = |options: &str| -> Pipeline {
        format!("[source]\npath = {url:?}\nstorage_options = {options}").parse().unwrap()
    };
    for (options, words) in [
        ("{ timeot = \"hunter2\" }", "storage_options: unknown option 'timeot'; did you mean 'timeout'?"),
        ("{ aws_region = \"hunter2\" }", "storage_options: unknown option 'aws_region'"),
        ("{ timeout = [\"hunter2\"] }", "storage_options timeout: got a nested value"),
        ("{ max_retries = \"hunter2\" }", "storage_options max_retries: invalid value"),
        ("{ retry_timeout = \"hunter2\" }", "storage_options retry_timeout: invalid value"),
    ] {
        let pipeline = told(options).with_output(folder.path("out.csv"));
        let error = pipeline.plan().unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Pipeline);
        assert!(error.to_string().contains(words) && !error.to_string().contains("hunter2"), "{error}");
        assert!(!format!("{pipeline:?}").contains("hunter2"), "{pipeline:?}");
    }
    let broken = "[source]\nstorage_options = { aws_secret_access_key = \"hunter2\", }, }";
    let error = broken.parse::<Pipeline>().unwrap_err().to_string();
    assert!(error.contains("line 2") && !error.contains("hunter2"), "{error}");
}

#[test]
fn silence_ends_by_the_timeout() {
    let (server, folder) = (Server::start(), Folder::new());
    server.put("/x.csv", "x\n1\n");
    server.fail(Some(Fault::Silent));
    let toml = format!(
        "[source]\npath = {:?}\nstorage_options = {{ timeout = \"200ms\", max_retries = \"1\" }}",
        http(&server, "/x.csv")
    );
    let begun = Instant::now();
    let error = toml.parse::<Pipeline>().unwrap().with_output(folder.path("out.csv")).plan().unwrap_err().to_string();
    assert!(error.contains("timed out") && error.contains("timeout"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn an_object_that_is_replaced_is_refused() {
    for name in ["in.csv", "in.parquet", "in.arrow"] {
        for plain in [false, true] {
            let (server, folder) = (Server::start(), Folder::new());
            files(&server, &folder, 300_000);
            let path = if plain { http(&server, &format!("/bucket/{name}")) } else { format!("s3://bucket/{name}") };
            let plan = pipeline(&server, &path, "").with_output(folder.path("out.csv")).plan().unwrap();
            let mut other = server.get(&format!("/bucket/{name}")).unwrap();
            other[0] ^= 1;
            server.put(&format!("/bucket/{name}"), other);
            let error = plan.run(&mut |_| ()).unwrap_err();
            assert_eq!(error.kind(), &ErrorKind::Source);
            assert!(error.to_string().contains("the input changed while it was read"), "{path}: {error}");
            assert!(!folder.names().contains(&"out.csv".to_string()));
        }
    }
}

#[test]
fn a_state_knows_remote_inputs() {
    let (server, folder) = (Server::start(), Folder::new());
    let text = many(500);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    server.put("/bucket/all.csv", text.clone());
    server.put("/bucket/1.csv", lines[..300].concat());
    server.put("/bucket/2.csv", lines[0].to_string() + &lines[300..].concat());
    let more = format!("{KERNELS}\n[sink]\nformat = \"csv\"");
    let kept = |path: &str| -> Pipeline {
        let storage = options(&server);
        let state = folder.path("p.state");
        format!("state = {state:?}\n[source]\npath = {path:?}\n{storage}{more}").parse().unwrap()
    };
    run(&server, &folder, "s3://bucket/all.csv", &more, "all.csv").unwrap();
    for (index, path) in
        ["s3://bucket/1.csv".to_string(), http(&server, "/bucket/2.csv?sig=hunter2")].iter().enumerate()
    {
        let mut toml = kept(path);
        if index == 1 {
            toml = format!("state = {:?}\n[source]\npath = {path:?}\n{more}", folder.path("p.state")).parse().unwrap();
        }
        let output = folder.path(&format!("{index}.csv"));
        toml.clone().with_output(&output).run(&mut |_| ()).unwrap();
        server.copy_all();
        let again = toml.with_output(folder.path("again.csv")).run(&mut |_| ()).unwrap_err();
        assert!(
            again.kind() == &ErrorKind::State && again.to_string().contains(".csv' was already processed"),
            "{again}"
        );
    }
    let second = folder.read("1.csv");
    let rest = second.split_once('\n').unwrap().1;
    assert!(folder.read("0.csv") + rest == folder.read("all.csv"));
    let state = std::fs::read(folder.path("p.state")).unwrap();
    let holds = |words: &str| state.windows(words.len()).any(|window| window == words.as_bytes());
    assert!(holds("s3://bucket/1.csv") && !holds("hunter2"));
}

fn start(folder: &Folder) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_hypostyle"))
        .args(["run", "p.toml", "--quiet"])
        .current_dir(folder.path(""))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_killed_run_goes_on_from_its_checkpoint() {
    for (name, partial) in [("in.csv", true), ("in.csv.gz", false), ("in.parquet", true), ("in.arrow", false)] {
        let (server, folder) = (Server::start(), Folder::new());
        files(&server, &folder, 400_000);
        folder.run(KERNELS, name, "local.csv").unwrap();
        let toml = format!(
            "checkpoint_interval = \"1ns\"\n[source]\npath = \"s3://bucket/{name}\"\n{}{KERNELS}\n[sink]\npath = \"out.csv\"\nrow_group_size = 20000\n",
            options(&server)
        );
        folder.write("p.toml", toml);
        let checkpoint = folder.path(".out.csv.checkpoint/checkpoint.json");
        server.fail(Some(Fault::Slow(Duration::from_millis(5))));
        let far = |text: &str| {
            let rows = text.split("\"rows_read\":").nth(1).unwrap_or_default();
            rows.trim().split(',').next().and_then(|rows| rows.parse().ok()).unwrap_or(0) >= 200_000
        };
        let mut run = start(&folder);
        while !far(&std::fs::read_to_string(&checkpoint).unwrap_or_default()) {
            assert!(run.try_wait().unwrap().is_none(), "{name}: too fast to be killed");
            sleep(Duration::from_millis(1));
        }
        run.kill().unwrap();
        run.wait().unwrap();
        let kept = std::fs::read_to_string(&checkpoint).unwrap();
        assert!(kept.contains("s3://bucket/in") && !kept.contains("hunter2"), "{kept}");
        server.fail(None);
        server.requests();
        let done = start(&folder).wait_with_output().unwrap();
        assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
        assert!(folder.read("out.csv") == folder.read("local.csv"), "{name}");
        assert!(!checkpoint.exists());
        let sent: usize = server.requests().iter().map(|request| request.sent).sum();
        let whole = std::fs::metadata(folder.path(name)).unwrap().len() as usize;
        // Planning reads the beginning, for names and types.
        assert!(!partial || sent < whole * 3 / 4 + (1 << 20), "{name}: {sent} of {whole}");
    }
}

#[test]
fn a_checkpoint_of_another_version_is_refused() {
    let (server, folder) = (Server::start(), Folder::new());
    server.put("/bucket/in.csv", many(300_000));
    let toml = format!(
        "checkpoint_interval = \"1ns\"\n[source]\npath = \"s3://bucket/in.csv\"\n{}{KERNELS}\n[sink]\npath = \"out.csv\"\nrow_group_size = 20000\n",
        options(&server)
    );
    folder.write("p.toml", toml);
    server.fail(Some(Fault::Slow(Duration::from_millis(5))));
    let mut run = start(&folder);
    while !folder.path(".out.csv.checkpoint/checkpoint.json").exists() {
        assert!(run.try_wait().unwrap().is_none());
        sleep(Duration::from_millis(1));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    server.fail(None);
    server.put("/bucket/in.csv", many(300_000));
    let done = start(&folder).wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(error.contains("input 's3://bucket/in.csv' has changed"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_run_that_waits_for_a_server_can_be_interrupted() {
    for name in ["in.csv", "in.parquet"] {
        let (server, folder) = (Server::start(), Folder::new());
        files(&server, &folder, 300_000);
        folder.write(
            "p.toml",
            format!(
                "[source]\npath = \"s3://bucket/{name}\"\n{}{KERNELS}\n[sink]\npath = \"out.csv\"\n",
                options(&server)
            ),
        );
        server.fail(Some(Fault::Slow(Duration::from_millis(20))));
        let run = start(&folder);
        while !folder.names().iter().any(|name| name.ends_with(".part")) {
            sleep(Duration::from_millis(1));
        }
        server.fail(Some(Fault::Silent));
        let begun = Instant::now();
        assert!(Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap().success());
        let done = run.wait_with_output().unwrap();
        assert_eq!(done.status.code(), Some(130), "{}", String::from_utf8_lossy(&done.stderr));
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        assert!(!folder.names().iter().any(|name| name.starts_with(".out") || name.starts_with("out")));
    }
}

#[test]
fn a_small_file_is_one_request() {
    let (server, folder) = (Server::start(), Folder::new());
    for name in files(&server, &folder, 500) {
        server.requests();
        File::open(folder.path(name)).unwrap();
        run(&server, &folder, &format!("s3://bucket/{name}"), "", "out.csv").unwrap();
        let requests = server.requests();
        assert!(requests.len() <= 2, "{name}: {requests:?}");
    }
}

/// A pipeline from a local file to an object.
fn upload(server: &Server, folder: &Folder, input: &str, path: &str, more: &str) -> Result<Summary> {
    let toml = format!("{more}\n{KERNELS}\n[sink]\npath = {path:?}\n{}", options(server));
    toml.parse::<Pipeline>().unwrap().with_input(folder.path(input)).run(&mut |_| ())
}

#[test]
fn outputs_may_be_objects() {
    let (server, folder) = (Server::start(), Folder::new());
    // Of some parts, one part, and none.
    for rows in [400_000, 500, 0] {
        folder.write("in.csv", many(rows));
        let more = "[source]\nschema = { ts = \"timestamp[us]\", price = \"f64\" }";
        for name in ["out.csv", "out.parquet", "out.arrow"] {
            let local = folder.run(&format!("{more}\n{KERNELS}"), "in.csv", name).unwrap();
            let written = upload(&server, &folder, "in.csv", &format!("s3://bucket/a/{name}"), more).unwrap();
            let expected = std::fs::read(folder.path(name)).unwrap();
            assert!(server.get(&format!("/bucket/a/{name}")).unwrap() == expected, "{name}, {rows} rows");
            assert_eq!((written.rows_written, written.bytes_written), (local.rows_written, expected.len() as u64));
            assert_eq!(written.output.to_str().unwrap(), format!("s3://bucket/a/{name}"));
        }
    }
    let parts = server.requests().iter().filter(|request| request.query.contains("partNumber")).count();
    assert!(parts > 9, "{parts}");
    assert_eq!(server.uploads(), 0);
}

#[test]
fn an_output_appears_whole_or_not_at_all() {
    let (server, folder) = (Server::start(), Folder::new());
    server.put("/bucket/out.csv", "the old output");
    folder.write("in.csv", many(60_000).replace("-02-", "-2x-") + "2024-01-02T10:00:00,A,bad\n");
    let error = upload(&server, &folder, "in.csv", "s3://bucket/out.csv", "").unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Malformed { .. }), "{error}");
    assert_eq!(server.get("/bucket/out.csv").unwrap(), b"the old output");
    assert_eq!(server.uploads(), 0, "an upload that fails is given up");

    server.be_read_only();
    let toml = format!(
        "[source]\npath = \"s3://bucket/in.csv\"\n{}[sink]\npath = \"s3://bucket/out.csv\"\n{}",
        options(&server),
        options(&server)
    );
    server.put("/bucket/in.csv", many(100));
    let plan = toml.parse::<Pipeline>().unwrap().plan().unwrap();
    server.requests();
    let error = plan.run(&mut |_| ()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Sink);
    let text = error.to_string();
    assert!(text.contains("s3://bucket/out.csv: access to the output denied (403 Forbidden: AccessDenied"), "{text}");
    assert!(text.contains("storage_options of [sink]"), "{text}");
    assert!(server.requests().iter().all(|request| request.method == "POST"), "it is refused before anything is read");
}

#[test]
fn invalid_outputs_are_errors() {
    let (server, folder) = (Server::start(), Folder::new());
    server.put("/bucket/in.csv", many(100));
    let secret = http(&server, "/out.csv?sig=hunter2");
    for (top, sink, words) in [
        ("", format!("path = {secret:?}"), "out.csv: HTTP is read-only"),
        ("", "path = \"s3://bucket/folder/\"".to_string(), "the URL of the output has no key"),
        ("", "path = \"s3://bucket/in.csv\"".to_string(), "the output is also an input"),
        (
            "",
            "path = \"s3://bucket/t\"\nformat = \"csv\"\npartition_by = \"symbol\"".to_string(),
            "several files cannot be written",
        ),
        (
            "checkpoint_interval = \"1s\"",
            "path = \"s3://bucket/out.csv\"".to_string(),
            "the output is not a local file",
        ),
        ("state = \"s3://bucket/p.state\"", format!("path = {:?}", folder.path("out.csv")), "must be a local file"),
    ] {
        let storage = options(&server);
        let sink_storage = if sink.contains("http://") { "" } else { &storage };
        let toml = format!("{top}\n[source]\npath = \"s3://bucket/in.csv\"\n{storage}[sink]\n{sink}\n{sink_storage}");
        let error = toml.parse::<Pipeline>().unwrap().plan().unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("help: ") && !error.contains("hunter2"), "{error}");
    }
    assert_eq!(server.uploads(), 0);
}

#[test]
fn an_input_that_is_left_out_is_not_replaced() {
    let server = Server::start();
    for day in [1, 2] {
        server.put(&format!("/bucket/t/day={day}/x.csv"), many(10));
    }
    for target in ["s3://bucket/t/day=1/x.csv", "s3a://bucket/t/day=1/x.csv", "s3://bucket/t/day=2/x.csv"] {
        let storage = options(&server);
        let source = format!("[source]\npath = \"s3://bucket/t/\"\n{storage}[source.filter]\nday = {{ min = 2 }}\n");
        let toml = format!("{source}[sink]\npath = {target:?}\n{storage}");
        let error = toml.parse::<Pipeline>().unwrap().plan().unwrap_err().to_string();
        assert!(error.contains("the output is also an input"), "{target}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn an_upload_can_be_interrupted() {
    let (server, folder) = (Server::start(), Folder::new());
    folder.write("in.csv", many(500));
    let toml = format!("[source]\npath = \"in.csv\"\n[sink]\npath = \"s3://bucket/out.csv\"\n{}", options(&server));
    folder.write("p.toml", toml);
    server.be_deaf();
    let run = start(&folder);
    while !server.requests().iter().any(|request| request.method == "PUT") {
        sleep(Duration::from_millis(1));
    }
    let begun = Instant::now();
    assert!(Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap().success());
    let done = run.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(130), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
    assert!(server.get("/bucket/out.csv").is_none());
}

#[test]
fn a_link_may_lead_elsewhere() {
    let (server, folder) = (Server::start(), Folder::new());
    for name in files(&server, &folder, 60_000) {
        folder.run("", name, "local.csv").unwrap();
        let moved = http(&server, &format!("/moved/bucket/{name}?sig=1"));
        assert!(made_by(&server, &folder, &moved, "") == folder.read("local.csv"), "{name}");
    }
}

/// Google's store answers as S3 does; of Azure's, which lists otherwise, single objects are read.
#[test]
fn other_stores_are_reached_by_their_own_names() {
    let (server, folder) = (Server::start(), Folder::new());
    for (key, value) in [("in/a.csv", 1), ("in/b.csv", 2)] {
        server.put(&format!("/bucket/{key}"), format!("v\n{value}\n"));
    }
    let address = server.address;
    let google =
        format!("{{ google_base_url = \"http://{address}\", google_skip_signature = true, allow_http = true }}");
    let azure = format!(
        "{{ azure_storage_account_name = \"someone\", azure_endpoint = \"http://{address}\", azure_skip_signature = true, \
         allow_http = true }}"
    );
    for (path, options, expected) in [
        ("gs://bucket/in/", &google, "v\n1\n2\n"),
        ("gs://bucket/in/[b].csv", &google, "v\n2\n"),
        ("gs://bucket/in/a.csv", &google, "v\n1\n"),
        ("az://bucket/in/a.csv", &azure, "v\n1\n"),
        ("abfss://bucket@someone.dfs.core.windows.net/in/b.csv", &azure, "v\n2\n"),
    ] {
        let toml = format!("[source]\npath = {path:?}\nstorage_options = {options}");
        let pipeline = toml.parse::<Pipeline>().unwrap().with_output(folder.path("out.csv"));
        pipeline.run(&mut |_| ()).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(folder.read("out.csv"), expected, "{path}");
    }
}
