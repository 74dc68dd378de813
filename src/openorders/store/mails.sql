-- name: write_mail
-- Writes a mail in the transaction of its cause. One that was written for the same cause before
-- is returned instead, whatever has become of it.
insert into mails as m (
    store_id, order_id, template, cause, recipient, subject, body_text, body_html, due_at,
    created_at
)
values (
    :store_id, :order_id, :template, :cause, :recipient, :subject, :body_text, :body_html,
    :due_at, :now
)
on conflict (store_id, order_id, template, cause) do update set cause = m.cause
returning id;

-- name: claim_mail
-- Takes one mail to hand it over now; nobody else does until `again`. No row: it is sent, given
-- up, or in somebody else's hands.
update mails
set due_at = :again, tries = tries + 1
where store_id = :store_id and id = :id and sent_at is null and given_up_at is null
    and (tries = 0 or due_at <= :now)
returning id, store_id, order_id, recipient, subject, body_text, body_html, tries, created_at;

-- name: claim_due_mails
-- Takes mails of all stores whose time has come (mails_open).
with due as (
    select m.store_id, m.id
    from mails m
    where m.sent_at is null and m.given_up_at is null and m.due_at <= :now
    order by m.due_at
    limit :limit
    for update skip locked
)
update mails m
set due_at = :again, tries = m.tries + 1
from due
where m.store_id = due.store_id and m.id = due.id
returning m.id, m.store_id, m.order_id, m.recipient, m.subject, m.body_text, m.body_html,
    m.tries, m.created_at;

-- name: mail_sent
-- The mail server took it.
update mails
set sent_at = :now, failure = null
where store_id = :store_id and id = :id and sent_at is null;

-- name: mail_failed
-- It did not; try again at `due_at`, or never again.
update mails
set failure = :failure, due_at = :due_at, given_up_at = :given_up_at::timestamptz
where store_id = :store_id and id = :id and sent_at is null;

-- name: when_sent
-- When a mail was taken by the mail server.
select m.sent_at
from mails m
where m.store_id = :store_id and m.id = :id;
