"""Pages for people, rendered on the server: the start page, the reference pages, payment.

They load nothing from elsewhere and work without a word from outside. They know use cases, never
tables or a contract's routes.
"""
