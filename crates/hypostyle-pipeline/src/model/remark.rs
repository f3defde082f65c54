//! What `hypostyle check` says about an inferred type: which setting would give a better one.

use arrow::datatypes::DataType;

use super::fault::Reason;
use super::infer::{Fit, Kept, MISFITS, TypeGuess};
use super::strptime::Strptime;
use super::timestamp::fault;
use super::values::{has_thousands, with_point};

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
                    self.ambiguous_dates(name),
                    self.kept(name),
                    self.separators(),
                    self.symbols(),
                    self.mixed_offsets(name),
                    self.too_fine(name),
                    self.zone_names(),
                    self.periods(name),
                    self.short_dates(name),
                    self.null_words(),
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
        let format = ["%YQ%q", "%Y-Q%q", "%Y Q%q", "%YM%m", "%Y-%m", "%Y/%m"].into_iter().find(|format| {
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
            Kept::LongInteger => format!(
                "integers too large for i64: {key} = \"decimal[38, 0]\" in [source.schema] would keep them as numbers"
            ),
            Kept::LongDecimal => format!(
                "numbers with more digits than f64 holds: {key} = \"decimal[38, 9]\" in [source.schema] would keep them as numbers"
            ),
        })
    }

    /// Numbers with separators, which must not be taken for nulls.
    fn separators(&self) -> Option<String> {
        let texts = &self.number.texts;
        let commas = !texts.is_empty() && texts.iter().all(|text| is_decimal_comma(text));
        let mark = [b',', b' ', b'\'', b'.']
            .into_iter()
            .find(|mark| !texts.is_empty() && texts.iter().all(|text| is_grouped(text, *mark)));
        match (commas, mark) {
            (true, Some(b',')) => Some(
                "numbers with commas: thousands = \",\" in [source] if they mark thousands, decimal_comma = true if they begin \
                 decimals"
                    .to_string(),
            ),
            (true, _) => Some("numbers with decimal commas: decimal_comma = true in [source] would read them".to_string()),
            (false, Some(b'.')) => Some(
                "numbers with points between thousands: thousands = \".\" and decimal_comma = true in [source] would read them"
                    .to_string(),
            ),
            (false, Some(mark)) => {
                let mark = char::from(mark).to_string();
                Some(format!("numbers with marks between thousands: thousands = {mark:?} in [source] would read them"))
            }
            _ => None,
        }
    }

    /// Numbers with a percent sign or a currency.
    fn symbols(&self) -> Option<String> {
        let texts = &self.number.texts;
        let parts: Vec<(&str, &str)> = texts.iter().map(|text| symbol(text)).collect::<Option<_>>()?;
        let grouped = |number: &&str| is_grouped(number.as_bytes(), b',');
        let thousands = parts.iter().map(|(_, number)| number).any(&grouped);
        let is_read = |number: &str| looks_numeric(number.as_bytes()) || thousands && grouped(&number);
        if parts.is_empty() || !parts.iter().all(|(_, number)| is_read(number)) {
            return None;
        }
        let mut symbols: Vec<String> = parts.iter().map(|(symbol, _)| format!("{symbol:?}")).collect();
        symbols.sort();
        symbols.dedup();
        let thousands = if thousands { ", thousands = \",\"" } else { "" };
        Some(format!(
            "numbers with {}: symbols = [{}]{thousands} in [source] would read them",
            symbols.join(" or "),
            symbols.join(", ")
        ))
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

    /// A few words that alone keep the column from being of another type.
    fn null_words(&self) -> Option<String> {
        let mut all = [
            ("bool", &self.boolean),
            ("i64", &self.whole),
            ("f64", &self.number),
            ("date", &self.date),
            ("timestamp", &self.timestamp),
            ("timestamp", &self.zoned),
        ];
        // The narrowest of those with the fewest misfits.
        all.sort_by_key(|(_, fit)| fit.misfits);
        let words = |Fit { misfits, texts }: &Fit| {
            *misfits > 0
                && 2 * misfits <= self.values
                && texts.len() <= MISFITS
                && texts.iter().all(|text| is_word(text))
        };
        let (name, Fit { texts, .. }) = all.into_iter().find(|(_, fit)| words(fit))?;
        let shown: Vec<_> = texts.iter().map(|text| format!("{:?}", String::from_utf8_lossy(text))).collect();
        let what = match name {
            "bool" => "true or false",
            "date" => "dates",
            "timestamp" => "times",
            _ => "numbers",
        };
        let (all, list) = (shown.join(" and "), shown.join(", "));
        Some(format!("all {what} except {all}: null_values = [{list}] in [source] would make it {name}"))
    }
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

/// A text's percent sign or currency, and the number beside it.
fn symbol(text: &[u8]) -> Option<(&str, &str)> {
    const CODES: [&str; 12] = ["USD", "EUR", "GBP", "JPY", "CHF", "CNY", "INR", "AUD", "CAD", "SEK", "NOK", "DKK"];
    let text = std::str::from_utf8(text).ok()?;
    let is_symbol = |symbol: &str| {
        CODES.contains(&symbol) || symbol.chars().all(|c| matches!(c, '%' | '$' | '€' | '£' | '¥' | '₹' | '‰'))
    };
    let start = text.find(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))?;
    let end = text.rfind(|c: char| c.is_ascii_digit() || c == '.')? + 1;
    let (before, number, behind) = (text[..start].trim(), text.get(start..end)?, text[end..].trim());
    let number = number.strip_prefix('-').unwrap_or(number);
    match (before, behind) {
        ("", "") => {
            // `-$5`
            let inner = number.trim_start_matches(|c: char| !c.is_ascii_digit());
            let symbol = number.strip_suffix(inner)?.trim();
            (!symbol.is_empty() && is_symbol(symbol)).then_some((symbol, inner))
        }
        (symbol, "") | ("", symbol) if is_symbol(symbol) => Some((symbol, number)),
        _ => None,
    }
}

/// Whether a text is a number, if one with more digits than some type holds.
fn looks_numeric(text: &[u8]) -> bool {
    super::values::float::<f64>(text).is_ok()
}

fn is_decimal_comma(text: &[u8]) -> bool {
    let mut room = Vec::new();
    let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
    // Such as `+0056,5`, which is two numbers.
    let is_padded = matches!(digits, [b'0', b'0'..=b'9', ..]);
    text.contains(&b',') && !is_padded && with_point(text, &mut room).is_ok_and(looks_numeric)
}

fn is_grouped(text: &[u8], mark: u8) -> bool {
    let point = if mark == b'.' { b',' } else { b'.' };
    let end = text.iter().position(|byte| *byte == point).unwrap_or(text.len());
    let (whole, rest) = text.split_at(end);
    let decimals = rest.get(1..).unwrap_or_default();
    whole.contains(&mark) && has_thousands(whole, mark) && decimals.iter().all(u8::is_ascii_digit)
}

/// Whether a text may mean null: without a digit, unlike a number that is written in another way.
pub(super) fn is_word(text: &[u8]) -> bool {
    text.len() <= 40 && !text.iter().any(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::values::ValueStyle;

    fn remark(texts: &[&str]) -> String {
        let mut guess = TypeGuess::default();
        texts.iter().for_each(|text| guess.observe(text.as_bytes(), &ValueStyle::default()));
        guess.remark("x y").unwrap_or_default()
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
            (&["1.234,5", "2.000"], "thousands = \".\" and decimal_comma = true"),
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
        ] {
            assert_eq!(remark(texts), "", "{texts:?}");
        }
    }
}
