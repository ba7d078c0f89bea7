"""What is shown of a recording: in a notebook the report page, in a terminal the text."""

from __future__ import annotations

import html
import linecache
import marshal
import os
from pathlib import Path

from stacklapse import _native
from stacklapse._ipython.options import SAVED, Options, RefusedError
from stacklapse._ipython.shell import Shell
from stacklapse.renderers import ConsoleRenderer, HTMLRenderer, print_session, wants_color
from stacklapse.session import Session

VARIABLE = "_stacklapse"

# Scripts are all that the page needs; it has no origin, so that it cannot reach the notebook. Its text is an attribute,
# and so in the notebook's file.
_FRAME = (
    '<iframe title="{title}" sandbox="allow-scripts" allow="clipboard-write" '
    'style="width: 100%; height: 40em; box-sizing: border-box; border: 1px solid #8886; resize: vertical" '
    'srcdoc="{page}"></iframe>'
)


def show(shell: Shell, session: Session, options: Options) -> None:
    """Raises RefusedError when a file cannot be written."""
    session._sources = _cells(session)
    # Hidden from %who, as IPython's own are.
    shell.push({VARIABLE: session}, interactive=False)
    # Of all shells only a kernel's has one. What its clients can show only they know.
    in_notebook = getattr(shell, "kernel", None) is not None
    if options.output is not None:
        _write(session, options, Path(options.output))
    elif options.renderer == "html" and not in_notebook:
        page = HTMLRenderer(**options.shown).open_in_browser(session)
        print(f"stacklapse: saved the report to {page}")
    elif not in_notebook:
        print_session(session, None, **options.shown)
    elif options.renderer == "text":
        # Notebooks know colours, and what they are is not told by where the kernel was started.
        print(ConsoleRenderer(unicode=True, color=wants_color(True), **options.shown).render(session), end="")
    else:
        text = ConsoleRenderer(unicode=True, **options.shown).render(session)
        shell.display_pub.publish({"text/plain": text, "text/html": frame(session, options)})


def _cells(session: Session) -> dict[str, str]:
    """The text of the cells that the recording is of, by the names that their code has: IPython puts it where the
    interpreter looks for a traceback's lines, with those of files."""
    # The shortest list of the functions: it has no tree.
    functions = session.render("pstats")
    assert isinstance(functions, bytes)
    recorded = {file for file, _, _ in marshal.loads(functions)}
    # A copy, since other threads may add to it meanwhile.
    entries = [(name, entry) for name, entry in list(linecache.cache.items()) if name in recorded]
    # A Path would raise an error for names that no file can have.
    exists = os.path.exists
    return {name: "".join(entry[2]) for name, entry in entries if len(entry) == 4 and not exists(name)}


def frame(session: Session, options: Options) -> str:
    page = HTMLRenderer(**options.shown).render(session)
    # In an attribute, everything else stands for itself.
    quoted = page.replace("&", "&amp;").replace('"', "&quot;")
    return _FRAME.format(title=html.escape(f"stacklapse: {session.program}"), page=quoted)


def _write(session: Session, options: Options, path: Path) -> None:
    try:
        if options.renderer is None and path.suffix.lower() == SAVED:
            session.save(path)
            print(f"stacklapse: saved the recording to {path}")
            return
        name = options.renderer or _native.renderer_for_path(path)
        assert name is not None
        _native.write_file(path, session.render(name, **options.shown))
    except OSError as error:
        raise RefusedError(f"cannot write {path}: {error.strerror or error}") from None
    print(f"stacklapse: saved the report to {path}")
