-- Caller and operator hear each other.
WITH connected AS (
    UPDATE call SET state = 'connected', connected = clock_timestamp() WHERE id = $1 AND state = 'accepted'
    RETURNING id, operator
), talking AS (
    UPDATE operator SET state = 'talking' FROM connected WHERE name = connected.operator
)
SELECT pg_notify('talking', id || ' ' || operator) FROM connected
