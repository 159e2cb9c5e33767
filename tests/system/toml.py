"""Configurations made of dictionaries and lists, written as TOML."""

import datetime
import json
import re


def merged(base, changes):
    """`base` with `changes`, table by table; a value that is no table replaces the old one."""
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def text_of(table, path=()):
    """Plain values first, then tables, then lists of tables, as TOML has it."""
    lines = [f"{key_of(key)} = {value_of(value)}" for key, value in table.items() if not is_below(value)]
    for key, value in table.items():
        if not is_below(value):
            continue
        name = (*path, key_of(key))
        begin, end = ("[", "]") if isinstance(value, dict) else ("[[", "]]")
        for one in [value] if isinstance(value, dict) else value:
            lines += [begin + ".".join(name) + end, text_of(one, name)]
    return "\n".join(line for line in lines if line)


def is_below(value):
    """Whether it gets a heading of its own."""
    return isinstance(value, dict) or isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def key_of(name):
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def value_of(value):
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, dict):  # within a list, or as an alias
        return "{ " + ", ".join(f"{key_of(key)} = {value_of(one)}" for key, one in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)  # texts, numbers, truth and lists of them: the same in both
