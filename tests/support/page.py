"""A report page, as far as it carries something."""

from __future__ import annotations

import base64
import re
import zlib


def element(page: str, name: str) -> str:
    found = re.search(rf'<script type="[^"]*" id="stacklapse-{name}"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found, name
    return found.group(1)


def source_text(page: str) -> str:
    payload = base64.b64decode(element(page, "source"))
    return zlib.decompress(payload, wbits=-15).decode(errors="replace") if payload else ""
