"""Writes a file as a C array, so that the library carries it: embed_page.py PAGE OUTPUT (called by the build)."""

import sys
from pathlib import Path


def main(page: str, output: str) -> None:
    content = Path(page).read_bytes()
    lines = [",".join(str(byte) for byte in content[at : at + 64]) for at in range(0, len(content), 64)]
    Path(output).write_text(
        '#include "render/page.h"\n\n'
        "const unsigned char sl_page[] = {\n" + ",\n".join(lines) + "};\n\n"
        "const size_t sl_page_size = sizeof sl_page;\n"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
