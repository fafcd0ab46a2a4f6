"""The public surface as it really is, one line for one thing, for `test_public_surface`.

Each function asks the thing itself: click, the published database, the asset graph, the models of
a source's file. Nothing is asserted here, and nothing of it is written down: that is done by hand
in `surface/*.txt`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

import click
import dagster as dg
import yaml
from house import HOUSE, files, tree
from world import World, definitions

from pipelines import components
from pipelines.cli.main import cli
from pipelines.layouts.source import SourceFile
from schemas.measures import MEASURES

# -- the command -----------------------------------------------------------------------------------


def commands() -> Iterator[click.Context]:
    """Return `fundflows` and each of its commands, as click calls them."""
    whole = cli.make_context("fundflows", [], resilient_parsing=True)
    yield whole
    for name in sorted(cli.commands):
        yield cli.commands[name].make_context(name, [], parent=whole, resilient_parsing=True)


def parameters(context: click.Context) -> Iterator[click.Argument | click.Option]:
    """Return the arguments of a command in their order, then its options by name."""
    found = context.command.get_params(context)
    yield from (each for each in found if isinstance(each, click.Argument))
    options = (each for each in found if isinstance(each, click.Option))
    yield from sorted(options, key=lambda each: each.opts[-1])


def command_lines() -> Iterator[str]:
    """Return the command, then each of its arguments and options with its default."""
    for context in commands():
        name = context.command_path
        yield name
        for each in parameters(context):
            if isinstance(each, click.Argument):
                yield f"{name} {each.make_metavar(context)}"
                continue
            value = "" if each.is_flag else f" {each.make_metavar(context)}"
            default = context.params.get(each.name or "")
            shown = "" if each.is_flag or default in (None, ()) else f", default {default}"
            yield f"{name} {', '.join(each.opts)}{value}{shown}"


# -- the environment and make ----------------------------------------------------------------------


def environment() -> Iterator[str]:
    """Return the variables that `pipelines/` reads or sets, by what is written in the code."""
    found: set[str] = set()
    for module in files():
        if module.split(".")[0] == "pipelines":
            found |= set(_variables(module))
    yield from sorted(found)


def _variables(module: str) -> Iterator[str]:
    constants = {
        target.id: node.value.value
        for node in tree(module).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree(module)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="environ")), args=[name, *_]):
                yield _named(name, constants)
            case ast.Call(func=ast.Attribute(attr="getenv"), args=[name, *_]):
                yield _named(name, constants)
            case ast.Subscript(value=ast.Attribute(attr="environ"), slice=name):
                yield _named(name, constants)
            case ast.Constant(value=str(text)) if re.fullmatch(r"FUNDFLOWS_[A-Z_]+", text):
                yield text  # also where it is handed on, but not where a sentence names it


def _named(node: ast.expr, constants: Mapping[str, Any]) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return str(constants.get(node.id)) if isinstance(node, ast.Name) else ast.unparse(node)


def targets() -> Iterator[str]:
    """Return the targets of the Makefile that people type, and the variables that they may set."""
    text = (HOUSE / "Makefile").read_text(encoding="utf-8")
    yield from sorted(re.findall(r"^([a-z]\w*):(?!=)", text, re.MULTILINE))
    yield from sorted(f"{name}=..." for name in re.findall(r"^(\w+) \?=", text, re.MULTILINE))


# -- the database ----------------------------------------------------------------------------------


def tables(world: World) -> list[str]:
    """Return every table and view with its columns in their order."""
    return [
        line
        for (line,) in world.query(
            """
            select concat(schema_name, '.', name, line) from (
                select schema_name, table_name as name, -1 as place, '  table' as line
                from duckdb_tables() where not internal
                union all
                select schema_name, view_name, -1, '  view' from duckdb_views() where not internal
                union all
                select schema_name, table_name, column_index,
                    concat('.', column_name, '  ', data_type)
                from duckdb_columns() where not internal
            )
            where schema_name not in (select source from core.source)
            order by schema_name, name, place
            """
        )
    ]


def source_views(world: World) -> list[str]:
    """Return the schema of every source with its views."""
    return [
        line
        for (line,) in world.query(
            """
            select concat(schema_name, ': ', string_agg(view_name, ' ' order by view_name))
            from duckdb_views()
            where schema_name in (select source from core.source)
            group by schema_name
            order by schema_name
            """
        )
    ]


def macros(world: World) -> list[str]:
    """Return every macro with its parameters."""
    return [
        line
        for (line,) in world.query(
            """
            select distinct concat(schema_name, '.', function_name, '(',
                array_to_string(parameters, ', '), ')',
                if(function_type = 'table_macro', '  table', ''))
            from duckdb_functions()
            where function_type in ('macro', 'table_macro') and not internal
            order by all
            """
        )
    ]


# -- Dagster ---------------------------------------------------------------------------------------


def dagster() -> Iterator[str]:
    """Return what a team sees in Dagster, or names in its own settings."""
    loaded = definitions()
    graph = loaded.resolve_asset_graph()
    for key in sorted(graph.get_all_asset_keys(), key=lambda key: key.path):
        node = graph.get(key)
        yield f"asset {key.to_user_string()}  group {node.group_name}"
        yield from sorted(f"check {each.to_user_string()}" for each in node.check_keys)
    groups = {graph.get(key).group_name for key in graph.get_all_asset_keys()}
    yield from (f"group {name}" for name in sorted(groups))
    repository = loaded.get_repository_def()
    yield from sorted(f"schedule {each.name}" for each in repository.schedule_defs)
    yield from sorted(f"sensor {each.name}" for each in repository.sensor_defs)
    yield from sorted(_run_config(loaded))
    settings = yaml.safe_load((HOUSE / "dagster.yaml").read_text(encoding="utf-8"))
    storage = settings["storage"]["custom"]
    yield f"storage {storage['module']}.{storage['class']}"


def _run_config(loaded: dg.Definitions) -> Iterator[str]:
    for node in loaded.resolve_implicit_global_asset_job_def().nodes:
        fields = getattr(node.definition.config_schema.config_type, "fields", {})
        yield from (f"config {node.name}.{name}" for name in fields)


# -- a source's file -------------------------------------------------------------------------------


def component_lines() -> Iterator[str]:
    """Return the types of a `defs.yaml` with their attributes by path, then what is measured."""
    for name in sorted(components.__all__):
        yield f"type: pipelines.components.{name}"
        component = getattr(components, name)
        model = SourceFile if name == "FundFlowReport" else component.get_model_cls()
        if model is not None:
            schema = model.model_json_schema()
            yield from _fields("attributes", schema, schema.get("$defs", {}))
    yield from (f"measure {name}" for name in sorted(MEASURES))


def _fields(path: str, schema: Mapping[str, Any], parts: Mapping[str, Any]) -> Iterator[str]:
    """Return a line for each field of a JSON schema that is a mapping, and of those within it."""
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        needed = ", required" if name in required else _default(field)
        yield f"{path}.{name}: {_type(field, parts)}{needed}"
        yield from _inner(f"{path}.{name}", field, parts)


def _default(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    if default in (None, "", [], {}):
        return ""
    return f", default {str(default).lower() if isinstance(default, bool) else default}"


def _resolved(field: Mapping[str, Any], parts: Mapping[str, Any]) -> Mapping[str, Any]:
    return parts[field["$ref"].rpartition("/")[2]] if "$ref" in field else field


def _choices(field: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return field.get("anyOf") or field.get("oneOf") or []


def _inner(path: str, field: Mapping[str, Any], parts: Mapping[str, Any]) -> Iterator[str]:
    field = _resolved(field, parts)
    choices = [_resolved(each, parts) for each in _choices(field)]
    mappings = [each for each in choices if "properties" in each]
    for each in choices:
        # Several kinds of a column are told apart by the field that only one of them needs.
        kind = f"({each['required'][0]})" if len(mappings) > 1 else ""
        yield from _inner(f"{path}{kind}", each, parts)
    if "properties" in field:
        yield from _fields(path, field, parts)
    if "items" in field:
        yield from _inner(f"{path}[]", field["items"], parts)
    if isinstance(field.get("additionalProperties"), Mapping):
        yield from _inner(f"{path}.*", field["additionalProperties"], parts)


def _type(field: Mapping[str, Any], parts: Mapping[str, Any]) -> str:
    field = _resolved(field, parts)
    if choices := _choices(field):
        kinds = dict.fromkeys(_type(each, parts) for each in choices)
        return " | ".join(each for each in kinds if each != "null")
    if "enum" in field:
        return " | ".join(map(str, field["enum"]))
    if "const" in field:
        return str(field["const"])
    if "items" in field:
        return f"[{_type(field['items'], parts)}]"
    if isinstance(field.get("additionalProperties"), Mapping):
        keys = field.get("propertyNames", {}).get("enum", ["*"])
        return f"{{{' | '.join(keys)}: {_type(field['additionalProperties'], parts)}}}"
    return str(field.get("format") or ("mapping" if "properties" in field else field.get("type")))
