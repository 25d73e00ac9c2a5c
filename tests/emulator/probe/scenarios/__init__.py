"""One file a service or family. `SCENARIOS`: lists of functions that run in order, each in an account of its own."""
