-- Of drift that has ended: the run that wrote it right, or that saw it so.
ALTER TABLE drifts ADD COLUMN resolved_in TEXT;
