//! Time zones by the names of the IANA database, such as `Europe/Berlin`, which the crate `jiff` holds.
//!
//! Only names with a slash: `CET` and its like mean one thing to the database and another to most who write them.

use std::sync::{LazyLock, OnceLock};

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, tz};

/// The zones, in the order of their names.
static ZONES: LazyLock<Vec<(String, OnceLock<Option<TimeZone>>)>> = LazyLock::new(|| {
    let names = tz::db().available().map(|name| name.as_str().to_string()).filter(|name| name.contains('/'));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names.into_iter().map(|name| (name, OnceLock::new())).collect()
});

/// A zone of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NamedZone(usize);

/// Where an UTC offset may stand, larger numbers stand for zones.
const FIRST: i64 = 1 << 32;

impl NamedZone {
    /// The zone of this name.
    #[cold]
    pub fn find(name: &[u8]) -> Option<Self> {
        if !name.contains(&b'/') {
            return None;
        }
        ZONES.binary_search_by(|(known, _)| known.as_bytes().cmp(name)).ok().map(Self)
    }

    /// A number for it among UTC offsets in seconds.
    pub fn to_part(self) -> i64 {
        FIRST + self.0 as i64
    }

    /// The zone of this number, if it is one.
    pub fn of_part(part: i64) -> Option<Self> {
        usize::try_from(part - FIRST).ok().filter(|index| *index < ZONES.len()).map(Self)
    }

    /// The UTC offset at this local time (seconds since 1970); `None` if its clocks show it twice or never.
    pub fn offset(self, local: i64) -> Option<i64> {
        match self.offsets(local)? {
            AmbiguousOffset::Unambiguous { offset } => Some(offset.seconds().into()),
            _ => None,
        }
    }

    /// Whether its clocks show this local time with this UTC offset.
    pub fn has_offset(self, local: i64, seconds: i64) -> bool {
        let is = |offset: tz::Offset| i64::from(offset.seconds()) == seconds;
        match self.offsets(local) {
            Some(AmbiguousOffset::Unambiguous { offset }) => is(offset),
            Some(AmbiguousOffset::Fold { before, after }) => is(before) || is(after),
            _ => false,
        }
    }

    fn offsets(self, local: i64) -> Option<AmbiguousOffset> {
        let (name, zone) = ZONES.get(self.0)?;
        let zone = zone.get_or_init(|| tz::db().get(name).ok()).as_ref()?;
        let civil = DateTime::new(1970, 1, 1, 0, 0, 0, 0).ok()?.checked_add(SignedDuration::from_secs(local)).ok()?;
        Some(zone.to_ambiguous_timestamp(civil).offset())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds since 1970 of a local time.
    fn local(text: &str) -> i64 {
        let epoch = DateTime::new(1970, 1, 1, 0, 0, 0, 0).unwrap();
        text.parse::<DateTime>().unwrap().duration_since(epoch).as_secs()
    }

    #[test]
    fn offsets_follow_the_clocks() {
        for (name, text, hours) in [
            ("Europe/Berlin", "2024-01-01 12:00", Some(1)),
            ("Europe/Berlin", "2024-07-01 12:00", Some(2)),
            ("Europe/Berlin", "2024-03-31 02:30", None),
            ("Europe/Berlin", "2024-10-27 02:30", None),
            ("America/New_York", "2024-07-01 12:00", Some(-4)),
            ("America/Argentina/Buenos_Aires", "1990-01-15 12:00", Some(-2)),
            ("Etc/GMT+5", "2024-01-01", Some(-5)),
            ("Asia/Tokyo", "2200-07-01 12:00", Some(9)),
            ("Europe/Berlin", "2200-07-01 12:00", Some(2)),
        ] {
            let zone = NamedZone::find(name.as_bytes()).unwrap();
            assert_eq!(zone.offset(local(text)), hours.map(|hours| hours * 3_600), "{name} {text}");
            assert_eq!(NamedZone::of_part(zone.to_part()), Some(zone));
        }
        let berlin = NamedZone::find(b"Europe/Berlin").unwrap();
        let fold = local("2024-10-27 02:30");
        assert!(berlin.has_offset(fold, 3_600) && berlin.has_offset(fold, 7_200) && !berlin.has_offset(fold, 0));
        for name in ["CET", "EST", "Europe/Nowhere", "europe/berlin", "", "/"] {
            assert_eq!(NamedZone::find(name.as_bytes()), None, "{name}");
        }
        assert_eq!(NamedZone::of_part(86_399), None);
    }
}
