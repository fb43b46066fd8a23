-- Who was invited and has not come yet: one invitation for each principal, worth a token once, and of its secret only
-- the hash.
CREATE TABLE invite (
    site         TEXT COLLATE "C" NOT NULL,
    role         TEXT COLLATE "C" NOT NULL,
    principal    TEXT COLLATE "C" NOT NULL,
    invite_id    TEXT COLLATE "C" NOT NULL,
    secret_hash  TEXT COLLATE "C" NOT NULL,
    expires_us   BIGINT           NOT NULL,
    PRIMARY KEY (site, role, principal),
    UNIQUE (invite_id)
);
