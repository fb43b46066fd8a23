-- The call that waits for longest goes to the operator who is free for longest, and what another router claims at this
-- moment is passed over.
WITH next_call AS (
    SELECT id FROM call WHERE state = 'waiting' ORDER BY since LIMIT 1 FOR UPDATE SKIP LOCKED
), next_operator AS (
    SELECT name FROM operator WHERE state = 'free' ORDER BY since LIMIT 1 FOR UPDATE SKIP LOCKED
), pair AS (
    SELECT id, name FROM next_call CROSS JOIN next_operator
), offered AS (
    UPDATE call SET state = 'offered', operator = pair.name FROM pair WHERE call.id = pair.id
), given AS (
    UPDATE operator SET state = 'offered', call = pair.id FROM pair WHERE operator.name = pair.name
)
SELECT pg_notify('offered', id || ' ' || name) FROM pair
