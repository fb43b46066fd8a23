-- Under which key callers' numbers are sealed: a mark that only that key makes, so that no second one is ever used beside
-- it.
CREATE TABLE seal (
    one   BIGINT           NOT NULL PRIMARY KEY CHECK (one = 1),
    mark  TEXT COLLATE "C" NOT NULL
);
