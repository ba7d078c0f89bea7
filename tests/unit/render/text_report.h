/* text_report.h - a recording, and its report for people, for the tests of that. */
#ifndef SL_TESTS_TEXT_REPORT_H
#define SL_TESTS_TEXT_REPORT_H

#include "render/render.h"
#include "support/profile_builder.h"

#include <stddef.h>
#include <stdint.h>

static const sl_state running = SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL;
enum { clock_nanosleep_call = 230, futex_call = 202, recvfrom_call = 45 };

/* The state of a test between `report_set_up` and `report_tear_down`. */
struct fixture {
    struct builder *builder;
    char folder[64];
    char path[128];  /* of a source file in it */
    uint32_t thread; /* main */
    char *text;      /* what was rendered last */
};

/* A program in a folder of its own, so that it has a source; facts that are not zero. */
int report_set_up(void **state);
int report_tear_down(void **state);

/* A thread waits in that system call. */
sl_state report_waits(uint32_t call);

/* The main thread was seen so. */
void report_ran(struct fixture *fixture, const char *frames, sl_state state, uint32_t milliseconds);

/* The sketch of the design, lived through. */
void report_cook(struct fixture *fixture);

/* A chain of distinct functions, which cannot be told in one row. */
sl_stack report_chain(struct fixture *fixture, int depth);

/* The defaults, for a recording that was saved. */
struct sl_render_options report_options(struct fixture *fixture);

/* The report; the same without the part of the last line that is there only when the page can be made; the rows of the tree
 * alone. Valid until the next of these. */
const char *report_text(struct fixture *fixture, const struct sl_render_options *options);
const char *report_without_page(struct fixture *fixture, const struct sl_render_options *options);
const char *report_tree(struct fixture *fixture, const struct sl_render_options *options);

/* How often `part` is in `text`. */
size_t report_count(const char *text, const char *part);

#endif
