"""What the package offers, and that the stub of the native module tells the truth."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import anyplug
import anyplug.codegen.v1
import pytest
from anyplug import AnyplugError, Code, Detail, _native
from anyplug_generated.anyplug.test.v1 import FailDetail, FailRequest

PACKAGE = Path(anyplug.__file__).parent


def modules() -> list[ModuleType]:
    names = [module.name for module in pkgutil.walk_packages([str(PACKAGE)], "anyplug.")]
    return [importlib.import_module(name) for name in names if name != "anyplug._native"]


@pytest.mark.parametrize("module", [anyplug, *modules()], ids=lambda module: module.__name__)
def test_every_module_says_what_it_offers(module: ModuleType) -> None:
    assert sorted(module.__all__) == sorted(set(module.__all__))
    for name in module.__all__:
        assert hasattr(module, name)


def test_plain_functions_need_no_event_loop() -> None:
    """An event loop takes longer to import than everything else, and a plugin of plain functions has none."""
    program = "import sys, anyplug_generated.anyplug.test.v1.test_anyplug; print('asyncio' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    output = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True)
    assert output.stdout == b"False\n"


def test_the_public_names() -> None:
    for name in anyplug.__all__:
        value = getattr(anyplug, name)
        assert name == "__version__" or not name.startswith("_")
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, f"{name} has no docstring"


def test_private_modules_are_private() -> None:
    # `python -m anyplug.run` and `python -m anyplug.run_library` are programs.
    public = sorted(path.name for path in PACKAGE.glob("*.py") if not path.name.startswith("_"))
    assert public == ["run.py", "run_library.py"]


def stub_names() -> dict[str, set[str]]:
    """The public names of the stub, and of each class in it."""
    tree = ast.parse((PACKAGE / "_native.pyi").read_text())
    names: dict[str, set[str]] = {"": set()}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            names[""].add(node.name)
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            names[""].add(node.name)
            names[node.name] = {
                member.name
                for member in node.body
                if isinstance(member, ast.FunctionDef) and not member.name.startswith("_")
            }
    return names


def test_the_stub_of_the_native_module_is_complete() -> None:
    stub = stub_names()
    actual = {name for name in dir(_native) if not name.startswith("_")}
    assert stub[""] == actual
    for name in stub:
        if name:
            members = {member for member in dir(getattr(_native, name)) if not member.startswith("_")}
            assert stub[name] == members, name


def test_an_error_shows_its_code_and_finds_its_details() -> None:
    error = AnyplugError(Code.NOT_FOUND, "no such thing", details=[FailDetail(text="why")], metadata={"k": "v"})
    assert str(error) == "NOT_FOUND: no such thing"
    assert error.details == (Detail("type.googleapis.com/anyplug.test.v1.FailDetail", bytes(FailDetail(text="why"))),)
    assert error.detail(FailDetail) == FailDetail(text="why")
    assert error.detail(FailRequest) is None
    assert error.metadata == (("k", "v"),)
    with pytest.raises(ValueError, match="17"):
        AnyplugError(17, "no such code")  # type: ignore[arg-type]


def test_codes_are_those_of_the_schema() -> None:
    assert [code.value for code in Code] == list(range(1, 17))
    assert str(Code.NOT_FOUND) == "NOT_FOUND"
