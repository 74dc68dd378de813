"""Settings come from the environment and nowhere else, and are refused in sentences."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from openorders.settings import SettingsError, as_markdown, described, read


def test_an_empty_environment_gives_the_defaults():
    settings = read({})
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)
    assert settings.listens_on_loopback


def test_every_kind_of_setting_is_read():
    settings = read(
        {
            "OPENORDERS_HOST": "192.0.2.1",
            "OPENORDERS_PORT": "0",
            "OPENORDERS_DATA_DIR": "/srv/orders",
            "OPENORDERS_DEMO": "yes",
            "OPENORDERS_OPEN": "basic=Corner Shop, partner",
            "OPENORDERS_HOSTS": "API.example.com=commerce, orders.example.com=basic",
            "OPENORDERS_PUBLIC_URL": "https://shop.example/",
            "OPENORDERS_DRAIN_SECONDS": "0.5",
            "HOME": "/home/clerk",
        }
    )
    assert not settings.listens_on_loopback
    assert settings.data_dir == Path("/srv/orders")
    assert settings.demo
    assert settings.open == (("basic", "Corner Shop"), ("partner", None))
    assert settings.hosts == (("api.example.com", "commerce"), ("orders.example.com", "basic"))
    assert settings.public_url == "https://shop.example"
    assert settings.drain_seconds == 0.5


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OPENORDERS_PORT", "http"),
        ("OPENORDERS_PORT", "65536"),
        ("OPENORDERS_PORT", "-1"),
        ("OPENORDERS_PORT", "1_000"),
        ("OPENORDERS_WORKERS", "0"),
        ("OPENORDERS_DEMO", "maybe"),
        ("OPENORDERS_HOST", ""),
        ("OPENORDERS_OPEN", "basic="),
        ("OPENORDERS_HOSTS", "example.com"),
        ("OPENORDERS_PUBLIC_URL", "shop.example"),
        ("OPENORDERS_PUBLIC_URL", "https://shop.example/orders"),
        ("OPENORDERS_LOG_LEVEL", "loud"),
        ("OPENORDERS_DRAIN_SECONDS", "nan"),
        ("OPENORDERS_DRAIN_SECONDS", "-1"),
        ("OPENORDERS_MAIL_FROM", "shop"),
        ("OPENORDERS_MAIL_FROM", "a@example.com, b@example.com"),
        ("OPENORDERS_MAIL_FROM", "a@example.com\nBcc: b@example.com"),
        ("OPENORDERS_SMTP_SECURITY", "maybe"),
        ("OPENORDERS_SMTP_PORT", "0"),
        ("OPENORDERS_SMTP_TIMEOUT_SECONDS", "26"),
        ("OPENORDERS_SMTP_USERNAME", "shop"),
        ("OPENORDERS_SMTP_PASSWORD", "secret"),
        ("OPENORDERS_PROT", "8000"),
        ("OPENORDERS_PORT_FILE", "/etc/port"),
        ("OPENORDERS_DATABASE_URL_FILE", "/nowhere/at/all"),
    ],
)
def test_what_cannot_be_is_refused_by_name(variable, value):
    with pytest.raises(SettingsError, match=variable):
        read({variable: value})


def test_the_command_line_counts_more():
    assert read({"OPENORDERS_PORT": "1"}, port="2", host=None).port == 2
    with pytest.raises(SettingsError, match="--port"):
        read({}, port="many")


def test_a_secret_may_be_in_a_file_and_is_never_shown(tmp_path):
    file = tmp_path / "url"
    file.write_text("postgresql://me:hush@db/orders\n")
    settings = read({"OPENORDERS_DATABASE_URL_FILE": str(file)})
    assert settings.database_url == "postgresql://me:hush@db/orders"
    assert "hush" not in repr(settings)


def test_a_mail_server_is_set_with_its_password_in_a_file(tmp_path):
    file = tmp_path / "password"
    file.write_text("hush\n")
    settings = read(
        {
            "OPENORDERS_SMTP_HOST": "mail.example",
            "OPENORDERS_SMTP_USERNAME": "shop",
            "OPENORDERS_SMTP_PASSWORD_FILE": str(file),
            "OPENORDERS_MAIL_FROM": "The Shop <shop@example.com>",
        }
    )
    assert (settings.smtp_host, settings.smtp_port) == ("mail.example", None)
    assert (settings.smtp_security, settings.smtp_password) == ("starttls", "hush")
    assert "hush" not in repr(settings)


def test_settings_do_not_change():
    with pytest.raises(FrozenInstanceError):
        read({}).port = 1  # pyright: ignore[reportAttributeAccessIssue]


def test_the_page_of_settings_is_current():
    page = Path("docs/settings.md").read_text(encoding="utf-8")
    assert page == as_markdown()
    assert all(f"`{one.variable}`" in page and one.says.endswith(".") for one in described())
