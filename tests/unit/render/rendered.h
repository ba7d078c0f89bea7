/* rendered.h - a recording of one thread, and an output in memory, for the tests of formats that programs read. */
#ifndef SL_TESTS_RENDERED_H
#define SL_TESTS_RENDERED_H

#include "base/output.h"
#include "support/profile_builder.h"

static const sl_state running = SL_STATE_KNOWN | SL_STATE_ON_CPU;

/* The state of a test between `rendered_set_up` and `rendered_tear_down`. */
struct fixture {
    struct builder *builder;
    struct sl_output output;
};

int rendered_set_up(void **state);
int rendered_tear_down(void **state);

#endif
