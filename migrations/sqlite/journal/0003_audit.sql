-- Who asked for what in the office, and every look at a caller's number. Rows are added; the oldest may be let go,
-- which a row says. Each hash is over the one before and the whole row.
CREATE TABLE audit (
    site        TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    wall_us     INTEGER NOT NULL,
    role        TEXT    NOT NULL,
    who         TEXT    NOT NULL,
    what        TEXT    NOT NULL,
    object      TEXT    NOT NULL,
    was         TEXT    NOT NULL,
    becomes     TEXT    NOT NULL,
    why         TEXT    NOT NULL,
    request_id  TEXT    NOT NULL,
    outcome     TEXT    NOT NULL,
    refers_to   INTEGER NOT NULL,
    hash        TEXT    NOT NULL,
    PRIMARY KEY (site, number)
) STRICT;

-- Callers who are to be forgotten: asked for by one, approved by another.
CREATE TABLE erasure (
    site        TEXT    NOT NULL,
    erasure_id  TEXT    NOT NULL,
    caller_ref  TEXT    NOT NULL,
    asked_by    TEXT    NOT NULL,
    asked_us    INTEGER NOT NULL,
    expires_us  INTEGER NOT NULL,
    ended_by    TEXT,
    ended_us    INTEGER,
    PRIMARY KEY (site, erasure_id)
) STRICT;

-- When it was first noticed that a number is kept. Who calls since is told by the records of calls.
ALTER TABLE caller ADD COLUMN noticed_us INTEGER;
