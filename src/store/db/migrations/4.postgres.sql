-- A condition that comes to NULL is taken for kept, as the one of `intents` does for a try without a try
-- before it: said once more, so that it cannot.
ALTER TABLE intents ADD CONSTRAINT intents_again
    CHECK (attempt = 1 OR again_after IS NOT NULL AND again_because IS NOT NULL);
