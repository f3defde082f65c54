//! What `hypostyle check` says about an inferred type: which setting would give a better one.

use arrow::datatypes::{DataType, TimeUnit};

use super::clock::time_of_day;
use super::duration::duration;
use super::fault::Kept;
use super::fault::Reason;
use super::infer::{Fit, MISFITS, NULL_WORDS, TypeGuess, is_word};
use super::strptime::Strptime;
use super::timestamp::fault;
use super::values::{MINUS_BEHIND, PARENTHESES, ValueStyle};

/// The formats of quarters and months.
const PERIODS: [&str; 11] =
    ["%YQ%q", "%Y-Q%q", "%Y Q%q", "%YM%m", "%Y-%m", "%Y/%m", "%b-%Y", "%b-%y", "%B %Y", "%Y-%b", "%Y %B"];

impl TypeGuess {
    /// A remark about the type of the column of this name, if any.
    pub fn remark(&self, name: &str) -> Option<String> {
        if self.values == 0 {
            return Some("no value in the sample, so string".to_string());
        }
        if self.by_format().is_some() {
            return None;
        }
        match self.data_type() {
            DataType::Int64 => self.compact_dates(name).or_else(|| self.epoch(name)),
            DataType::Utf8 => {
                let remarks = [
                    self.dates_and_words(name),
                    self.ambiguous_dates(name),
                    self.kept(name),
                    self.writing(),
                    self.mixed_offsets(name),
                    self.too_fine(name),
                    self.zone_names(),
                    self.periods(name),
                    self.short_dates(name),
                    self.clocks(name),
                    self.null_words(),
                    self.written_nulls(),
                ];
                remarks.into_iter().flatten().next()
            }
            _ => None,
        }
    }

    /// Integers that would be times of our days: a guess that only the reader of it can judge.
    fn epoch(&self, name: &str) -> Option<String> {
        let (unit, length) = epoch_unit(self.range?)?;
        // Ten digits are as likely an identifier.
        let lower = name.to_lowercase();
        let named = ["time", "date", "epoch", "stamp", "ts", "created", "updated", "column_"];
        if unit == "s" && !named.iter().any(|word| lower.contains(word)) {
            return None;
        }
        let key = toml_key(name);
        Some(format!(
            "perhaps {length} since 1970: {key} = \"epoch[{unit}]\" in [source.datetime_formats] would make it a time"
        ))
    }

    /// Integers such as 20241231 or 2024123123.
    fn compact_dates(&self, name: &str) -> Option<String> {
        let (min, max) = self.range?;
        let key = toml_key(name);
        [("%Y%m%d", 1), ("%Y%m%d%H", 100), ("%Y%m%d%H%M", 10_000), ("%Y%m%d%H%M%S", 1_000_000)].into_iter().find_map(
            |(text, units)| {
                let format = Strptime::parse(text).ok()?;
                let is_date = |value: i64| {
                    (19_000_000..21_000_000).contains(&(value / units))
                        && format.timestamp(value.to_string().as_bytes()).is_ok()
                };
                let what = if units == 1 { "date" } else { "time" };
                (is_date(min) && is_date(max)).then(|| {
                    format!("perhaps {what}s: {key} = {text:?} in [source.datetime_formats] would make it a {what}")
                })
            },
        )
    }

    /// Quarters and months, which may stand for their first days.
    fn periods(&self, name: &str) -> Option<String> {
        let texts = &self.date.texts;
        let format = PERIODS.into_iter().find(|format| {
            let format = Strptime::parse(format);
            let reads = |text: &Vec<u8>| format.as_ref().is_ok_and(|format| format.timestamp(text).is_ok());
            !texts.is_empty() && texts.iter().all(reads)
        })?;
        let key = toml_key(name);
        Some(format!("quarters or months: {key} = {format:?} in [source.datetime_formats] would make it a date"))
    }

    /// Dates such as 31.12.24, which may be the numbers of versions too.
    fn short_dates(&self, name: &str) -> Option<String> {
        let (texts, format) = (&self.date.texts, Strptime::parse("%d.%m.%y").ok()?);
        let are_dates = !texts.is_empty() && texts.iter().all(|text| format.timestamp(text).is_ok());
        let key = toml_key(name);
        are_dates
            .then(|| format!("perhaps dates: {key} = \"%d.%m.%y\" in [source.datetime_formats] would make it a date"))
    }

    /// Times such as 12:34 and 25:10:00, which may be times of day or durations.
    fn clocks(&self, name: &str) -> Option<String> {
        let texts = &self.clock.texts;
        let all = |reads: &dyn Fn(&[u8]) -> bool| !texts.is_empty() && texts.iter().all(|text| reads(text));
        let key = toml_key(name);
        if all(&|text| time_of_day(text, TimeUnit::Nanosecond).is_ok()) {
            // Of a pace such as `5:12`, they may be minutes and seconds.
            let short = texts.iter().all(|text| text.iter().filter(|byte| **byte == b':').count() == 1);
            let as_hours = if short { " as hours and minutes" } else { "" };
            return Some(format!(
                "times of day or durations: {key} = \"time[us]\" or \"duration[us]\" in [source.schema] would read them{as_hours}"
            ));
        }
        all(&|text| duration(text, TimeUnit::Nanosecond).is_ok())
            .then(|| format!("durations: {key} = \"duration[us]\" in [source.schema] would read them"))
    }

    fn ambiguous_dates(&self, name: &str) -> Option<String> {
        let formats: Vec<_> = self.formats().collect();
        let (first, second) = (formats.first()?, formats.get(1)?);
        let key = toml_key(name);
        Some(format!(
            "the day or the month may come first: {key} = {:?} or {:?} in [source.datetime_formats] would make it a time",
            first.text, second.text
        ))
    }

    /// Numbers that stay texts.
    fn kept(&self, name: &str) -> Option<String> {
        let inexact = (self.number.all() && self.inexact).then_some(Kept::LongDecimal);
        let kept = self.kept.or(inexact).filter(|_| self.number.texts.iter().all(|text| looks_numeric(text)))?;
        let key = toml_key(name);
        Some(match kept {
            Kept::LeadingZero => {
                format!("numbers with leading zeros: {key} = \"i64\" in [source.schema] would drop the zeros")
            }
            Kept::Plus => {
                format!("numbers as of telephones: {key} = \"i64\" in [source.schema] would drop the plus sign")
            }
            Kept::LongInteger => format!(
                "integers too large for i64: {key} = \"decimal[38, 0]\" in [source.schema] would keep them as numbers"
            ),
            Kept::LongDecimal => format!(
                "numbers with more digits than f64 holds: {key} = \"decimal[38, 9]\" in [source.schema] would keep them as numbers"
            ),
        })
    }

    /// Numbers with marks, decimal commas or symbols, which must not be taken for nulls, perhaps among words for null.
    fn writing(&self) -> Option<String> {
        let (words, numbers): (Vec<&[u8]>, Vec<&[u8]>) =
            self.number.texts.iter().map(|text| &text[..]).partition(|text| is_word(text) && symbol(text).is_none());
        let plain = self.values.saturating_sub(self.number.misfits);
        if words.len() >= numbers.len() + usize::from(plain > 0) || numbers.is_empty() {
            return None;
        }
        let parts: Vec<Parts> = numbers.iter().map(|text| parts(text)).collect::<Option<_>>()?;
        let ways: Vec<&Way> = WAYS.iter().filter(|way| parts.iter().all(|parts| way.reads(&parts.number))).collect();
        if words.is_empty() && parts.iter().all(|parts| parts.symbols.is_empty()) && ways.iter().any(|way| way.is_comma)
        {
            return Some(
                "numbers with commas: thousands = \",\" in [source] if they mark thousands, decimal_comma = true if they begin \
                 decimals"
                    .to_string(),
            );
        }
        let way = ways.first()?;
        let mut symbols: Vec<&str> = parts.iter().flat_map(|parts| parts.symbols.iter().copied()).collect();
        symbols.sort_unstable();
        symbols.dedup();
        // Amounts of several currencies are no numbers of one column, and `EUR1` and `GBP1` may be names.
        let units: Vec<&str> =
            symbols.iter().filter(|symbol| is_unit(symbol) || is_currency(symbol)).map(|symbol| code(symbol)).collect();
        if units.iter().any(|unit| *unit != units[0]) {
            return None;
        }
        let list = |texts: &[String], joint: &str| texts.join(joint);
        let shown: Vec<String> = symbols.iter().map(|symbol| format!("{symbol:?}")).collect();
        let mut with = Vec::new();
        let mut settings = Vec::new();
        if !shown.is_empty() {
            with.push(list(&shown, " or "));
            settings.push(format!("symbols = [{}]", list(&shown, ", ")));
        }
        if let Some(mark) = way.thousands {
            with.push(if mark == b'.' { "points between thousands" } else { "marks between thousands" }.to_string());
            settings.push(format!("thousands = {:?}", char::from(mark).to_string()));
        }
        if way.decimal_comma {
            with.push("decimal commas".to_string());
            settings.push("decimal_comma = true".to_string());
        }
        if !words.is_empty() {
            let words: Vec<String> = words.iter().map(|word| format!("{:?}", String::from_utf8_lossy(word))).collect();
            with.push(list(&words, " and "));
            settings.push(format!("null_values = [{}]", list(&words, ", ")));
        }
        Some(format!("numbers with {}: {} in [source] would read them", with.join(", "), settings.join(", ")))
    }

    /// Dates and times of known formats, beside a few words.
    fn dates_and_words(&self, name: &str) -> Option<String> {
        let Fit { misfits, texts } = &self.format_words;
        let formats: Vec<_> = self.formats().map(|known| format!("{:?}", known.text)).collect();
        if formats.is_empty() || *misfits == 0 || 2 * misfits > self.values || texts.len() > MISFITS {
            return None;
        }
        let words: Vec<_> = texts.iter().map(|text| format!("{:?}", String::from_utf8_lossy(text))).collect();
        let (all, list, key) = (words.join(" and "), words.join(", "), toml_key(name));
        let what = if formats[0].contains("%H") || formats[0].contains("%I") { "time" } else { "date" };
        let sums = sums(texts);
        Some(match formats.as_slice() {
            [_] => format!("all {what}s except {all}: null_values = [{list}] in [source] would make it a {what}{sums}"),
            [first, second, ..] => format!(
                "all {what}s except {all}, and the day or the month may come first: null_values = [{list}] in [source], and \
                 {key} = {first} or {second} in [source.datetime_formats] would make it a {what}{sums}"
            ),
            [] => return None,
        })
    }

    fn mixed_offsets(&self, name: &str) -> Option<String> {
        let (bare, zoned) = (self.timestamp.misfits, self.zoned.misfits);
        let (bare_texts, zoned_texts) = (&self.timestamp.texts, &self.zoned.texts);
        let times = |texts: &[Vec<u8>]| texts.iter().all(|text| super::timestamp::timestamp(text).is_some());
        (bare > 0 && zoned > 0 && times(bare_texts) && times(zoned_texts)).then(|| {
            let key = toml_key(name);
            format!(
                "times with and without UTC offset: {key} = \"timestamp[us, UTC]\" in [source.schema] would take those without \
                 for UTC"
            )
        })
    }

    fn too_fine(&self, name: &str) -> Option<String> {
        let times = self.timestamp.all() || self.zoned.all();
        let key = toml_key(name);
        times.then(|| {
            format!(
                "no unit holds all of these times: nanoseconds reach from 1677 to 2262; {key} = \"timestamp[us]\" in \
                 [source.schema] makes those with finer decimals bad rows"
            )
        })
    }

    fn zone_names(&self) -> Option<String> {
        let named = |text: &Vec<u8>| fault(text) == Reason::Zone;
        (!self.zoned.texts.is_empty() && self.zoned.texts.iter().all(named)).then(|| {
            "times with abbreviated time zones: write UTC offsets such as +01:00, or names such as Europe/Berlin"
                .to_string()
        })
    }

    /// Words in a column of texts that programs write for null.
    fn written_nulls(&self) -> Option<String> {
        let found = NULL_WORDS.iter().zip(self.null_words).filter(|(_, found)| *found);
        let words: Vec<String> = found.map(|(word, _)| format!("{word:?}")).collect();
        let (shown, list) = (words.join(" and "), words.join(", "));
        (!words.is_empty()).then(|| format!("has {shown}: null_values = [{list}] in [source] if that means null"))
    }

    /// A few words that alone keep the column from being of another type.
    fn null_words(&self) -> Option<String> {
        let all = [
            ("i64", &self.whole),
            ("f64", &self.number),
            ("date", &self.date),
            ("timestamp", &self.timestamp),
            ("timestamp", &self.zoned),
            ("time", &self.clock),
        ];
        let mut all: Vec<_> =
            Some(("bool", &self.boolean)).filter(|_| self.has_booleans()).into_iter().chain(all).collect();
        // The narrowest of those with the fewest misfits.
        all.sort_by_key(|(_, fit)| fit.misfits);
        let words = |Fit { misfits, texts }: &Fit| {
            *misfits > 0
                && most_share(texts) * misfits <= self.values
                && texts.len() <= MISFITS
                && texts.iter().all(|text| is_word(text))
        };
        let (name, Fit { texts, .. }) = all.into_iter().find(|(_, fit)| words(fit))?;
        let shown: Vec<_> = texts.iter().map(|text| format!("{:?}", String::from_utf8_lossy(text))).collect();
        let what = match name {
            "bool" => "true or false",
            "date" => "dates",
            "timestamp" => "times",
            "time" => "times of day",
            _ => "numbers",
        };
        let (all, list) = (shown.join(" and "), shown.join(", "));
        let sums = sums(texts);
        Some(format!("all {what} except {all}: null_values = [{list}] in [source] would make it {name}{sums}"))
    }
}

/// In words: that some of these are labels of rows that are no data, such as totals; nothing if none is.
fn sums(texts: &[Vec<u8>]) -> &'static str {
    const LABELS: [&str; 12] = [
        "total", "subtotal", "sum", "summe", "gesamt", "average", "mean", "source", "note", "notes", "quelle", "stand",
    ];
    let is_label = |text: &Vec<u8>| {
        let text = String::from_utf8_lossy(text).to_lowercase();
        text.split(|c: char| !c.is_alphanumeric()).any(|word| LABELS.contains(&word))
    };
    if texts.iter().any(is_label) {
        "; but such a row may be a total or a note, and would stay: with the type in [source.schema], on_bad_row = \"skip\" leaves it out"
    } else {
        ""
    }
}

/// One in how many values these words may be at most, so that they are taken for nulls: single letters are often codes.
fn most_share(texts: &[Vec<u8>]) -> u64 {
    let is_letter = |text: &Vec<u8>| text.len() == 1 && text[0].is_ascii_alphabetic();
    if texts.iter().any(is_letter) { 4 } else { 2 }
}

/// The name of a column as a key of TOML.
pub(crate) fn toml_key(name: &str) -> String {
    let bare = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') && !name.is_empty();
    if bare { name.to_string() } else { format!("{name:?}") }
}

/// The unit in which numbers of this range lie between 1990 and 2050, and its name.
pub(super) fn epoch_unit((min, max): (i64, i64)) -> Option<(&'static str, &'static str)> {
    const SECONDS: std::ops::Range<i64> = 631_152_000..2_524_608_000;
    [
        ("s", "seconds", 1),
        ("ms", "milliseconds", 1_000),
        ("us", "microseconds", 1_000_000),
        ("ns", "nanoseconds", 1_000_000_000),
    ]
    .into_iter()
    .find(|(.., units)| SECONDS.contains(&(min / units)) && SECONDS.contains(&(max / units)))
    .map(|(unit, name, _)| (unit, name))
}

/// A way of writing numbers that the settings would read.
struct Way {
    thousands: Option<u8>,
    decimal_comma: bool,
    /// Commas that may begin decimals as well.
    is_comma: bool,
}

/// The ways, in the order in which they are preferred.
const WAYS: [Way; 9] = [
    Way::new(None, false, false),
    Way::new(Some(b','), false, false),
    Way::new(None, true, false),
    Way::new(Some(b'.'), true, false),
    Way::new(Some(b' '), false, false),
    Way::new(Some(b' '), true, false),
    Way::new(Some(b'\''), false, false),
    Way::new(Some(b'\''), true, false),
    Way::new(Some(b','), true, true),
];

impl Way {
    const fn new(thousands: Option<u8>, decimal_comma: bool, is_comma: bool) -> Self {
        Self { thousands, decimal_comma, is_comma }
    }

    fn reads(&self, number: &[u8]) -> bool {
        if self.is_comma {
            return WAYS[1].reads(number) && WAYS[2].reads(number);
        }
        // Such as `+0056,5`, which is two numbers.
        let digits = number.strip_prefix(b"-").or(number.strip_prefix(b"+")).unwrap_or(number);
        if self.decimal_comma && matches!(digits, [b'0', b'0'..=b'9', ..]) {
            return false;
        }
        let style =
            ValueStyle { thousands: self.thousands, decimal_comma: self.decimal_comma, ..ValueStyle::default() };
        style.plain(number, &mut Vec::new()).is_ok_and(looks_numeric)
    }
}

/// A number, and what is around it.
struct Parts<'a> {
    symbols: Vec<&'a str>,
    number: Vec<u8>,
}

fn parts(text: &[u8]) -> Option<Parts<'_>> {
    if let [b'(', inner @ .., b')'] = text {
        let Parts { mut symbols, number } = parts(inner).filter(|parts| !parts.number.starts_with(b"-"))?;
        symbols.push(PARENTHESES);
        return Some(Parts { symbols, number });
    }
    if let Some(inner @ [.., b'0'..=b'9']) = text.strip_suffix(b"-") {
        let Parts { mut symbols, number } = parts(inner).filter(|parts| !parts.number.starts_with(b"-"))?;
        symbols.push(MINUS_BEHIND);
        return Some(Parts { symbols, number });
    }
    match symbol(text) {
        Some((symbol, number)) => Some(Parts { symbols: vec![symbol], number: number.as_bytes().to_vec() }),
        None => Some(Parts { symbols: Vec::new(), number: text.to_vec() }),
    }
}

/// A text's percent sign, currency, unit or flag, and the number beside it.
fn symbol(text: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(text).ok()?;
    let start = text.find(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))?;
    let end = text.rfind(|c: char| c.is_ascii_digit() || c == '.')? + 1;
    let (before, number, after) = (text[..start].trim(), text.get(start..end)?, &text[end..]);
    let behind = after.trim();
    let unsigned = number.strip_prefix('-').unwrap_or(number);
    match (before, behind) {
        ("", "") => {
            // `-$5`
            let inner = unsigned.trim_start_matches(|c: char| !c.is_ascii_digit());
            let symbol = unsigned.strip_suffix(inner)?.trim();
            is_currency(symbol).then_some((symbol, inner))
        }
        (symbol, "") if is_currency(symbol) => Some((symbol, number)),
        ("", symbol) if is_currency(symbol) || is_unit(symbol) => Some((symbol, number)),
        // Such as `8.7 p` for a provisional value.
        ("", flag) if after.starts_with([' ', '\u{a0}']) && is_flag(flag) => Some((flag, number)),
        _ => None,
    }
}

fn is_currency(symbol: &str) -> bool {
    const CODES: [&str; 26] = [
        "USD", "EUR", "GBP", "JPY", "CHF", "CNY", "INR", "AUD", "CAD", "SEK", "NOK", "DKK", "BRL", "MXN", "PLN", "CZK",
        "HUF", "TRY", "ZAR", "KRW", "HKD", "SGD", "NZD", "kr", "zł", "Kč",
    ];
    let is_sign = |c: char| matches!(c, '%' | '$' | '€' | '£' | '¥' | '₹' | '‰' | '*');
    // Such as `R$`.
    let is_dollar = symbol.len() <= 3
        && symbol.strip_suffix('$').is_some_and(|letters| letters.bytes().all(|byte| byte.is_ascii_uppercase()));
    !symbol.is_empty() && (CODES.contains(&symbol) || symbol.chars().all(is_sign) || is_dollar)
}

/// Such as `km`; not a multiplier, without which the number would be another.
/// The code of a currency that has a sign too.
fn code(symbol: &str) -> &str {
    match symbol {
        "€" => "EUR",
        "$" | "US$" => "USD",
        "£" => "GBP",
        "¥" => "JPY",
        other => other,
    }
}

fn is_unit(symbol: &str) -> bool {
    const MULTIPLIERS: [&str; 12] = ["mio", "mrd", "mln", "mld", "bn", "mn", "tn", "mil", "mm", "tsd", "am", "pm"];
    let letters = symbol.trim_start_matches('°');
    !is_currency(symbol)
        && (2..=4).contains(&symbol.chars().count())
        && !letters.is_empty()
        && letters.chars().all(|c| c.is_alphabetic() || matches!(c, '/' | '²' | '³'))
        && !MULTIPLIERS.contains(&letters.to_lowercase().as_str())
}

fn is_flag(symbol: &str) -> bool {
    matches!(symbol.as_bytes(), [b'a'..=b'z'])
}

/// Whether a text is a number, if one with more digits than some type holds.
fn looks_numeric(text: &[u8]) -> bool {
    super::values::float::<f64>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remark(texts: &[&str]) -> String {
        let mut guess = TypeGuess::default();
        texts.iter().for_each(|text| guess.observe(text.as_bytes(), &ValueStyle::default()));
        guess.remark("x y").unwrap_or_default()
    }

    #[test]
    fn what_is_no_null_is_not_proposed() {
        for texts in [&["S", "7", "7", "S"][..], &["EUR1", "JPY100", "GBP1", "EUR1"]] {
            assert_eq!(remark(texts), "", "{texts:?}");
        }
        let total = remark(&["2024-01-01", "2024-01-02", "Total"]);
        assert!(total.contains("may be a total"), "{total}");
    }

    #[test]
    fn the_setting_that_would_help_is_named() {
        for (texts, words) in [
            (&["1", "n/a", "2", "n/a"][..], r#"null_values = ["n/a"] in [source] would make it i64"#),
            (&["1", "n/a", "2.5"], "would make it f64"),
            (&["1", "n/a", "2.5", "-", "3"], r#"except "n/a" and "-": null_values = ["n/a", "-"]"#),
            (&["2024-01-01", "NA", "2024-01-02"], "would make it date"),
            (&["2024-01-01", "infinity"], r#"null_values = ["infinity"] in [source] would make it date"#),
            (&["2024-01-01 05:00", "NA"], "would make it timestamp"),
            (&["true", "NA", "false"], "would make it bool"),
            (&["1,5", "100000"], "decimal_comma = true"),
            (&["1,234", "5,678,901"], "thousands = \",\""),
            (&["1,234", "5"], "decimal_comma = true if"),
            (
                &["1.234,5", "2.000"],
                "with points between thousands, decimal commas: thousands = \".\", decimal_comma = true in",
            ),
            (&["1.200,00", "-12,50"], "thousands = \".\", decimal_comma = true in"),
            (&["-1 045,20", "45,5"], "thousands = \" \", decimal_comma = true in"),
            (&["1\u{a0}045", "45"], "thousands = \" \" in"),
            (&["12,34,567.89", "5"], "thousands = \",\" in"),
            (&["R$ 1.500,00", "-R$ 89,90"], "symbols = [\"R$\"], thousands = \".\", decimal_comma = true in"),
            (&["(800)", "1200", "($1,050)"], "symbols = [\"$\", \"()\"], thousands = \",\" in"),
            (&["13,100,000", "(D)", "12,900,000"], "thousands = \",\", null_values = [\"(D)\"] in"),
            (&["1.250,00-", "1.250,00", "3,5"], "symbols = [\"-\"], thousands = \".\", decimal_comma = true in"),
            (&["12-", "5"], "symbols = [\"-\"] in"),
            (&["8.9", "10.8*", "7"], "symbols = [\"*\"] in"),
            (&["8.7 p", "3.1", ":", "4"], "symbols = [\"p\"], null_values = [\":\"] in"),
            (&["12 km", "3.5 km"], "symbols = [\"km\"] in"),
            (&["61", "<1", "64"], "null_values = [\"<1\"] in [source] would make it i64"),
            (&["Jan-2024", "Feb-2024"], "\"%b-%Y\""),
            (&["Jan-24", "Feb-24"], "\"%b-%y\""),
            (&["31 October 2024", "-", "1 November 2024"], "except \"-\": null_values = [\"-\"] in"),
            (&["1/2/2024", "3/4/2024", "-"], "= \"%d/%m/%Y\" or \"%m/%d/%Y\" in"),
            (&["12.5%", "3%", ""], "symbols = [\"%\"] in [source] would read them"),
            (&["$1,234.50", "-$3", "5"], "symbols = [\"$\"], thousands = \",\""),
            (&["7 EUR", "€8"], "symbols = [\"EUR\", \"€\"]"),
            (&["1 234", "5"], "thousands = \" \""),
            (&["1/2/2024"], r#""x y" = "%d/%m/%Y" or "%m/%d/%Y" in [source.datetime_formats]"#),
            (&["007", "8"], "leading zeros"),
            (&["12345678901234567890", "1"], "decimal[38, 0]"),
            (&["12345678901234567.89", "1"], "more digits than f64"),
            (&["2024-01-01T05:00:00Z", "2024-01-01T05:00:00"], "with and without UTC offset"),
            (&["2024-01-01 05:00:00 CET"], "abbreviated time zones"),
            (&["9999-12-31 23:59:59.999999999"], "no unit holds"),
            (&["1709164800123", "1709164800999"], "\"epoch[ms]\""),
            (&["20240131", "20231231"], "\"%Y%m%d\""),
            (&["2024010100", "2024010223"], "perhaps times: \"x y\" = \"%Y%m%d%H\""),
            (&["20240101000000"], "\"%Y%m%d%H%M%S\""),
            (&["2024-Q1", "2024-Q3"], "\"%Y-Q%q\""),
            (&["1990M01"], "\"%YM%m\""),
            (&["31.12.24", "01.02.23"], "perhaps dates: \"x y\" = \"%d.%m.%y\""),
            (
                &["a", "\\N", "b", "NULL"],
                "has \"NULL\" and \"\\\\N\": null_values = [\"NULL\", \"\\\\N\"] in [source] if",
            ),
            (&["5:12", "4:58"], "would read them as hours and minutes"),
            (&["", ""], "no value"),
        ] {
            assert!(remark(texts).contains(words), "{texts:?}: {}", remark(texts));
        }
        for texts in [
            &["a", "b"][..],
            &["1", "2"],
            &["1709164800"],
            &["1", "n/a", "x", "y", "z"],
            &["31.12.2024"],
            &["1", "2", "3", "v1"],
            &["A1", "A2"],
            &["+0056,5", "+0050,5"],
            &["5%", "x"],
            &["F", "M", "F"],
            &["5 Mio", "3 Mio"],
            &["5K", "3M"],
            &["12 AB", "34 CD"],
            &["12-", "-5-"],
        ] {
            assert_eq!(remark(texts), "", "{texts:?}");
        }
    }
}
