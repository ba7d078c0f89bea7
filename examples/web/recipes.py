"""What the pages of the examples are about: a small database of recipes, read and put into text."""

from __future__ import annotations

import json
import sqlite3
from functools import cache

INGREDIENTS = ("flour", "butter", "salt", "sugar", "eggs", "milk", "leeks", "rice")


@cache
def database() -> sqlite3.Connection:
    connection = sqlite3.connect("file:recipes?mode=memory&cache=shared", uri=True, check_same_thread=False)
    connection.execute("CREATE TABLE recipes (id INTEGER PRIMARY KEY, name TEXT, steps TEXT)")
    for number in range(2000):
        steps = [f"add {number % 7 + 1} of {INGREDIENTS[(number + step) % 8]}" for step in range(12)]
        connection.execute("INSERT INTO recipes VALUES (?, ?, ?)", (number, f"Recipe {number}", json.dumps(steps)))
    return connection


def with_ingredient(name: str) -> list[tuple[int, str, str]]:
    """Reads every recipe, which is what takes the time."""
    rows = database().execute("SELECT id, name, steps FROM recipes").fetchall()
    return [row for row in rows if any(step.endswith(name) for step in json.loads(row[2]))]


def shopping_list(name: str) -> dict[str, int]:
    amounts: dict[str, int] = {}
    for _, _, steps in with_ingredient(name):
        for step in json.loads(steps):
            _, amount, _, ingredient = step.split(" ")
            amounts[ingredient] = amounts.get(ingredient, 0) + int(amount)
    return amounts


def page(name: str) -> str:
    rows = "".join(f"<li>{amount} of {ingredient}" for ingredient, amount in sorted(shopping_list(name).items()))
    return f"<!doctype html><title>Recipes</title><h1>Everything for all recipes with {name}</h1><ul>{rows}</ul>"
