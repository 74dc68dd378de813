-- That an order's store exists is said twice: an order names a customer of its store, and a
-- customer is of a store that exists. The second check read and locked the one row of the store for
-- every order placed, and orders placed at the same time shared that lock, which PostgreSQL has
-- to write down each time.
alter table orders drop constraint orders_store_id_fkey;
