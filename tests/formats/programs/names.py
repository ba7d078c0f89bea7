"""Names of functions that a format or its readers may stumble over."""

HOSTILE = [
    "</script><b>",
    "quote \" and \\ and '",
    "semi;colon",
    "line\nend\r",
    "separators \u2028 \u2029",
    "bidi \u202e txt",
    "lone \udc80 surrogate",
    "x" * 10_000,
    "|pipe|`tick`*star*",
    "fn=(1) calls=2 3",
]
