//! Tables among other lines: of offices, banks, instruments and logs.

use crate::Published;

pub const FILES: &[Published] = &[
    Published {
        of: "a web server's log, with browsers' names",
        text: "127.0.0.1 - - [10/Oct/2024:13:55:01 +0000] \"GET /a1?x=1 HTTP/1.1\" 200 100 \"https://example.org/\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n\
               127.0.0.2 - - [10/Oct/2024:13:55:02 +0000] \"GET /a2?x=1 HTTP/1.1\" 200 200 \"https://example.org/\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n\
               127.0.0.3 - - [10/Oct/2024:13:55:03 +0000] \"GET /a3?x=1 HTTP/1.1\" 200 300 \"https://example.org/\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n\
               127.0.0.4 - - [10/Oct/2024:13:55:04 +0000] \"GET /a4?x=1 HTTP/1.1\" 200 400 \"https://example.org/\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n\
               127.0.0.5 - - [10/Oct/2024:13:55:05 +0000] \"GET /a5?x=1 HTTP/1.1\" 200 500 \"https://example.org/\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n",
        words: &["10 fields separated by blanks, no header: set delimiter = \"blanks\", header = false"],
        then: Some(("delimiter = \"blanks\"\nheader = false", &["column_8   i64"])),
    },
    Published {
        of: "Chase",
        text: "Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #\nDEBIT,11/01/2024,\"ZELLE PAYMENT TO X 1\",-10.00,QUICKPAY_DEBIT,4999.12,,\n\
               DEBIT,11/02/2024,\"ZELLE PAYMENT TO X 2\",-20.00,QUICKPAY_DEBIT,4998.12,,\n\
               DEBIT,11/03/2024,\"ZELLE PAYMENT TO X 3\",-30.00,QUICKPAY_DEBIT,4997.12,,\n\
               DEBIT,11/04/2024,\"ZELLE PAYMENT TO X 4\",-40.00,QUICKPAY_DEBIT,4996.12,,\n\
               DEBIT,11/05/2024,\"ZELLE PAYMENT TO X 5\",-50.00,QUICKPAY_DEBIT,4995.12,,\n",
        words: &["rows that end with a delimiter, unlike the header: set ragged = \"fit\""],
        then: Some(("ragged = \"fit\"", &["Balance          f64"])),
    },
    Published {
        of: "Destatis, GENESIS",
        text: "Tabelle: 61111-0002\nVerbraucherpreisindex: Deutschland, Monate;;;;\nVerbraucherpreisindex für Deutschland;;;;\n\
               Deutschland;;;;\n;;Verbraucherpreisindex;Veränderung zum Vorjahresmonat;\n\
               ;;2020=100;in (%);\n2023;Januar;100,0;0,0;\n2023;Februar;101,1;1,1;\n2023;März;102,2;2,2;\n\
               2023;April;103,3;3,3;\n2023;Mai;104,4;4,4;\n2023;Juni;105,5;0,5;\n2023;Juli;106,6;1,6;\n\
               2023;August;107,7;2,0;\n2023;September;108,8;3,1;\n__________\nVeränderung zum Vorjahresmonat:\n\
               © Statistisches Bundesamt (Destatis), 2024\nStand: 01.12.2024 / 10:11:12\n",
        words: &[
            "5 fields separated by semicolons, 4 lines above the table, decimal commas, a row of words below the header, 4 lines below the table",
        ],
        then: Some((
            "delimiter = \";\"\nskip_rows = 4\ndecimal_comma = true\nskip_rows_after_header = 1\non_bad_row = \"skip\"",
            &["Verbraucherpreisindex           f64"],
        )),
    },
    Published {
        of: "KNMI",
        text: "# BRON: KONINKLIJK NEDERLANDS METEOROLOGISCH INSTITUUT (KNMI)\n# SOURCE: ROYAL NETHERLANDS METEOROLOGICAL INSTITUTE (KNMI)\n\
               # \n# STN         LON(east)   LAT(north)  ALT(m)      NAME\n# 260         5.180       52.100      1.90        De Bilt     \n\
               # YYYYMMDD    : Datum (YYYY=jaar MM=maand DD=dag)\n# TG          : Etmaalgemiddelde temperatuur (in 0.1 graden Celsius)\n\
               # STN,YYYYMMDD,   TG,   TN,   RH\n# \n  260,20241101,   5,  -1,     \n  260,20241102,   10,  -2,     \n\
                 260,20241103,   15,  -3,     \n  260,20241104,   20,  -4,     \n  260,20241105,   25,  -5,     \n\
                 260,20241106,   30,  -6,     \n",
        words: &[
            "comments that begin with #, the names in the last of them: set comment = \"#\", header_prefix = \"#\"",
        ],
        then: Some(("comment = \"#\"\nheader_prefix = \"#\"", &["STN       i64", "TN        i64"])),
    },
    Published {
        of: "LabVIEW",
        text: "LabVIEW Measurement\t\nWriter_Version\t2\nReader_Version\t2\nSeparator\tTab\n\
               Decimal_Separator\t,\nMulti_Headings\tNo\nX_Columns\tOne\nTime_Pref\tAbsolute\n\
               Operator\tuser\nDate\t2024/11/01\nTime\t10:11:12,1234567\n***End_of_Header***\t\n\
               \t\nChannels\t2\t\t\nSamples\t20\t20\t\nDate\t2024/11/01\t2024/11/01\t\n\
               Time\t10:11:12,123\t10:11:12,123\t\nX_Dimension\tTime\tTime\t\nX0\t0,0000000000000000E+0\t0,0000000000000000E+0\t\n\
               Delta_X\t0,001000\t0,001000\t\n***End_of_Header***\t\t\t\nX_Value\tVoltage_0\tVoltage_1\tComment\n\
               0,000000\t1,00\t-0,00\t\n0,000100\t1,01\t-0,01\t\n0,000200\t1,02\t-0,02\t\n\
               0,000300\t1,03\t-0,03\t\n0,000400\t1,04\t-0,04\t\n0,000500\t1,05\t-0,05\t\n\
               0,000600\t1,06\t-0,06\t\n0,000700\t1,07\t-0,07\t\n0,000800\t1,08\t-0,08\t\n",
        words: &["4 fields separated by tabs, 21 lines above the table, decimal commas"],
        then: Some((
            "delimiter = \"\\t\"\nskip_rows = 21\ndecimal_comma = true",
            &["X_Value    f64", "Voltage_1  f64"],
        )),
    },
    Published {
        of: "nvidia-smi",
        text: "timestamp, name, utilization.gpu [%], memory.used [MiB], temperature.gpu, power.draw [W]\n\
               2024/11/01 10:11:00.123, NVIDIA A100-SXM4-40GB, 0 %, 1000 MiB, 40, 60.12 W\n\
               2024/11/01 10:11:01.123, NVIDIA A100-SXM4-40GB, 1 %, 1001 MiB, 41, 61.12 W\n\
               2024/11/01 10:11:02.123, NVIDIA A100-SXM4-40GB, 2 %, 1002 MiB, 42, 62.12 W\n\
               2024/11/01 10:11:03.123, NVIDIA A100-SXM4-40GB, 3 %, 1003 MiB, 43, 63.12 W\n\
               2024/11/01 10:11:04.123, NVIDIA A100-SXM4-40GB, 4 %, 1004 MiB, 44, 64.12 W\n",
        words: &["blanks around the names: set trim = true"],
        then: Some(("trim = true", &["name                 string", "temperature.gpu      i64"])),
    },
    Published {
        of: "ONS, a time series",
        text: "\"Title\",\"CPIH INDEX 00: ALL ITEMS 2015=100\"\n\"CDID\",\"L522\"\n\"Source dataset ID\",\"MM23\"\n\
               \"PreUnit\",\"\"\n\"Unit\",\"Index, base year = 100\"\n\"Release date\",\"20-11-2024\"\n\
               \"Next release\",\"18 December 2024\"\n\"Important notes\",\n\"1988\",\"99.4\"\n\
               \"1989\",\"99.5\"\n\"1990\",\"99.5\"\n\"1991\",\"99.5\"\n\"1992\",\"99.6\"\n\
               \"1993\",\"99.7\"\n\"1994\",\"99.7\"\n\"1995\",\"99.8\"\n\"1996\",\"99.8\"\n\
               \"1997\",\"99.8\"\n\"1998\",\"99.9\"\n\"1999\",\"100.0\"\n",
        words: &["rows of words below the header: set skip_rows_after_header = 7"],
        then: Some(("skip_rows_after_header = 7", &["CPIH INDEX 00: ALL ITEMS 2015=100  f64"])),
    },
    Published {
        of: "Sunny Portal",
        text: "sep=;\nVersion CSV1|Tool SE1.2|Linebreaks CR/LF|Delimiter semicolon|Decimalpoint comma\n\
               \n;SN: 123;SN: 123\n;STP 7000;STP 7000\nDD.MM.YYYY HH:MM:SS;kWh;kW\n01.11.2024 00:00:00;02,500;0,1\n\
               01.11.2024 01:00:00;12,500;1,1\n01.11.2024 02:00:00;22,500;2,1\n01.11.2024 03:00:00;32,500;3,1\n\
               01.11.2024 04:00:00;42,500;4,1\n01.11.2024 05:00:00;52,500;5,1\n01.11.2024 06:00:00;62,500;6,1\n\
               01.11.2024 07:00:00;72,500;7,1\n",
        words: &["a line that states the delimiter: set skip_rows = 5, delimiter = \";\", decimal_comma = true"],
        then: Some((
            "skip_rows = 5\ndelimiter = \";\"\ndecimal_comma = true",
            &["DD.MM.YYYY HH:MM:SS  timestamp[us]", "kWh                  f64"],
        )),
    },
    Published {
        of: "VizieR",
        text: "#\n#   VizieR Astronomical Server vizier.cds.unistra.fr\n#    Date: 2024-11-01T10:00:00 [V1.99+]\n\
               #Column\tRAJ2000\t(F10.6)\tRight ascension\t[ucd=pos.eq.ra;meta.main]\n\
               RAJ2000\tDEJ2000\tName\tVmag\ndeg\tdeg\t \tmag\n----------\t----------\t--------\t------\n\
                11.123456\t-1.654321\tHD     1\t 1.12\n 12.123456\t-2.654321\tHD     2\t 2.12\n\
                13.123456\t-3.654321\tHD     3\t 3.12\n 14.123456\t-4.654321\tHD     4\t 4.12\n\
                15.123456\t-5.654321\tHD     5\t 5.12\n 16.123456\t-6.654321\tHD     6\t 6.12\n\
                17.123456\t-7.654321\tHD     7\t 7.12\n",
        words: &["comments that begin with #"],
        then: Some((
            "delimiter = \"\\t\"\ncomment = \"#\"",
            &["rows of words below the header: set skip_rows_after_header = 2"],
        )),
    },
    Published {
        of: "Nasdaq, symbols",
        text: "Symbol|Security Name|Market Category|Test Issue|Financial Status|Round Lot Size|ETF|NextShares\n\
               A1|Company 1 - Common Stock|Q|N|N|100|N|N\nA2|Company 2 - Common Stock|Q|N|N|100|N|N\n\
               A3|Company 3 - Common Stock|Q|N|N|100|N|N\nA4|Company 4 - Common Stock|Q|N|N|100|N|N\n\
               A5|Company 5 - Common Stock|Q|N|N|100|N|N\nA6|Company 6 - Common Stock|Q|N|N|100|N|N\n\
               File Creation Time: 1201202421:33|||||||\n",
        words: &["8 fields separated by bars"],
        then: Some((
            "delimiter = \"|\"",
            &[
                "ends with a line of one value, \"File Creation Time: 1201202421:33\"",
                "\"Security Name\" = { not_null = true } in [source.filter] would leave it out",
            ],
        )),
    },
    Published {
        of: "a shop's export for a spreadsheet",
        text: "sku,ean,qty\n=\"00001\",=\"4000000000001\",1\n=\"00002\",=\"4000000000002\",2\n\
               =\"00003\",=\"4000000000003\",3\n=\"00004\",=\"4000000000004\",4\n=\"00005\",=\"4000000000005\",5\n",
        words: &["texts as formulas of a spreadsheet: set text_formulas = true"],
        then: Some(("text_formulas = true", &["sku  string", "ean  i64"])),
    },
    Published {
        of: "DWD",
        text: "STATIONS_ID;MESS_DATUM;QN_3;  FX;  FM;QN_4; RSK;RSKF; SDK;SHK_TAG;  NM; VPM;  PM; TMK; UPM; TXK; TNK; TGK;eor\n\
                        44;20241101;   10;   9.1;   4.1;    3;   0.1;   6;-999;   0;   6.3;  12.3; 1009.21;  11.1;  90.13;  13.7;   9.2;   8.2;eor\n\
                        44;20241102;   10;   9.2;   4.1;    3;   0.2;   6;-999;   0;   6.3;  12.3; 1009.21;  11.2;  90.13;  13.7;   9.2;   8.2;eor\n\
                        44;20241103;   10;   9.3;   4.1;    3;   0.3;   6;-999;   0;   6.3;  12.3; 1009.21;  11.3;  90.13;  13.7;   9.2;   8.2;eor\n\
                        44;20241104;   10;   9.4;   4.1;    3;   0.4;   6;-999;   0;   6.3;  12.3; 1009.21;  11.4;  90.13;  13.7;   9.2;   8.2;eor\n\
                        44;20241105;   10;   9.5;   4.1;    3;   0.5;   6;-999;   0;   6.3;  12.3; 1009.21;  11.5;  90.13;  13.7;   9.2;   8.2;eor\n",
        words: &["19 fields separated by semicolons, blanks around the names: set delimiter = \";\", trim = true"],
        then: Some(("delimiter = \";\"\ntrim = true", &["TMK          f64", "eor          string"])),
    },
    Published {
        of: "PostFinance",
        text: "Datum von:;2024-11-01\nBuchungsart:;Alle Buchungen\nKonto:;CH9300762011623852957\n\
               Währung:;CHF\n\nDatum;Bewegungstyp;Avisierungstext;Gutschrift in CHF;Lastschrift in CHF;Label;Kategorie\n\
               01.11.2024;Buchung;\"KAUF/DIENSTLEISTUNG COOP-1 ZÜRICH\";;-1.5;;\n02.11.2024;Buchung;\"KAUF/DIENSTLEISTUNG COOP-2 ZÜRICH\";;-2.5;;\n\
               03.11.2024;Buchung;\"KAUF/DIENSTLEISTUNG COOP-3 ZÜRICH\";;-3.5;;\n04.11.2024;Buchung;\"KAUF/DIENSTLEISTUNG COOP-4 ZÜRICH\";;-4.5;;\n\
               \nDisclaimer:\nDer Dokumentinhalt wurde generiert.\n",
        words: &["7 fields separated by semicolons, 5 lines above the table, 2 lines below the table"],
        then: Some(("delimiter = \";\"\nskip_rows = 5\non_bad_row = \"skip\"", &["Lastschrift in CHF  f64"])),
    },
];
