-- name: find_key
-- The answer kept under a key, if there is one; status is null while it is in flight.
select fingerprint, status, headers, body
from idempotency_keys
where store_id = :store_id and digest = :digest;

-- name: claim_key
-- Claims a key for a request, or takes over one that was left in flight by the same request.
-- A twin waits here until the first has committed. No row: the key is taken.
insert into idempotency_keys as k (store_id, digest, fingerprint, claimed_at)
values (:store_id, :digest, :fingerprint, :now)
on conflict (store_id, digest) do update set claimed_at = excluded.claimed_at
where k.status is null and k.claimed_at < :stale_before::timestamptz
    and k.fingerprint = excluded.fingerprint
returning true;

-- name: answer_key
-- Keeps the answer of a claimed key; the first one stays.
update idempotency_keys
set status = :status, headers = :headers, body = :body
where store_id = :store_id and digest = :digest and status is null
returning true;

-- name: keep_answer
-- Keeps a decision under a key that was not claimed before, or that was left in flight.
insert into idempotency_keys as k
    (store_id, digest, fingerprint, status, headers, body, claimed_at)
values (:store_id, :digest, :fingerprint, :status, :headers, :body, :now)
on conflict (store_id, digest) do update
set status = excluded.status, headers = excluded.headers, body = excluded.body
where k.status is null and k.fingerprint = excluded.fingerprint
returning true;

-- name: release_key
-- Lets the next retry take a key over at once, as if it had been left in flight long enough.
update idempotency_keys
set claimed_at = claimed_at - interval '1 minute'
where store_id = :store_id and digest = :digest and status is null;
