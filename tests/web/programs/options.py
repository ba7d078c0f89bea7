"""What the integrations may be told, and what they say of what they may not."""

import sys
import tempfile

import django
from django.conf import settings
from flask import Flask
from stacklapse._web.options import Options
from stacklapse.flask import Stacklapse
from stacklapse.wsgi import ProfilerMiddleware

folder = tempfile.mkdtemp()


def raised(kind, function, *arguments, **options):
    """What it says when it raises that."""
    try:
        function(*arguments, **options)
    except kind as error:
        return str(error)
    raise AssertionError(options)


def refused(kind, words, **options):
    said = raised(kind, Options, **options)
    assert words in said, (options, said)


assert Options().interval == 0.0001
assert not Options().watches
for slow, interval in (("500ms", 0.005), ("20ms", 0.001), (10, 0.01)):
    assert Options(slow=slow, folder=folder).watch_interval == interval, slow
assert Options(slow="2 s", folder=folder).slow == 2.0
assert Options(slow=" 0.5 ", folder=folder).slow == 0.5
assert Options(slow="1m", watch_interval=0.25, folder=folder).watch_interval == 0.25

refused(ValueError, "slow and sample need a folder", slow=1.0)
refused(ValueError, "slow and sample need a folder", sample=0.5)
refused(ValueError, "slow must be a time such as", slow="soon", folder=folder)
refused(ValueError, "slow must be from 0", slow=-1, folder=folder)
refused(TypeError, "slow must be a number", slow=True, folder=folder)
refused(ValueError, "sample must be from 0 to 1", sample=1.1, folder=folder)
refused(ValueError, "interval must be from", interval=0)
refused(ValueError, "watch_interval must be from", watch_interval=11)
refused(ValueError, "max_profiles must be from 1", max_profiles=0)
refused(TypeError, "max_watched must be a whole number", max_watched=1.5)
refused(TypeError, "max_samples", max_samples="many")
refused(ValueError, "max_files must be from 1", max_files=0)
refused(TypeError, "max_files must be a whole number", max_files="5")
refused(ValueError, "max_bytes must be from 1", max_bytes=-1)
refused(TypeError, "max_bytes must be a whole number", max_bytes=True)
for debug in ("false", "0", "", 1, 0):
    refused(TypeError, "debug must be True, False or None", debug=debug)
refused(TypeError, "allow must be callable", allow=True)
refused(TypeError, "route must be callable", route="/x")
refused(ValueError, "16 bytes", secret="short")
for secret in (b"never to be seen", "never to be seen"):
    assert "never" not in repr(Options(secret=secret))
    assert Options(secret=secret).secret == b"never to be seen"
assert "secret" in Options.names()
for name in ("argument", "cookie", "header"):
    refused(ValueError, f"{name} must be letters", **{name: "a b"})
    refused(TypeError, f"{name} must be a str", **{name: 1})
for address in ("profiles", "/a/../b", "/", "", "/a?b"):
    refused(ValueError, "address must be a path", address=address)

app = Flask("app")
app.config["STACKLAPSE_SLOW"] = "3s"
app.config["STACKLAPSE_FOLDER"] = "/nowhere"
Stacklapse(app, folder=folder)
assert app.wsgi_app._core.options.slow == 3.0
assert app.wsgi_app._core.options.folder == folder, "a keyword goes before a setting"
assert "has stacklapse already" in raised(RuntimeError, Stacklapse().init_app, app)
assert "slwo" in raised(TypeError, ProfilerMiddleware, app, slwo="500ms")

# Django's system checks.
MIDDLEWARE = ["stacklapse.django.ProfilerMiddleware"]
settings.configure(DEBUG=False, MIDDLEWARE=MIDDLEWARE, INSTALLED_APPS=["stacklapse.django.StacklapseConfig"])
django.setup()

from django.core import checks


def told(**values):
    for name, value in values.items():
        setattr(settings, name, value)
    found = [message.id for message in checks.run_checks() if message.id.startswith("stacklapse.")]
    for name in values:
        delattr(settings, name)
    settings.DEBUG, settings.MIDDLEWARE = False, MIDDLEWARE
    return found


assert told() == ["stacklapse.W002"]
assert told(STACKLAPSE_SECRET="x" * 16) == []
assert told(STACKLAPSE_SLOW="1s", STACKLAPSE_FOLDER=folder) == []
assert told(DEBUG=True) == []
assert told(STACKLAPSE_DEBUG=True) == ["stacklapse.W003"]
assert told(MIDDLEWARE=[]) == ["stacklapse.W001"]
assert told(STACKLAPSE_SLOW="soon") == ["stacklapse.E001"]
assert told(STACKLAPSE_SLOW="1s") == ["stacklapse.E001"]
assert told(STACKLAPSE_MAX_FILES=0) == ["stacklapse.E001"]
assert told(STACKLAPSE_DEBUG="false") == ["stacklapse.E001"]
sys.stdout.write("as said\n")
