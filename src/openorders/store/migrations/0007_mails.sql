-- Mail in the customer's language, mails that are written by themselves, and what is known of
-- each on its way.

-- A language tag in one spelling ('de', 'pt-BR'); null: nobody said.
alter table customers add column language text
    check (language ~ '^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$');

alter table mails
    add column recipient_name text,
    add column language text not null default 'en',
    -- Why the store's own template was not used, where it has one.
    add column template_failure text,
    -- Somebody is handing the mail over, and has until then to say what came of it.
    add column held_until timestamptz;

-- Mails whose texts are still there, the oldest first.
create index mails_to_forget on mails (created_at) where body_text <> '';

-- How far each store's automatic mails are written; no row while a store wants none. Events up
-- to `past`, an id of the outbox, happened before it wanted any.
create table mail_cursors (
    store_id bigint primary key references stores,
    position bigint not null,
    past bigint not null
) with (fillfactor = 20);

-- A mail that was asked for with a refund, and is written when the gateway has given the money
-- back: then `mail_id` names it.
create table mail_promises (
    store_id bigint not null,
    operation_id bigint not null,
    mail_id bigint,
    primary key (store_id, operation_id),
    foreign key (store_id, operation_id) references payment_operations
);
