-- Who was invited and has not come yet: one invitation for each principal, worth a token once, and of its secret only
-- the hash.
CREATE TABLE invite (
    site         TEXT    NOT NULL,
    role         TEXT    NOT NULL,
    principal    TEXT    NOT NULL,
    invite_id    TEXT    NOT NULL,
    secret_hash  TEXT    NOT NULL,
    expires_us   INTEGER NOT NULL,
    PRIMARY KEY (site, role, principal),
    UNIQUE (invite_id)
) STRICT;
