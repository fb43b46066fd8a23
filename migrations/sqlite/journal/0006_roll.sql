-- The routers that serve a site: that they live, and whom each holds. A data directory has one, so nobody writes it here.
CREATE TABLE roll (
    site       TEXT    NOT NULL,
    router     TEXT    NOT NULL,
    beat       INTEGER NOT NULL,
    held       TEXT    NOT NULL,
    called_us  INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER)),
    PRIMARY KEY (site, router)
) STRICT;
