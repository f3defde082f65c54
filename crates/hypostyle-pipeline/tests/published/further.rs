//! Instruments, logs, databases, shops, banks of more countries, and what statistics programs export.

use crate::Published;

pub const FILES: &[Published] = &[
    Published {
        of: "Eurostat, SDMX-CSV",
        text: "DATAFLOW,LAST UPDATE,freq,geo,TIME_PERIOD,OBS_VALUE,OBS_FLAG\n\
               ESTAT:UNE_RT_M(1.0),31/10/24 11:00:00,M,DE,2024-08,3.5,\nESTAT:UNE_RT_M(1.0),31/10/24 11:00:00,M,FR,2024-09,,c\n",
        words: &["LAST UPDATE  timestamp[us]", "OBS_VALUE    f64", "TIME_PERIOD = \"%Y-%m\""],
        then: Some(("datetime_formats.TIME_PERIOD = \"%Y-%m\"", &["TIME_PERIOD  date"])),
    },
    Published {
        of: "Eurostat, flags beside values",
        text: "geo,2022,2023\nDE,8.7,5.9 p\nFR,5.2,: u\nIT,: ,5.6\nES,8.4,3.5\nPT,7.8,4.3\n",
        words: &[
            "numbers with \"p\", \": u\": symbols = [\"p\"], null_values = [\": u\"] in [source] would read them",
            "all numbers except \":\": null_values = [\":\"]",
        ],
        then: Some(("symbols = [\"p\"]\nnull_values = [\":\", \": u\"]", &["2022  f64", "2023  f64"])),
    },
    Published {
        of: "the Met Office, a station",
        text: "Heathrow (London Airport)\nLocation 507800E 176700N, Lat 51.479 Lon -0.449, 25m amsl\n\
               Estimated data is marked with a * after the value.\nMissing data (more than 2 days missing in month) is marked by  ---.\n   \
               yyyy  mm   tmax    tmin      af    rain\n              degC    degC    days      mm\n   \
               1948   1    8.9     3.3    ---     85.0\n   1948   2    7.9     2.2    ---     26.0\n   \
               1957   1    8.1     2.4      5     60.1\n   2023  12   10.8*    6.0*     2    70.2\n",
        words: &[
            "6 fields separated by blanks, 4 lines above the table, a row of words below the header",
            "set delimiter = \"blanks\", skip_rows = 4, skip_rows_after_header = 1",
        ],
        then: Some((
            "delimiter = \"blanks\"\nskip_rows = 4\nskip_rows_after_header = 1\nnull_values = [\"---\"]\nsymbols = [\"*\"]",
            &["yyyy  i64", "tmax  f64", "af    i64"],
        )),
    },
    Published {
        of: "the German weather service, stations",
        text: "Stations_id von_datum Hoehe Breite Stationsname\n----------- --------- ----- ------ ------------\n\
               00044 20070401 44 52.9336 Grossenkneten\n00071 20091201 759 48.2156 Albstadt-Badkap\n",
        words: &[
            "5 fields separated by blanks, a line below the header: set delimiter = \"blanks\", skip_rows_after_header = 1",
        ],
        then: Some((
            "delimiter = \"blanks\"\nskip_rows_after_header = 1",
            &["Stations_id   string", "von_datum     i64", "Breite        f64"],
        )),
    },
    Published {
        of: "NOAA, buoys",
        text: "#YY  MM DD hh WDIR WSPD  WVHT\n#yr  mo dy hr degT m/s     m\n2024 11 01 12 200  7.0   1.2\n\
               2024 11 01 11 200  7.0    MM\n2024 11 01 10 190  6.0   1.1\n",
        words: &[
            "7 fields separated by blanks, a row of words below the header: set delimiter = \"blanks\", skip_rows_after_header = 1",
        ],
        then: Some((
            "delimiter = \"blanks\"\nskip_rows_after_header = 1\nnull_values = [\"MM\"]",
            &["#YY   i64", "WSPD  f64", "WVHT  f64"],
        )),
    },
    Published {
        of: "NOAA, hours of a station (ISD-Lite)",
        text: "2024 01 01 00    33    11 10132 -9999\n2024 01 01 01    28     6 10131     0\n2024 01 01 02    22     0 10130 -9999\n",
        words: &["8 fields separated by blanks, no header: set delimiter = \"blanks\", header = false"],
        then: Some(("delimiter = \"blanks\"\nheader = false\nnull_values = [\"-9999\"]", &["column_7  i64"])),
    },
    Published {
        of: "ERDDAP, units below the names",
        text: "time,station,latitude,sea_water_temperature\nUTC,,degrees_north,degree_C\n\
               2024-10-31T10:00:00Z,41001,34.7,26.1\n2024-10-31T11:00:00Z,41001,34.7,NaN\n",
        words: &["a row of words below the header: set skip_rows_after_header = 1 in [source]"],
        then: Some((
            "skip_rows_after_header = 1",
            &["time                   timestamp[us, UTC]", "latitude               f64"],
        )),
    },
    Published {
        of: "a data logger (TOA5)",
        text: "\"TOA5\",\"CR1000\",\"CR1000\",\"12345\",\"CR1000.Std.32\",\"CPU:prog.CR1\",\"5678\",\"Met\"\n\
               \"TIMESTAMP\",\"RECORD\",\"BattV_Min\",\"RH\"\n\"TS\",\"RN\",\"Volts\",\"%\"\n\"\",\"\",\"Min\",\"Smp\"\n\
               \"2024-10-31 10:00:00\",0,12.9,81.2\n\"2024-10-31 10:10:00\",1,12.88,\"NAN\"\n\"2024-10-31 10:20:00\",2,12.88,80.1\n",
        words: &["the header names column 'CR1000' twice", "set skip_rows = 1"],
        then: Some((
            "skip_rows = 1\nskip_rows_after_header = 2",
            &["TIMESTAMP  timestamp[us]", "RECORD     i64", "RH         f64"],
        )),
    },
    Published {
        of: "a thermometer's logger",
        text: "\u{feff}\"Plot Title: 10293847\"\n\"#\",\"Date Time, GMT+01:00\",\"Temp, °C (LGR S/N: 1029)\",\"Detached\"\n\
               1,10/31/24 10:00:00 AM,21.3,\n2,10/31/24 10:05:00 AM,21.4,\n3,10/31/24 10:10:00 AM,21.4,Logged\n",
        words: &["a line above the table: set skip_rows = 1 in [source]"],
        then: Some(("skip_rows = 1", &["#                         i64", "Date Time, GMT+01:00      timestamp[us]"])),
    },
    Published {
        of: "PVGIS",
        text: "Latitude (decimal degrees):\t45.000\nElevation (m):\t250\n\n\ntime,G(i),T2m\n20200101:0010,0.0,1.21\n\
               20200101:0110,0.0,0.9\n20200101:0210,0.0,0.7\n20200101:0310,0.0,0.5\n20200101:0410,0.0,0.5\n\
               20200101:0510,0.0,0.5\n\nG(i): Global irradiance\n\nPVGIS (c) European Union\n",
        words: &[
            "4 lines above the table",
            "2 lines below the table",
            "skip_rows = 4, on_bad_row = \"skip\" in [source]",
        ],
        then: Some(("skip_rows = 4\non_bad_row = \"skip\"", &["time  timestamp[us]", "G(i)  f64"])),
    },
    Published {
        of: "AmeriFlux",
        text: "# Site: US-XXX\n# Version: 5-5\nTIMESTAMP_START,CO2,FC\n202401010000,410.2,-9999\n202401010030,410.9,1.2\n",
        words: &["comments that begin with #: set comment = \"#\" in [source]"],
        then: Some((
            "comment = \"#\"\nnull_values = [\"-9999\"]",
            &["TIMESTAMP_START = \"%Y%m%d%H%M\"", "FC               f64"],
        )),
    },
    Published {
        of: "sunspots, without a header",
        text: "1749;01;1749.042;  96.7; -1.0;1\n1749;02;1749.123; 104.3; -1.0;1\n1749;03;1749.204; 116.7; -1.0;1\n",
        words: &["6 fields separated by semicolons, no header: set delimiter = \";\", header = false"],
        then: Some(("delimiter = \";\"\nheader = false", &["column_3  f64", "column_4  f64"])),
    },
    Published {
        of: "a sports watch",
        text: "Activity Type,Date,Favorite,Distance,Calories,Avg HR\nRunning,2024-10-27 09:15:32,false,\"10.02\",\"712\",\"152\"\n\
               Cycling,2024-10-26 14:00:01,false,\"40.50\",\"1,012\",\"--\"\nRunning,2024-10-20 09:00:32,true,\"21.10\",\"1,500\",\"160\"\n",
        words: &["Date           timestamp[us]", "Favorite       bool", "thousands = \",\"", "null_values = [\"--\"]"],
        then: Some(("thousands = \",\"\nnull_values = [\"--\"]", &["Calories       i64", "Avg HR         i64"])),
    },
    Published {
        of: "Shopify, orders",
        text: "Name,Paid at,Total,Lineitem quantity,Billing Zip,Accepts Marketing\n\
               #1001,2024-10-31 10:00:02 -0400,64.85,1,'10001,yes\n#1001,,,2,,\n#1002,2024-11-01 09:12:00 -0400,24.95,1,'02139,no\n",
        words: &["Paid at            timestamp[us, UTC]", "Total              f64", "Accepts Marketing  bool"],
        then: None,
    },
    Published {
        of: "PayPal in Germany",
        text: "\u{feff}\"Datum\",\"Uhrzeit\",\"Name\",\"Brutto\",\"Netto\"\n\"31.10.2024\",\"10:15:02\",\"Ann\",\"1.200,00\",\"1.164,90\"\n\
               \"01.11.2024\",\"00:00:41\",\"Bob\",\"-12,50\",\"-12,50\"\n",
        words: &["Datum    date", "points between thousands, decimal commas: thousands = \".\", decimal_comma = true"],
        then: Some(("thousands = \".\"\ndecimal_comma = true", &["Brutto   f64", "Netto    f64"])),
    },
    Published {
        of: "Kraken, minutes without a header",
        text: "1381095240,122.0,122.0,0.1,1\n1381179000,123.61,123.61,0.1,1\n1381201080,123.91,123.9,1.9916,2\n",
        words: &["the header names column '122.0' twice", "set header = false in [source] if the first row is data"],
        then: Some(("header = false", &["column_1 = \"epoch[s]\"", "column_4  f64"])),
    },
    Published {
        of: "Nasdaq, symbols",
        text: "Symbol|Security Name|Test Issue|Round Lot Size|ETF\nAACG|ATA Creativity - ADS|N|100|N\nAAL|American Airlines|N|100|N\n\
               File Creation Time: 1031202421:31||||\n",
        words: &["5 fields separated by bars: set delimiter = \"|\""],
        then: Some(("delimiter = \"|\"", &["Symbol          string", "Round Lot Size  i64"])),
    },
    Published {
        of: "a bank in France",
        text: "Date;Libellé;Débit euros;Crédit euros;\n31/10/2024;\"CARTE 30/10 SNCF\";-45,00;;\n\
               30/10/2024;\"VIREMENT SALAIRE\";;2\u{a0}345,67;\n28/10/2024;\"PRLV EDF\";-1\u{202f}045,20;;\n",
        words: &[
            "decimal commas, blanks between thousands: set delimiter = \";\", decimal_comma = true, thousands = \" \"",
        ],
        then: Some((
            "delimiter = \";\"\ndecimal_comma = true\nthousands = \" \"",
            &["Date          date", "Débit euros   f64", "Crédit euros  f64"],
        )),
    },
    Published {
        of: "a bank in Sweden",
        text: "* Transaktioner Period 2024-10-01 – 2024-10-31\nRadnummer,Bokföringsdag,Referens,Belopp\n1,2024-10-31,\"ICA\",-345.50\n\
               2,2024-10-30,\"LÖN\",25000.00\n",
        words: &["comments that begin with *: set comment = \"*\""],
        then: Some(("comment = \"*\"", &["Bokföringsdag  date", "Belopp         f64"])),
    },
    Published {
        of: "a bank in Brazil",
        text: "Data;Histórico;Docto.;Crédito (R$);Saldo (R$)\n31/10/2024;PIX RECEBIDO;0012345;1.500,00;2.734,56\n\
               30/10/2024;COMPRA;0054321;;1.234,56\n",
        words: &["decimal commas, points between thousands: set dialect = \"excel-de\""],
        then: Some(("dialect = \"excel-de\"", &["Data          date", "Docto.        string", "Crédito (R$)  f64"])),
    },
    Published {
        of: "amounts in reais",
        text: "data,descricao,valor\n2024-10-31,Salário,\"R$ 1.500,00\"\n2024-10-30,Mercado,\"-R$ 89,90\"\n2024-10-28,Uber,\"-R$ 23,40\"\n",
        words: &["symbols = [\"R$\"], thousands = \".\", decimal_comma = true in [source] would read them"],
        then: Some(("symbols = [\"R$\"]\nthousands = \".\"\ndecimal_comma = true", &["valor      f64"])),
    },
    Published {
        of: "a bank in Switzerland",
        text: "Datum;Text;Belastung;Saldo CHF\n31.10.2024;Migros;-45.60;1'234.55\n30.10.2024;Lohn;;1'280.15\n",
        words: &["4 fields separated by semicolons: set delimiter = \";\""],
        then: Some(("delimiter = \";\"\nthousands = \"'\"", &["Datum      date", "Saldo CHF  f64"])),
    },
    Published {
        of: "a bank in India",
        text: "Txn Date,Description,Debit,Balance\n31 Oct 2024,UPI/ABC,\"1,23,456.00\",\"12,34,567.89\"\n30 Oct 2024,NEFT,,\"13,58,023.89\"\n",
        words: &["Txn Date     date", "thousands = \",\" in [source] would read them"],
        then: Some(("thousands = \",\"", &["Debit        f64", "Balance      f64"])),
    },
    Published {
        of: "a bank in the United States, rows that end with a comma",
        text: "Details,Posting Date,Description,Amount\nDEBIT,10/31/2024,\"SQ *COFFEE\",-4.50,\nCREDIT,10/30/2024,\"PAYROLL\",2500.00,\n",
        words: &["rows that end with a delimiter, unlike the header: set ragged = \"fit\""],
        then: Some(("ragged = \"fit\"", &["Posting Date  date", "Amount        f64"])),
    },
    Published {
        of: "accounts with parentheses",
        text: "Account,Q1,Q2\nRevenue,\"1,200\",\"1,300\"\nCost,(800),\"(1,050)\"\nNet,400,250\n",
        words: &["symbols = [\"()\"], thousands = \",\" in [source] would read them"],
        then: Some(("symbols = [\"()\"]\nthousands = \",\"", &["Q1       i64", "Q2       i64"])),
    },
    Published {
        of: "the Department of Agriculture",
        text: "Program,Year,State,Value,CV (%)\nSURVEY,2023,IOWA,\"13,100,000\",\nSURVEY,2023,OHIO,\" (D)\",\nSURVEY,2022,IOWA,\"12,900,000\",2.1\n",
        words: &["thousands = \",\", null_values = [\"(D)\"] in [source] would read them"],
        then: Some(("thousands = \",\"\nnull_values = [\"(D)\"]", &["Value    i64", "CV (%)   f64"])),
    },
    Published {
        of: "the Monetary Fund",
        text: "Code\tISO\tUnits\t2022\t2023\n512\tAFG\tBillions\t1,197.81\t--\n512\tAFG\tPercent\t-6.24\tn/a\n914\tALB\tBillions\t906.65\t938.27\n\
               914\tALB\tPercent\t1.5\t2.5\n",
        words: &["5 fields separated by tabs: set delimiter = \"\\t\""],
        then: Some((
            "delimiter = \"\\t\"\nthousands = \",\"\nnull_values = [\"--\", \"n/a\"]",
            &["2022   f64", "2023   f64"],
        )),
    },
    Published {
        of: "months by name, and a source below",
        text: "Table 1. Labour force\nMonth,Employed\nJan-2024,14234.5\nFeb-2024,14250.1\nMar-2024,14262.3\nApr-2024,14262.3\nSource: Office of Statistics\n",
        words: &["a line above the table", "a line below the table", "skip_rows = 1, on_bad_row = \"skip\""],
        then: Some((
            "skip_rows = 1\non_bad_row = \"skip\"\ndatetime_formats.Month = \"%b-%Y\"",
            &["Month     date", "Employed  f64"],
        )),
    },
    Published {
        of: "Google Trends",
        text: "Category: All categories\n\nWeek,pandas: (Worldwide),polars: (Worldwide)\n2024-09-29,61,<1\n2024-10-06,64,1\n2024-10-13,60,2\n2024-10-20,66,<1\n",
        words: &["2 lines above the table: set skip_rows = 2"],
        then: Some((
            "skip_rows = 2",
            &["Week                 date", "null_values = [\"<1\"] in [source] would make it i64"],
        )),
    },
    Published {
        of: "Google Analytics",
        text: "# ----------------------------------------\n# Pages\n# 20241001-20241031\n# ----------------------------------------\n\n\
               Page,Pageviews,Avg. Time on Page,Bounce Rate\n/,\"12,345\",00:01:12,45.21%\n/about,987,00:00:45,61.00%\n",
        words: &["comments that begin with #: set comment = \"#\""],
        then: Some((
            "comment = \"#\"\nthousands = \",\"\nsymbols = [\"%\"]",
            &["Pageviews          i64", "Bounce Rate        f64"],
        )),
    },
    Published {
        of: "Moodle, grades",
        text: "\u{feff}\"First name\",State,\"Started on\",Completed,Grade/10.00\n\
               Ann,Finished,\"31 October 2024  10:15 AM\",\"31 October 2024  10:45 AM\",8.50\n\
               Bob,\"In progress\",\"31 October 2024  11:00 AM\",-,-\nCyd,Finished,\"1 November 2024  9:00 AM\",\"1 November 2024  9:31 AM\",10.00\n",
        words: &["Started on   timestamp[us]", "all times except \"-\": null_values = [\"-\"]"],
        then: Some(("null_values = [\"-\"]", &["Completed    timestamp[us]", "Grade/10.00  f64"])),
    },
    Published {
        of: "Jira, a column twice",
        text: "Issue key,Summary,Created,Labels,Labels\nAB-1,Fix it,31/Oct/24 10:15 AM,bug,urgent\nAB-2,\"Write, test\",30/Oct/24 4:02 PM,,\n",
        words: &["the header names column 'Labels' twice", "set skip_rows = 1, header = false in [source]"],
        then: Some(("skip_rows = 1\nheader = false", &["column_1  string", "column_3  timestamp[us]"])),
    },
    Published {
        of: "SAS",
        text: "NAME,SEX,AGE,HEIGHT,DOB,SEEN\nAlfred,M,14,69,01JAN2010,31OCT2024:13:45:00\nAlice,F,13,56.5,15MAR2011,01NOV2024:00:00:00\n\
               Barbara,F,.,65.3,31DEC2010,01NOV2024:10:00:00\n",
        words: &["SEX     string", "null_values = [\".\"]", "DOB     date", "SEEN    timestamp[us]"],
        then: Some(("null_values = [\".\"]", &["AGE     i64"])),
    },
    Published {
        of: "SPSS",
        text: "\u{feff}id;gender;age;income;date\n1;Male;34;2500,00;10/31/2024\n2;Female; ;3100,50;11/01/2024\n3; ;28;#NULL!;11/02/2024\n",
        words: &["5 fields separated by semicolons, decimal commas: set delimiter = \";\", decimal_comma = true"],
        then: Some((
            "delimiter = \";\"\ndecimal_comma = true",
            &["age     i64", "null_values = [\"#NULL!\"]", "date    date"],
        )),
    },
    Published {
        of: "Oracle, SQL*Plus",
        text: "\"ID\",\"CREATED\",\"AMOUNT\"\n1,31-OCT-24 10.15.02.000000 AM,5.5\n2,01-NOV-24 12.00.00.000000 AM,6\n",
        words: &["CREATED  timestamp[us]", "AMOUNT   f64"],
        then: None,
    },
    Published {
        of: "PostgreSQL, psql",
        text: " id | name  |  at\n----+-------+---------------------\n  1 | ann   | 2024-10-31 10:15:02\n  2 | bob   | 2024-11-01 00:00:00\n\
               \u{20} 3 | cyd   | 2024-11-01 10:00:00\n(3 rows)\n\n",
        words: &["delimiter = \"|\", trim = true, skip_rows_after_header = 1, on_bad_row = \"skip\""],
        then: Some(("delimiter = \"|\"\nskip_rows_after_header = 1\non_bad_row = \"skip\"", &["i64", "timestamp[us]"])),
    },
    Published {
        of: "MySQL, a table",
        text: "+----+------+\n| id | name |\n+----+------+\n|  1 | ann  |\n|  2 | bob  |\n+----+------+\n",
        words: &["4 fields separated by bars", "delimiter = \"|\", comment = \"+\""],
        then: Some(("delimiter = \"|\"\ncomment = \"+\"", &["i64"])),
    },
    Published {
        of: "vmstat",
        text: "procs -----------memory---------- ---swap-- -----io----\n r  b   swpd   free   buff  cache   si   so    bi    bo\n \
               1  0      0 812345  12345 2345678    0    0    10    20\n 0  0      0 812300  12345 2345680    0    0     0    12\n",
        words: &["10 fields separated by blanks, a line above the table: set delimiter = \"blanks\", skip_rows = 1"],
        then: Some(("delimiter = \"blanks\"\nskip_rows = 1", &["r      i64", "free   i64"])),
    },
    Published {
        of: "iostat",
        text: "Linux 6.1.0 (host) \t10/31/24 \t_x86_64_\t(4 CPU)\n\navg-cpu:  %user   %nice %system %iowait  %idle\n           \
               1.21    0.00    0.52    0.11  98.16\n\nDevice             tps    kB_read/s    kB_read    kB_wrtn\n\
               sda               5.21        40.21    1234567    2345678\nsdb               0.01         0.12       3456          0\n",
        words: &["5 fields separated by blanks, 5 lines above the table: set delimiter = \"blanks\", skip_rows = 5"],
        then: Some((
            "delimiter = \"blanks\"\nskip_rows = 5",
            &["Device     string", "tps        f64", "kB_read    i64"],
        )),
    },
    Published {
        of: "nginx",
        text: "203.0.113.7 - - [31/Oct/2024:13:55:36 +0000] \"GET /a?b=1,2 HTTP/1.1\" 200 2326 \"-\" \"Mozilla/5.0 (X11)\"\n\
               203.0.113.8 - bob [31/Oct/2024:13:55:37 +0000] \"POST /login HTTP/1.1\" 302 0 \"https://example.org/\" \"curl/8.5.0\"\n",
        words: &["10 fields separated by blanks, no header: set delimiter = \"blanks\", header = false"],
        then: Some(("delimiter = \"blanks\"\nheader = false", &["column_6   string", "column_7   i64"])),
    },
    Published {
        of: "IIS",
        text: "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Fields: date time cs-method cs-uri-stem sc-status\n\
               2024-10-31 00:00:05 GET / 200\n2024-10-31 00:00:07 GET /x 404\n",
        words: &["a log in W3C's extended format: set dialect = \"w3c\""],
        then: Some(("dialect = \"w3c\"", &["date         date", "sc-status    i64"])),
    },
    Published {
        of: "a program's log, with decimal commas in its times",
        text: "2024-10-31 10:15:02,123;INFO;start\n2024-10-31 10:15:03,456;WARN;slow\n",
        words: &["3 fields separated by semicolons, no header: set delimiter = \";\", header = false"],
        then: Some(("delimiter = \";\"\nheader = false", &["column_1  timestamp[us]"])),
    },
    Published {
        of: "Prometheus",
        text: "\"Time\",\"load1{instance=\"\"a:9100\"\", job=\"\"node\"\"}\"\n1730332800,0.51\n1730332860,\n1730332920,0.50\n",
        words: &["Time = \"epoch[s]\"", "load1{instance=\"a:9100\", job=\"node\"}  f64"],
        then: Some((
            "datetime_formats.Time = \"epoch[s]\"",
            &["Time                                  timestamp[s, UTC]"],
        )),
    },
    Published {
        of: "Grafana, series as rows",
        text: "sep=;\r\n\"Series\";\"Time\";\"Value\"\r\n\"A\";\"2024-10-31T10:00:00+01:00\";12.3\r\n\"A\";\"2024-10-31T10:01:00+01:00\";null\r\n\
               \"B\";\"2024-10-31T10:00:00+01:00\";3.5\r\n",
        words: &["a line that states the delimiter: set skip_rows = 1, delimiter = \";\""],
        then: Some((
            "skip_rows = 1\ndelimiter = \";\"\nnull_values = [\"null\"]",
            &["Time    timestamp[us, UTC]", "Value   f64"],
        )),
    },
    Published {
        of: "FIX, with bars",
        text: "8=FIX.4.4|35=D|34=1080|52=20241031-10:15:02.123|55=SYM|\n8=FIX.4.4|35=D|34=1081|52=20241031-10:15:03.123|55=SYM|\n\
               8=FIX.4.4|35=D|34=1082|52=20241031-10:15:04.123|55=SYM|\n",
        words: &["6 fields separated by bars, no header: set delimiter = \"|\", header = false"],
        then: Some(("delimiter = \"|\"\nheader = false", &["column_1  string"])),
    },
    Published {
        of: "columns of fixed width",
        text: "ACW00011604  17.1167  -61.7833   10.1    ST JOHNS COOLIDGE FLD\nACW00011647  17.1333  -61.7833   19.2    ST JOHNS\n\
               AE000041196  25.3330   55.5170   34.0    SHARJAH INTER. AIRP            GSN     41196\n",
        words: &["columns of fixed width are not split"],
        then: None,
    },
    Published {
        of: "the Bank of England",
        text: "DATE,XUDLUSS\n02 Jan 24,1.2619\n03 Jan 24,1.2663\n",
        words: &["DATE     date", "\"%d %b %y\"", "XUDLUSS  f64"],
        then: None,
    },
    Published {
        of: "a broker's trades",
        text: "\"ClientAccountID\",\"Symbol\",\"DateTime\",\"Quantity\"\n\"U123\",\"AAPL\",\"20240102;093512\",\"100\"\n\
               \"U123\",\"AAPL\",\"20240103;101500\",\"-100\"\n",
        words: &["DateTime         timestamp[us]", "\"%Y%m%d;%H%M%S\"", "Quantity         i64"],
        then: None,
    },
    Published {
        of: "pidstat",
        text: "Linux 6.1.0 (host) \t01/02/2024 \t_x86_64_\t(2 CPU)\n\n# Time        UID       PID    %usr  Command\n\
               1704164645     0       123    1.00  python\n1704164646     0       123    2.00  python\n",
        words: &[
            "5 fields separated by blanks, 3 lines above the table, no header: set delimiter = \"blanks\", skip_rows = 3",
        ],
        then: Some(("delimiter = \"blanks\"\nskip_rows = 3\nheader = false", &["column_4  f64", "column_5  string"])),
    },
    Published {
        of: "Wikimedia, views of pages",
        text: "en Main_Page 4212 0\nen.m Albert_Einstein 312 0\nde Berlin 52 0\n",
        words: &["4 fields separated by blanks", "delimiter = \"blanks\""],
        then: Some(("delimiter = \"blanks\"\nheader = false", &["column_2  string", "column_3  i64"])),
    },
    Published {
        of: "the Swiss National Bank",
        text: "\u{feff}\"CubeId\";\"rendoblim\"\n\"PublishingDate\";\"2024-11-01 09:00\"\n\n\"Date\";\"D0\";\"Value\"\n\
               \"2024-01-02\";\"1J\";\"1.115\"\n\"2024-01-03\";\"1J\";\"\"\n",
        words: &["3 fields separated by semicolons, 3 lines above the table: set delimiter = \";\", skip_rows = 3"],
        then: Some(("delimiter = \";\"\nskip_rows = 3", &["Date   date", "Value  f64"])),
    },
    Published {
        of: "a crypto exchange's report",
        text: "Transactions\nUser,Jo Doe,abc-123\n\nID,Timestamp,Asset,Quantity,Price,Subtotal\n\
               1a,2024-01-02 03:04:05 UTC,BTC,0.001,$44210.12,$44.21\n2b,2024-01-03 03:04:05 UTC,BTC,-0.001,$44999.00,\"-$1,045.00\"\n",
        words: &["3 lines above the table: set skip_rows = 3 in [source]"],
        then: Some((
            "skip_rows = 3\nsymbols = [\"$\"]\nthousands = \",\"",
            &["Timestamp  timestamp[us, UTC]", "Price      f64", "Subtotal   f64"],
        )),
    },
    Published {
        of: "MetaTrader, bars",
        text: "<DATE>\t<TIME>\t<OPEN>\t<TICKVOL>\n2024.01.02\t00:00:00\t1.10427\t120\n2024.01.02\t00:01:00\t1.10411\t98\n",
        words: &["4 fields separated by tabs: set delimiter = \"\\t\""],
        then: Some(("delimiter = \"\\t\"", &["<DATE>     date", "<TIME>     time[us]", "<OPEN>     f64"])),
    },
];
