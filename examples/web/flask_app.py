"""Start it with `flask --app examples/web/flask_app.py run --debug`, and open http://127.0.0.1:5000/with/leeks?profile"""

from __future__ import annotations

from typing import Any

import recipes
from flask import Flask
from stacklapse.flask import Stacklapse

app = Flask(__name__)
Stacklapse(app)


@app.get("/")
def home() -> str:
    return '<!doctype html><title>Recipes</title><a href="/with/leeks">With leeks</a>'


@app.get("/with/<any(flour, butter, salt, sugar, eggs, milk, leeks, rice):ingredient>")
def with_ingredient(ingredient: str) -> str:
    return recipes.page(ingredient)


@app.get("/api/with/<any(flour, butter, salt, sugar, eggs, milk, leeks, rice):ingredient>")
def api_with_ingredient(ingredient: str) -> dict[str, Any]:
    return recipes.shopping_list(ingredient)
