"""Tokens are good for their time and their secret, and nothing that a client sends is one by accident."""

import string

from stacklapse._web import tokens

SECRET = bytes(range(32))
NOW = 1_773_480_413.5


def raises(kind, call, *arguments):
    try:
        call(*arguments)
    except kind:
        return
    raise AssertionError(f"no {kind.__name__} of {arguments}")


token = tokens.make(SECRET, 600, NOW)
assert token == "sl1.1773481014.uF-iOo5RDYkVZaAtyIF_ul16dPnfAKaEZyi7aDloDgQ", token
assert set(token) <= set(string.ascii_letters + string.digits + "._-")
assert tokens.valid(SECRET, token, NOW)
assert tokens.valid(SECRET, token, 1_773_481_013.9)
assert not tokens.valid(SECRET, token, 1_773_481_014)
assert not tokens.valid(SECRET, token, NOW + 1e9)
assert not tokens.valid(SECRET[:-1], token, NOW)
assert tokens.valid(SECRET, tokens.make(SECRET, 60))
assert not tokens.valid(SECRET, token), "the clock is asked where no time is given"

# Each character of a token counts.
for place in range(len(token)):
    for other in "A0._-é\0":
        changed = token[:place] + other + token[place + 1 :]
        assert changed == token or not tokens.valid(SECRET, changed, NOW), changed
for hostile in (
    "", ".", "sl1", "sl1..", token[:-1], token + "A", token + "\n", " " + token, token.upper(), token * 1000, "\0" * 60,
    "\ud800" * 60, token.replace("sl1.", "sl2."), token.replace(".17", ".017"), token.replace(".17", ".+17"),
    "sl1.١٧٧٣٤٨١٠١٤" + token[14:], None, 1, b"sl1", token.encode(), [token], object(),
):  # fmt: skip
    assert not tokens.valid(SECRET, hostile, NOW), hostile

# Without a secret that is worth the name nothing is made, and nothing is let in.
for wrong in (b"", b"fifteen bytes..", "a text of more than sixteen characters", None):
    raises((TypeError, ValueError), tokens.make, wrong, 60)
    assert not tokens.valid(wrong, token, NOW)
for wrong in (0, -1, float("nan"), float("inf"), tokens.TTL_MAX + 1):
    raises(ValueError, tokens.make, SECRET, wrong)
print("ok")
