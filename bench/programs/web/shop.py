"""What both applications sell: orders in SQLite, pages and JSON made of them."""

import json
import os
import sqlite3
import threading

COLUMNS = "id, customer, item, amount, price"
ITEMS = ("teapot", "kettle", "cup", "saucer", "spoon", "tray", "strainer")
DATABASE = os.environ["SHOP_DATABASE"]

_own = threading.local()


def create():
    with sqlite3.connect(DATABASE) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, item TEXT, amount, price)")
        rows = [
            (n, f"customer {n % 313}", ITEMS[n % len(ITEMS)], n % 9 + 1, round(1.5 + n * 7 % 90, 2))
            for n in range(1, 5001)
        ]
        connection.executemany(f"INSERT INTO orders ({COLUMNS}) VALUES (?, ?, ?, ?, ?)", rows)


def connection():
    if not hasattr(_own, "connection"):
        _own.connection = sqlite3.connect(DATABASE, check_same_thread=False)
        _own.connection.row_factory = sqlite3.Row
    return _own.connection


def latest(count):
    return connection().execute(f"SELECT {COLUMNS} FROM orders ORDER BY id DESC LIMIT ?", (count,)).fetchall()


def order(number):
    """One order, with what else its customer has ordered."""
    found = dict(connection().execute(f"SELECT {COLUMNS} FROM orders WHERE id = ?", (number,)).fetchone())
    others = connection().execute(f"SELECT {COLUMNS} FROM orders WHERE customer = ?", (found["customer"],))
    return found | {"others": [dict(row) for row in others]}


def summary():
    rows = connection().execute(
        "SELECT item, COUNT(*) AS orders, SUM(amount * price) AS turnover FROM orders GROUP BY item"
    )
    return json.loads(json.dumps({row["item"]: dict(row) for row in rows}))


if __name__ == "__main__":
    create()
