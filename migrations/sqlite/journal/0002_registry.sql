-- Who may ask: one token for each principal, and of a token only the hash of its secret.
CREATE TABLE token (
    site         TEXT    NOT NULL,
    role         TEXT    NOT NULL,
    principal    TEXT    NOT NULL,
    token_id     TEXT    NOT NULL,
    secret_hash  TEXT    NOT NULL,
    expires_us   INTEGER,
    PRIMARY KEY (site, role, principal),
    UNIQUE (token_id)
) STRICT;

-- Plans as they were written, with their comments. The hash is of the plan in the journal: a text whose plan was
-- refused is nobody's.
CREATE TABLE plan_text (
    site       TEXT    NOT NULL,
    revision   INTEGER NOT NULL,
    plan_hash  TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    PRIMARY KEY (site, revision, plan_hash)
) STRICT;
