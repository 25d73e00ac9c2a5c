"""XML from dictionaries as xmltodict writes it, as one text instead of an event of SAX for each element."""

import functools
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import xmltodict

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_validate_name = xmltodict._validate_name
_unparse = xmltodict.unparse


class Unusual(Exception):
    """Nothing that moto's serialisers make: xmltodict shall write it."""


def apply() -> None:
    xmltodict.unparse = unparse


def unparse(document: Any, full_document: bool = True, short_empty_elements: bool = False, **more: Any) -> Any:
    if more in ({}, {"pretty": False}) and len(document) == 1:
        try:
            [(name, value)] = document.items()
            if full_document and isinstance(value, list):
                raise Unusual
            return (HEAD if full_document else "") + _elements(name, value, short_empty_elements)
        except Unusual:
            pass
    return _unparse(document, full_document=full_document, short_empty_elements=short_empty_elements, **more)


def _elements(name: Any, value: Any, short: bool) -> str:
    if not _is_name(name):
        raise Unusual
    if isinstance(value, list):
        return "".join([_element(name, one, short) for one in value])
    return _element(name, value, short)


def _element(name: str, value: Any, short: bool) -> str:
    if not isinstance(value, dict):
        text = "" if value is None else escape(_text(value))
        return f"<{name}>{text}</{name}>" if text or not short else f"<{name}/>"
    attributes, children, text = "", "", ""
    for key, item in value.items():
        if key == "#text":
            text = "" if item is None else escape(_text(item))
        elif key[:1] == "@":
            if isinstance(item, dict) or not _is_name(key[1:]):
                raise Unusual
            attributes += f" {key[1:]}={quoteattr('' if item is None else _text(item))}"
        elif item != []:
            children += _elements(key, item, short)
    inner = children + text
    return f"<{name}{attributes}>{inner}</{name}>" if inner or not short else f"<{name}{attributes}/>"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if hasattr(value, "__iter__"):
        raise Unusual
    return str(value)


@functools.cache
def _is_name(text: Any) -> bool:
    if not isinstance(text, str) or text == "#comment":
        return False
    try:
        _validate_name(text, "element")
    except ValueError:
        return False
    return True
