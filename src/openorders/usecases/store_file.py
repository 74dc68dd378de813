"""A store as its operator writes it down: a JSON object, read and written here.

Reading finds everything that is wrong; fields that are left out stay as they were. Pure: the
file and the database are somebody else's.
"""

import json
import re
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Final, NoReturn, TypeVar, cast

from msgspec.structs import replace

from openorders.domain.money import CURRENCIES, minor_digits, to_decimal
from openorders.domain.store_settings import (
    DiscountCode,
    JwtSettings,
    ShippingMethod,
    Store,
    StorePolicy,
    TaxBase,
    TaxRate,
)
from openorders.usecases import mails_file, store_gateways
from openorders.usecases.store_gateways import SECRET_KEPT
from openorders.usecases.written_fields import Fields, Problem

PREFIX_CHARS_MAX: Final = 20
DAYS_MAX: Final = 3650
EXPIRY_MINUTES_MAX: Final = 366 * 24 * 60
TAXES_MAX: Final = 20
CODES_MAX: Final = 5000

_EXPIRY: Final = re.compile(r"(?:PT?)?([0-9]{1,6})([mhd])", re.IGNORECASE | re.ASCII)
_MINUTES: Final = {"m": 1, "h": 60, "d": 24 * 60}

T = TypeVar("T")


class StoreFileError(Exception):
    """The store cannot be made what the file says. Nothing was changed."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


def parse(text: str) -> dict[str, Any]:
    """The object in a file. Numbers stay exact, and no field may be there twice."""
    try:
        document = json.loads(
            text.removeprefix("\ufeff"),
            parse_float=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_once,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}:"
        raise StoreFileError(Problem(place, f"not valid JSON ({error.msg})")) from error
    except (RecursionError, ValueError) as error:
        raise StoreFileError(Problem("", "the file is not valid JSON")) from error
    if not isinstance(document, dict):
        raise StoreFileError(Problem("", "the file must hold one JSON object"))
    return cast("dict[str, Any]", document)


def read(document: dict[str, Any], base: Store) -> Store:
    """`base` with what the document says. Raises `StoreFileError` with every problem."""
    fields = Fields()
    fields.known(document, list(written(base)))
    reader = _Reader(fields, document)
    currency = reader.field("currency", base.currency, reader.currency)
    reader.digits = minor_digits(currency)
    store = replace(
        base,
        name=reader.field("name", base.name, fields.text),
        currency=currency,
        time_zone=reader.field("time_zone", base.time_zone, reader.time_zone),
        number_prefix=reader.field("number_prefix", base.number_prefix, reader.prefix),
        policy=reader.policy(base.policy),
    )
    if "mails" in document and not fields.problems:
        mails_file.try_out(fields, store, "mails")
    if fields.problems:
        raise StoreFileError(*fields.problems)
    return store


def written(store: Store) -> dict[str, Any]:
    """The store as a file would say it; amounts with the currency's digits, no secrets."""
    digits, policy = store.minor_digits, store.policy
    return {
        "name": store.name,
        "currency": store.currency,
        "time_zone": store.time_zone,
        "number_prefix": store.number_prefix,
        "taxes": [{"name": tax.name, "rate": tax.rate} for tax in policy.taxes],
        "tax_base": policy.tax_base.value,
        "shipping_methods": [
            {"code": method.code, "cost": to_decimal(method.cost, digits), "days": method.days}
            for method in policy.shipping_methods
        ],
        "discount_codes": [
            {"code": code.code, "percent": code.percent}
            if code.amount is None
            else {"code": code.code, "amount": to_decimal(code.amount, digits)}
            for code in policy.discount_codes
        ],
        "gateways": [store_gateways.written(one) for one in policy.gateways],
        "jwt": None if policy.jwt is None else _jwt_written(policy.jwt),
        "unpaid_expiry": policy.unpaid_expiry_minutes,
        "require_registered_customers": policy.require_registered_customers,
        "mails": mails_file.written(policy.mails),
    }


def _jwt_written(jwt: JwtSettings) -> dict[str, str]:
    settings = {"issuer": jwt.issuer, "audience": jwt.audience}
    if jwt.jwks_url is not None:
        return {**settings, "jwks_url": jwt.jwks_url}
    return {**settings, "secret": SECRET_KEPT}


@dataclass(slots=True)
class _Reader:
    """The fields of a store, each by its own rule. `digits` are those of its currency."""

    fields: Fields
    document: dict[str, Any]
    digits: int = 2

    def field(self, name: str, base: T, read: Callable[[Any, str], T]) -> T:
        """The field as written, or what it was when the file does not mention it."""
        return read(self.document[name], name) if name in self.document else base

    def policy(self, base: StorePolicy) -> StorePolicy:
        return StorePolicy(
            taxes=self.field("taxes", base.taxes, self.taxes),
            tax_base=self.field("tax_base", base.tax_base, self.tax_base),
            shipping_methods=self.field(
                "shipping_methods", base.shipping_methods, self.shipping_methods
            ),
            discount_codes=self.field("discount_codes", base.discount_codes, self.discount_codes),
            gateways=self.field(
                "gateways",
                base.gateways,
                partial(store_gateways.read, self.fields, base.gateways),
            ),
            jwt=self.field("jwt", base.jwt, partial(self.jwt, base.jwt)),
            unpaid_expiry_minutes=self.field(
                "unpaid_expiry", base.unpaid_expiry_minutes, self.expiry
            ),
            require_registered_customers=self.field(
                "require_registered_customers",
                base.require_registered_customers,
                self.fields.flag,
            ),
            mails=self.field(
                "mails", base.mails, partial(mails_file.read, self.fields, base.mails)
            ),
        )

    def currency(self, value: object, path: str) -> str:
        if isinstance(value, str) and value in CURRENCIES:
            return value
        self.fields.wrong(path, "must be an ISO 4217 code, like USD")
        return "USD"

    def time_zone(self, value: object, path: str) -> str:
        if isinstance(value, str) and value in zoneinfo.available_timezones():
            return value
        self.fields.wrong(path, "must be a time zone of the IANA list, like Europe/Berlin")
        return "UTC"

    def prefix(self, value: object, path: str) -> str:
        prefix = self.fields.text(value, path, least=0)
        if len(prefix) > PREFIX_CHARS_MAX:
            self.fields.wrong(path, f"must have at most {PREFIX_CHARS_MAX} characters")
        return prefix

    def tax_base(self, value: object, path: str) -> TaxBase:
        return TaxBase(self.fields.choice(value, path, [base.value for base in TaxBase]))

    def taxes(self, value: object, path: str) -> tuple[TaxRate, ...]:
        taxes = self.fields.rows(value, path, self.tax, most=TAXES_MAX)
        self.fields.distinct((tax.name for tax in taxes), path)
        return taxes

    def tax(self, value: object, path: str) -> TaxRate:
        given = self.fields.record(value, path, ("name", "rate"))
        rate = given.get("rate", 0)
        return TaxRate(
            name=self.fields.text_in(given, "name", path),
            rate=self.fields.number(rate, f"{path}.rate", Decimal(0), Decimal(1), digits=8),
        )

    def shipping_methods(self, value: object, path: str) -> tuple[ShippingMethod, ...]:
        methods = self.fields.rows(value, path, self.shipping_method, most=CODES_MAX)
        self.fields.distinct((method.code for method in methods), path)
        return methods

    def shipping_method(self, value: object, path: str) -> ShippingMethod:
        given = self.fields.record(value, path, ("code", "cost", "days"))
        return ShippingMethod(
            code=self.fields.text_in(given, "code", path),
            cost=self.fields.money(given.get("cost", 0), f"{path}.cost", self.digits),
            days=self.fields.whole(given.get("days", 0), f"{path}.days", 0, DAYS_MAX),
        )

    def discount_codes(self, value: object, path: str) -> tuple[DiscountCode, ...]:
        codes = self.fields.rows(value, path, self.discount_code, most=CODES_MAX)
        self.fields.distinct((code.code for code in codes), path)
        return codes

    def discount_code(self, value: object, path: str) -> DiscountCode:
        given = self.fields.record(value, path, ("code",), ("percent", "amount"))
        code = self.fields.text_in(given, "code", path)
        if ("percent" in given) == ("amount" in given):
            self.fields.wrong(path, "must have either percent or amount")
            return DiscountCode(code=code, amount=0)
        if "amount" in given:
            amount = self.fields.money(given["amount"], f"{path}.amount", self.digits, least=1)
            return DiscountCode(code=code, amount=amount)
        percent = self.fields.number(
            given["percent"], f"{path}.percent", Decimal(0), Decimal(100), digits=6
        )
        return DiscountCode(code=code, percent=percent)

    def jwt(self, base: JwtSettings | None, value: object, path: str) -> JwtSettings | None:
        if value is None:
            return None
        given = self.fields.record(value, path, ("issuer", "audience"), ("secret", "jwks_url"))
        if ("secret" in given) == ("jwks_url" in given):
            self.fields.wrong(path, "must have either secret or jwks_url")
        return JwtSettings(
            issuer=self.fields.text_in(given, "issuer", path),
            audience=self.fields.text_in(given, "audience", path),
            secret=self._secret(base, given.get("secret"), f"{path}.secret"),
            jwks_url=self._key_set(given.get("jwks_url"), f"{path}.jwks_url"),
        )

    def _secret(self, base: JwtSettings | None, value: object, path: str) -> str | None:
        if value is None:
            return None
        secret = self.fields.text(value, path)
        if secret == SECRET_KEPT:
            if base is None or base.secret is None:
                self.fields.wrong(path, "stands for a secret that is not there yet")
                return None
            return base.secret
        if "BEGIN" in secret:
            self.fields.wrong(path, "looks like a public key, which everybody knows")
        return secret

    def _key_set(self, value: object, path: str) -> str | None:
        if value is None:
            return None
        url = self.fields.text(value, path)
        if not url.startswith(("https://", "http://")):
            self.fields.wrong(path, "must be a web address, like https://id.example.com/keys.json")
        return url

    def expiry(self, value: object, path: str) -> int | None:
        """Minutes as a number, or a text like 90m, 48h or 7d; null for never."""
        if value is None:
            return None
        written = _EXPIRY.fullmatch(value) if isinstance(value, str) else None
        if written:
            value = int(written[1]) * _MINUTES[written[2].lower()]
        elif isinstance(value, str):
            self.fields.wrong(path, "must be minutes, or a text like 90m, 48h or 7d, or null")
            return None
        return self.fields.whole(value, path, 1, EXPIRY_MINUTES_MAX)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise StoreFileError(Problem(twice, "is there twice"))
    return fields


def _no_constant(constant: str) -> NoReturn:
    raise StoreFileError(Problem("", f"{constant} is no number of JSON"))
