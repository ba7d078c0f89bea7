"""The cells of a document, one after the other, as if they had been typed."""

import json
import os
import sys

from shells import Ran

os.chdir(sys.argv[1])
for cell in json.loads(sys.argv[2]):
    ran = Ran(cell)
    assert ran.error is None, (cell, ran.out)
    assert ran.err == "", (cell, ran.err)
