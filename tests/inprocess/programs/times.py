"""How %stacklapse reads each of some texts that are to be times: seconds, or null."""

import json
import sys

from stacklapse._ipython.options import RefusedError, interval


def read(text):
    try:
        return interval("-i", text)
    except RefusedError:
        return None


print(json.dumps([read(text) for text in json.loads(sys.argv[1])]))
