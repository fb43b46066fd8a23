-- What follows from the journal and can be made again from it at any time.

CREATE TABLE snapshot (
    site           TEXT    NOT NULL,
    seq            INTEGER NOT NULL,
    state_version  INTEGER NOT NULL,
    row_seq        INTEGER NOT NULL,
    row_hash       TEXT    NOT NULL,
    hash           TEXT    NOT NULL,
    body           TEXT    NOT NULL,
    PRIMARY KEY (site, seq)
) STRICT;

-- One row per call; an open one has neither outcome nor end, and says whom its attempts ask.
CREATE TABLE call_record (
    site          TEXT    NOT NULL,
    call_id       TEXT    NOT NULL,
    first_seq     INTEGER NOT NULL,
    last_seq      INTEGER NOT NULL,
    gateway       TEXT    NOT NULL,
    caller_ref    TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    line_called   TEXT    NOT NULL,
    line          TEXT    NOT NULL,
    class         TEXT    NOT NULL,
    wall_us       INTEGER NOT NULL,
    rang_us       INTEGER NOT NULL,
    answered_us   INTEGER,
    answered_by   TEXT,
    offers        INTEGER NOT NULL,
    tiers         INTEGER NOT NULL,
    closed_us     INTEGER,
    outcome       TEXT,
    asked         TEXT,
    PRIMARY KEY (site, call_id)
) STRICT;

CREATE INDEX call_record_in_order ON call_record (site, first_seq);

-- How far the records of a site have followed its journal, and the row they ended with.
CREATE TABLE record_cursor (
    site      TEXT    NOT NULL PRIMARY KEY,
    seq       INTEGER NOT NULL,
    row_seq   INTEGER NOT NULL,
    row_hash  TEXT    NOT NULL
) STRICT;
