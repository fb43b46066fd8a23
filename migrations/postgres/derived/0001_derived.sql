-- What follows from the journal and can be made again from it at any time.

CREATE TABLE snapshot (
    site           TEXT COLLATE "C" NOT NULL,
    seq            BIGINT           NOT NULL,
    state_version  BIGINT           NOT NULL,
    row_seq        BIGINT           NOT NULL,
    row_hash       TEXT COLLATE "C" NOT NULL,
    hash           TEXT COLLATE "C" NOT NULL,
    body           TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (site, seq)
);

-- One row per call; an open one has neither outcome nor end, and says whom its attempts ask.
CREATE TABLE call_record (
    site         TEXT COLLATE "C"  NOT NULL,
    call_id      TEXT COLLATE "C"  NOT NULL,
    first_seq    BIGINT            NOT NULL,
    last_seq     BIGINT            NOT NULL,
    gateway      TEXT COLLATE "C"  NOT NULL,
    caller_ref   TEXT COLLATE "C"  NOT NULL,
    kind         TEXT COLLATE "C"  NOT NULL,
    line_called  TEXT COLLATE "C"  NOT NULL,
    line         TEXT COLLATE "C"  NOT NULL,
    class        TEXT COLLATE "C"  NOT NULL,
    wall_us      BIGINT            NOT NULL,
    rang_us      BIGINT            NOT NULL,
    answered_us  BIGINT,
    answered_by  TEXT COLLATE "C",
    offers       BIGINT            NOT NULL,
    tiers        BIGINT            NOT NULL,
    closed_us    BIGINT,
    outcome      TEXT COLLATE "C",
    asked        TEXT COLLATE "C",
    PRIMARY KEY (site, call_id)
);

CREATE INDEX call_record_in_order ON call_record (site, first_seq);

-- How far the records of a site have followed its journal, and the row they ended with.
CREATE TABLE record_cursor (
    site      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    seq       BIGINT           NOT NULL,
    row_seq   BIGINT           NOT NULL,
    row_hash  TEXT COLLATE "C" NOT NULL
);
