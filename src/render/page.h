/* page.h - the report page as it was built (report/README.md), with marks where a recording's own parts belong.
 *
 * Generated into the library from report/dist/report.html by scripts/embed_page.py at build time. */
#ifndef SL_RENDER_PAGE_H
#define SL_RENDER_PAGE_H

#include <stddef.h>

extern const unsigned char sl_page[]; /* not NUL-terminated */
extern const size_t sl_page_size;

#endif
