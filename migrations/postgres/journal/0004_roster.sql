-- Rosters as they were written, with their comments. The last revision is in force.
CREATE TABLE roster (
    site      TEXT COLLATE "C" NOT NULL,
    revision  BIGINT           NOT NULL,
    kept_us   BIGINT           NOT NULL,
    text      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (site, revision),
    CHECK (revision >= 1)
);
