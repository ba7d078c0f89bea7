"""What must be true of what %stacklapse recorded, wherever it did."""

from pathlib import Path

import stacklapse

RUNS_CELLS = ("/IPython/", "/ipykernel/", str(Path(stacklapse.__file__).parent))
RUNS_TASKS = ("BaseEventLoop.run_forever", "BaseEventLoop._run_once", "Handle._run", "Runner.run")


def assert_is_the_cells_own(session, awaits=False):
    """No frame of what runs the cell, and so nothing below its own code. Of code that awaits, callbacks of the event
    loop run beside it for some microseconds."""
    root = session.root_frame()
    if awaits and root.function == "<root>":
        root = root.children[0]
    assert root.function == "<module>", root
    for frame in root.walk():
        assert not any(part in (frame.file_path or "") for part in RUNS_CELLS), frame
        assert frame.function not in RUNS_TASKS, frame
