-- Of a lease: for how long it was asked for, so that a write can begin with a whole term before it; when it
-- was taken; and up to when what it is about was looked at, so that others can pass over it.
ALTER TABLE leases ADD COLUMN term BIGINT NOT NULL DEFAULT 0;
ALTER TABLE leases ADD COLUMN taken BIGINT NOT NULL DEFAULT 0;
ALTER TABLE leases ADD COLUMN looked BIGINT NOT NULL DEFAULT 0;
