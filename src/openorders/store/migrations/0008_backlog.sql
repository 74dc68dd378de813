-- What operators are told of: mails that were given up, and refunds that a gateway refused.
create index mails_given_up on mails (given_up_at) where given_up_at is not null;
create index refunds_refused on payment_operations (settled_at)
    where state = 'failed' and kind = 'refund';
