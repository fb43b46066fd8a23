-- An operator is free, for the first time or again.
WITH freed AS (
    INSERT INTO operator (name, state, since) VALUES ($1, 'free', clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET state = 'free', call = '', since = clock_timestamp()
    WHERE operator.state <> 'free' AND operator.state <> 'offered'
    RETURNING name
)
SELECT pg_notify('idle', name) FROM freed
