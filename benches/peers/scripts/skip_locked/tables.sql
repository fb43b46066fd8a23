-- What is claimed is found by an index of what waits and of who is free; an operator's row is written at every step and
-- has room for that.
CREATE TABLE call (
    id TEXT PRIMARY KEY,
    number TEXT NOT NULL,
    state TEXT NOT NULL,
    operator TEXT NOT NULL DEFAULT '',
    since TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    connected TIMESTAMPTZ,
    ended TIMESTAMPTZ
);
CREATE INDEX waiting ON call (since) WHERE state = 'waiting';
CREATE TABLE operator (
    name TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    call TEXT NOT NULL DEFAULT '',
    since TIMESTAMPTZ NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX free ON operator (since) WHERE state = 'free';
