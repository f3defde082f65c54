//! Files as they are published, read with nothing but a path: each comes in right, or gets a proposal that reads it.

mod common;

use common::Folder;

/// Words of the plan, or of the error.
struct Published {
    of: &'static str,
    text: &'static str,
    words: &'static [&'static str],
    /// The proposed settings, and words of the plan that they give.
    then: Option<(&'static str, &'static [&'static str])>,
}

const FILES: &[Published] = &[
    Published {
        of: "USGS, water data (RDB)",
        text: "# ---- WARNING ----\n# Some of the data\n#\nagency_cd\tsite_no\tdatetime\tdischarge\n5s\t15s\t20d\t14n\n\
               USGS\t01646500\t2024-01-01 00:00\t12300\nUSGS\t01646500\t2024-01-01 00:15\t12400\n",
        words: &["a row of types below the header: set dialect = \"rdb\" in [source]"],
        then: Some(("dialect = \"rdb\"", &["site_no    string", "datetime   timestamp[us]", "discharge  i64"])),
    },
    Published {
        of: "ECB, exchange rates",
        text: "Date,USD,JPY,\n2024-01-02,1.0956,155.68,\n2024-01-01,N/A,155.2,\n2023-12-29,1.1050,156.33,\n",
        words: &["Date      date", "null_values = [\"N/A\"] in [source] would make it f64", "column_4  string"],
        then: Some(("null_values = [\"N/A\"]", &["USD       f64"])),
    },
    Published {
        of: "a statistical office in Germany",
        text: "Statistik;2024\n\nMonat;Wert;Anzahl\n01.01.2024;1.234,5;10\n01.02.2024;2.345,6;11\n01.03.2024;2.345,6;11\n",
        words: &[
            "looks like 3 fields separated by semicolons, 2 lines above the table, decimal commas, points between thousands",
        ],
        then: Some(("dialect = \"excel-de\"\nskip_rows = 2", &["Monat   date", "Wert    f64", "Anzahl  i64"])),
    },
    Published {
        of: "NASA GISS, temperatures",
        text: "Land-Ocean: Global Means\nYear,Jan,Feb\n1880,-.20,-.25\n1881,-.18,-.14\n1882,***,.14\n",
        words: &["a line above the table: set skip_rows = 1 in [source]"],
        then: Some(("skip_rows = 1", &["Year  i64", "Feb   f64", "null_values = [\"***\"]"])),
    },
    Published {
        of: "NOAA, daily summaries",
        text: "\"STATION\",\"DATE\",\"TMAX\"\n\"USW00094728\",\"2024-01-01\",\"7.2\"\n\"USW00094728\",\"2024-01-02\",\n",
        words: &["STATION  string", "DATE     date", "TMAX     f64"],
        then: None,
    },
    Published {
        of: "UCI, household power",
        text: "Date;Time;Power\n16/12/2006;17:24:00;4.216\n17/12/2006;17:25:00;?\n17/12/2006;17:26:00;5.360\n",
        words: &["3 fields separated by semicolons: set delimiter = \";\" in [source]"],
        then: Some((
            "delimiter = \";\"\nnull_values = [\"?\"]\ndatetime_formats.ts = { from = [\"Date\", \"Time\"], format = \"%d/%m/%Y %H:%M:%S\" }",
            &["Date   date", "Power  f64", "ts     timestamp[us]"],
        )),
    },
    Published {
        of: "Binance, klines without a header",
        text: "1502942400000,4261.48,1.775\n1502942460000,4262.00,0\n",
        words: &["the first row looks like data", "help: set header = false in [source]"],
        then: Some((
            "header = false",
            &["column_1  i64", "column_1 = \"epoch[ms]\" in [source.datetime_formats]", "column_3  f64"],
        )),
    },
    Published {
        of: "Stooq",
        text: "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>\nAAPL.US,D,19840907,000000,0.0989471\nAAPL.US,D,19840910,000000,0.0989471\n",
        words: &["<DATE>    i64", "perhaps dates: \"<DATE>\" = \"%Y%m%d\"", "<TIME>    string"],
        then: Some((
            "datetime_formats.ts = { from = [\"<DATE>\", \"<TIME>\"], format = \"%Y%m%d %H%M%S\" }",
            &["ts        timestamp[us]  joined from two columns"],
        )),
    },
    Published {
        of: "Dukascopy",
        text: "Gmt time,Open,Volume\n01.01.2024 00:00:00.000,1.10427,0\n01.01.2024 00:01:00.000,1.10427,12.5\n",
        words: &["Gmt time  timestamp[us]", "format \"%d.%m.%Y %H:%M:%S%.f\"", "Volume    f64"],
        then: None,
    },
    Published {
        of: "UCI, iris",
        text: "5.1,3.5,1.4,0.2,Iris-setosa\n4.9,3.0,1.4,0.2,Iris-setosa\n",
        words: &["the first row looks like data", "header = false"],
        then: Some(("header = false", &["column_1  f64", "column_5  string"])),
    },
    Published {
        of: "UCI, auto-mpg",
        text: "18.0   8   307.0  70  1\t\"chevrolet chevelle malibu\"\n15.0   8   350.0  70  1\t\"buick skylark 320\"\n",
        words: &["6 fields separated by blanks, no header: set delimiter = \"blanks\", header = false"],
        then: Some(("delimiter = \"blanks\"\nheader = false", &["column_1  f64", "column_2  i64", "column_6  string"])),
    },
    Published {
        of: "sadf -d",
        text: "# hostname;interval;timestamp;CPU;%user\nhost;600;2024-01-01 00:10:01 UTC;-1;1.5\nhost;600;2024-01-01 00:20:01 UTC;-1;1.6\n",
        words: &["5 fields separated by semicolons: set delimiter = \";\" in [source]"],
        then: Some(("delimiter = \";\"", &["timestamp   timestamp[us, UTC]", "%user       f64"])),
    },
    Published {
        of: "CryptoDataDownload",
        text: "https://www.CryptoDataDownload.com\nUnix,Date,Symbol,Open\n1640995200,2022-01-01 00:00:00,BTC/USD,46216.93\n\
               1640991600,2021-12-31 23:00:00,BTC/USD,46650.01\n",
        words: &["a line above the table: set skip_rows = 1"],
        then: Some(("skip_rows = 1", &["Unix    i64", "Date    timestamp[us]", "Open    f64"])),
    },
    Published {
        of: "a city's open data",
        text: "vendor,pickup,amount\n1,01/15/2024 11:59:00 PM,\"1,234.50\"\n2,01/16/2024 01:05:00 AM,10.00\n",
        words: &[
            "pickup  timestamp[us]",
            "format \"%m/%d/%Y %I:%M:%S %p\"",
            "thousands = \",\" in [source] would read them",
        ],
        then: Some(("thousands = \",\"", &["amount  f64"])),
    },
    Published {
        of: "PostgreSQL, COPY to CSV",
        text: "id,ok,ts,note\n1,t,2024-01-02 03:04:05.123+00,\"a\"\n2,f,infinity,\n3,f,2024-01-02 03:04:05+00,\"\"\n",
        words: &["ok    bool", "null_values = [\"infinity\"] in [source] would make it timestamp"],
        then: Some(("dialect = \"postgres\"\nnull_values = [\"infinity\"]", &["ts    timestamp[us, UTC]"])),
    },
    Published {
        of: "the World Bank",
        text: "\"Data Source\",\"World Development Indicators\",\n\n\"Last Updated Date\",\"2024-01-01\",\n\n\
               \"Country Name\",\"Country Code\",\"1960\",\"1961\",\n\"Aruba\",\"ABW\",\"54608\",\"55811\",\n\"Africa\",\"AFE\",\"130692579\",\"134169237\",\n",
        words: &["4 lines above the table: set skip_rows = 4"],
        then: Some(("skip_rows = 4", &["Country Name  string", "1960          i64"])),
    },
    Published {
        of: "a broker in a country of decimal commas",
        text: "time;price\n2024-01-01T00:00:00Z;1,1\n2024-01-01T00:00:01Z;1,25\n",
        words: &["2 fields separated by semicolons, decimal commas: set delimiter = \";\", decimal_comma = true"],
        then: Some(("delimiter = \";\"\ndecimal_comma = true", &["time   timestamp[us, UTC]", "price  f64"])),
    },
    Published {
        of: "a table in columns",
        text: "year month  temp\n2024     1  -3.5\n2024    12   4.0\n",
        words: &["3 fields separated by blanks: set delimiter = \"blanks\""],
        then: Some(("delimiter = \"blanks\"", &["year   i64", "month  i64", "temp   f64"])),
    },
    Published {
        of: "HistData, minutes",
        text: "20240102 170000;1.104270;1.104290;0\n20240102 170100;1.104300;1.104310;0\n",
        words: &["4 fields separated by semicolons, no header: set delimiter = \";\", header = false"],
        then: Some((
            "delimiter = \";\"\nheader = false",
            &["column_1  timestamp[us]", "column_2  f64", "column_4  i64"],
        )),
    },
    Published {
        of: "quarterly accounts",
        text: "TIME,Value\n2024-Q1,1.5\n2024-Q2,1.6\n",
        words: &["quarters or months: TIME = \"%Y-Q%q\" in [source.datetime_formats]"],
        then: Some(("datetime_formats.TIME = \"%Y-Q%q\"", &["TIME   date"])),
    },
    Published {
        of: "a spreadsheet in the United Kingdom or the United States",
        text: "day,sold\n1/2/2024,5\n3/4/2024,6\n",
        words: &[
            "the day or the month may come first: day = \"%d/%m/%Y\" or \"%m/%d/%Y\" in [source.datetime_formats]",
        ],
        then: Some(("datetime_formats.day = \"%m/%d/%Y\"", &["day   date"])),
    },
    Published {
        of: "Spark",
        text: "a,b\n1,\"she said \\\"no\\\"\"\n2,x\n",
        words: &["quotes behind backslashes: set escape = \"\\\\\""],
        then: Some(("escape = \"\\\\\"", &["a  i64", "b  string"])),
    },
    Published {
        of: "R, write.table",
        text: "\"x\" \"y\"\n\"1\" 2.5 NA\n\"2\" 4 5\n",
        words: &["a header one name short, as R writes it: set dialect = \"r-table\""],
        then: Some(("dialect = \"r-table\"", &["x         f64", "y         i64"])),
    },
    Published {
        of: "MySQL, a dump of tabs",
        text: "1\tone\\ttwo\t\\N\n2\tthree\t2024-01-01\n",
        words: &["backslash escapes and \\N for null: set dialect = \"postgres-text\" (\"mysql\")"],
        then: Some(("dialect = \"mysql\"", &["column_1  i64", "column_3  date"])),
    },
    Published { of: "two files in one", text: "a,b\n1,2.5\na,b\n2,3.5\n", words: &["a  i64", "b  f64"], then: None },
];

#[test]
fn files_come_in_right_or_with_a_proposal() {
    let mut missing = Vec::new();
    for Published { of, text, words, then } in FILES {
        let folder = Folder::new();
        folder.write("in.csv", text);
        let told =
            |settings: &str| match folder.pipeline(&format!("[source]\n{settings}"), "in.csv", "out.parquet").plan() {
                Ok(plan) => plan.to_string(),
                Err(error) => error.to_string(),
            };
        let mut look = |text: String, words: &[&str]| {
            let absent = words.iter().filter(|words| !text.contains(*words));
            missing.extend(absent.map(|words| format!("{of}: {words} is not in:\n{text}")));
        };
        look(told(""), words);
        if let Some((settings, words)) = then {
            look(told(settings), words);
            if let Err(error) = folder.run(&format!("[source]\n{settings}"), "in.csv", "out.parquet") {
                look(error.to_string(), &["rows"]);
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
