"""The OpenAPI 3.1 document of a contract, from the types that validate and the real refusals.

Schemas are msgspec's own (JSON Schema 2020-12, which 3.1 speaks). Every failure that is shown was
rendered by the contract, so that examples cannot differ from what is answered.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

from openorders.contracts.kit.contract import JSON, Contract, Credential, Rendered
from openorders.contracts.kit.queries import described
from openorders.contracts.kit.routes import Failure, File, Route
from openorders.contracts.kit.schemas import Json, components
from openorders.contracts.kit.unreadable import BODY, NoSuch, Unreadable
from openorders.domain.ids import OrderId
from openorders.domain.refusals import (
    KeyInFlight,
    KeyReused,
    NotAuthenticated,
    NotPermitted,
    VersionDiffers,
)

_PARAMETERS: Final[Json] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "description": "Makes a retry safe: the same key with the same request gives the first "
        "answer again, for at least 24 hours. Quoted or bare printable ASCII.",
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
        "description": 'Change the order only if it is still of this version, such as `"v3"`; '
        "else 412.",
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
        "description": "Answer 304 without a body if the order is still of this version.",
    },
}

_HEADERS: Final[Json] = {
    "RequestId": {
        "description": "Names this request in the server's log.",
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "The order's version, for `If-Match` and `If-None-Match`.",
        "schema": {"type": "string"},
    },
    "IdempotencyReplayed": {
        "description": "`true` when this is the first answer again.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}

_QUOTA_HEADERS: Final[Json] = {
    "RateLimit-Policy": {
        "description": "How many requests (`q`) a credential may make in how many seconds (`w`).",
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "How many are left (`r`), and in how many seconds there are more (`t`).",
        "schema": {"type": "string"},
    },
}

_SOME_REQUEST: Final = "4f1c0d9a7be35a60cc21"

_SECURITY_SCHEMES: Final[Json] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key of the store (`openorders key create`), or, for a customer of "
        "the store, a JSON web token of its identity provider.",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "The same API keys in a header of their own.",
    },
}

_SECURITY: Final[dict[Credential, list[Json]]] = {
    Credential.BEARER: [{"bearer": []}, {"apiKey": []}],
    Credential.API_KEY: [{"apiKey": []}, {"bearer": []}],
    Credential.OPTIONAL: [{}, {"bearer": []}, {"apiKey": []}],
}


def describe(contract: Contract, version: str) -> Json:
    """The whole document, but for `servers`, which depends on how the client came here."""
    types = list(dict.fromkeys(_types_of(contract)))
    known, schemas = components(types)
    paths: dict[str, Json] = {}
    for route in contract.routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, contract, known)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"openorders: {contract.title}",
            "version": version,
            "description": contract.description,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": _PARAMETERS,
            "headers": _HEADERS,
            "securitySchemes": _SECURITY_SCHEMES,
        },
        "security": _SECURITY[contract.credential],
    }


def _types_of(contract: Contract) -> Iterable[Any]:
    for route in contract.routes:
        if route.body is not None:
            yield route.body.type
        yield from (kind for kind in route.answers.values() if _has_schema(kind))
    yield contract.error_type


def _has_schema(kind: type | File | None) -> bool:
    return kind is not None and not isinstance(kind, File)


def _operation(route: Route, contract: Contract, known: Mapping[Any, Json]) -> Json:
    operation: Json = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "description": route.description,
        "parameters": list(_parameters(route)),
        "responses": _successes(route, contract, known) | _failures(route, contract, known),
    }
    if route.body is not None:
        content: Json = {"schema": known[route.body.type]}
        if route.body_examples:
            content["examples"] = _examples(route.body_examples)
        operation["requestBody"] = {
            "required": not route.body.optional,
            "content": {JSON: content},
        }
    return operation


def _examples(values: Mapping[str, object]) -> Json:
    return {name: {"value": value} for name, value in values.items()}


def _parameters(route: Route) -> Iterable[Json]:
    for name in route.parameters:
        parameter: Json = {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1},
            "description": f"The {name.removesuffix('_id')}'s identifier, as this API writes it.",
        }
        if name in route.path_examples:
            parameter["example"] = route.path_examples[name]
        yield parameter
    yield from _query_parameters(route)
    for name, says in route.reads.items():
        yield {
            "name": name,
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": says,
        }
    if route.keyed:
        yield {"$ref": "#/components/parameters/IdempotencyKey"}
    if route.etag and route.method != "GET" and route.parameters:
        yield {"$ref": "#/components/parameters/IfMatch"}
    if route.etag and route.method == "GET":
        yield {"$ref": "#/components/parameters/IfNoneMatch"}


def _query_parameters(route: Route) -> Iterable[Json]:
    if route.query is None:
        return
    _, schemas = components([route.query.type])
    properties: Json = schemas[route.query.type.__name__]["properties"]
    for field in described(route.query.type).fields:
        schema = _without_null(dict(properties[field.encode_name]))
        parameter: Json = {
            "name": field.encode_name,
            "in": "query",
            "required": field.required,
            "schema": schema,
        }
        if "description" in schema:
            parameter["description"] = schema.pop("description")
        yield parameter


def _without_null(schema: Json) -> Json:
    """A parameter that may be left out is never the text `null`."""
    options: list[Json] = schema.pop("anyOf", [])
    kept = [option for option in options if option != {"type": "null"}]
    schema |= kept[0] if len(kept) == 1 else {"anyOf": kept} if kept else {}
    if schema.get("default", 0) is None:
        del schema["default"]
    return schema


def _successes(route: Route, contract: Contract, known: Mapping[Any, Json]) -> Json:
    responses: Json = {}
    for status, kind in route.answers.items():
        headers: Json = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
        if contract.limited:
            headers |= _QUOTA_HEADERS
        if route.etag and kind is not None:
            headers["ETag"] = {"$ref": "#/components/headers/ETag"}
        if route.keyed:
            headers["Idempotency-Replayed"] = {"$ref": "#/components/headers/IdempotencyReplayed"}
        response: Json = {"description": HTTPStatus(status).phrase, "headers": headers}
        if isinstance(kind, File):
            binary = {"schema": {"type": "string", "format": "binary"}}
            response["content"] = dict.fromkeys(kind.media_types, binary)
        elif kind is not None:
            content: Json = {"schema": known[kind]}
            if route.answer_example is not None:
                content["examples"] = _examples({"example": route.answer_example})
            response["content"] = {JSON: content}
        responses[str(status)] = response
    if route.etag and route.method == "GET":
        responses["304"] = {"description": "The client has this version already."}
    return responses


def _failures(route: Route, contract: Contract, known: Mapping[Any, Json]) -> Json:
    grouped: dict[int, list[tuple[str, str, Rendered]]] = {}
    for failure in dict.fromkeys((*_usual(route), *route.refuses)):
        rendered = _signed(_render(failure, contract), contract)
        told = (type(failure).__name__, _sentence(failure), rendered)
        grouped.setdefault(rendered.status, []).append(told)
    statuses = ([413, 408] if route.body is not None else []) + [500, 503]
    for status in [429, *statuses] if contract.limited else statuses:
        rendered = _signed(contract.render_status(status), contract)
        phrase = HTTPStatus(status).phrase
        grouped.setdefault(rendered.status, []).append((phrase, f"{phrase}.", rendered))
    responses = {
        str(status): _failure(told, contract.failure_media, known[contract.error_type])
        for status, told in sorted(grouped.items())
    }
    responses["default"] = {
        "description": "Any other failure, in the same shape.",
        "content": {contract.failure_media: {"schema": known[contract.error_type]}},
    }
    return responses


def _failure(told: list[tuple[str, str, Rendered]], media: str, schema: Json) -> Json:
    examples: Json = {}
    for name, sentence, rendered in told:
        numbered = name if name not in examples else f"{name}{len(examples) + 1}"
        plain = msgspec.to_builtins(rendered.body, builtin_types=())
        examples[numbered] = {"summary": sentence, "value": plain}
    return {
        "description": " ".join(dict.fromkeys(sentence for _, sentence, _ in told)),
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
        "content": {media: {"schema": schema, "examples": examples}},
    }


def _usual(route: Route) -> Iterable[Failure]:
    """What every operation of this kind may answer, whatever it is about."""
    yield NotAuthenticated()
    yield NotPermitted("do this")
    if route.body is not None:
        problem = Unreadable(BODY, "is not valid JSON")
        problem.wanted = route.body.type
        yield problem
    elif route.query is not None and route.query.names:
        yield Unreadable(route.query.names[0], "was given twice", "query")
    if route.keyed:
        yield KeyReused()
        yield KeyInFlight()
    if route.etag and route.method != "GET" and route.parameters:
        yield VersionDiffers(OrderId(1), 3)


def _signed(rendered: Rendered, contract: Contract) -> Rendered:
    return rendered if contract.sign is None else contract.sign(rendered, _SOME_REQUEST)


def _render(failure: Failure, contract: Contract) -> Rendered:
    match failure:
        case Unreadable():
            return contract.render_unreadable(failure)
        case NoSuch():
            return contract.render_unknown(failure)
        case reason:
            return contract.render(reason)


def _sentence(failure: Failure) -> str:
    match failure:
        case Unreadable():
            return "The request cannot be read; the field is named."
        case NoSuch():
            return f"There is no such {failure.kind}."
        case reason:
            return (type(reason).__doc__ or "").partition("\n\n")[0].replace("\n", " ").strip()
