-- Rosters as they were written, with their comments. The last revision is in force.
CREATE TABLE roster (
    site      TEXT    NOT NULL,
    revision  INTEGER NOT NULL,
    kept_us   INTEGER NOT NULL,
    text      TEXT    NOT NULL,
    PRIMARY KEY (site, revision),
    CHECK (revision >= 1)
) STRICT;
