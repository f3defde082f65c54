//! The settings that `dialect` stands for: how the files of some programs are written.

use crate::config::{DialectName, Empty, SourceTable};

/// The table with the settings of its dialect, where it does not say otherwise.
pub(super) fn applied(table: &SourceTable) -> SourceTable {
    let mut table = table.clone();
    let Some(dialect) = table.dialect else { return table };
    let text = |text: &str| Some(text.to_string());
    let nulls = |words: &[&str]| Some(words.iter().map(ToString::to_string).collect());
    let set = match dialect {
        DialectName::Postgres => {
            SourceTable { empty: Some(Empty::Text), quoted_nulls: Some(false), ..SourceTable::default() }
        }
        DialectName::PostgresText | DialectName::Mysql | DialectName::Clickhouse => SourceTable {
            delimiter: text("\t"),
            quote: text(""),
            escape: text("\\"),
            // An empty field is an empty text, since null is `\N`.
            empty: Some(Empty::Text),
            header: (dialect != DialectName::Clickhouse).then_some(false),
            ..SourceTable::default()
        },
        DialectName::Spark => SourceTable { escape: text("\\"), empty: Some(Empty::Text), ..SourceTable::default() },
        DialectName::R => SourceTable {
            null_values: nulls(&["NA"]),
            quoted_nulls: Some(false),
            empty: Some(Empty::Text),
            ..SourceTable::default()
        },
        DialectName::RTable => SourceTable {
            delimiter: text("blanks"),
            null_values: nulls(&["NA"]),
            quoted_nulls: Some(false),
            empty: Some(Empty::Text),
            escape: text("\\"),
            ..SourceTable::default()
        },
        DialectName::Rdb => SourceTable {
            delimiter: text("\t"),
            quote: text(""),
            comment: text("#"),
            skip_rows_after_header: Some(1),
            ..SourceTable::default()
        },
        DialectName::W3c => SourceTable {
            delimiter: text("blanks"),
            comment: text("#"),
            header_prefix: text("#Fields:"),
            null_values: nulls(&["-"]),
            ..SourceTable::default()
        },
        DialectName::Zeek => SourceTable {
            delimiter: text("\t"),
            quote: text(""),
            comment: text("#"),
            header_prefix: text("#fields"),
            null_values: nulls(&["-"]),
            ..SourceTable::default()
        },
        // A header is below each annotation.
        DialectName::Influx => SourceTable { header: Some(true), ..SourceTable::default() },
        DialectName::ExcelDe => SourceTable {
            delimiter: text(";"),
            decimal_comma: Some(true),
            thousands: text("."),
            ..SourceTable::default()
        },
    };
    fill(&mut table.delimiter, set.delimiter);
    fill(&mut table.quote, set.quote);
    fill(&mut table.escape, set.escape);
    fill(&mut table.comment, set.comment);
    fill(&mut table.header, set.header);
    if table.header != Some(false) {
        fill(&mut table.header_prefix, set.header_prefix);
    }
    fill(&mut table.skip_rows_after_header, set.skip_rows_after_header);
    fill(&mut table.null_values, set.null_values);
    fill(&mut table.quoted_nulls, set.quoted_nulls);
    fill(&mut table.empty, set.empty);
    fill(&mut table.decimal_comma, set.decimal_comma);
    fill(&mut table.thousands, set.thousands);
    table
}

fn fill<T>(given: &mut Option<T>, set: Option<T>) {
    if given.is_none() {
        *given = set;
    }
}
