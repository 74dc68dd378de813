"""One file per verb: open a transaction, ask the domain, store all of it, tell the outside."""
