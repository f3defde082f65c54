"""Scripts that read a file, add columns and write a file, as pipelines: see docs/pipelines.md.

`read` follows the frame through the user's lines; `columns` reads the values that are assigned to its columns; `table`
is what is known of the frame; `write` makes the pipeline file of it, once the values are known; `prove` runs that and
compares what it wrote with what the script wrote.
"""
