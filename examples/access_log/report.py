"""The findings as text."""

from __future__ import annotations

from typing import Any


def render(findings: dict[str, Any]) -> str:
    lines = [f"{findings['requests']:,} requests"]
    lines += ["", "slowest pages"]
    lines += [f"  {page:<16} {count:>6}  {mean:>8.1f} ms" for page, count, mean in findings["slowest"]]
    lines += ["", "failures by hour"]
    lines += [f"  {hour:02}:00  {'#' * (count // 4)} {count}" for hour, count in findings["failures"]]
    visits = findings["visits"]
    lines += ["", f"{visits['count']:,} visits of {visits['mean_minutes']:.1f} minutes on average"]
    return "\n".join(lines)
