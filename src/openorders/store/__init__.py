"""Everything kept in PostgreSQL: connections, migrations, and one module per table family.

All SQL lives here, in named `.sql` files beside a thin module each. Knows the domain's types;
knows nothing of use cases, contracts or HTTP.
"""
