-- An operator takes the call that was offered.
WITH accepted AS (
    UPDATE call SET state = 'accepted' WHERE id = $1 AND operator = $2 AND state = 'offered' RETURNING id, operator
), connecting AS (
    UPDATE operator SET state = 'connecting' FROM accepted WHERE name = accepted.operator
)
SELECT pg_notify('connecting', id || ' ' || operator) FROM accepted
