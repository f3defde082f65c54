//! Statistics offices, banks, exchanges, weather services, and what data sets for teaching look like.

use crate::Published;

pub const FILES: &[Published] = &[
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
    Published {
        of: "NOAA, hourly weather (ISD)",
        text: "\"STATION\",\"DATE\",\"LATITUDE\",\"TMP\"\n\"72503014732\",\"2024-01-01T00:51:00\",\"40.7792\",\"+0056,5\"\n\
               \"72503014732\",\"2024-01-01T01:51:00\",\"40.7792\",\"+0050,5\"\n",
        words: &[
            "DATE      timestamp[us]",
            "LATITUDE  f64",
            "TMP       string         inferred from the first 2 rows\n",
        ],
        then: None,
    },
    Published {
        of: "NOAA, GHCN by year",
        text: "USW00094728,20240101,TMAX,72,,,W,2400\nUSW00094728,20240102,PRCP,0,T,,W,\n",
        words: &["the first row looks like data", "set header = false in [source]"],
        then: Some(("header = false", &["column_1  string", "perhaps dates: column_2 = \"%Y%m%d\"", "column_4  i64"])),
    },
    Published {
        of: "ECB, SDMX",
        text: "KEY,FREQ,TIME_PERIOD,OBS_VALUE,OBS_STATUS\nEXR.D.USD.EUR.SP00.A,D,2024-01-02,1.0956,A\n\
               EXR.D.USD.EUR.SP00.A,D,2024-01-01,,H\n",
        words: &["KEY          string", "TIME_PERIOD  date", "OBS_VALUE    f64"],
        then: None,
    },
    Published {
        of: "Eurostat, TSV",
        text: "freq,unit,geo\\TIME_PERIOD\t2021 \t2022 \nA,PC,DE\t3.1 \t8.7 \nA,PC,FR\t2.1 \t: \n",
        words: &["3 fields separated by tabs, blanks around the names: set delimiter = \"\\t\", trim = true in"],
        then: Some((
            "delimiter = \"\\t\"\nnull_values = [\":\"]",
            &["freq,unit,geo\\TIME_PERIOD  string", "2021                       f64", "2022                       f64"],
        )),
    },
    Published {
        of: "FRED",
        text: "observation_date,GDP\n1947-01-01,243.164\n1947-04-01,245.968\n1947-07-01,.\n",
        words: &["observation_date  date", "null_values = [\".\"] in [source] would make it f64"],
        then: Some(("null_values = [\".\"]", &["GDP               f64"])),
    },
    Published {
        of: "Our World in Data",
        text: "Entity,Code,Year,Life expectancy\nAfghanistan,AFG,1950,27.7275\nWorld,OWID_WRL,1770,28.5\nRome,,-100,25\n",
        words: &["Code             string", "Year             i64", "Life expectancy  f64"],
        then: None,
    },
    Published {
        of: "New York, taxis",
        text: "VendorID,tpep_pickup_datetime,passenger_count,trip_distance,store_and_fwd_flag\n\
               2,2019-01-01 00:46:40,1,1.50,N\n1,2019-01-01 00:59:47,,2.60,Y\n",
        words: &["tpep_pickup_datetime  timestamp[us]", "passenger_count       i64", "trip_distance         f64"],
        then: None,
    },
    Published {
        of: "Kaggle, passengers",
        text: "PassengerId,Survived,Name,Age,Cabin\n1,0,\"Braund, Mr. Owen\",22,\n2,1,\"Cumings (\"\"Flo\"\"), Mrs.\",38.5,C85\n",
        words: &["Survived     i64", "Name         string", "Age          f64"],
        then: None,
    },
    Published {
        of: "a German bank, statement",
        text: "\"Kontonummer:\";\"DE00 1234\"\n\n\"Buchungstag\";\"Verwendungszweck\";\"Betrag (EUR)\"\n\
               \"31.12.2024\";\"Miete; Januar\";\"-1.234,56\"\n\"02.01.2025\";\"Gehalt\";\"2.500,00\"\n\"03.01.2025\";\"Kaffee\";\"-3,20\"\n",
        words: &["2 lines above the table, decimal commas, points between thousands", "dialect = \"excel-de\""],
        then: Some(("dialect = \"excel-de\"\nskip_rows = 2", &["Buchungstag       date", "Betrag (EUR)      f64"])),
    },
    Published {
        of: "a German savings bank",
        text: "\"Auftragskonto\";\"Buchungstag\";\"Betrag\"\n\"DE01\";\"31.12.24\";\"-12,50\"\n\"DE01\";\"30.12.24\";\"100,00\"\n",
        words: &["3 fields separated by semicolons, decimal commas: set delimiter = \";\", decimal_comma = true"],
        then: Some((
            "delimiter = \";\"\ndecimal_comma = true",
            &["perhaps dates: Buchungstag = \"%d.%m.%y\"", "Betrag         f64"],
        )),
    },
    Published {
        of: "ENTSO-E, day-ahead prices",
        text: "\"MTU (CET/CEST)\",\"Price [EUR/MWh]\"\n\"01.01.2024 00:00 - 01.01.2024 01:00\",\"0.10\"\n\
               \"01.01.2024 01:00 - 01.01.2024 02:00\",\"-0.01\"\n\"01.01.2024 02:00 - 01.01.2024 03:00\",\"n/e\"\n",
        words: &["MTU (CET/CEST)   string", "null_values = [\"n/e\"] in [source] would make it f64"],
        then: Some(("null_values = [\"n/e\"]", &["Price [EUR/MWh]  f64"])),
    },
    Published {
        of: "the German grid agency (SMARD)",
        text: "Datum von;Datum bis;Biomasse [MWh];Wind [MWh]\n01.01.2024 00:00;01.01.2024 01:00;4.123,5;25.678,25\n\
               01.01.2024 01:00;01.01.2024 02:00;4.100;-\n01.01.2024 02:00;01.01.2024 03:00;4.100,25;25.000,5\n",
        words: &[
            "4 fields separated by semicolons, decimal commas, points between thousands: set dialect = \"excel-de\"",
        ],
        then: Some((
            "dialect = \"excel-de\"",
            &["Datum von       timestamp[us]", "Biomasse [MWh]  f64", "null_values = [\"-\"]"],
        )),
    },
    Published {
        of: "the Bundesbank",
        text: "\"\";BBEX3.D.USD;BBEX3.D.USD_FLAGS\n\"\";\"Euro foreign exchange\";\"\"\nEinheit;USD;\n\
               2024-01-02;1,0956;\n2024-01-03;1,0919;\n2024-01-01;.;\"Kein Wert vorhanden\"\n",
        words: &[
            "3 fields separated by semicolons, decimal commas, rows of words below the header",
            "set delimiter = \";\", decimal_comma = true, skip_rows_after_header = 2 in",
        ],
        then: Some((
            "delimiter = \";\"\ndecimal_comma = true\nskip_rows_after_header = 2\nnull_values = [\".\"]",
            &["column_1           date", "BBEX3.D.USD        f64"],
        )),
    },
    Published {
        of: "WHO, cases",
        text: "\u{feff}\"Date_reported\",\"Country_code\",\"New_cases\"\n\"2020-01-04\",\"AI\",\n\"2020-01-05\",\"NA\",5\n",
        words: &["Date_reported  date", "Country_code   string", "New_cases      i64"],
        then: None,
    },
    Published {
        of: "OpenAQ",
        text: "\"location_id\",\"datetime\",\"lat\",\"units\",\"value\"\n\
               \"2178\",\"2024-01-01T01:00:00-07:00\",\"35.1353\",\"µg/m³\",\"13.0\"\n",
        words: &["location_id  i64", "datetime     timestamp[us, UTC]", "value        f64"],
        then: None,
    },
    Published {
        of: "BLS, flat files",
        text: "series_id        \tyear\tperiod\t       value\tfootnote_codes\nCUSR0000SA0      \t2024\tM01\t     308.417\t\n\
               CUSR0000SA0      \t2024\tM02\t     310.326\tC\n",
        words: &["5 fields separated by tabs, blanks around the names: set delimiter = \"\\t\", trim = true"],
        then: Some(("delimiter = \"\\t\"", &["year               i64", "       value       f64"])),
    },
    Published {
        of: "Johns Hopkins, a column per day",
        text: "Province/State,Country/Region,Lat,1/22/20,1/23/20\n,Afghanistan,33.93911,0,0\nHubei,China,30.9756,444,444\n",
        words: &["Lat             f64", "1/22/20         i64"],
        then: None,
    },
    Published {
        of: "USGS, earthquakes",
        text: "time,depth,mag,nst,place\n2024-01-01T23:58:01.220Z,1.5,1.2,20,\"7 km NW of The Geysers, CA\"\n\
               2024-01-01T23:50:12.040Z,10,4.7,,\"Noto, Japan\"\n",
        words: &["time   timestamp[us, UTC]", "depth  f64", "nst    i64"],
        then: None,
    },
    Published {
        of: "OpenFlights",
        text: "1,\"Goroka Airport\",\"GKA\",-6.081689,5282,10,\"U\"\n2,\"Madang Airport\",\"MAG\",-5.207080,20,\\N,\"U\"\n3,\"X\",\"Y\",1.5,2,3,\"U\"\n",
        words: &["the first row looks like data", "set header = false in [source]"],
        then: Some(("header = false", &["column_4  f64", "null_values = [\"\\\\N\"]"])),
    },
    Published {
        of: "MovieLens, 100k",
        text: "196\t242\t3\t881250949\n186\t302\t3\t891717742\n",
        words: &["4 fields separated by tabs, no header: set delimiter = \"\\t\", header = false"],
        then: Some(("delimiter = \"\\t\"\nheader = false", &["column_3  i64", "column_4 = \"epoch[s]\""])),
    },
    Published {
        of: "UCI, wine",
        text: "\"fixed acidity\";\"volatile acidity\";\"quality\"\n7.4;0.7;5\n11.2;0.28;6\n",
        words: &["3 fields separated by semicolons: set delimiter = \";\""],
        then: Some(("delimiter = \";\"", &["fixed acidity     f64", "quality           i64"])),
    },
    Published {
        of: "UCI, adults",
        text: "39, State-gov, 77516, Bachelors, <=50K\n50, Private, 83311, HS-grad, >50K\n",
        words: &["the first row looks like data", "set header = false in [source]"],
        then: Some(("header = false", &["column_1  i64", "column_3  i64", "column_5  string"])),
    },
    Published {
        of: "Yahoo, downloads",
        text: "Date,Open,Adj Close,Volume\n2024-01-02,187.149994,184.938217,82488700\n2024-01-03,null,null,null\n2024-01-04,182.1,181.9,71983600\n",
        words: &[
            "null_values = [\"null\"] in [source] would make it f64",
            "null_values = [\"null\"] in [source] would make it i64",
        ],
        then: Some(("null_values = [\"null\"]", &["Open       f64", "Volume     i64"])),
    },
    Published {
        of: "yfinance, by pandas",
        text: "Price,Close,High\nTicker,AAPL,AAPL\nDate,,\n2024-01-02,185.6,188.4\n2024-01-03,184.2,185.9\n",
        words: &["a second row of names and one of the index, as pandas writes them: set skip_rows_after_header = 2"],
        then: Some(("skip_rows_after_header = 2", &["Price  date", "Close  f64"])),
    },
    Published {
        of: "Investing.com",
        text: "\"Date\",\"Price\",\"Vol.\",\"Change %\"\n\"01/31/2024\",\"1,234.40\",\"95.37K\",\"-1.94%\"\n\"01/30/2024\",\"1,258.04\",\"89.15K\",\"2.10%\"\n",
        words: &[
            "Date      date",
            "thousands = \",\" in [source] would read them",
            "symbols = [\"%\"] in [source] would read them",
        ],
        then: Some(("thousands = \",\"\nsymbols = [\"%\"]", &["Price     f64", "Vol.      string", "Change %  f64"])),
    },
    Published {
        of: "Nasdaq, historical prices",
        text: "Date,Close/Last,Volume\n01/31/2024,$184.40,55467800\n01/30/2024,$188.04,55859370\n",
        words: &["symbols = [\"$\"] in [source] would read them"],
        then: Some(("symbols = [\"$\"]", &["Date        date", "Close/Last  f64"])),
    },
    Published {
        of: "Kenneth French's library",
        text: "This file was created using the 202401 database.\nThe rate is from elsewhere.\n\n,Mkt-RF,SMB\n\
               192607,  2.96, -2.56\n192608,  2.64, -1.17\n192609,  0.36, -1.40\n",
        words: &["3 lines above the table: set skip_rows = 3"],
        then: Some(("skip_rows = 3\ndatetime_formats.column_1 = \"%Y%m\"", &["column_1  date", "Mkt-RF    f64"])),
    },
    Published {
        of: "the German weather service",
        text: "STATIONS_ID;MESS_DATUM;TT_TU;eor\n         44;2024010100;   6.8;eor\n         44;2024010123;-999;eor\n",
        words: &["4 fields separated by semicolons: set delimiter = \";\""],
        then: Some((
            "delimiter = \";\"",
            &["STATIONS_ID  i64", "perhaps times: MESS_DATUM = \"%Y%m%d%H\"", "TT_TU        f64"],
        )),
    },
    Published {
        of: "NOAA, carbon dioxide",
        text: "# about\n# \"the data\"\nyear,month,average,ndays\n1958,3,315.71,-1\n1958,4,317.45,-1\n",
        words: &["comments that begin with #: set comment = \"#\""],
        then: Some(("comment = \"#\"", &["average  f64", "ndays    i64"])),
    },
    Published {
        of: "NASA POWER",
        text: "-BEGIN HEADER-\nNASA/POWER Source\nT2M     Temperature at 2 Meters (C)\n-END HEADER-\nYEAR,MO,DY,T2M\n2024,1,1,3.2\n2024,1,2,-999.0\n",
        words: &["4 lines above the table: set skip_rows = 4"],
        then: Some(("skip_rows = 4", &["YEAR  i64", "T2M   f64"])),
    },
    Published {
        of: "GeoNames",
        text: "2986043\tPic de Font Blanca\t42.64991\t1.53335\tAD\t2014-11-05\n2994701\tRoc Meler\t42.58765\t1.7418\tAD\t2023-10-03\n",
        words: &["6 fields separated by tabs, no header: set delimiter = \"\\t\", header = false"],
        then: Some(("delimiter = \"\\t\"\nheader = false", &["column_3  f64", "column_6  date"])),
    },
    Published {
        of: "Excel, with the delimiter in the first line",
        text: "sep=;\r\nName;Wert\r\na;1,5\r\nb;2,5\r\n",
        words: &["a line that states the delimiter: set skip_rows = 1, delimiter = \";\", decimal_comma = true"],
        then: Some(("skip_rows = 1\ndelimiter = \";\"\ndecimal_comma = true", &["Name  string", "Wert  f64"])),
    },
    Published {
        of: "AIS, Denmark",
        text: "# Timestamp,Type of mobile,MMSI,Latitude\n01/01/2024 00:00:00,Class A,219000001,55.1\n13/01/2024 00:00:01,Class A,219000002,55.2\n",
        words: &["# Timestamp     timestamp[us]", "MMSI            i64", "Latitude        f64"],
        then: None,
    },
    Published {
        of: "a web server's log, with semicolons",
        text: "host;time;status\n1.2.3.4;10/Oct/2000:13:55:36 -0700;200\n1.2.3.5;10/Oct/2000:13:56:36 -0700;404\n",
        words: &["3 fields separated by semicolons"],
        then: Some(("delimiter = \";\"", &["host    string", "time    timestamp[us, UTC]", "status  i64"])),
    },
    Published {
        of: "InfluxDB, annotated",
        text: "#datatype,string,long,dateTime:RFC3339,double\n#group,false,false,false,false\n#default,_result,,,\n\
               ,result,table,_time,_value\n,,0,2024-01-01T00:00:00Z,1\n",
        words: &["annotated CSV of InfluxDB", "set dialect = \"influx\" in [source]"],
        then: Some(("dialect = \"influx\"", &["_time   timestamp[ns, UTC]", "_value  f64"])),
    },
    Published { of: "two files in one", text: "a,b\n1,2.5\na,b\n2,3.5\n", words: &["a  i64", "b  f64"], then: None },
];
