"""Commands on a database of the operator's own: what they print, where, and how they end."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli import program
from tests.cli.program import Ended
from tests.postgres import databases

Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def run(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    home = tmp_path_factory.mktemp("home")

    def on_database(*arguments: str | Path, typed: str | None = None) -> Ended:
        return program.forked(home, *arguments, "--database-url", module_database_url, typed=typed)

    return on_database


@pytest.fixture(scope="module")
def shop(run: Run) -> str:
    """A store that was made on the command line."""
    created = run("store", "create", "shop", "--currency", "USD")
    assert (created.code, created.err) == (0, "")
    assert created.out == "Created the store shop, in USD.\n"
    return "shop"


def failed(ended: Ended, sentence: str, code: int = 1) -> bool:
    """One sentence on standard error, nothing else anywhere."""
    assert "Traceback" not in ended.err
    assert sentence in ended.err
    assert ended.err.startswith("openorders: ")
    assert ended.out == ""
    return ended.code == code


def test_a_store_is_shown_as_it_can_be_applied(run: Run, shop: str, tmp_path: Path):
    file = tmp_path / "shop.json"
    file.write_text('{"name": "shop", "taxes": [{"name": "VAT", "rate": 0.25}]}')
    assert run("store", "apply", file).out == "The store shop is changed.\n"
    shown = run("store", "show", "shop", "--json")
    assert json.loads(shown.out)["taxes"] == [{"name": "VAT", "rate": 0.25}]
    again = run("store", "apply", "-", typed=shown.out)
    assert (again.code, again.out) == (0, "The store shop is unchanged.\n")


def test_stores_are_listed_for_people_and_for_programs(run: Run, shop: str):
    assert "shop" in run("store", "list").out
    assert json.loads(run("store", "list", "--json").out) == [
        {"id": 1, "name": "shop", "currency": "USD", "time_zone": "UTC", "number_prefix": ""}
    ]


def test_mistakes_in_a_store_file_are_listed(run: Run, shop: str):
    wrong = run("store", "apply", "-", typed='{"name": "shop", "colour": 1, "taxes": [{}]}')
    assert failed(wrong, "nothing was changed:\n  colour is not known")
    assert "\n  taxes[0].rate is required\n" in wrong.err
    assert failed(run("store", "apply", "absent.json"), "absent.json cannot be read: No such file")
    assert failed(run("store", "show", "nobody"), "There is no store 'nobody'; there are shop.")


def test_making_a_key_prints_the_key_alone(run: Run, shop: str):
    made = run("key", "create", "--store", shop, "--role", "customer", "--customer", "42")
    assert made.code == 0
    assert made.out.startswith("oo_")
    assert len(made.out.split()) == 1
    assert made.out.strip() not in made.err
    (listed,) = json.loads(run("key", "list", "--store", shop, "--json").out)
    assert {name: listed[name] for name in ("store", "role", "customer", "revoked_at")} == {
        "store": "shop",
        "role": "customer",
        "customer": 42,
        "revoked_at": None,
    }
    assert run("key", "revoke", str(listed["id"])).out == f"Key {listed['id']} is revoked.\n"
    assert "revoked before" in run("key", "revoke", made.out.strip()).out
    assert str(listed["id"]) in run("key", "list").out


def test_keys_that_make_no_sense_are_refused(run: Run, shop: str):
    partner = run("key", "create", "--store", shop, "--role", "partner")
    assert failed(partner, "--partner NAME goes with --role partner")
    assert failed(run("key", "create", "--store", shop, "--role", "king"), "king", 2)
    assert failed(run("key", "revoke", "99999"), "There is no such key")


def test_a_catalogue_is_imported_and_its_mistakes_are_named(run: Run, shop: str, tmp_path: Path):
    file = tmp_path / "goods.csv"
    file.write_text("product_id,product_name,price,stock\n1,Tea,4.50,10\n2,Cup,7.25,\n")
    imported = run("catalog", "import", file, "--store", shop)
    assert (imported.code, imported.err) == (0, "")
    assert imported.out.startswith("2 rows: 2 new and 0 changed products")
    again = json.loads(run("catalog", "import", file, "--store", shop, "--json").out)
    assert again["written"]["products_changed"] == again["written"]["stock_changed"] == 0
    file.write_text("product_id,product_name,price,stock\n1,Tea,4.505,10\n2,Cup,,\n")
    wrong = run("catalog", "import", file, "--store", shop)
    assert failed(wrong, "nothing was changed")
    assert "\n  line 2: price must have at most 2 digits after the point\n" in wrong.err
    assert "\n  line 3: price is required\n" in wrong.err
    file.write_text("")
    assert failed(run("catalog", "import", file, "--store", shop), "line 1: must name the columns")
    assert failed(run("catalog", "import", "x.txt", "--store", shop), "neither a .csv nor", 2)


def test_verifying_names_every_difference(run: Run, shop: str, module_database_url: str):
    sound = run("verify")
    assert (sound.code, sound.err) == (0, "")
    assert sound.out.startswith("The books add up")
    assert json.loads(run("verify", "--json").out) == []
    databases.run(
        module_database_url,
        "insert into stock_movements (store_id, kind, variant_ids, quantities, at) "
        "select store_id, 'receive', '{77}', '{4}', now() from stores where name = 'shop'",
    )
    different = run("verify", "--json")
    assert different.code == 1
    assert json.loads(different.out) == [
        {
            "store": "shop",
            "check": "stock",
            "subject": "variant",
            "id": 77,
            "what": "on hand",
            "expected": "4",
            "found": "0",
        }
    ]
    assert "shop: variant 77: on hand is 0, and should be 4" in run("verify").out


def test_the_database_says_where_it_is_and_what_it_lacks(run: Run, module_database_url: str):
    assert run("db", "url").out == module_database_url + "\n"
    assert run("db", "migrate").out == "The database is up to date.\n"
    assert json.loads(run("db", "status", "--json").out) == {"pending": []}


def test_a_database_without_tables_is_told_apart(empty_database_url: str, tmp_path: Path):
    url = ("--database-url", empty_database_url)
    unready = program.forked(tmp_path, "store", "list", *url)
    assert failed(unready, "the database is not migrated; run `openorders db migrate`.")
    assert "0001 order book" in program.forked(tmp_path, "db", "status", *url).out
    migrated = program.forked(tmp_path, "db", "migrate", *url)
    assert migrated.code == 0
    assert re.fullmatch(r"Applied \d+ migrations?\.\n", migrated.out)
    assert program.forked(tmp_path, "store", "list", *url).out.startswith("There is no store yet")
    verified = program.forked(tmp_path, "verify", *url)
    assert verified.out == "There is no store in this database, and so nothing to verify.\n"


def test_a_database_that_is_not_there_is_one_sentence(tmp_path: Path):
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=1"
    for url, code in (
        (nowhere, 1),
        ("postgresql://nobody@127.0.0.1:1/nothing", 1),
        ("mysql://x", 1),
        ("", 2),
    ):
        ended = program.forked(tmp_path, "store", "list", "--database-url", url)
        assert ended.code == code, ended
        assert ended.err.startswith("openorders: ")
        assert "Traceback" not in ended.err


def test_what_makes_no_sense_is_one_sentence_and_exit_code_2(tmp_path: Path):
    for arguments, says in (
        (["nonsense"], 'Unknown command "nonsense"'),
        (["store", "create"], "store create"),
        (["serve", "--colour"], "Unknown option"),
        (["key", "create", "--role", "admin"], "--store"),
        (["store", "list", "--data-dir", "a", "--database-url", "b"], "not both"),
    ):
        ended = program.forked(tmp_path, *arguments)
        assert failed(ended, says, 2), arguments


def test_settings_show_their_effect_and_no_secret(tmp_path: Path):
    ended = program.forked(
        tmp_path,
        "settings",
        "--json",
        OPENORDERS_PORT="9000",
        OPENORDERS_OPEN="basic=shop,partner",
        OPENORDERS_DATABASE_URL="postgresql://me:hidden@h/d",
    )
    values = {row["variable"]: row["value"] for row in json.loads(ended.out)}
    assert values["OPENORDERS_PORT"] == "9000"
    assert values["OPENORDERS_OPEN"] == "basic=shop,partner"
    assert values["OPENORDERS_DATABASE_URL"] == "********"
    assert "hidden" not in ended.out + ended.err
    wrong = program.forked(tmp_path, "settings", OPENORDERS_PROT="9000")
    assert failed(wrong, "OPENORDERS_PROT is no setting")


def test_help_and_version_are_there(tmp_path: Path):
    assert program.forked(tmp_path, "--version").out.strip()[0].isdigit()
    whole = program.forked(tmp_path)
    assert whole.code == 0
    for name in ("serve", "db", "store", "key", "catalog", "verify", "settings"):
        assert f" {name} " in whole.out
