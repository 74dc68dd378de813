"""The operations on API keys."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from openorders.contracts import kit
from openorders.contracts.kit import Answer, Call, NoSuch, Unreadable
from openorders.contracts.manage import cursors
from openorders.contracts.manage.access import ADMIN
from openorders.contracts.manage.ids import CUSTOMER, KEY
from openorders.contracts.manage.key_schemas import KeyIn, KeyOut, KeysOut, NewKeyOut
from openorders.contracts.manage.schemas import PageQuery
from openorders.domain.access import Role
from openorders.domain.ids import CustomerId, KeyId
from openorders.domain.refusals import KeyNotFound
from openorders.usecases.keep_keys import CUSTOMER_ID_END
from openorders.usecases.store_keys import (
    ListedKey,
    MadeKey,
    MakeKey,
    end_key,
    make_key,
    read_key,
    read_keys,
)

_TAG: Final = "Keys"
_KEY_ID: Final = {"key_id": "key_7"}
_NO_KEY: Final = (KeyNotFound(KeyId(999)), NoSuch("key", "key_07"))
_SHOWN: Final = {
    "id": "key_7",
    "role": "service",
    "partnerName": None,
    "customerId": None,
    "label": "warehouse",
    "createdAt": datetime(2026, 11, 21, 15, 28, 24, tzinfo=UTC),
    "revokedAt": None,
}


@kit.get(
    "/v1/keys",
    answers={200: KeysOut},
    summary="List keys",
    answer_example={"keys": [_SHOWN], "next": None},
    only=ADMIN,
    tag=_TAG,
    refuses=(cursors.NO_CURSOR,),
)
async def list_keys(call: Call, query: PageQuery) -> Answer:
    """The store's keys, revoked ones too, in the order in which they were made."""
    after = cursors.after("keys", query.after)
    found = await read_keys(call.context, None if after is None else KeyId(after), query.limit + 1)
    page = cursors.page_of(call, "keys", found, query.limit, lambda key: key.id)
    body = KeysOut(keys=[_key_out(one) for one in page.entries], next=page.next)
    return kit.answer(200, body, headers=page.headers)


@kit.post(
    "/v1/keys",
    answers={201: NewKeyOut},
    summary="Make a key",
    example={"role": "service", "label": "warehouse"},
    answer_example=_SHOWN | {"key": "oo_2vJ0Jm8fMxkCXwW1dq8gVdLrQG3c6a0h9T5s7uYzKpE"},
    only=ADMIN,
    tag=_TAG,
    refuses=(Unreadable("partnerName", "goes with the role partner, and only with it"),),
)
async def create_key(call: Call, data: KeyIn) -> Answer:
    """Make a key, and show it: the one time that it can be seen, as only its hash is kept.

    Repeated with the same `Idempotency-Key`, the request makes no second key and does not show
    the first one again: `key` is null. Whoever lost it revokes it and makes another.
    """
    return await make_key(call.context, _to_make(data), call.reply(_made))


@kit.get(
    "/v1/keys/{key_id}",
    answers={200: KeyOut},
    summary="One key",
    answer_example=_SHOWN,
    path_examples=_KEY_ID,
    only=ADMIN,
    tag=_TAG,
    refuses=_NO_KEY,
)
async def get_key(call: Call, key_id: str) -> Answer:
    """What can be told of a key; the key itself is nowhere to be had."""
    found = await read_key(call.context, KeyId(KEY.parse(key_id)))
    return kit.answer(200, _key_out(found))


@kit.delete(
    "/v1/keys/{key_id}",
    answers={200: KeyOut},
    summary="Revoke a key",
    answer_example=_SHOWN | {"revokedAt": datetime(2026, 11, 21, 16, 0, 0, tzinfo=UTC)},
    path_examples=_KEY_ID,
    only=ADMIN,
    tag=_TAG,
    refuses=_NO_KEY,
)
async def revoke_key(call: Call, key_id: str) -> Answer:
    """End a key for good. Every server refuses it from that moment on. A key that was revoked
    before stays as it is; a key may revoke itself.
    """
    return await end_key(
        call.context,
        KeyId(KEY.parse(key_id)),
        call.reply(lambda key: kit.answer(200, _key_out(key))),
    )


def _to_make(body: KeyIn) -> MakeKey:
    """Raises `Unreadable` where the role and what it is tied to do not fit."""
    role = Role(body.role)
    for named, given, wanted in (
        ("partnerName", body.partner_name, Role.PARTNER),
        ("customerId", body.customer_id, Role.CUSTOMER),
    ):
        if (role is wanted) != (given is not None):
            raise Unreadable(named, f"goes with the role {wanted}, and only with it")
    for named, text in (("partnerName", body.partner_name), ("label", body.label)):
        if text is not None and not text.isprintable():
            raise Unreadable(named, "must be printable")
    return MakeKey(
        role=role,
        partner_name=body.partner_name,
        customer_id=None if body.customer_id is None else _customer(body.customer_id),
        label=body.label,
    )


def _customer(text: str) -> CustomerId:
    number = CUSTOMER.read(text, "customerId")
    if not 0 < number < CUSTOMER_ID_END:
        raise Unreadable("customerId", "must be a customer's, from cus_1")
    return CustomerId(number)


def _made(made: MadeKey) -> Answer:
    shown = msgspec.structs.asdict(_key_out(made.key))
    return kit.answer(201, NewKeyOut(**shown, key=made.text))


def _key_out(key: ListedKey) -> KeyOut:
    return KeyOut(
        id=KEY.format(key.id),
        role=key.role.value,
        partner_name=key.partner_name,
        customer_id=None if key.customer_id is None else CUSTOMER.format(key.customer_id),
        label=key.label,
        created_at=kit.moment(key.created_at),
        revoked_at=None if key.revoked_at is None else kit.moment(key.revoked_at),
    )
