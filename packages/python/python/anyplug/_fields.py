"""The dataclass fields of generated messages: made from the table of their package when somebody asks."""

import dataclasses
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import betterproto2

__all__ = ("LazyFields", "mark_generated")

Fields = dict[str, dataclasses.Field[Any]]

_MARK = "_anyplug_generated"


def mark_generated(message_type: type) -> None:
    """Says that the class was generated: its fields are those of its table."""
    setattr(message_type, _MARK, message_type)


class LazyFields:
    """Takes the place of ``__dataclass_fields__`` until the fields of a class are asked for."""

    __slots__ = ()

    def __get__(self, instance: object, owner: type) -> Fields:
        """Returns the fields of a class, in the order of the schema; the next time the class has them itself."""
        generated = getattr(owner, _MARK, None)
        if generated is None:
            return {}
        fields = _fields_of(generated)
        generated.__dataclass_fields__ = fields
        return fields


def _fields_of(message_type: type) -> Fields:
    name = message_type.__module__
    lines: list[str] = import_module(f"{name}._anyplug_table").TABLE.splitlines()
    package = lines[0].removeprefix("package").strip()
    root = name.removesuffix(package).removesuffix(".") if package else name
    start = lines.index(f"message {message_type.__name__}") + 1
    specifications: list[tuple[str, str, Any]] = []
    for line in lines[start:]:
        if line.startswith("message "):
            break
        number, attribute, cardinality, *types = line.split(" ")
        field = _field(int(number), cardinality, types, name, root)
        specifications.append((attribute, message_type.__annotations__[attribute], field))
    # The standard library makes fields for classes only.
    made = dataclasses.make_dataclass(message_type.__name__, specifications, init=False, repr=False, eq=False)
    return {field.name: field for field in dataclasses.fields(made)}


def _field(number: int, cardinality: str, types: list[str], module: str, root: str) -> Any:
    kind, _, reference = types[-1].partition(":")
    proto_type = "message" if kind in {"timestamp", "duration", "wrapper"} else kind
    unwrap = _unwrap(kind, reference, root)
    if cardinality == "map":
        meta = betterproto2.map_meta(types[0], proto_type, unwrap_2=unwrap)
        return betterproto2.field(number, "map", map_meta=meta)
    return betterproto2.field(
        number,
        proto_type,
        default_factory=_zero_of(reference, module, root) if kind == "enum" else None,
        group=cardinality.removeprefix("oneof:") if cardinality.startswith("oneof:") else None,
        unwrap=unwrap,
        optional=cardinality == "optional" or cardinality.startswith("oneof:"),
        repeated=cardinality in {"repeated", "packed"},
    )


def _unwrap(kind: str, scalar: str, root: str) -> Callable[[], type] | None:
    if kind not in {"timestamp", "duration", "wrapper"}:
        return None
    names = {"uint32": "UInt32", "uint64": "UInt64"}
    name = f"{names.get(scalar, scalar.capitalize())}Value" if kind == "wrapper" else kind.capitalize()

    def well_known() -> type:
        found: type = getattr(import_module(f"{root}.google.protobuf" if root else "google.protobuf"), name)
        return found

    return well_known


def _zero_of(reference: str, module: str, root: str) -> Callable[[], Any]:
    package, _, name = reference.rpartition(":")

    def zero() -> Any:
        place = module if not package else f"{root}.{package}" if root else package
        return getattr(sys.modules.get(place) or import_module(place), name)(0)

    return zero
