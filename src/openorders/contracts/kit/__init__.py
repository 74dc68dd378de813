"""What contracts are written with: mechanics without shapes.

JSON in and out, query strings, headers, failures, OpenAPI. Nothing here knows a contract's
paths, fields, identifiers or status codes.
"""

from openorders.asgi import EXCHANGE, Exchange, exchange_of
from openorders.contracts.kit.answers import Download, Stream, answer, no_content
from openorders.contracts.kit.application import Ground, build
from openorders.contracts.kit.call import Call, page_links
from openorders.contracts.kit.contract import Contract, Credential, Rendered
from openorders.contracts.kit.cursors import read_cursor, write_cursor
from openorders.contracts.kit.headers import etag
from openorders.contracts.kit.openapi import describe
from openorders.contracts.kit.paging import link_header, next_offset, pages, prev_offset
from openorders.contracts.kit.prefixed import Prefixed
from openorders.contracts.kit.queries import refuse_unknown
from openorders.contracts.kit.quotas import Quota
from openorders.contracts.kit.routes import File, Only, Route, delete, get, patch, post, put
from openorders.contracts.kit.unreadable import NoSuch, Unreadable
from openorders.contracts.kit.values import INT64_MAX, Amount, Money, encode, moment
from openorders.usecases.answers import Answer

__all__ = [
    "EXCHANGE",
    "INT64_MAX",
    "Amount",
    "Answer",
    "Call",
    "Contract",
    "Credential",
    "Download",
    "Exchange",
    "File",
    "Ground",
    "Money",
    "NoSuch",
    "Only",
    "Prefixed",
    "Quota",
    "Rendered",
    "Route",
    "Stream",
    "Unreadable",
    "answer",
    "build",
    "delete",
    "describe",
    "encode",
    "etag",
    "exchange_of",
    "get",
    "link_header",
    "moment",
    "next_offset",
    "no_content",
    "page_links",
    "pages",
    "patch",
    "post",
    "prev_offset",
    "put",
    "read_cursor",
    "refuse_unknown",
    "write_cursor",
]
