-- Who may ask: one token for each principal, and of a token only the hash of its secret.
CREATE TABLE token (
    site         TEXT COLLATE "C" NOT NULL,
    role         TEXT COLLATE "C" NOT NULL,
    principal    TEXT COLLATE "C" NOT NULL,
    token_id     TEXT COLLATE "C" NOT NULL,
    secret_hash  TEXT COLLATE "C" NOT NULL,
    expires_us   BIGINT,
    PRIMARY KEY (site, role, principal),
    UNIQUE (token_id)
);

-- Plans as they were written, with their comments. The hash is of the plan in the journal: a text whose plan was
-- refused is nobody's.
CREATE TABLE plan_text (
    site       TEXT COLLATE "C" NOT NULL,
    revision   BIGINT           NOT NULL,
    plan_hash  TEXT COLLATE "C" NOT NULL,
    text       TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (site, revision, plan_hash)
);
