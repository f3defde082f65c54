"""`hypostyle convert`: a user's Python function as a Rust crate of its own, a Polars plugin to go on from.

The front end of `hs.jit`, `hs.scan` and `hs.loop` reads the function (`origin`), so that what is refused there is
refused here.  Reaching definitions split each of Python's variables into Rust's (`flow`, `variables`), types are
inferred by the rules of the library's own compiler (`kinds`), and the program is written as Rust (`expressions`,
`calls`, `statements`, `called`) with the user's comments (`comments`).  `crate` writes the files, `samples` the rows of
the test, with what CPython gives.
"""
