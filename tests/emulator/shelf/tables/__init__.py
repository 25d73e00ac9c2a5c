"""One table a service or family; loaded at the first call of the service (see the shelf)."""
