-- A condition that comes to NULL is taken for kept, as the one of `intents` does for a try without a try
-- before it: said once more, so that it cannot.
CREATE TRIGGER intents_again BEFORE INSERT ON intents
WHEN NEW.attempt > 1 AND (NEW.again_after IS NULL OR NEW.again_because IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'a change is begun again, and not because the try before it has failed');
END;

CREATE TRIGGER intents_again_changed BEFORE UPDATE ON intents
WHEN NEW.attempt > 1 AND (NEW.again_after IS NULL OR NEW.again_because IS NULL)
BEGIN
    SELECT RAISE(ABORT, 'a change is begun again, and not because the try before it has failed');
END;
