-- What must never be lost: the decisions of every site, and who its callers are.

CREATE TABLE life (
    epoch     INTEGER NOT NULL PRIMARY KEY,
    begun_us  INTEGER NOT NULL
) STRICT;

-- One row per append. Its key is the only lock between writers.
CREATE TABLE journal (
    site      TEXT    NOT NULL,
    seq       INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    at_us     INTEGER NOT NULL,
    wall_us   INTEGER NOT NULL,
    store_us  INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER)),
    writer    TEXT    NOT NULL,
    format    INTEGER NOT NULL,
    body      TEXT    NOT NULL,
    PRIMARY KEY (site, seq),
    CHECK (seq >= 1 AND last_seq >= seq)
) STRICT;

-- The only table that can forget: a number is sealed here and nowhere else.
CREATE TABLE caller (
    site           TEXT NOT NULL,
    caller_ref     TEXT NOT NULL,
    number_mac     TEXT NOT NULL,
    number_sealed  TEXT NOT NULL,
    PRIMARY KEY (site, caller_ref),
    UNIQUE (site, number_mac)
) STRICT;
