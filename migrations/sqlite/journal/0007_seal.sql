-- Under which key callers' numbers are sealed: a mark that only that key makes, so that no second one is ever used beside
-- it. A data directory holds its key, so nobody writes it here.
CREATE TABLE seal (
    one   INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    mark  TEXT    NOT NULL
) STRICT;
