-- The routers that serve a site: that they live, and whom each holds. Soft: what was written last may be gone after a crash.
CREATE TABLE roll (
    site       TEXT COLLATE "C" NOT NULL,
    router     TEXT COLLATE "C" NOT NULL,
    beat       BIGINT           NOT NULL,
    held       TEXT COLLATE "C" NOT NULL,
    called_us  BIGINT           NOT NULL DEFAULT (CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)),
    PRIMARY KEY (site, router)
);
