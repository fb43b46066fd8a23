-- Who asked for what in the office, and every look at a caller's number. Rows are added; the oldest may be let go,
-- which a row says. Each hash is over the one before and the whole row.
CREATE TABLE audit (
    site        TEXT COLLATE "C" NOT NULL,
    number      BIGINT           NOT NULL,
    wall_us     BIGINT           NOT NULL,
    role        TEXT COLLATE "C" NOT NULL,
    who         TEXT COLLATE "C" NOT NULL,
    what        TEXT COLLATE "C" NOT NULL,
    object      TEXT COLLATE "C" NOT NULL,
    was         TEXT COLLATE "C" NOT NULL,
    becomes     TEXT COLLATE "C" NOT NULL,
    why         TEXT COLLATE "C" NOT NULL,
    request_id  TEXT COLLATE "C" NOT NULL,
    outcome     TEXT COLLATE "C" NOT NULL,
    refers_to   BIGINT           NOT NULL,
    hash        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (site, number)
);

-- Callers who are to be forgotten: asked for by one, approved by another.
CREATE TABLE erasure (
    site        TEXT COLLATE "C"  NOT NULL,
    erasure_id  TEXT COLLATE "C"  NOT NULL,
    caller_ref  TEXT COLLATE "C"  NOT NULL,
    asked_by    TEXT COLLATE "C"  NOT NULL,
    asked_us    BIGINT            NOT NULL,
    expires_us  BIGINT            NOT NULL,
    ended_by    TEXT COLLATE "C",
    ended_us    BIGINT,
    PRIMARY KEY (site, erasure_id)
);

-- When it was first noticed that a number is kept. Who calls since is told by the records of calls.
ALTER TABLE caller ADD COLUMN noticed_us BIGINT;
