"""One file a service or family. `SCENARIOS` of a file: lists of functions that are run in order, in an account of their own."""
