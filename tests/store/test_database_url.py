"""Database URLs: each option is honoured or refused in a sentence, none silently means else."""

from __future__ import annotations

import pytest

from openorders.store.database_url import DatabaseUrlError, Host, parse


def test_a_plain_url_names_one_host() -> None:
    url = parse("postgresql://shop:s%40cret@db.example.com/orders")
    assert url.hosts == (Host("db.example.com", 5432),)
    assert (url.user, url.password, url.database) == ("shop", "s@cret", "orders")
    assert url.session_attributes == "read-write"
    assert "s@cret" not in repr(url)


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("postgres://a:1,b:2/x", (Host("a", 1), Host("b", 2))),
        ("postgresql://a,b:2/x", (Host("a", 5432), Host("b", 2))),
        ("postgresql://[::1]:6000,a/x", (Host("::1", 6000), Host("a", 5432))),
        ("postgresql:///x?host=/run/pg&port=7", (Host("/run/pg", 7),)),
        ("postgresql://%2Frun%2Fpg/x", (Host("/run/pg", 5432),)),
        ("postgresql:///x?host=a,b&port=7", (Host("a", 7), Host("b", 7))),
        ("postgresql:///x", (Host(None, 5432),)),
    ],
)
def test_hosts_and_ports_are_read_in_every_form(text: str, hosts: tuple[Host, ...]) -> None:
    assert parse(text).hosts == hosts


def test_options_of_other_clients_are_honoured() -> None:
    url = parse(
        "postgresql://a/x?user=shop&connect_timeout=9&target_session_attrs=primary"
        "&load_balance_hosts=random&keepalives_idle=20&application_name=till&sslmode=require"
        "&options=-c%20work_mem%3D4MB%20--search-path%3Dshop"
    )
    assert url.user == "shop"
    assert url.connect_s == 9
    assert url.session_attributes == "primary"
    assert url.any_order
    assert url.socket_options == (("TCP_KEEPIDLE", 20),)
    assert dict(url.settings) == {
        "work_mem": "4MB",
        "search_path": "shop",
        "application_name": "till",
    }
    assert url.passed_on == "postgresql:///?sslmode=require"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("host=a port=1", "has the form postgresql://"),
        ("mysql://a/x", "has the form postgresql://"),
        ("postgresql://a/x?requirepeer=me", "requirepeer is not supported"),
        ("postgresql://a/x?statement_timeout=5", "options=-c%20statement_timeout%3Dvalue"),
        ("postgresql://a/x?target_session_attrs=standby", "understands any, read-write, primary"),
        ("postgresql://a/x?gssencmode=require", "gssencmode=require is not supported"),
        ("postgresql://a/x?user=a&user=b", "gives user twice"),
        ("postgresql://a/x?user", "not name=value pairs"),
        ("postgresql://a:b/x", "port b is none"),
        ("postgresql://a:70000/x", "port 70000 is none"),
        ("postgresql:///x?host=a,b,c&port=1,2", "3 hosts and 2 ports"),
        ("postgresql://[::1/x", "bracket"),
        ("postgresql://a/x?connect_timeout=soon", "connect_timeout=soon is not a whole number"),
        ("postgresql://a/x?options=work_mem%3D4MB", "of the form -c name=value"),
        ("postgresql://a/x?options=-c%20'", "of the form -c name=value"),
    ],
)
def test_what_cannot_be_honoured_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(DatabaseUrlError, match=complaint):
        parse(text)


def test_a_refusal_never_shows_the_password() -> None:
    with pytest.raises(DatabaseUrlError) as refused:
        parse("postgresql://shop:hunter2@[::1/x")
    assert "hunter2" not in str(refused.value)
