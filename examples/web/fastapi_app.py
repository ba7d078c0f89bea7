"""Start it with `uvicorn --app-dir examples/web fastapi_app:app`, and open http://127.0.0.1:8000/with/leeks?profile"""

from __future__ import annotations

from typing import Literal

import recipes
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from stacklapse.asgi import ProfilerMiddleware

Ingredient = Literal["flour", "butter", "salt", "sugar", "eggs", "milk", "leeks", "rice"]

app = FastAPI(debug=True)
app.add_middleware(ProfilerMiddleware)


@app.get("/", response_class=HTMLResponse)
async def home() -> str:
    return '<!doctype html><title>Recipes</title><a href="/with/leeks">With leeks</a>'


# A function that is no coroutine: FastAPI runs it in a thread, and it is found there.
@app.get("/with/{ingredient}", response_class=HTMLResponse)
def with_ingredient(ingredient: Ingredient) -> str:
    return recipes.page(ingredient)


@app.get("/api/with/{ingredient}")
def api_with_ingredient(ingredient: Ingredient) -> dict[str, int]:
    return recipes.shopping_list(ingredient)
