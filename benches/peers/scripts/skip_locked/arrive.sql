-- A call rings in. Asked again because the answer was lost on its way, it is there already.
WITH arrived AS (
    INSERT INTO call (id, number, state) VALUES ($1, $2, 'waiting') ON CONFLICT (id) DO NOTHING RETURNING id
)
SELECT pg_notify('ringing', id) FROM arrived
