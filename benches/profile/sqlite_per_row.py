"""Looks up each symbol in a database, one query per trade."""

import sqlite3
import sys

import pandas as pd

trades = pd.read_csv(sys.argv[1], nrows=60_000)
database = sqlite3.connect(":memory:")
database.execute("create table names (symbol text primary key, name text)")
database.executemany("insert into names values (?, ?)", ((s, s.lower()) for s in trades["symbol"].unique()))
names = []
for symbol in trades["symbol"]:
    found = database.execute("select name from names where symbol = ?", (symbol,))  # nothing: database
    names.append(found.fetchone()[0])
print(len(names))
