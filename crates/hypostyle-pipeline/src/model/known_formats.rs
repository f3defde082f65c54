//! The formats of dates and times that files often have beside ISO 8601, by which a column of them is told from text.

use std::sync::LazyLock;

use super::strptime::Strptime;

/// A format that columns are tried with.
pub(crate) struct KnownFormat {
    pub text: String,
    pub format: Strptime,
}

/// In full, months may be short too.
const DATES: [&str; 18] = [
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d-%b-%Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%b-%y",
    "%d %b %y",
    "%d/%b/%Y",
    "%d/%b/%y",
    "%d%b%Y",
];
/// What may follow a date.  The decimals of `%.f` may be missing.
const TIMES: [&str; 11] = [
    "",
    " %H:%M",
    " %H:%M:%S%.f",
    " %I:%M %p",
    " %I:%M:%S %p",
    " %H:%M:%S%.f%z",
    " %H:%M:%S%.f %z",
    " %H:%M:%S%.f %Z",
    ", %H:%M",
    ", %H:%M:%S",
    ", %I:%M:%S %p",
];
/// Those that come as a whole.
const WHOLE: [&str; 21] = [
    "%Y-%m-%d %I:%M %p",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y-%m-%d-%H.%M.%S.%f",
    "%Y-%m-%d %H.%M.%S",
    "%Y%m%d %H%M%S",
    "%Y%m%d;%H%M%S",
    "%Y%m%dT%H%M%S",
    "%Y%m%dT%H%M%S%z",
    "%Y%m%d %H:%M:%S%.f",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S %Z",
    "%a %b %d %H:%M:%S %Y",
    "%a %b %d %H:%M:%S %Z %Y",
    "%d/%b/%Y:%H:%M:%S %z",
    "%d%b%Y:%H:%M:%S%.f",
    "%d-%b-%y %I.%M.%S.%f %p",
    "%Y%m%d-%H:%M:%S%.f",
    "%Y%m%d:%H%M",
    "%b %d %Y %I:%M%p",
    "%a, %d %b %Y",
    "%A, %B %d, %Y",
];

/// All of them, in the order in which they are preferred.
pub(crate) static KNOWN_FORMATS: LazyLock<Vec<KnownFormat>> = LazyLock::new(|| {
    let dated = DATES.iter().flat_map(|date| TIMES.iter().map(move |time| format!("{date}{time}")));
    // Alone it would be the number of a version.
    let dated = dated.filter(|text| text != "%d.%m.%y");
    let known = |text: String| {
        // A test compiles them all.
        Strptime::parse(&text).ok().map(|format| KnownFormat { text, format })
    };
    dated.chain(WHOLE.iter().map(ToString::to_string)).filter_map(known).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_them_are_valid() {
        assert_eq!(KNOWN_FORMATS.len(), DATES.len() * TIMES.len() - 1 + WHOLE.len());
    }
}
