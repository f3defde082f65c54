//! What a file looks like, whatever the pipeline says: for proposals of `hypostyle check` and of error messages, never for reading.
//!
//! The first lines are split at each of the usual delimiters.  One that gives most lines the same number of fields, more than
//! one, is likely the file's; lines above the first of these are a preamble.  The rest are marks of programs: nulls as `\N` or
//! `NA`, quotes behind backslashes, a row of types below the header.

mod rows;
mod shape;

use rows::{
    below_header, has_decimal_comma, is_formats, is_german, is_levels, is_typed, lacks_header, mark_of_thousands,
    unquoted,
};
use shape::{DELIMITERS, Delimiter, Quotes, Shape, best, is_same, is_whole, lines, lines_of_file, split};

use super::dialect::Dialect;
use crate::model::remark::toml_key;

/// What R's `write.table` writes, quotes behind backslashes too.
const R_TABLE: &str = "dialect = \"r-table\"";
/// What `mysql --batch` writes.
const MYSQL_BATCH: &str = "quote = \"\", escape = \"\\\\\", null_values = [\"NULL\"]";
/// The rows that are looked at.
const ROWS: usize = 20;
/// So much of a file's beginning is kept for what is to be said about it.
pub(super) const HEAD_BYTES: usize = 64 << 10;

/// What the file looks like and the settings that would read it; `None` if there is nothing to say.  `stops`: a bad row fails
/// the run.
pub(crate) fn proposal(text: &[u8], dialect: &Dialect, stops: bool) -> Option<String> {
    let quote = dialect.quote.unwrap_or(b'"');
    let quotes = Quotes { mark: quote, escaped: dialect.escape.is_some() || has_escaped_quotes(text, dialect) };
    let lines: Vec<&[u8]> = lines(text, quotes);
    if let Some(delimiter) = stated_delimiter(&lines) {
        return (dialect.skip[0] == 0).then(|| said_by_excel(&lines, delimiter, dialect, stops));
    }
    if let Some((looks, dialect)) = known_log(&lines).filter(|_| dialect.header_prefix.is_none()) {
        return Some(format!("looks like {looks}: set dialect = \"{dialect}\" in [source]"));
    }
    let (mark, comments) = comment_mark(&lines).map_or((None, 0), |(mark, count)| (Some(mark), count));
    let kept: Vec<&[u8]> =
        lines.iter().copied().filter(|line| mark.is_none() || line.first().copied() != mark).collect();
    let mut proposal = Proposal { dialect, quotes, looks: Vec::new(), settings: Vec::new() };
    let best = best(&kept, dialect, quotes);
    if let Some((delimiter, shape)) = best {
        proposal.delimiter(delimiter, shape);
        // The last comments may be the header, and units below it.
        let has_fields = |line: &&&[u8]| split(line, delimiter, quotes).len() == shape.fields;
        let headed = lines[..comments].iter().rev().take_while(has_fields).count();
        let above = match mark {
            Some(_) if headed > 0 => comments - headed,
            Some(_) => 0,
            None => shape.first,
        };
        if let Some(mark) = mark.filter(|_| headed == 0) {
            proposal.comment(mark);
            proposal.names_in_comment(&lines[..comments], mark, delimiter, shape.fields);
        }
        // A header one name short is not above the table.
        let names = split(kept[0], delimiter, quotes).len();
        let is_short = mark.is_none() && shape.first == 1 && names > 1 && names + 1 == shape.fields;
        let (above, first) = if is_short { (0, 0) } else { (above, shape.first) };
        proposal.above(lines_of_file(&lines[..above]));
        if is_short {
            proposal.short_header(&kept, delimiter, shape.fields);
        }
        let table = lines[comments - headed..comments].iter().chain(&kept[first..]);
        let rows: Vec<Vec<&[u8]>> = table
            .filter(|line| !line.trim_ascii().is_empty())
            .take(ROWS)
            .map(|line| split(line, delimiter, quotes))
            .collect();
        let is_marked = mark.is_some() && dialect.comment != mark;
        proposal.table(delimiter, mark, headed == 0 && (above > 0 || is_marked), &rows);
        if stops && (1..shape.lines.div_ceil(2)).contains(&shape.behind) && is_whole(&lines, text, HEAD_BYTES) {
            proposal.behind(shape.behind);
        }
    }
    if let Some((delimiter, _)) = best {
        proposal.missing(text, delimiter);
    }
    proposal.escapes(text, best.map(|(delimiter, _)| delimiter));
    let Proposal { looks, settings, .. } = proposal;
    (!settings.is_empty()).then(|| format!("looks like {}: set {} in [source]", looks.join(", "), settings.join(", ")))
}

/// The delimiter that the first line states, as Excel reads and writes it.
fn stated_delimiter(lines: &[&[u8]]) -> Option<u8> {
    match lines.first()?.strip_prefix(b"\xef\xbb\xbf").unwrap_or(lines[0]) {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] => Some(*delimiter),
        _ => None,
    }
}

/// What logs with the names in a comment are, and their dialect.
fn known_log(lines: &[&[u8]]) -> Option<(&'static str, &'static str)> {
    lines.iter().take_while(|line| line.first() == Some(&b'#')).find_map(|line| match line {
        line if line.starts_with(b"#Fields:") => Some(("a log in W3C's extended format", "w3c")),
        line if line.starts_with(b"#fields\t") => Some(("a log of Zeek", "zeek")),
        _ => None,
    })
}

/// The proposal for a file with such a line.
fn said_by_excel(lines: &[&[u8]], delimiter: u8, dialect: &Dialect, stops: bool) -> String {
    let below = Dialect { delimiter, ..dialect.clone() };
    let rest = [lines[1..].join(&b'\n'), vec![b'\n']].concat();
    let rest = proposal(&rest, &below, stops).unwrap_or_default();
    let rest = rest.split_once(": set ").and_then(|(_, settings)| settings.strip_suffix(" in [source]"));
    let mut above = 1;
    let mut others = String::new();
    for setting in rest.iter().flat_map(|settings| settings.split(", ")) {
        match setting.strip_prefix("skip_rows = ").and_then(|lines| lines.parse::<usize>().ok()) {
            Some(lines) => above += lines,
            None => others = format!("{others}, {setting}"),
        }
    }
    let delimiter = char::from(delimiter).to_string();
    format!(
        "looks like a line that states the delimiter: set skip_rows = {above}, delimiter = {delimiter:?}{others} in [source]"
    )
}

/// A note about a comment that may be the header.
pub(crate) fn eaten_header(head: &[u8], dialect: &Dialect) -> Option<String> {
    let comment = dialect.comment.filter(|_| dialect.header && dialect.header_prefix.is_none())?;
    let mut lines =
        head.split(|byte| *byte == dialect.line_end || *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let above = lines.by_ref().take_while(|line| line.first() == Some(&comment)).last()?;
    let row = head
        .split(|byte| *byte == b'\n')
        .find(|line| !line.trim_ascii().is_empty() && line.first() != Some(&comment))?;
    let fields = |line: &[u8]| line.iter().filter(|byte| **byte == dialect.delimiter).count();
    (fields(row) > 0 && fields(above) == fields(row)).then(|| {
        format!(
            "comment = {:?} ignores a line that may be the header, as it has as many fields as the rows: {:?}",
            char::from(comment).to_string(),
            String::from_utf8_lossy(&above[..above.len().min(60)])
        )
    })
}

/// A note about a file of one column whose lines look as if there were more.
pub(crate) fn one_column(head: &[u8]) -> Option<String> {
    let quotes = Quotes { mark: b'"', escaped: false };
    let lines: Vec<&[u8]> =
        lines(head, quotes).into_iter().filter(|line| !line.trim_ascii().is_empty()).take(ROWS).collect();
    let has_more = |line: &&&[u8]| {
        let line = line.trim_ascii();
        line.iter().any(|byte| matches!(byte, b',' | b';' | b'|' | b'\t'))
            || memchr::memmem::find(line, b"  ").is_some()
    };
    (lines.len() > 1 && lines.iter().filter(has_more).count() * 10 >= lines.len() * 8).then(|| {
        "is read as one column: set delimiter in [source] if it has more; columns of fixed width are not split"
            .to_string()
    })
}

/// What was found, and the settings for it.
struct Proposal<'a> {
    dialect: &'a Dialect,
    quotes: Quotes,
    looks: Vec<String>,
    settings: Vec<String>,
}

impl Proposal<'_> {
    fn add(&mut self, looks: impl Into<String>, setting: impl Into<String>) {
        self.looks.push(looks.into());
        self.settings.push(setting.into());
    }

    /// Puts a set of settings in the place of those that it has.
    fn replace(&mut self, looks: &str, setting: &str, replaced: fn(&str) -> bool) {
        self.settings.retain(|setting| !replaced(setting));
        self.add(looks, setting);
    }

    fn delimiter(&mut self, delimiter: Delimiter, shape: Shape) {
        let known = DELIMITERS.iter().find(|(known, ..)| *known == delimiter);
        if let Some((_, name, written)) = known.filter(|_| !is_same(delimiter, self.dialect)) {
            self.add(format!("{} fields separated by {name}", shape.fields), format!("delimiter = \"{written}\""));
        }
    }

    fn comment(&mut self, mark: u8) {
        if self.dialect.comment != Some(mark) {
            let mark = char::from(mark);
            self.add(format!("comments that begin with {mark}"), format!("comment = \"{mark}\""));
        }
    }

    /// The names may stand in the last comment that is not blank.
    fn names_in_comment(&mut self, comments: &[&[u8]], mark: u8, delimiter: Delimiter, fields: usize) {
        let text = |line: &&'_ [u8]| -> Vec<u8> { line[1..].trim_ascii().to_vec() };
        let Some(last) = comments.iter().map(text).rfind(|text| !text.is_empty()) else { return };
        let names = split(&last, delimiter, self.quotes);
        let are_names = names.len() == fields && !names.iter().any(|name| is_typed(name));
        if are_names && self.dialect.header_prefix.is_none() {
            let mark = char::from(mark);
            self.add("the names in the last of them", format!("header_prefix = \"{mark}\""));
        }
    }

    fn above(&mut self, lines: usize) {
        let looks = match lines {
            0 => return,
            1 => "a line above the table".to_string(),
            _ => format!("{lines} lines above the table"),
        };
        if self.dialect.skip[0] == 0 {
            self.add(looks, format!("skip_rows = {lines}"));
        }
    }

    /// A header one name short: of rows that end with a delimiter.
    fn short_header(&mut self, lines: &[&[u8]], delimiter: Delimiter, fields: usize) {
        let rows = lines[1..].iter().map(|line| split(line, delimiter, self.quotes));
        let mut rows = rows.filter(|row| row.len() == fields);
        if !self.dialect.fit && !self.dialect.short_header && rows.all(|row| row[fields - 1].is_empty()) {
            self.add("rows that end with a delimiter, unlike the header", "ragged = \"fit\"");
        }
    }

    fn behind(&mut self, lines: usize) {
        let looks =
            if lines == 1 { "a line below the table".to_string() } else { format!("{lines} lines below the table") };
        self.add(looks, "on_bad_row = \"skip\"");
    }

    /// Looks at the first rows, of which the first one may be the header; `hidden`: what is taken for the header is above it.
    fn table(&mut self, delimiter: Delimiter, mark: Option<u8>, hidden: bool, rows: &[Vec<&[u8]>]) {
        let Dialect { style, skip, short_header, header: has_header, .. } = self.dialect;
        let [header, first, ..] = rows else { return };
        // With the delimiter that is set, the types of the columns tell more.
        let may_lack = *has_header && (hidden || mark.is_none() && !is_same(delimiter, self.dialect));
        let is_named = self.settings.iter().any(|setting| setting.starts_with("header_prefix"));
        let lacks_header = may_lack && !is_named && lacks_header(rows, self.quotes.mark);
        if lacks_header {
            self.add("no header", "header = false");
        }
        let mut below = None;
        if is_levels(rows) && skip[1] == 0 {
            self.add("a second row of names and one of the index, as pandas writes them", "skip_rows_after_header = 2");
        }
        if is_formats(first) && skip[1] == 0 {
            let looks = "a row of types below the header";
            match delimiter {
                Delimiter::Byte(b'\t') if mark == Some(b'#') => self.replace(looks, "dialect = \"rdb\"", |_| true),
                _ => self.add(looks, "skip_rows_after_header = 1"),
            }
        } else if !is_levels(rows) && skip[1] == 0 && *has_header && !lacks_header {
            below = below_header(rows, self.quotes.mark);
        }
        let quote = self.quotes.mark;
        let mut marks = rows[1..].iter().flatten().filter_map(|field| mark_of_thousands(unquoted(field, quote)));
        let thousands = marks.next().filter(|_| style.thousands.is_none() && delimiter != Delimiter::Byte(b','));
        let bare = |field: &&'_ [u8]| -> Vec<u8> { unquoted(field, quote).to_vec() };
        let fields = || rows[1..].iter().flatten().map(bare);
        if !style.decimal_comma && delimiter != Delimiter::Byte(b',') && fields().any(|field| has_decimal_comma(&field))
        {
            if delimiter == Delimiter::Byte(b';')
                && style.thousands.is_none()
                && fields().any(|field| is_german(&field))
            {
                let looks = "decimal commas, points between thousands";
                self.replace(looks, "dialect = \"excel-de\"", |setting| setting.starts_with("delimiter"));
            } else {
                self.add("decimal commas", "decimal_comma = true");
            }
        }
        if !self.dialect.text_formulas && fields().any(|field| is_text_formula(&field)) {
            self.add("texts as formulas of a spreadsheet", "text_formulas = true");
        }
        let is_padded = |name: &&[u8]| name.trim_ascii().len() < name.len() && !name.trim_ascii().is_empty();
        if *has_header && !lacks_header && !is_named && !self.dialect.trim && delimiter != Delimiter::Blanks {
            let padded = header.iter().filter(|name| is_padded(name)).count();
            if padded > 0 {
                self.add("blanks around the names", "trim = true");
            }
        }
        if let Some(mark) = thousands {
            let looks = if mark == ' ' { "blanks between thousands" } else { "apostrophes between thousands" };
            self.add(looks, format!("thousands = \"{mark}\""));
        }
        if let Some((count, looks)) = below {
            self.add(looks, format!("skip_rows_after_header = {count}"));
        }
        let names_rows =
            first[0].first() == Some(&self.quotes.mark) && first.last().is_some_and(|last| !last.is_empty());
        if first.len() == header.len() + 1 && names_rows && !short_header {
            let looks = "a header one name short, as R writes it";
            self.replace(looks, R_TABLE, |setting| setting == "delimiter = \"blanks\"");
        }
    }

    fn escapes(&mut self, text: &[u8], delimiter: Option<Delimiter>) {
        if self.dialect.escape.is_some() {
            return;
        }
        let is_tabs = delimiter == Some(Delimiter::Byte(b'\t'));
        let has = |word: &[u8]| memchr::memmem::find(text, word).is_some();
        // Paths of Windows have backslashes too.
        if is_tabs && !has(b"\\N") && (has(b"\\n") || has(b"\\t")) && !has(b":\\") && has(b"\tNULL") {
            self.add("backslash escapes and NULL, as mysql writes them", MYSQL_BATCH);
            return;
        }
        if delimiter == Some(Delimiter::Byte(b'\t')) && memchr::memmem::find(text, b"\\N").is_some() {
            let settings = "dialect = \"postgres-text\" (\"mysql\"), or \"clickhouse\" if it has a header";
            self.replace("backslash escapes and \\N for null", settings, |_| true);
        } else if has_escaped_quotes(text, self.dialect) && !self.settings.iter().any(|setting| setting == R_TABLE) {
            self.add("quotes behind backslashes", "escape = \"\\\\\"");
        }
    }

    /// Names in quotes and missing values without them are R's `write.csv`; `"NA"` is a text then.
    fn missing(&mut self, text: &[u8], delimiter: Delimiter) {
        let Delimiter::Byte(delimiter) = delimiter else { return };
        let is_missing =
            |at: usize| matches!(text.get(at + 3), Some(next) if *next == delimiter || matches!(next, b'\n' | b'\r'));
        let has_missing = memchr::memmem::find_iter(text, &[delimiter, b'N', b'A']).any(is_missing);
        if text.first() == Some(&self.quotes.mark) && has_missing && !self.dialect.style.nulls.contains(b"NA") {
            self.add("names in quotes and NA without them, as R writes them", "dialect = \"r\"");
        }
    }
}

/// Whether a field is a formula such as `="007"`, also in quotes of its own.
fn is_text_formula(field: &[u8]) -> bool {
    field.starts_with(b"=\"") && field.ends_with(b"\"") && field.len() > 3
}

/// A note about a last line that has one value only, where the others have more: it tells when the file was made.
pub(crate) fn footer(text: &[u8], dialect: &Dialect, names: &[String]) -> Option<String> {
    let quotes = Quotes { mark: dialect.quote.unwrap_or(b'"'), escaped: dialect.escape.is_some() };
    let lines: Vec<&[u8]> = lines(text, quotes);
    if !is_whole(&lines, text, HEAD_BYTES) || names.len() < 3 {
        return None;
    }
    let delimiter = if dialect.blanks { Delimiter::Blanks } else { Delimiter::Byte(dialect.delimiter) };
    let mut filled = lines.iter().rev().filter(|line| !line.trim_ascii().is_empty()).map(|line| {
        let fields = split(line, delimiter, quotes);
        (fields.len(), fields.iter().filter(|field| !field.trim_ascii().is_empty()).count(), fields[0].to_vec())
    });
    let (width, count, first) = filled.next()?;
    let is_alone = width == names.len() && count == 1 && !first.trim_ascii().is_empty();
    let others: Vec<usize> = filled.take(ROWS).map(|(_, count, _)| count).collect();
    (is_alone && others.len() > 3 && others.iter().all(|count| *count > 1)).then(|| {
        let column = toml_key(&names[1]);
        format!(
            "ends with a line of one value, {:?}, which may be no row: {column} = {{ not_null = true }} in [source.filter] would leave \
             it out",
            String::from_utf8_lossy(&first[..first.len().min(60)])
        )
    })
}

/// The byte that begins the first lines, if they look like comments, and how many they are.
fn comment_mark(lines: &[&[u8]]) -> Option<(u8, usize)> {
    let mark = *lines.first()?.first()?;
    let comments = lines.iter().take_while(|line| line.first() == Some(&mark)).count();
    // Databases draw tables with `+---+`.
    let is_mark = matches!(mark, b'#' | b'%' | b'!' | b'*') || lines[0].starts_with(b"+-");
    (is_mark && comments < lines.len()).then_some((mark, comments))
}

/// Whether text follows a quote behind a backslash; a path may well end in one.
fn has_escaped_quotes(text: &[u8], dialect: &Dialect) -> bool {
    let Some(quote) = dialect.quote else { return false };
    memchr::memmem::find_iter(text, &[b'\\', quote]).any(|at| {
        let next = text.get(at + 2);
        next.is_some_and(|next| !dialect.is_delimiter(*next) && *next != quote && !matches!(next, b'\n' | b'\r'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_first_lines() {
        for (text, words) in [
            ("a,b\n1,2\n", None),
            ("word\none\ntwo\n", None),
            ("t\n2024-01-02 03:04:05\n2024-01-02 03:04:05Z\n", None),
            (
                "a;b\n1,5;2\n3,5;x\n",
                Some("2 fields separated by semicolons, decimal commas: set delimiter = \";\", decimal_comma = true"),
            ),
            ("a\tb\n1\t2\n", Some("delimiter = \"\\t\"")),
            ("a|b|c\n1|2|3\n", Some("delimiter = \"|\"")),
            ("a  b\n1   2\n10  3\n", Some("delimiter = \"blanks\"")),
            ("# made by x\n# on y\na,b\n1,2\n", Some("comment = \"#\"")),
            ("Report\n2024\n\na,b,c\n1,2,3\n1,2,3\n4,5,6\n", Some("skip_rows = 3")),
            ("# x\nsite\tdt\n5s\t20d\n01\t2024-01-01\n", Some("dialect = \"rdb\"")),
            ("a\tb\nUInt8\tNullable(String)\n1\tx\n", Some("skip_rows_after_header = 1")),
            ("1\tx\\tb\n2\t\\N\n", Some("dialect = \"postgres-text\"")),
            ("a,b\n1,\"q\\\"q\"\n", Some("escape = \"\\\\\"")),
            ("\"x\" \"y\"\n\"1\" 2 3\n\"2\" 4 5\n", Some("dialect = \"r-table\"")),
            ("a,b\n1,\"C:\\x\\\"\n", None),
            ("sep=;\na;b\nx;1,5\ny;2,5\n", Some("set skip_rows = 1, delimiter = \";\", decimal_comma = true in")),
            ("id,note,price\n1,\"first\nsecond\",1.5\n2,plain,2.5\n3,x,1\n", None),
            ("id;note\n1;\"a\nb; c\"\n2;\"d\"\n3;x\n", Some("2 fields separated by semicolons: set delimiter")),
            ("id,\"the\nnote\",b\n1,x,2\n2,y,3\n", None),
            ("a,b\n1,5\" pipe\n2,6\" pipe\n", None),
            ("a,b\n1,\"5 pipe\n2,6\n3,7\n", None),
            ("\"x\" \"n\"\n\"1\" 2 \"a \\\"b\\\" c\"\n\"2\" 4 \"d\"\n", Some("dialect = \"r-table\"")),
            (
                "Compte;\nSolde 1 234,56;\n;\nd;n;p;c;\n1/1;\"X\ny\";45,20;;\n2/1;\"Z\";;2 150,00;\n3/1;\"E\";1,5;;\n",
                Some(
                    "5 fields separated by semicolons, 3 lines above the table, decimal commas, blanks between thousands",
                ),
            ),
            ("R\n\na;b;c\n1;\"x\ny\";2\n2;z;3\n3;z;3\n", Some("skip_rows = 2")),
            ("a,b,c\tx\ty\n1,2,3\t1\t2\n1,2,3\t1\t2\n", Some("delimiter = \"\\t\"")),
            ("\"a\";\"b\"\n\"1,5\";\"x\"\n\"2,5\";\"y, z\"\n", Some("separated by semicolons, decimal commas")),
            ("a,b\n1,\"x \"\"y, z\"\" w\"\n2,\"x, y\"\n", None),
            ("Price,Close\nTicker,X\nDate,\n2024-01-02,1.5\n2024-01-03,2.5\n", Some("skip_rows_after_header = 2")),
            (
                "\"Title\",\"Index\"\n\"CDID\",\"L522\"\n\"PreUnit\",\"\"\n\"Unit\",\"Index, base\"\n\"Release\",\"18-12-2024\"\n\
                 \"1988\",\"4.5\"\n\"1989\",\"5\"\n\"1990\",\"6\"\n\"1991\",\"7\"\n\"1992\",\"7\"\n",
                Some("rows of words below the header: set skip_rows_after_header = 4 in"),
            ),
            ("sep=;\nVersion 1\n\na;b\nx;1\ny;2\nz;3\nx;4\n", Some("set skip_rows = 3, delimiter = \";\" in")),
            ("1 - [x] \"a; b\" 2\n1 - [y] \"a; c\" 3\n", Some("delimiter = \"blanks\", header = false")),
            ("A B,C D\n1,\"x y\",\n2,\"x y\",\n3,\"x y\",\n", Some("set ragged = \"fit\" in")),
            (
                "Made by\tx\nA\t1\t1\t\nB\t0,5\t0,5\t\nEnd\t\t\t\nX\tV\tW\tNote\n0,1\t1,5\t2,5\t\n0,2\t1,5\t2,5\t\n0,3\t1,5\t2,5\t\n\
                 0,4\t1,5\t2,5\t\n0,5\t1,5\t2,5\t\n0,6\t1,5\t2,5\t\n0,7\t1,5\t2,5\t\n",
                Some("4 lines above the table, decimal commas: set delimiter = \"\\t\", skip_rows = 4"),
            ),
            (
                "# source\n# id,  d, x\n# \n1,20240101, 5\n1,20240102, 6\n1,20240103, 7\n",
                Some("set comment = \"#\", header_prefix = \"#\" in"),
            ),
            ("id\tnote\n1\ta\\nb\n2\tNULL\n", Some("quote = \"\", escape = \"\\\\\", null_values = [\"NULL\"] in")),
            ("sku,n\n=\"001\",1\n=\"002\",2\n", Some("set text_formulas = true in")),
            ("sku,n\n\"=\"\"001\"\"\",1\n\"=\"\"002\"\"\",2\n", Some("set text_formulas = true in")),
            ("t, name\n1, a\n2, b\n", Some("blanks around the names: set trim = true in")),
            ("t,x\na,calm\nb,calm\nc,calm\nd,2\ne,calm\nf,2\ng,2\nh,2\ni,2\n", None),
            ("a;b\n1.234,5;x\n", Some("points between thousands: set dialect = \"excel-de\"")),
            ("\"x\"\t\"y\"\n\"1\"\t2\t3\n\"2\"\t4\t5\n", Some("delimiter = \"\\t\", dialect = \"r-table\"")),
            ("# a;b\n1;2\n3;4\n", Some("2 fields separated by semicolons: set delimiter = \";\" in")),
            ("# x\n# a,b\n1,2\n3,4\n", Some("skip_rows = 1")),
            ("1.5;2024\n2.5;2025\n", Some("no header: set delimiter = \";\", header = false")),
            ("1 2   \"x y\"\n1 3   \"x z\"\n", Some("delimiter = \"blanks\"")),
            ("title\na,b,c\n1,2,3\n1,2,3\n", Some("a line above the table")),
            ("a,b\n1,\"x;y;z\"\n2,\"x;y;z\"\n", None),
            ("t,x\ns,degC\n1,2.5\n2,3.5\n", Some("a row of words below the header: set skip_rows_after_header = 1")),
            ("t,x\na,n/a\nb,2.5\nc,3.5\n", None),
            ("t,x,y\na,low,1\nb,2.5,1\nc,3.5,1\n", None),
            (
                "id  name\n--- ----\n1   ann\n2   bob\n",
                Some("a line below the header: set delimiter = \"blanks\", skip_rows_after_header = 1"),
            ),
            (
                " id | name\n----+------\n  1 | ann\n  2 | bob\n  3 | cy\n(3 rows)\n",
                Some("delimiter = \"|\", trim = true, skip_rows_after_header = 1, on_bad_row = \"skip\""),
            ),
            (
                "+---+---+\n| a | b |\n+---+---+\n| 1 | x |\n| 2 | y |\n+---+---+\n",
                Some("delimiter = \"|\", comment = \"+\""),
            ),
            ("#y m\n#a b\n1 2\n3 4\n", Some("delimiter = \"blanks\", skip_rows_after_header = 1")),
            ("#Software: x\n#Fields: d n\n2024-01-01 5\n2024-01-02 6\n", Some("set dialect = \"w3c\" in")),
            ("#separator \\x09\n#fields\ta\tb\n#types\tint\tint\n1\t2\n", Some("set dialect = \"zeek\" in")),
            ("a,b\n1,2,\n3,4,\n", Some("rows that end with a delimiter, unlike the header: set ragged = \"fit\"")),
            ("2024-01-01 10:15:02,123;a\n2024-01-01 10:15:03,456;b\n", Some("set delimiter = \";\", header = false")),
            ("1,5;2,5\n3,5;4,5\n", Some("delimiter = \";\"")),
            ("1.2 - \"a\" 200 -\n1.3 - \"b\" 404 -\n", Some("no header: set delimiter = \"blanks\", header = false")),
            ("8=F|35=D|1\n8=F|35=D|2\n8=F|35=D|3\n", Some("delimiter = \"|\", header = false")),
            ("x 1 2\n\na b c\n1 2 3\n4 5 6\n", Some("2 lines above the table")),
            ("a,b\n1,2\n3,4\n5,6\nSource: us\n", Some("a line below the table: set on_bad_row = \"skip\"")),
            ("d;x\n1;1 234,5\n2;5,5\n", Some("decimal_comma = true, thousands = \" \"")),
            ("\"a\",\"b\"\n\"x\",NA\n\"NA\",2\n", Some("as R writes them: set dialect = \"r\" in")),
            ("\"\";\"a\"\n\"1\";NA\n\"2\";2,5\n", Some("decimal_comma = true, dialect = \"r\"")),
            ("\"a\",\"b\"\n\"NA\",\"x\"\n", None),
            ("a,b\nNA,1\n2,NA\n", None),
            ("AB  1.5  2 3 x\nCD  2.5  3\nEF  3.5  4 y z w\n", None),
        ] {
            let found = proposal(text.as_bytes(), &Dialect::default(), true);
            match words {
                None => assert_eq!(found, None, "{text:?}"),
                Some(words) => {
                    assert!(found.as_ref().is_some_and(|found| found.contains(words)), "{text:?}: {found:?}")
                }
            }
        }
    }
}
