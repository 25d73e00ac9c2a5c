-- Times are microseconds since 1970-01-01 UTC; JSON is text. What a row may not say is refused here,
-- whatever the program above does.

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    last BIGINT NOT NULL
);

INSERT INTO counters (name, last) VALUES ('document', 0);

CREATE TABLE documents (
    name TEXT COLLATE "C" PRIMARY KEY,
    version BIGINT NOT NULL UNIQUE CHECK (version > 0),
    body TEXT NOT NULL
);

-- Who works on what. A token only grows, so that who has lost a lease can be told by an old one; a row
-- is never taken away.
CREATE TABLE leases (
    name TEXT COLLATE "C" PRIMARY KEY,
    holder TEXT NOT NULL,
    token BIGINT NOT NULL CHECK (token >= 0),
    until BIGINT NOT NULL
);

CREATE TABLE runs (
    run TEXT COLLATE "C" PRIMARY KEY,
    command TEXT NOT NULL,
    began BIGINT NOT NULL,
    ended BIGINT,
    outcome TEXT CHECK (outcome IN ('in_sync', 'drift', 'refused', 'partly', 'unknown', 'interrupted')),
    about TEXT NOT NULL,
    CHECK ((ended IS NULL) = (outcome IS NULL))
);

CREATE INDEX runs_by_time ON runs (began);

-- A write that is about to be sent. It is sent once more only after the try before has failed, which
-- its outcome must say.
CREATE TABLE intents (
    run TEXT COLLATE "C" NOT NULL REFERENCES runs (run) ON DELETE CASCADE,
    change BIGINT NOT NULL CHECK (change > 0),
    attempt BIGINT NOT NULL CHECK (attempt > 0),
    again_after BIGINT,
    again_because TEXT,
    time BIGINT NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    region TEXT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    item TEXT NOT NULL,
    object TEXT NOT NULL,
    actor TEXT NOT NULL,
    token BIGINT,
    about TEXT NOT NULL,
    PRIMARY KEY (run, change, attempt),
    CHECK (CASE WHEN attempt = 1 THEN again_after IS NULL AND again_because IS NULL
                ELSE again_after = attempt - 1 AND again_because = 'failed' END)
);

CREATE INDEX intents_by_account ON intents (account, time);
CREATE INDEX intents_by_kind ON intents (kind, time);
CREATE INDEX intents_by_time ON intents (time);

-- What came of it: one outcome of each write that was begun, and none of one that was not.
CREATE TABLE outcomes (
    run TEXT COLLATE "C" NOT NULL,
    change BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    time BIGINT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('applied', 'failed', 'recovered')),
    actor TEXT NOT NULL,
    about TEXT NOT NULL,
    PRIMARY KEY (run, change, attempt),
    UNIQUE (run, change, attempt, outcome),
    FOREIGN KEY (run, change, attempt) REFERENCES intents (run, change, attempt) ON DELETE CASCADE
);

ALTER TABLE intents ADD FOREIGN KEY (run, change, again_after, again_because)
        REFERENCES outcomes (run, change, attempt, outcome) ON DELETE CASCADE;

-- What was seen of an object after its changes.
CREATE TABLE verified (
    run TEXT COLLATE "C" NOT NULL REFERENCES runs (run) ON DELETE CASCADE,
    account TEXT COLLATE "C" NOT NULL,
    region TEXT NOT NULL,
    item TEXT NOT NULL,
    object TEXT NOT NULL,
    time BIGINT NOT NULL,
    in_sync BIGINT NOT NULL CHECK (in_sync IN (0, 1)),
    after TEXT NOT NULL,
    PRIMARY KEY (run, account, region, item, object)
);

-- An object that is not as declared, from when it was first seen so until it was seen otherwise. Only
-- one at a time.
CREATE TABLE drifts (
    account TEXT COLLATE "C" NOT NULL,
    region TEXT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    item TEXT NOT NULL,
    object TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    resolved BIGINT,
    how TEXT CHECK (how IN ('applied', 'elsewhere', 'gone')),
    opened_in TEXT NOT NULL,
    about TEXT NOT NULL,
    PRIMARY KEY (account, region, item, object, first_seen),
    CHECK (last_seen >= first_seen),
    CHECK ((resolved IS NULL) = (how IS NULL)),
    CHECK (resolved >= last_seen)
);

CREATE UNIQUE INDEX one_open_drift ON drifts (account, region, item, object) WHERE resolved IS NULL;
CREATE INDEX drifts_by_account ON drifts (account, first_seen);
CREATE INDEX drifts_by_time ON drifts (first_seen);
CREATE INDEX drifts_by_end ON drifts (resolved);

-- The latest look at each account.
CREATE TABLE looks (
    account TEXT COLLATE "C" PRIMARY KEY,
    name TEXT,
    run TEXT NOT NULL,
    time BIGINT NOT NULL,
    whole BIGINT,
    about TEXT NOT NULL
);

-- What was written is never written over.
CREATE FUNCTION evenkeel_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of % is not written over', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END;
$$;

CREATE TRIGGER intents_stay BEFORE UPDATE ON intents
FOR EACH ROW EXECUTE FUNCTION evenkeel_stays();

CREATE TRIGGER outcomes_stay BEFORE UPDATE ON outcomes
FOR EACH ROW EXECUTE FUNCTION evenkeel_stays();
