"""Who does not use IPython pays nothing for it."""

import sys

import stacklapse

assert callable(stacklapse.load_ipython_extension)
assert not any(name.startswith(("IPython", "stacklapse._ipython", "stacklapse.ipython")) for name in sys.modules)
assert "load_ipython_extension" not in stacklapse.__all__
