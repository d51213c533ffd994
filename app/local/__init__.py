"""The database and the broker of one machine: real servers, started beside the program.

A file per server. run.py, the command line, tests and benchmarks start them here. Knows no table and no Flask.
Where next: run.py, config.py.
"""
