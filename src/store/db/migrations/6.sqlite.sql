-- The events that wait for their look: who is killed before it names them after its next start.
CREATE TABLE waiting (
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- Empty where the kind's objects exist once in an account.
    region TEXT NOT NULL,
    mark TEXT NOT NULL,
    told INTEGER NOT NULL,
    about TEXT NOT NULL,
    PRIMARY KEY (account, kind, region, mark)
);
