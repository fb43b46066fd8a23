-- What must never be lost: the decisions of every site, and who its callers are.

CREATE TABLE life (
    epoch     BIGINT NOT NULL PRIMARY KEY,
    begun_us  BIGINT NOT NULL
);

-- One row per append. Its key is the only lock between writers.
CREATE TABLE journal (
    site      TEXT COLLATE "C" NOT NULL,
    seq       BIGINT           NOT NULL,
    last_seq  BIGINT           NOT NULL,
    at_us     BIGINT           NOT NULL,
    wall_us   BIGINT           NOT NULL,
    store_us  BIGINT           NOT NULL DEFAULT (CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)),
    writer    TEXT COLLATE "C" NOT NULL,
    format    BIGINT           NOT NULL,
    body      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (site, seq),
    CHECK (seq >= 1 AND last_seq >= seq)
);

-- The only table that can forget: a number is sealed here and nowhere else.
CREATE TABLE caller (
    site           TEXT COLLATE "C" NOT NULL,
    caller_ref     TEXT COLLATE "C" NOT NULL,
    number_mac     TEXT COLLATE "C" NOT NULL,
    number_sealed  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (site, caller_ref),
    UNIQUE (site, number_mac)
);
