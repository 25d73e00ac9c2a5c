"""Contract tests: each operation that evenkeel's kinds need, called and read back against a running emulator.

`python -m emulator.probe URL` says what holds; docs/emulator.md has the table, `lacking.json` what falls short.
"""
