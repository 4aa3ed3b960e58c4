"""Which fields a document may have at a place, to say which one was meant by another. It knows no data and no sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel


def at(shape: Any, loc: tuple[int | str, ...]) -> frozenset[str]:
    """The names, as they are written, of the fields that stand beside the last part of a location as pydantic gives it."""
    here = list(_models(shape))
    for part in loc[:-1]:
        if isinstance(part, int):
            continue
        of_kind = [model for model in here if part in _kinds(model)]
        inner = [annotation for model in here for name, annotation in _fields(model) if name == part]
        if of_kind:
            here = of_kind
        elif inner:  # else it is the name of a union member
            here = [model for annotation in inner for model in _models(annotation)]
    return frozenset(name for model in here for name, _ in _fields(model))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model that stands in an annotation: in its lists, its values, or as one of several."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    parts: Iterable[Any] = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
    if get_origin(annotation) is not Literal:
        for part in parts:
            yield from _models(part)


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        yield field.alias or name, field.annotation


def _kinds(model: type[BaseModel]) -> tuple[Any, ...]:
    kind = model.model_fields.get("kind")
    return get_args(kind.annotation) if kind is not None else ()
