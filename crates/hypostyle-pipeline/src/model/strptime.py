"""Writes strptime.tsv, which a test of strptime.rs reads: python3 strptime.py > strptime.tsv.

Each line has a format, a text, and what Python makes of them: microseconds since 1970 in local time (`-` if it
refuses), and the UTC offset in seconds (`-` if there is none).  Written by Python 3.11.
"""

import random
from datetime import datetime, timedelta, timezone

FORMATS = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%d/%m/%Y",
    "%m/%d/%y %I:%M:%S %p",
    "%d.%m.%Y %H:%M",
    "%Y%m%d%H%M%S",
    "%Y%m%d",
    "%d%m%Y",
    "%m%d%y",
    "%H%M %Y%m%d",
    "%d%m%Y%H%M%S%f",
    "%y%m%d",
    "%Y-%j",
    "%y%j %H",
    "%a, %d %b %Y %H:%M:%S %z",
    "%A %d %B %Y",
    "%b %d, %Y %I:%M %p",
    "%B %Y",
    "%Y",
    "%Y %U %w",
    "%Y %W %w",
    "%Y-%W-%a",
    "%G-W%V-%u",
    "%G %V %A",
    "%c",
    "%x %X",
    "%x",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%Y-%m-%d %H:%M:%S %Z",
    "%d-%b-%y",
    "100%% %Y-%m-%d",
    "%I%p %Y/%m/%d",
    "%Y   %m\u0020%d",
    "%H:%M:%S,%f %d %m %Y",
    "%S %M %H %d %m %Y",
    "%w %Y-%m-%d",
    "%u %Y-%m-%d",
]
# Not tried when damaged: Python does not check the name of the day, and takes a week 0 that a year does not have for
# week 1.
UNCHECKED = ("%a", "%A", "%w", "%u", "%c", "%U", "%W")
EPOCH = datetime(1970, 1, 1)


def moment(random: random.Random) -> datetime:
    whole = datetime(1, 1, 2) + timedelta(seconds=random.randrange(315_000_000_000))
    near = datetime(1969, 1, 1) + timedelta(seconds=random.randrange(3_100_000_000))
    digits = random.choice([0, 1, 3, 6])
    chosen = random.choice([whole, near, near])
    return chosen.replace(microsecond=random.randrange(10**digits) * 10 ** (6 - digits))


def written(random: random.Random, format: str) -> str:
    zone = timezone(timedelta(minutes=random.choice([0, 0, 60, -300, 330, -765])))
    chosen = moment(random).replace(tzinfo=zone)
    if "%Z" in format:
        format = format.replace("%Z", random.choice(["UTC", "GMT", "utc"]))
    text = chosen.strftime(format.replace("%Y", f"{chosen.year:04}").replace("%G", f"{chosen.isocalendar()[0]:04}"))
    if "%c" in format:
        text = text[: -len(str(chosen.year))] + f"{chosen.year:04}"
    if "%f" in format and random.random() < 0.3:
        decimals = f"{chosen.microsecond:06}"
        text = text.replace(decimals, decimals[: random.randrange(1, 7)])
    if random.random() < 0.2:
        text = text.upper() if random.random() < 0.5 else text.lower()
    return text


def damaged(random: random.Random, text: str) -> str:
    at = random.randrange(len(text))
    piece = random.choice(["", "", "0", "1", "3", "6", "9", "00", " ", "-", ":", "x", "+", "  "])
    return text[:at] + piece + text[at + random.randrange(2) :]


def main() -> None:
    chance = random.Random(20)
    for format in FORMATS:
        for turn in range(60):
            text = written(chance, format)
            if turn >= 42 and not any(part in format for part in UNCHECKED):
                whole = len(text)
                text = damaged(chance, text)
                if "%f" in format and len(text) > whole:
                    continue  # Python's %f reads no more than six digits.
            if text != text.strip() or "\t" in text:
                continue
            try:
                found = datetime.strptime(text, format)
            except ValueError:
                print(format, text, "-", "-", sep="\t")
                continue
            since = found.replace(tzinfo=None) - EPOCH
            micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
            offset = found.utcoffset()
            print(format, text, micros, "-" if offset is None else int(offset.total_seconds()), sep="\t")


main()
