-- Several rows of a JSON file can stand on one line: what tells rows apart is their number.
alter table catalogue_rows
    add column number bigint generated always as identity,
    drop constraint catalogue_rows_pkey,
    add primary key (store_id, number);
