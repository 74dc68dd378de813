"""The operations on customers: the cards they saved, and the language they are written to in."""

from typing import Annotated, Final

from msgspec import Meta

from openorders.contracts import kit
from openorders.contracts.kit import Answer, Call, NoSuch, Unreadable
from openorders.contracts.manage import money_examples as examples
from openorders.contracts.manage import money_translate as translate
from openorders.contracts.manage.access import ADMIN
from openorders.contracts.manage.ids import CUSTOMER, METHOD
from openorders.contracts.manage.money_schemas import MethodIn, MethodOut, MethodsOut
from openorders.contracts.manage.schemas import Sent, Shown
from openorders.domain.ids import CustomerId, MethodId
from openorders.domain.language import language_tag
from openorders.domain.refusals import (
    CustomerNotFound,
    MethodNotFound,
    PaymentDeclined,
    UnknownGateway,
)
from openorders.usecases.answers import repeatable
from openorders.usecases.saved_methods import (
    SaveMethod,
    StoredMethod,
    forget_method,
    list_methods,
    read_method,
    save_method,
)
from openorders.usecases.set_language import set_customer_language

_METHODS: Final = "Payment methods"
_CUSTOMERS: Final = "Customers"
_CUSTOMER_ID: Final = {"customer_id": "cus_123456"}
_METHOD_ID: Final = {"method_id": "pm_9"}
_NO_CUSTOMER: Final = NoSuch("customer", "cus_07")
_NO_METHOD: Final = (MethodNotFound(MethodId(999)), NoSuch("payment method", "pm_07"))


class LanguageIn(Sent):
    """The language that a customer is written to in."""

    language: Annotated[
        Annotated[str, Meta(min_length=1, max_length=35)] | None,
        Meta(description="A language tag such as `en` or `pt-BR`; null: the store's language."),
    ]


class LanguageOut(Shown):
    """The language that a customer is written to in."""

    customer_id: Annotated[str, Meta(description="The customer's identifier.")]
    language: Annotated[
        str | None, Meta(description="The language tag in its one spelling; null: the store's.")
    ]


@kit.get(
    "/v1/customers/{customer_id}/payment-methods",
    answers={200: MethodsOut},
    summary="A customer's saved cards",
    answer_example=MethodsOut(payment_methods=[examples.METHOD]),
    path_examples=_CUSTOMER_ID,
    only=ADMIN,
    tag=_METHODS,
    refuses=(_NO_CUSTOMER,),
)
async def get_payment_methods(call: Call, customer_id: str) -> Answer:
    """The cards that a customer can pay with, oldest first; none for a customer nobody knows."""
    found = await list_methods(call.context, CustomerId(CUSTOMER.parse(customer_id)))
    shown = [translate.method_out(method) for method in found]
    return kit.answer(200, MethodsOut(payment_methods=shown))


@kit.post(
    "/v1/customers/{customer_id}/payment-methods",
    answers={201: MethodOut},
    summary="Save a card",
    example={"token": "tok_visa"},
    answer_example=examples.METHOD,
    path_examples=_CUSTOMER_ID,
    only=ADMIN,
    tag=_METHODS,
    refuses=(
        _NO_CUSTOMER,
        UnknownGateway("bank_9"),
        PaymentDeclined("card_declined", "Your card was declined."),
    ),
)
async def create_payment_method(call: Call, customer_id: str, data: MethodIn) -> Answer:
    """Have a gateway keep a card for a customer, to pay with later. We keep its brand, its last
    four digits and the gateway's name of it, never its number.
    """
    command = SaveMethod(
        customer_id=CustomerId(CUSTOMER.parse(customer_id)), token=data.token, gateway=data.gateway
    )
    return await save_method(call.context, command, call.reply(_saved))


@kit.get(
    "/v1/payment-methods/{method_id}",
    answers={200: MethodOut},
    summary="One saved card",
    answer_example=examples.METHOD,
    path_examples=_METHOD_ID,
    only=ADMIN,
    tag=_METHODS,
    refuses=_NO_METHOD,
)
async def get_payment_method(call: Call, method_id: str) -> Answer:
    """What may be shown of a saved card."""
    found = await read_method(call.context, MethodId(METHOD.parse(method_id)))
    return kit.answer(200, translate.method_out(found))


@kit.delete(
    "/v1/payment-methods/{method_id}",
    answers={204: None},
    summary="Forget a saved card",
    path_examples=_METHOD_ID,
    only=ADMIN,
    tag=_METHODS,
    refuses=_NO_METHOD,
)
async def delete_payment_method(call: Call, method_id: str) -> Answer:
    """Nobody can pay with the card any more, from now on; its gateway is told to let go of it."""
    number = MethodId(METHOD.parse(method_id))
    return await repeatable(
        call.context,
        call.reply(lambda _: kit.no_content()),
        lambda: forget_method(call.context, number),
    )


def _saved(method: StoredMethod) -> Answer:
    return kit.answer(201, translate.method_out(method))


@kit.put(
    "/v1/customers/{customer_id}/language",
    answers={200: LanguageOut},
    summary="Set a customer's language",
    example={"language": "de"},
    answer_example=LanguageOut(customer_id="cus_123456", language="de"),
    path_examples=_CUSTOMER_ID,
    only=ADMIN,
    tag=_CUSTOMERS,
    refuses=(
        CustomerNotFound(CustomerId(999)),
        _NO_CUSTOMER,
        Unreadable("language", "must be a language tag, like en or pt-BR"),
    ),
)
async def put_language(call: Call, customer_id: str, data: LanguageIn) -> Answer:
    """Write to the customer in this language from now on, where the store has words in it."""
    number = CustomerId(CUSTOMER.parse(customer_id))
    if data.language is not None and language_tag(data.language) is None:
        raise Unreadable("language", "must be a language tag, like en or pt-BR")

    def done(language: str | None) -> Answer:
        shown = LanguageOut(customer_id=CUSTOMER.format(number), language=language)
        return kit.answer(200, shown)

    return await repeatable(
        call.context,
        call.reply(done),
        lambda: set_customer_language(call.context, number, data.language),
    )
