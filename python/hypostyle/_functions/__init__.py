"""Functions of the user, compiled: from a Python function to a program that Rust runs on columns.

A function's file is parsed again (`source`), its syntax tree becomes statements and expressions of plain data (`base`
to `statements`, each a class above the one before), and `translate` makes a `Program` of them: of columns, of a state
and columns, or of a row of pandas.  `loops` does the same for a loop over arrays, whose state it finds itself.
`functions` has the decorators.  What cannot be compiled is an `UnsupportedError` at the user's own line.
"""
