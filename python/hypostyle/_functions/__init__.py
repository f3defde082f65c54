"""Functions of the user, compiled: from a Python function to a program that Rust runs on columns."""
