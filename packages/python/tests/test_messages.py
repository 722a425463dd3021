"""Generated messages as classes: what goes through the codec, and that they stay what betterproto2 made of them."""

import copy
import dataclasses
import io
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import anyplug_generated.anyplug.test.v1 as schema
import anyplug_generated.google.protobuf as well_known
import betterproto2
import pytest
from anyplug._error import AnyplugError
from anyplug._messages import MessagePool
from anyplug._native import encode_message
from anyplug_generated.anyplug.test.v1 import Everything, FailRequest
from anyplug_generated.message_pool import default_message_pool

CLASSES = sorted(default_message_pool.type_to_url, key=lambda cls: cls.__qualname__)

STRANGE = b"\xa0\x06\x05"


def with_unknown() -> Everything:
    return Everything.parse(b"\x18\x01" + STRANGE)


def test_the_generated_pool_is_ours() -> None:
    assert isinstance(default_message_pool, MessagePool)
    assert len(CLASSES) >= 40


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__qualname__)
def test_every_generated_class_fits_its_table(cls: type[betterproto2.Message]) -> None:
    empty = cls.parse(b"")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made = cls()
    assert vars(empty) == vars(made)
    assert [type(value) for value in vars(empty).values()] == [type(value) for value in vars(made).values()]
    assert list(vars(empty)) == list(vars(made))
    assert bytes(made) == b""


def table_lines(module: ModuleType) -> dict[str, dict[str, list[str]]]:
    classes: dict[str, dict[str, list[str]]] = {}
    table = sys.modules[f"{module.__name__}._anyplug_table"]
    for line in table.TABLE.splitlines()[1:]:
        if line.startswith("message "):
            fields = classes[line.removeprefix("message ")] = {}
        else:
            number, attribute, *rest = line.split()
            fields[attribute] = [number, *rest]
    return classes


@pytest.mark.parametrize("module", [schema, well_known], ids=lambda module: module.__name__)
def test_tables_say_what_betterproto2_says(module: ModuleType) -> None:
    Everything().__bytes__()
    well_known.Any().__bytes__()
    for name, fields in table_lines(module).items():
        for attribute in dataclasses.fields(getattr(module, name)):
            meta = betterproto2.FieldMetadata.get(attribute)
            number, cardinality, *types = fields[attribute.name]
            assert int(number) == meta.number
            assert (cardinality in {"repeated", "packed"}) == meta.repeated
            assert (cardinality == "map") == (meta.proto_type == "map")
            assert (cardinality == "optional" or cardinality.startswith("oneof:")) == meta.optional
            assert cardinality.removeprefix("oneof:") == meta.group if meta.group else ":" not in cardinality
            if meta.map_meta:
                assert types[0] == meta.map_meta[0].proto_type
                meta = meta.map_meta[1]
            kind = types[-1].partition(":")[0]
            assert ("message" if kind in {"timestamp", "duration", "wrapper"} else kind) == meta.proto_type
            assert (kind in {"timestamp", "duration", "wrapper"}) == (meta.unwrap is not None)


def test_unknown_fields_survive_copies_and_pickling() -> None:
    message = with_unknown()
    for again in (copy.copy(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message))):  # noqa: S301
        assert again == message
        assert type(again) is Everything
        assert bytes(again) == b"\x18\x01" + STRANGE


def test_a_copy_shares_and_a_deep_copy_does_not() -> None:
    message = Everything(names=["a"], child=Everything(), children=[Everything()])
    shallow, deep = copy.copy(message), copy.deepcopy(message)
    message.names.append("b")
    assert shallow.names is message.names
    assert shallow.child is message.child
    assert deep == Everything(names=["a"], child=Everything(), children=[Everything()])
    assert deep.child is not message.child


def test_parsed_messages_are_like_made_ones() -> None:
    parsed = Everything.parse(b"\x18\x01")
    parsed.names.append("x")
    parsed.string_value = "y"
    assert parsed == Everything(int32_value=1, names=["x"], string_value="y")
    assert repr(parsed) == "Everything(int32_value=1, string_value='y', names=['x'])"
    assert parsed.is_set("int32_value")
    assert Everything.parse(b"").names == []
    assert dataclasses.replace(parsed, int32_value=2).int32_value == 2
    assert parsed.to_dict() == {"int32Value": 1, "names": ["x"], "stringValue": "y"}


def test_a_peer_that_sets_a_deprecated_field_is_no_warning_to_the_reader() -> None:
    assert Everything.parse(b"\xc8\x02\x05").old_value == 5
    with pytest.warns(DeprecationWarning, match="old_value is deprecated"):
        Everything(old_value=5)
    assert copy.deepcopy(Everything.parse(b"\xc8\x02\x05")).old_value == 5


def test_other_names_of_the_same_go_through_the_codec() -> None:
    message = Everything(double_value=-0.0, labels={"": ""})
    data = bytes(message)
    assert data == message.SerializeToString()
    assert str(Everything.FromString(data).double_value) == "-0.0"
    stream = io.BytesIO()
    message.dump(stream)
    message.dump(stream, delimit=True)
    Everything(int32_value=7).dump(stream, delimit=True)
    stream.seek(0)
    assert Everything().load(stream, len(data)) == message
    assert Everything().load(stream, betterproto2.SIZE_DELIMITED) == message
    # What is loaded is added to what is there.
    assert Everything(int64_value=1).load(stream, betterproto2.SIZE_DELIMITED) == Everything(
        int64_value=1, int32_value=7
    )
    with pytest.raises(AnyplugError, match="no length before an encoded Everything"):
        Everything().load(stream, betterproto2.SIZE_DELIMITED)
    with pytest.raises(AnyplugError, match="ended after 2 of the 3 bytes of an encoded Everything"):
        Everything().load(io.BytesIO(b"ab"), 3)


def test_loading_merges_into_what_is_there() -> None:
    child = Everything(string_value="kept", names=["a"])
    message = Everything(child=child, choice_text="t")
    message.load(io.BytesIO(bytes(Everything(child=Everything(names=["b"]), choice_number=0))))
    assert message == Everything(child=Everything(string_value="kept", names=["a", "b"]), choice_number=0)
    assert message.child is child


@dataclasses.dataclass(eq=False, repr=False)
class Derived(FailRequest):
    """What a user makes of a generated class."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.seen = True


def test_derived_classes_are_messages_too() -> None:
    parsed = Derived.parse(b"\x08\x05")
    assert type(parsed) is Derived
    assert parsed.seen
    assert parsed.code == 5
    assert bytes(parsed) == b"\x08\x05"
    assert pickle.loads(pickle.dumps(parsed)).code == 5  # noqa: S301
    assert bytes(schema.CountRequest(fail=parsed)) == b"\x22\x02\x08\x05"
    assert type(schema.CountRequest.parse(b"\x22\x02\x08\x05").fail) is FailRequest


def test_a_class_without_a_table_is_refused() -> None:
    with pytest.raises(AnyplugError, match="is not a message that anyplug's generator"):
        encode_message(5)


def test_a_class_that_does_not_fit_its_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclasses.dataclass(eq=False, repr=False)
    class Changed(betterproto2.Message):
        one: int = betterproto2.field(1, betterproto2.TYPE_INT32)
        two: int = betterproto2.field(2, betterproto2.TYPE_INT32)

    table = ModuleType("changed._anyplug_table")
    table.__dict__["TABLE"] = "package\nmessage Changed\n1 one singular int32\n"
    monkeypatch.setitem(sys.modules, "changed", ModuleType("changed"))
    monkeypatch.setitem(sys.modules, "changed._anyplug_table", table)
    Changed.__module__ = "changed"
    MessagePool().register_message("", "Changed", Changed)
    with pytest.raises(AnyplugError, match=r"changed\.Changed does not fit its table, where there is no two.*Generate"):
        bytes(Changed())


def test_registering_reads_no_table() -> None:
    class Unused(betterproto2.Message):
        pass

    Unused.__module__ = "package.that.is.not.there"
    MessagePool().register_message("", "Unused", Unused)
    with pytest.raises(ModuleNotFoundError):
        bytes(Unused())


def test_without_the_native_module_importing_says_what_is_missing(tmp_path: Path) -> None:
    package = Path(sys.modules["anyplug._messages"].__file__ or "").parent
    (tmp_path / "anyplug").mkdir()
    for source in package.iterdir():
        if not source.name.startswith("_native"):
            (tmp_path / "anyplug" / source.name).symlink_to(source)
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": str(tmp_path)}
    program = "import anyplug_generated.anyplug.test.v1"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    assert run.returncode != 0
    assert "ImportError: anyplug's native module" in run.stderr
