"""What this project uses of vLLM is as `tests.support.vllm_surface` lists it, and complete there.

With another version of vLLM, the failure of the first test is the list of what has moved.
"""

import ast
import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
import vllm
from vllm import envs

from devtools.paths import CHECKOUT
from tests.support.vllm_surface import DOCUMENTED, FLAGS, IMPORTED, REACHED, WRITTEN

FOLDERS = ("multimodal_plugin/emotion_llama_vllm", "server/emotion_llama_server")
TABLES = (*DOCUMENTED.values(), IMPORTED, REACHED, FLAGS)
OURS = {"VLLM_KEY_NAME", "VLLM_SERIES"}
"""Names in our code that look like environment variables of vLLM."""

_ROW = re.compile(r" {4}(?P<name>[\w.]+)(?: \((?P<arguments>.*)\))?(?P<attributes>( \.\w+)*)")


def test_vllm_has_what_the_tables_list() -> None:
    moved = [problem for row in rows(*TABLES) for problem in problems(row)]
    assert not moved, "\n" + "\n".join(moved)


def test_each_import_is_in_a_table_and_nothing_else_is() -> None:
    listed = {(row.module, row.name) for row in rows(*DOCUMENTED.values(), IMPORTED)}
    assert imported() == listed


def test_each_listed_method_attribute_and_flag_is_used() -> None:
    listed = {
        f"{row.name}.{name}": name
        for row in rows(*TABLES)
        for name in (*row.name.split(".")[1:], *row.attributes)
    }
    assert [where for where, name in listed.items() if name not in words()] == []


def test_the_environment_variables_are_vllms() -> None:
    named = {word for word in words() if re.fullmatch(r"VLLM_[A-Z0-9_]+", word)}
    assert named - set(envs.environment_variables) == OURS


def test_vllms_files_hold_the_text_that_is_relied_on() -> None:
    folder = Path(vllm.__path__[0])
    texts = {file: (folder / file).read_text(encoding="utf-8") for file in WRITTEN}
    assert [file for file, text in WRITTEN.items() if text not in texts[file]] == []


def test_vllm_has_the_kernel_of_the_activation() -> None:
    importlib.import_module("vllm.model_executor.layers.activation")
    assert hasattr(torch.ops._C, "silu_and_mul")


class Row(NamedTuple):
    """One row of a table."""

    module: str
    name: str
    arguments: list[str] | None
    attributes: list[str]


def rows(*tables: str) -> Iterator[Row]:
    for table in tables:
        module = ""
        for line in table.strip("\n").splitlines():
            if not line.startswith(" "):
                module = line
                continue
            row = _ROW.fullmatch(line)
            assert row is not None, line
            passed = row["arguments"]
            yield Row(
                module,
                row["name"],
                None if passed is None else [name for name in passed.split(", ") if name],
                [name.removeprefix(".") for name in row["attributes"].split()],
            )


def problems(row: Row) -> Iterator[str]:
    """Yield how the installed vLLM differs from a row."""
    where = f"{row.module} {row.name}"
    try:
        found: Any = importlib.import_module(row.module)
        for part in row.name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        yield f"{where}: {error}"
        return
    for name in row.attributes:
        if not has(found, name):
            yield f"{where}: it has no .{name}"
    if row.arguments is not None and not takes(found, row.arguments):
        yield f"{where}: it takes {inspect.signature(found)}"


def has(found: Any, name: str) -> bool:
    """Return whether an object, or each instance of a class, has an attribute."""
    if hasattr(found, name) or not inspect.isclass(found):
        return hasattr(found, name)
    declared = {field for kind in found.__mro__ for field in inspect.get_annotations(kind)}
    if dataclasses.is_dataclass(found):
        declared |= {field.name for field in dataclasses.fields(found)}
    return name in declared or f"self.{name} = " in inspect.getsource(found)


def takes(found: Any, arguments: list[str]) -> bool:
    """Return whether a call may pass these arguments, in this order, and no others."""
    parameters = [
        parameter
        for name, parameter in inspect.signature(found).parameters.items()
        if name != "self"
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    needed = {parameter.name for parameter in parameters if parameter.default is parameter.empty}
    known = [parameter.name for parameter in parameters if parameter.name in arguments]
    return known == arguments and needed <= set(arguments)


@cache
def nodes() -> list[ast.AST]:
    files = [file for folder in FOLDERS for file in (CHECKOUT / folder).rglob("*.py")]
    return [node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8")))]


def imported() -> set[tuple[str, str]]:
    """Return the names that our sources import from vLLM, or name to it as text."""
    found = set()
    for node in nodes():
        match node:
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] == "vllm":
                found |= {(module, alias.name) for alias in node.names}
            case ast.Attribute(value=ast.Name(id="vllm"), attr=name):
                found.add(("vllm", name))
            case ast.Constant(value=str(text)) if re.fullmatch(r"vllm(\.\w+)+\.[A-Z]\w+", text):
                module, _, name = text.rpartition(".")
                found.add((module, name))
    return found


@cache
def words() -> set[str]:
    """Return the names and texts in our sources."""
    found = set()
    for node in nodes():
        match node:
            case ast.Attribute(attr=word) | ast.keyword(arg=str(word)) | ast.arg(arg=word):
                found.add(word)
            case ast.FunctionDef(name=word) | ast.AsyncFunctionDef(name=word) | ast.Name(id=word):
                found.add(word)
            case ast.Constant(value=str(word)):
                found.add(word)
    return found
