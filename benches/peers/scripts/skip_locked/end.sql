-- The caller hangs up: the operator has something to write down.
WITH ended AS (
    UPDATE call SET state = 'ended', ended = clock_timestamp() WHERE id = $1 AND state = 'connected'
    RETURNING id, operator
), wrap_up AS (
    UPDATE operator SET state = 'wrap-up' FROM ended WHERE name = ended.operator
)
SELECT pg_notify('wrap_up', id || ' ' || operator) FROM ended
