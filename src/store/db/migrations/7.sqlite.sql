-- Who took an event that waits: what one had taken that gives no sign of life any more, another one takes over.
ALTER TABLE waiting ADD COLUMN holder TEXT NOT NULL DEFAULT '';
