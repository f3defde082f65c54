#!/usr/bin/env bash
# Polars 2.1.0 exports a column of type Null through the Arrow C stream interface with one buffer.  The Arrow C data
# interface gives arrays of type null no buffers (docs: "Format of the C data interface", table of buffers by layout), and
# an importer that checks the number, such as arrow-rs 60, refuses the array.
# Seen with polars 2.1.0 on CPython 3.11, Linux x86-64: "format n, length 2, buffers 1".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0
found=$("$folder/venv/bin/python" - <<'PYTHON'
import ctypes

import polars as pl


class Schema(ctypes.Structure):
    _fields_ = [("format", ctypes.c_char_p), ("rest", ctypes.c_void_p * 8)]


class Array(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in ("length", "null_count", "offset", "n_buffers", "n_children")]
    _fields_ += [(name, ctypes.c_void_p) for name in ("buffers", "children", "dictionary", "release", "private_data")]


class Stream(ctypes.Structure):
    pass


Stream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Stream), ctypes.POINTER(Schema))),
    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Stream), ctypes.POINTER(Array))),
    ("rest", ctypes.c_void_p * 3),
]
pointer = ctypes.pythonapi.PyCapsule_GetPointer
pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
capsule = pl.Series("a", [None, None]).__arrow_c_stream__(None)
stream = ctypes.cast(pointer(capsule, b"arrow_array_stream"), ctypes.POINTER(Stream))
schema, array = Schema(), Array()
assert stream.contents.get_schema(stream, ctypes.byref(schema)) == 0
assert stream.contents.get_next(stream, ctypes.byref(array)) == 0
print(f"format {schema.format.decode()}, length {array.length}, buffers {array.n_buffers}")
PYTHON
)
echo "$found"
[ "$found" = "format n, length 2, buffers 1" ]
