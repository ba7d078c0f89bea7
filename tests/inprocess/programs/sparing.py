"""A recording that is looked at less and less often, as one of a watched request, saved to the file that is named."""

import sys
from pathlib import Path

from stacklapse import _native
from work import spin

recording = _native.Recording(100_000, "thread", sparing=True)
recording.start()
spin(0.5)
recording.stop()
Path(sys.argv[1]).write_bytes(recording.trace())
