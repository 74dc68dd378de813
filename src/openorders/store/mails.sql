-- name: read_reader
-- Who would read a mail to this customer, as the store knows them now.
select c.name, c.email, c.language
from customers c
where c.store_id = :store_id and c.id = :customer_id;

-- name: write_mail
-- Writes a mail in the transaction of its cause. One that was written for the same cause before
-- is returned instead, whatever has become of it.
insert into mails as m (
    store_id, order_id, template, cause, recipient, recipient_name, language, subject, body_text,
    body_html, template_failure, due_at, created_at
)
values (
    :store_id, :order_id, :template, :cause, :recipient, :recipient_name::text, :language,
    :subject, :body_text, :body_html, :template_failure::text, :due_at, :now
)
on conflict (store_id, order_id, template, cause) do update set cause = m.cause
returning id;

-- name: claim_mail
-- Takes one mail to hand it over now; nobody else does until `again`. No row: it is sent, given
-- up, in somebody else's hands, or waiting for its next try.
update mails
set due_at = :again, held_until = :again, tries = tries + 1
where store_id = :store_id and id = :id and sent_at is null and given_up_at is null
    and (tries = 0 or due_at <= :now)
returning id, store_id, order_id, recipient, recipient_name, subject, body_text, body_html,
    tries, created_at;

-- name: claim_due_mail
-- Takes the mail of any store that has been due for longest (mails_open).
with due as (
    select m.store_id, m.id
    from mails m
    where m.sent_at is null and m.given_up_at is null and m.due_at <= :now
    order by m.due_at
    limit 1
    for update skip locked
)
update mails m
set due_at = :again, held_until = :again, tries = m.tries + 1
from due
where m.store_id = due.store_id and m.id = due.id
returning m.id, m.store_id, m.order_id, m.recipient, m.recipient_name, m.subject, m.body_text,
    m.body_html, m.tries, m.created_at;

-- name: mail_sent
-- The mail server took it.
update mails
set sent_at = :now, failure = null, held_until = null
where store_id = :store_id and id = :id and sent_at is null;

-- name: mail_failed
-- It did not; try again at `due_at`, or never again. A try that was not about this mail is not
-- counted.
update mails
set failure = :failure, due_at = :due_at, given_up_at = :given_up_at::timestamptz,
    held_until = null, tries = case when :counts then tries else tries - 1 end
where store_id = :store_id and id = :id and sent_at is null;

-- name: read_fate
-- What has become of a mail so far.
select m.sent_at, coalesce(m.held_until > :now, false) as is_held
from mails m
where m.store_id = :store_id and m.id = :id;

-- name: has_been_told
-- Whether the customer was written to about an order by this template before.
select exists (
    select from mails m
    where m.store_id = :store_id and m.order_id = :order_id and m.template = :template
);

-- name: given_back_at
-- How much of an order's money went back at this time, and for which refund: what one event is
-- about.
select coalesce(sum(x.amount), 0)::bigint as amount, max(x.refund_id) as refund_id
from payments p
join payment_operations x on x.store_id = p.store_id and x.payment_id = p.id
where p.store_id = :store_id and p.order_id = :order_id
    and x.kind = 'refund' and x.state = 'succeeded' and x.settled_at = :at;

-- name: promise_mails
-- Notes that a mail was asked for with these refunds.
insert into mail_promises (store_id, operation_id)
select :store_id, x.id from unnest(:operation_ids::bigint[]) as x (id)
on conflict do nothing;

-- name: is_promised
-- Whether a mail was asked for with this refund and is not written yet.
select exists (
    select from mail_promises p
    where p.store_id = :store_id and p.operation_id = :operation_id and p.mail_id is null
);

-- name: keep_promise
-- The mail that was asked for with a refund is written.
update mail_promises
set mail_id = :mail_id
where store_id = :store_id and operation_id = :operation_id;

-- name: promised_mail
-- The latest mail that was written for one of these refunds.
select max(p.mail_id)
from mail_promises p
where p.store_id = :store_id and p.operation_id = any(:operation_ids::bigint[]);

-- name: announce
-- Tells every process, at commit, that there are mails to hand over.
select pg_notify('openorders_mails', '');

-- name: follow
-- From now on the store's events cause mails; where they do already, nothing changes. An event
-- whose id was given out before is of the past, also while its transaction is still running.
insert into mail_cursors as c (store_id, position, past)
select :store_id, e.last_position,
    coalesce(pg_sequence_last_value(pg_get_serial_sequence('outbox', 'id')::regclass), 0)
from event_cursor e
on conflict (store_id) do update
set position = case when :anew then excluded.position else c.position end,
    past = case when :anew then excluded.past else c.past end
where :anew;

-- name: stop_following
-- The store's events cause no mails any more.
delete from mail_cursors where store_id = :store_id;

-- name: stores_behind
-- Stores with events that nobody has looked at for mails. Each is one look at the primary key of
-- event_positions; `exists` would be planned as a scan of all events.
select c.store_id
from mail_cursors c
where (
    select p.position
    from event_positions p
    where p.store_id = c.store_id and p.position > c.position
    order by p.position
    limit 1
) is not null
order by c.store_id
limit :limit;

-- name: take_cursor
-- Makes the caller the one who writes the store's mails until the transaction ends. No row:
-- somebody else is, or the store wants none any more.
select c.position, c.past
from mail_cursors c
where c.store_id = :store_id
for no key update skip locked;

-- name: next_events
-- The store's next events. Those that cause no mail come without their contents, to be passed.
with looked_at as materialized (
    select p.position, p.event_id, p.type
    from event_positions p
    where p.store_id = :store_id and p.position > :after::bigint
    order by p.position
    limit :limit
)
select l.position, o.type, o.version, o.payload, o.at
from looked_at l
left join outbox o on o.store_id = :store_id and o.id = l.event_id and o.id > :past::bigint
    and o.type = any(:types::text[])
order by l.position;

-- name: move_cursor
-- Everything up to this position is written.
update mail_cursors
set position = :position
where store_id = :store_id;

-- name: set_language
-- Writes to a customer in this language from now on; null: in the store's. No row: no customer.
update customers
set language = :language::text
where store_id = :store_id and id = :customer_id
returning true;

-- name: learn_language
-- The language a customer was heard to read, where none is known.
update customers
set language = :language
where store_id = :store_id and id = :customer_id and language is null;

-- name: forget_letters
-- Empties mails that were written long ago and are done with (mails_to_forget). The rows stay: no
-- cause is ever written about twice. They are found again by their place, since a plan made without
-- the limit would read the whole table instead.
update mails m
set recipient = '', recipient_name = null, subject = '', body_text = '', body_html = ''
where m.ctid = any(array(
    select old.ctid
    from mails old
    where old.body_text <> '' and old.created_at < :before
        and (old.sent_at is not null or old.given_up_at is not null)
    order by old.created_at
    limit :limit
    for update skip locked
))
returning m.store_id;
