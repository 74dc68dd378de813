"""Tokens of a shop's identity provider: believed by the store's settings, and by nothing else."""

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from msgspec.structs import replace

from openorders.domain.access import Caller, Role
from openorders.domain.ids import CustomerId
from openorders.domain.refusals import NotAuthenticated, Overloaded, Refused
from openorders.domain.store_settings import JwtSettings, StorePolicy
from openorders.gateways.key_sets import KeySets
from openorders.gateways.tokens import TokenVerifier
from openorders.store.database import Database
from openorders.usecases.admit_callers import admit
from tests.usecases.identity_provider import (
    AUDIENCE,
    ISSUER,
    KEY_SET_URL,
    SECRET,
    Provider,
    claims,
    encoded,
    hs256,
    unsigned,
)
from tests.world import World, a_world

RSA = RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")


def token_policy(**more: str) -> StorePolicy:
    return StorePolicy(jwt=JwtSettings(issuer=ISSUER, audience=AUDIENCE, **more))


@pytest.fixture
async def shared(database: Database, tmp_path: Path) -> World:
    """A store whose tokens are signed with a shared secret."""
    return await a_world(database, tmp_path, policy=token_policy(secret=SECRET))


@pytest.fixture
def provider() -> Provider:
    return Provider({"rsa-1": RSA, "ec-1": EC})


@pytest.fixture
async def published(database: Database, tmp_path: Path, provider: Provider) -> World:
    """A store whose tokens are signed with published keys."""
    world = await a_world(database, tmp_path, policy=token_policy(jwks_url=KEY_SET_URL))
    verifier = TokenVerifier(KeySets(provider.transport()))
    world.services = replace(world.services, verifier=verifier)
    return world


async def refused(world: World, token: str) -> bool:
    with pytest.raises(Refused) as refusal:
        await admit(world.services, token, "storefront")
    return refusal.value.reason == NotAuthenticated()


async def admitted(world: World, token: str) -> Caller:
    return await admit(world.services, token, "storefront")


async def test_a_good_token_is_its_customer(shared: World):
    caller = await admitted(shared, hs256(claims(shared.clock())))
    assert caller == Caller(
        store=shared.store,
        role=Role.CUSTOMER,
        actor="jwt:user_42",
        credential=f"jwt:{ISSUER} user_42",
        contract="storefront",
        customer_id=CustomerId(42),
    )


async def test_an_admin_role_is_an_admin(shared: World):
    for roles in (
        {"role": "admin"},
        {"roles": ["buyer", "admin"]},
        {"role": "x", "roles": ["admin"]},
    ):
        caller = await admitted(shared, hs256(claims(shared.clock(), **roles)))
        assert (caller.role, caller.customer_id) == (Role.ADMIN, None)


async def test_nothing_else_makes_an_admin(shared: World):
    for roles in ({"role": "Admin"}, {"role": ["admin"]}, {"roles": "admin"}, {"admin": True}):
        caller = await admitted(shared, hs256(claims(shared.clock(), **roles)))
        assert caller.role is Role.CUSTOMER


LIES = [
    {"iss": "https://evil.example.com/"},
    {"iss": None},
    {"iss": 7},
    {"iss": "a\x00b"},
    {"aud": "other"},
    {"aud": None},
    {"aud": []},
    {"aud": [7]},
    {"aud": {"shop": 1}},
    {"exp": None},
    {"exp": "tomorrow"},
    {"exp": True},
    {"exp": 0},
    {"nbf": 32503680000},
    {"nbf": "x"},
    {"iat": 32503680000},
    {"sub": None},
    {"sub": ""},
    {"sub": 42},
    {"sub": "a\x00b"},
    {"sub": "x" * 256},
]


async def test_a_token_that_says_anything_else_is_refused(shared: World):
    for said in LIES:
        assert await refused(shared, hs256(claims(shared.clock(), **said))), said


async def test_clocks_may_differ_a_little(shared: World):
    now = shared.clock()
    late = {"exp": int((now - timedelta(seconds=20)).timestamp())}
    early = {"nbf": int((now + timedelta(seconds=20)).timestamp())}
    assert await admitted(shared, hs256(claims(now, **late)))
    assert await admitted(shared, hs256(claims(now, **early)))
    expired = {"exp": int((now - timedelta(seconds=31)).timestamp())}
    assert await refused(shared, hs256(claims(now, **expired)))


async def test_a_token_is_refused_once_it_expires_also_when_it_was_just_seen(shared: World):
    now = shared.clock()
    token = hs256(claims(now, exp=int(now.timestamp()) + 1))
    assert await admitted(shared, token)
    shared.clock.move(seconds=32)
    assert await refused(shared, token)


async def test_one_of_several_audiences_is_enough(shared: World):
    assert await admitted(shared, hs256(claims(shared.clock(), aud=["x", AUDIENCE])))


async def test_a_token_without_a_signature_is_refused(shared: World):
    for algorithm in ("none", "None", "NONE", "nOnE", "HS256", "RS256", ""):
        assert await refused(shared, unsigned(claims(shared.clock()), algorithm)), algorithm


async def test_another_algorithm_than_the_stores_is_refused(shared: World):
    for algorithm in ("none", "HS512", "RS256", "", 7, None):
        assert await refused(shared, hs256(claims(shared.clock()), alg=algorithm)), algorithm


async def test_another_secret_or_a_changed_claim_is_refused(shared: World):
    now = shared.clock()
    assert await refused(shared, hs256(claims(now), "another secret"))
    assert await refused(shared, hs256(claims(now), ""))
    header, _, signature = hs256(claims(now)).split(".")
    forged = f"{header}.{encoded(claims(now, sub='user_1'))}.{signature}"
    assert await refused(shared, forged)


async def test_what_is_no_token_is_refused(shared: World):
    deep = encoded(b"[" * 3000)
    for token in (
        "..", "a.b.c", "e30.e30.", "e30.W10.e30", ".".join(["A" * 4000] * 3), "\xe9.\xe9.\xe9",
        f"{deep}.e30.e30", f"e30.{deep}.e30", "%.%.%",
    ):  # fmt: skip
        assert await refused(shared, token), token[:50]


async def test_headers_that_point_at_other_keys_are_not_believed(shared: World):
    own = OctKey.import_key("the attacker's own secret of many bytes")
    header = {"jwk": own.as_dict(), "jku": "https://evil.example.com/", "kid": "../../dev/null"}
    token = hs256(claims(shared.clock()), "the attacker's own secret of many bytes", **header)
    assert await refused(shared, token)


async def test_an_unknown_critical_header_is_refused(shared: World):
    token = hs256(claims(shared.clock()), crit=["payments"], payments=True)
    assert await refused(shared, token)


async def test_published_keys_are_believed(published: World, provider: Provider):
    for kid, algorithm in (("rsa-1", "RS256"), ("rsa-1", "PS256"), ("ec-1", "ES256")):
        token = provider.sign(claims(published.clock()), kid, algorithm)
        assert (await admitted(published, token)).customer_id == 42


async def test_a_key_of_the_edwards_curve_is_believed(published: World, provider: Provider):
    provider.keys = {"ed": OKPKey.generate_key("Ed25519")}
    token = provider.sign(claims(published.clock()), "ed", "Ed25519")
    assert (await admitted(published, token)).customer_id == 42


async def test_without_a_key_id_the_only_key_that_fits_is_taken(published: World, provider):
    token = provider.sign(claims(published.clock()), None, "RS256")
    assert await admitted(published, token)
    provider.keys["rsa-2"] = RSAKey.generate_key(2048)
    published.clock.move(minutes=20)
    assert await refused(published, provider.sign(claims(published.clock()), None, "RS256"))


async def test_the_public_key_is_no_shared_secret(published: World):
    for secret in (
        RSA.as_pem(private=False),
        RSA.as_der(private=False),
        json.dumps(RSA.as_dict(private=False)).encode(),
    ):
        assert await refused(published, hs256(claims(published.clock()), secret, kid="rsa-1"))


async def test_a_key_of_another_kind_than_the_algorithm_is_refused(published: World, provider):
    said = claims(published.clock())
    token = provider.sign(said, "rsa-1", "RS256")
    header = encoded({"alg": "ES256", "kid": "rsa-1"})
    assert await refused(published, f"{header}.{token.split('.', 1)[1]}")
    assert await refused(published, unsigned(said))


async def test_a_key_that_is_meant_for_one_algorithm_serves_no_other(published: World, provider):
    keys = provider.published()
    keys["keys"][0]["alg"] = "RS512"
    provider.answer = httpx.Response(200, json=keys)
    assert await refused(published, provider.sign(claims(published.clock()), "rsa-1", "RS256"))


async def test_a_symmetric_key_in_a_public_set_is_ignored(published: World, provider: Provider):
    everybodys = OctKey.import_key("known to everybody who can read the set")
    keys = {"keys": [{**everybodys.as_dict(), "kid": "oct-1"}, "x", {"kty": "RSA"}, {"kty": []}]}
    provider.answer = httpx.Response(200, json=keys)
    said = claims(published.clock())
    token = hs256(said, "known to everybody who can read the set", kid="oct-1")
    assert await refused(published, token)


async def test_a_key_set_is_fetched_once_and_again_for_a_new_key(published: World, provider):
    for number in range(3):
        said = claims(published.clock(), sub=f"user_{number + 1}")
        assert await admitted(published, provider.sign(said, "rsa-1", "RS256"))
    assert provider.asked == 1
    published.clock.move(seconds=31)
    provider.keys["rsa-2"] = RSAKey.generate_key(2048)
    assert await admitted(published, provider.sign(claims(published.clock()), "rsa-2", "RS256"))
    assert provider.asked == 2


async def test_unknown_key_ids_do_not_hammer_the_provider(published: World, provider: Provider):
    stranger = Provider({f"other-{n}": RSA for n in range(20)})
    for kid in stranger.keys:
        assert await refused(published, stranger.sign(claims(published.clock()), kid, "RS256"))
    assert provider.asked == 1


async def test_known_keys_outlive_a_provider_that_is_away(published: World, provider: Provider):
    assert await admitted(published, provider.sign(claims(published.clock()), "rsa-1", "RS256"))
    provider.answer = httpx.ConnectError("away")
    published.clock.move(hours=1)
    assert await admitted(published, provider.sign(claims(published.clock()), "rsa-1", "RS256"))
    published.clock.move(hours=30)
    with pytest.raises(Refused) as refusal:
        await admitted(published, provider.sign(claims(published.clock()), "rsa-1", "RS256"))
    assert isinstance(refusal.value.reason, Overloaded)


ABSENCES = [
    httpx.ConnectError("away"),
    httpx.ReadTimeout("slow"),
    httpx.Response(500),
    httpx.Response(302, headers={"location": "https://evil.example.com/"}),
    httpx.Response(200, content=b"<html>"),
    httpx.Response(200, json=[]),
    httpx.Response(200, json={"keys": {}}),
    httpx.Response(200, content=b"[" * 100_000),
    httpx.Response(200, content=b" " * 300_000),
]


async def test_a_provider_that_cannot_be_asked_means_come_back_later(
    published: World, provider: Provider
):
    for answer in ABSENCES:
        provider.answer = answer
        published.clock.move(minutes=1)
        with pytest.raises(Refused) as refusal:
            await admitted(published, provider.sign(claims(published.clock()), "rsa-1", "RS256"))
        assert isinstance(refusal.value.reason, Overloaded), answer
    assert provider.asked == len(ABSENCES)


async def test_any_other_subject_is_registered_once(shared: World):
    subjects = "auth0|7", "user_0", "user_007", "user_1000000000000", "user_1 ", "USER_1", "7"
    given = set[int]()
    for subject in subjects:
        said = claims(shared.clock(), sub=subject, name="Ann Lee", email="ann@example.com")
        first = await admitted(shared, hs256(said))
        shared.services.known.forget()
        assert await admitted(shared, hs256(said)) == first
        assert first.customer_id is not None
        assert 1_000_000_000_000 <= first.customer_id < 2**53
        given.add(first.customer_id)
    rows = await shared.rows("select id, name, email from customers where store_id = $1")
    assert {tuple(row.values()) for row in rows} == {
        (number, "Ann Lee", "ann@example.com") for number in given
    }
    assert len(given) == len(rows) == len(subjects)


async def test_the_issuer_and_audience_decide_the_store(
    shared: World, database: Database, tmp_path: Path
):
    settings = JwtSettings(issuer=ISSUER, audience="other", secret="the other store's secret")
    other = await a_world(database, tmp_path, name="other", policy=StorePolicy(jwt=settings))
    now = shared.clock()
    theirs = hs256(claims(now, aud="other"), "the other store's secret")
    assert (await admitted(shared, theirs)).store == other.store
    assert (await admitted(shared, hs256(claims(now)))).store == shared.store
    assert await refused(shared, hs256(claims(now, aud="other")))
    assert await refused(shared, hs256(claims(now, aud=["other", AUDIENCE])))


async def language_of(world: World, customer_id: int) -> str | None:
    row = await world.row(
        "select language from customers where store_id = $1 and id = $2", customer_id
    )
    return None if row is None else row["language"]


async def test_a_token_says_which_language_its_customer_reads(shared: World):
    now = shared.clock()
    await admitted(shared, hs256(claims(now, locale="de_AT")))
    assert await language_of(shared, 42) == "de-AT"
    await admitted(shared, hs256(claims(now, locale="fr")))
    assert await language_of(shared, 42) == "de-AT", "what the store knows stays"
    named = await admitted(shared, hs256(claims(now, sub="auth0|1", locale="it-IT")))
    assert named.customer_id is not None
    assert await language_of(shared, named.customer_id) == "it-IT"


async def test_a_customer_who_was_known_before_can_still_say_their_language(shared: World):
    now = shared.clock()
    for sub in ("auth0|1", "user_43"):
        caller = await admitted(shared, hs256(claims(now, sub=sub, name="Jane")))
        assert caller.customer_id is not None
        assert await language_of(shared, caller.customer_id) is None
        await admitted(shared, hs256(claims(now, sub=sub, name="Jane", locale="nl")))
        assert await language_of(shared, caller.customer_id) == "nl"


@pytest.mark.parametrize("locale", ["", "C", 7, None, ["de"], "x" * 300, "de\x00"])
async def test_a_locale_that_is_none_is_passed_over(shared: World, locale: object):
    await admitted(shared, hs256(claims(shared.clock(), name="Jane", locale=locale)))
    assert await language_of(shared, 42) is None
