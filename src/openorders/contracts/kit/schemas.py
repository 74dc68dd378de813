"""JSON schemas of Structs, as the kit reads and writes them.

msgspec describes its own defaults; where the kit decides otherwise, so does this: amounts are
numbers, and a field that may be left out is not required.
"""

import typing
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

import msgspec
from msgspec import UnsetType, inspect

from openorders.contracts.kit.values import NUMBER, describe_special

Json = dict[str, Any]

REFERENCE: Final = "#/components/schemas/{name}"


def components(types: Sequence[type]) -> tuple[dict[type, Json], Json]:
    """What refers to each type, and the named schemas that are referred to."""
    references, named = msgspec.json.schema_components(
        types, schema_hook=describe_special, ref_template=REFERENCE
    )
    for name, optional in _optional_fields(types):
        schema = named.get(name, {})
        required = [field for field in schema.get("required", ()) if field not in optional]
        if "required" in schema:
            schema["required"] = required
    plain = cast("Json", _with_numbers(named))
    return dict(zip(types, references, strict=True)), plain


def _with_numbers(schema: object) -> object:
    if isinstance(schema, list):
        return [_with_numbers(part) for part in cast("list[object]", schema)]
    if not isinstance(schema, dict):
        return schema
    fields = cast("dict[str, object]", schema)
    if fields.get("type") == "string" and fields.get("format") == "decimal":
        return {**fields, **NUMBER}
    return {name: _with_numbers(part) for name, part in fields.items()}


def _optional_fields(types: Sequence[type]) -> Iterator[tuple[str, set[str]]]:
    """The fields of each Struct that may be left out, by the Struct's name."""
    for struct in set(_structs_in(inspect.multi_type_info(types), set())):
        fields = msgspec.structs.fields(struct)
        optional = {field.encode_name for field in fields if _may_be_unset(field.type)}
        if optional:
            yield struct.__name__, optional


def _may_be_unset(declared: object) -> bool:
    if declared is UnsetType:
        return True
    return any(_may_be_unset(part) for part in typing.get_args(declared))


def _structs_in(kinds: Sequence[object], seen: set[type]) -> Iterator[type[msgspec.Struct]]:
    """Every Struct that these descriptions reach."""
    for kind in kinds:
        if isinstance(kind, inspect.StructType):
            if kind.cls in seen:
                continue
            seen.add(kind.cls)
            yield kind.cls
            yield from _structs_in([field.type for field in kind.fields], seen)
        elif isinstance(kind, inspect.UnionType):
            yield from _structs_in(kind.types, seen)
        elif isinstance(kind, inspect.Metadata):
            yield from _structs_in([kind.type], seen)
        elif isinstance(kind, inspect.ListType | inspect.VarTupleType):
            yield from _structs_in([kind.item_type], seen)
        elif isinstance(kind, inspect.DictType):
            yield from _structs_in([kind.value_type], seen)
