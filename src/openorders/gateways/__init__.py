"""The world outside: payment gateways, mail servers, identity providers. Knows the domain only."""
