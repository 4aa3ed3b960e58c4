"""Liquid as messages use it: strict about names, bounded in size, without a clock. It knows nothing of messages or people."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import lru_cache, wraps
from typing import Any, Literal, TextIO
from urllib.parse import quote

from liquid import BoundTemplate, Environment, FalsyStrictUndefined, RenderContext
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.exceptions import FilterArgumentError, FilterValueError, LiquidError, LiquidSyntaxError
from liquid.filter import string_filter, with_context
from liquid.stringify import to_liquid_string
from liquid.undefined import is_undefined
from liquid.utils import ReadOnlyChainMap

from journey import local_time

LONGEST_TEMPLATE = 256_000
LONGEST_OUTPUT = 1_000_000
MOST_ITERATIONS = 2_000
_LONGEST_VALUE = 256_000
Kind = Literal["text", "html", "url"]
"""What a template makes, and so how its values are escaped."""


class Fault(Exception):
    """A template that cannot be read, or not be filled for these values: a sentence, and the line, 0 when it is not known."""

    def __init__(self, sentence: str, line: int = 0) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.line = line


def fill(text: str, values: Mapping[str, Any], *, html: bool = False, url: bool = False) -> str:
    """The text with its Liquid filled in. With `html`, values are escaped; nothing can mark them as safe. With `url` each is
    percent-encoded, so that none ends its part of the path or the query. Raises Fault."""
    if "{{" not in text and "{%" not in text:
        return text
    try:
        return _compiled(text, "html" if html else "url" if url else "text").render(values)
    except LiquidError as error:
        raise _fault(error, text) from error
    except (MemoryError, Fault):
        raise
    except Exception as error:
        raise Fault(f"it cannot be filled in ({type(error).__name__})") from error


def check(text: str, names: Collection[str], *, url: bool = False) -> None:
    """Raises Fault when the text is no template, uses a filter that does not exist, or a value that is not one of `names`.

    What is missing for one person only shows when it is filled in.
    """
    try:
        found = _compiled(text, "url" if url else "text").analyze(include_partials=False)
    except LiquidError as error:
        raise _fault(error, text) from error
    for name, spans in found.filters.items():
        if name not in _ENVIRONMENTS["text"].filters:
            raise Fault(f"unknown filter {name!r}", _line(text, spans[0].index))
    for name, variables in found.globals.items():
        if name not in names:
            raise Fault(f"there is no {name!r} here: there are {', '.join(names)}", _line(text, variables[0].span.index))


def fields_of(name: str, text: str) -> tuple[str, ...]:
    """What a template reads of a value: `first_name` of `profile` in `{{ profile.first_name }}`. Nothing of one that cannot be read."""
    try:
        found = _compiled(text, "text").analyze(include_partials=False)
    except LiquidError:
        return ()
    paths = [variable.segments for variable in found.globals.get(name, ())]
    return tuple(dict.fromkeys(path[1] for path in paths if len(path) > 1 and isinstance(path[1], str)))


def _line(text: str, index: int) -> int:
    return text.count("\n", 0, index) + 1


def _fault(error: LiquidError, text: str) -> Fault:
    try:
        found = error.context()
    except ValueError:  # the place is past the end of the text
        found = None
    if found is not None:
        return Fault(str(error.message), found[0])
    # A tag that is not closed is missed at the end, a place without a number.
    return Fault(str(error.message), text.count("\n") + 1 if isinstance(error, LiquidSyntaxError) else 0)


class _Context(RenderContext):
    """Without `now` and `today`, which read the clock: an instant is a value like any other."""

    __slots__ = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)


class _Template(BoundTemplate):
    context_class = _Context


class _Environment(Environment):
    template_class = _Template
    loop_iteration_limit = MOST_ITERATIONS
    output_stream_limit = LONGEST_OUTPUT
    local_namespace_limit = LONGEST_OUTPUT


def _bounded(name: str, filter_: Callable[..., Any]) -> Callable[..., Any]:
    """No filter makes more than a mail can hold. `replace` and `join` multiply, so they are asked before and not after.

    What is missing is a fault in each but `default`: the library's own take it for 0, or for no text."""

    @wraps(filter_)  # keeps the marks by which Liquid hands a filter its context
    def bounded(value: Any, *args: Any, **named: Any) -> Any:
        for given in (value, *args):
            if name != "default" and is_undefined(given):
                str(given)  # raises, with the name that is missing
            if isinstance(given, range) and given.stop - given.start > MOST_ITERATIONS:
                raise FilterArgumentError(f"a range of more than {MOST_ITERATIONS} numbers", token=None)
        if name == "replace" and len(args) == 2:
            size = str(value).count(str(args[0])) * len(str(args[1]))
        elif name == "join" and isinstance(value, (list, tuple)):
            size = len(value) * len(str(args[0])) if args else 0
        else:
            size = 0
        try:
            result = filter_(value, *args, **named) if size <= _LONGEST_VALUE else ""
        except LiquidError:
            raise
        except Exception as error:
            raise FilterValueError(f"{name} cannot take this value ({type(error).__name__})", token=None) from error
        if size > _LONGEST_VALUE or (isinstance(result, str) and len(result) > _LONGEST_VALUE):
            raise FilterValueError(f"{name} makes more than {_LONGEST_VALUE} characters", token=None)
        return result

    return bounded


def _date(library: Callable[..., Any]) -> Callable[..., Any]:
    @with_context
    @wraps(library)
    def date(value: Any, *args: Any, context: RenderContext, **named: Any) -> Any:
        return library(_instant(value, context), *args, **named)

    return date


def _instant(value: Any, context: RenderContext) -> Any:
    """The value; for the word `now` the instant that the caller gave."""
    if value in ("now", "today"):
        value = context.resolve("now", default=None)
        if value is None:
            raise FilterArgumentError("there is no `now` here", token=None)
    return value


@with_context
def _in_zone(value: Any, name: Any, *, context: RenderContext) -> str:
    """A date-time as the clock of a zone shows it, with its offset there. One without an offset is of that clock already."""
    where = local_time.zone(name) if isinstance(name, str) else None
    if where is None:
        raise FilterArgumentError("in_zone takes the name of a time zone, as Europe/Zurich", token=None)
    value = _instant(value, context)
    at = local_time.read(value.isoformat() if isinstance(value, datetime) else value, where)
    if at is None:
        raise FilterArgumentError("in_zone takes a date-time, as 2026-12-01T09:00:00Z", token=None)
    return datetime.fromtimestamp(at // 1_000_000, where).isoformat()


def _json(value: Any) -> str:
    """A value as JSON, quotes and all."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)


class _Encoded(str):
    """Percent-encoded already, by a filter."""

    __slots__ = ()


@string_filter
def _url_encode(value: str) -> str:
    return _Encoded(quote(value, safe=""))


class _UrlOutput(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        value = self.expression.evaluate(context)
        return buffer.write(value if isinstance(value, _Encoded) else quote(to_liquid_string(value, False), safe=""))


class _UrlEcho(_UrlOutput, EchoNode):
    pass


class _OutputTag(Output):
    node_class = _UrlOutput


class _EchoTag(EchoTag):
    node_class = _UrlEcho


def _environment(kind: Kind) -> Environment:
    environment = _Environment(undefined=FalsyStrictUndefined, autoescape=kind == "html")
    del environment.filters["safe"]  # with it a name like <script> would get through
    environment.filters["date"] = _date(environment.filters["date"])
    environment.filters["in_zone"] = _in_zone
    environment.filters["json"] = _json
    if kind == "url":
        environment.filters["url_encode"] = _url_encode
        environment.add_tag(_OutputTag)
        environment.add_tag(_EchoTag)
        for tag in ("cycle", "tablerow"):  # they write values by themselves, as they are
            environment.tags.pop(tag, None)
    for name, filter_ in environment.filters.items():
        environment.filters[name] = _bounded(name, filter_)
    for tag in ("include", "render"):  # there are no other templates to include
        environment.tags.pop(tag, None)
    return environment


_ENVIRONMENTS: dict[Kind, Environment] = {kind: _environment(kind) for kind in ("text", "html", "url")}


@lru_cache(maxsize=512)
def _compiled(text: str, kind: Kind) -> BoundTemplate:
    if len(text) > LONGEST_TEMPLATE:
        raise LiquidError(f"it is longer than {LONGEST_TEMPLATE} characters", token=None)
    try:
        return _ENVIRONMENTS[kind].from_string(text)
    except RecursionError as error:
        raise LiquidError("it is nested too deeply", token=None) from error
