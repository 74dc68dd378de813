"""Admit a caller: from whatever was sent as a credential to who it is and how far they can see.

A key is known by its hash. A token is believed by the settings of the store that its issuer
belongs to. Nothing is told apart in a refusal, so that nothing can be learnt from one.
"""

import re
from datetime import datetime
from hashlib import sha256
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from openorders import logs
from openorders.domain.access import Caller, Role
from openorders.domain.customer import Customer, Identity
from openorders.domain.ids import CLIENT_CUSTOMER_ID_MAX, CustomerId
from openorders.domain.refusals import NotAuthenticated, Overloaded, Refused
from openorders.domain.store_settings import Store
from openorders.gateways.key_sets import KeySetError
from openorders.gateways.tokens import Proven, TokenError, addressed
from openorders.store import access, mails, placing, stores
from openorders.usecases.context import Services

CREDENTIAL_CHARS_MAX: Final = 8192
_CUSTOMER_SUBJECT: Final = re.compile(r"user_([1-9][0-9]*)", re.ASCII)
_ADMIN_ROLE: Final = "admin"
_ASK_AGAIN_S: Final = 5

_log = logs.Logger(__name__)


class _Admitted(Struct, frozen=True):
    caller: Caller
    until: datetime | None = None


async def admit(services: Services, credential: str | None, contract: str) -> Caller:
    """Who calls this contract with this credential (None: none was sent).

    Raises `Refused(NotAuthenticated)` for a credential that does not count, also where the
    contract is open. What was admitted is remembered for a moment, until anything changes.
    """
    digest = _digest(credential)
    now = services.clock()
    caller = services.known.find(contract, digest, now)
    if caller is not None:
        return caller
    changes = services.known.changes
    admitted = await _look_up(services, credential, contract, now)
    services.known.remember(digest, admitted.caller, now, changes=changes, until=admitted.until)
    return admitted.caller


def digest_of(key: str) -> bytes:
    """How an API key is kept: its SHA-256. Keys are random, so nothing slower is needed."""
    return sha256(key.encode("utf-8", "surrogatepass")).digest()


def _digest(credential: str | None) -> bytes:
    """What a credential is remembered under; no credential is unlike the empty one."""
    return b"" if credential is None else digest_of(credential)


async def _look_up(
    services: Services, credential: str | None, contract: str, now: datetime
) -> _Admitted:
    if credential is None:
        return await _by_openness(services, contract)
    if not 0 < len(credential) <= CREDENTIAL_CHARS_MAX:
        raise Refused(NotAuthenticated())
    if credential.count(".") == 2:  # noqa: PLR2004 - header, claims, signature
        return await _by_token(services, credential, contract, now)
    return await _by_key(services, credential, contract)


async def _by_openness(services: Services, contract: str) -> _Admitted:
    """Without a credential, only a contract that the operator opened admits anybody."""
    if contract not in services.open_contracts:
        raise Refused(NotAuthenticated())
    name = services.open_contracts[contract]
    async with services.database.connection() as connection:
        if name is None:
            store = await stores.find_only(connection)
        else:
            store = await stores.find(connection, name)
    if store is None:
        _log.warning("open_contract_without_store", contract=contract, store=name)
        raise Refused(NotAuthenticated())
    anybody = f"open:{contract}"
    return _Admitted(
        Caller(store=store, role=Role.SERVICE, actor=anybody, credential=anybody, contract=contract)
    )


async def _by_key(services: Services, key: str, contract: str) -> _Admitted:
    async with services.database.connection() as connection:
        found = await access.find_key(connection, digest_of(key))
    if found is None:
        raise Refused(NotAuthenticated())
    name = f"key:{found.id}"
    return _Admitted(
        Caller(
            store=found.store,
            role=found.role,
            actor=name,
            credential=name,
            contract=contract,
            partner_name=found.partner_name,
            customer_id=found.customer_id,
        )
    )


async def _by_token(services: Services, token: str, contract: str, now: datetime) -> _Admitted:
    try:
        store, proven = await _prove(services, token, now)
    except TokenError as refusal:
        _log.info("token_refused", why=str(refusal))
        raise Refused(NotAuthenticated()) from refusal
    except KeySetError as unavailable:
        raise Refused(Overloaded(retry_after_s=_ASK_AGAIN_S)) from unavailable
    caller = Caller(
        store=store,
        role=Role.ADMIN,
        actor=f"jwt:{proven.subject}",
        credential=f"jwt:{proven.issuer} {proven.subject}",
        contract=contract,
    )
    if _ADMIN_ROLE not in proven.roles:
        customer_id = await _customer(services, store, proven, now)
        caller = replace(caller, role=Role.CUSTOMER, customer_id=customer_id)
    return _Admitted(caller, until=proven.expires_at)


async def _prove(services: Services, token: str, now: datetime) -> tuple[Store, Proven]:
    """The issuer and audience, which anybody can write, only choose the settings to check by."""
    claimed = addressed(token)
    if not claimed.audiences or "\x00" in claimed.issuer + "".join(claimed.audiences):
        raise TokenError("it is meant for nobody")
    async with services.database.connection() as connection:
        store = await stores.find_by_token(connection, claimed.issuer, claimed.audiences)
    if store is None or store.policy.jwt is None:
        raise TokenError("no store takes tokens of this issuer and audience")
    return store, await services.verifier.verify(token, store.policy.jwt, now)


async def _customer(services: Services, store: Store, proven: Proven, now: datetime) -> CustomerId:
    """The customer a subject stands for; one that is no number of ours is registered once."""
    numbered = _CUSTOMER_SUBJECT.fullmatch(proven.subject)
    if numbered and int(numbered[1]) <= CLIENT_CUSTOMER_ID_MAX:
        customer_id = CustomerId(int(numbered[1]))
        await _introduce(services, store, customer_id, proven, now)
    else:
        customer_id = await _registered(services, store, proven, now)
    if proven.language is not None:
        async with services.database.connection() as connection:
            await mails.learn_language(connection, store.id, customer_id, proven.language)
    return customer_id


async def _registered(
    services: Services, store: Store, proven: Proven, now: datetime
) -> CustomerId:
    identity = Identity(
        issuer=proven.issuer, subject=proven.subject, name=proven.name, email=proven.email
    )
    async with services.database.connection() as connection:
        known = await access.find_identity(connection, store.id, identity)
        if known is not None:
            return known
        customer = await placing.register_identity(connection, store.id, identity, now)
    return customer.id


async def _introduce(
    services: Services, store: Store, customer_id: CustomerId, proven: Proven, now: datetime
) -> None:
    """Keep what a token says of a customer with a number of their own: mail needs an address."""
    if proven.name is None and proven.email is None and proven.language is None:
        return
    customer = Customer(id=customer_id, name=proven.name, email=proven.email)
    may_register = not store.policy.require_registered_customers
    async with services.database.connection() as connection:
        await access.introduce_customer(
            connection, store.id, customer, now, may_register=may_register
        )
