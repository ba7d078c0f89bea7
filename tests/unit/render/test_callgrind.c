#include "render/render.h"
#include "rendered.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *rendered(struct fixture *fixture, enum sl_mode mode)
{
    struct sl_error error = {0};
    struct sl_render_options options = sl_render_defaults(builder_profile(fixture->builder));
    options.selection.mode = mode;
    sl_buffer_clear(&fixture->output.pending);
    assert_true(
        sl_renderer_named("callgrind")->render(builder_profile(fixture->builder), &options, &fixture->output, &error));
    sl_buffer_byte(&fixture->output.pending, '\0');
    return fixture->output.pending.bytes;
}

static void test_the_events_are_of_the_time_that_was_chosen(void **state)
{
    struct fixture *fixture = *state;
    builder_ran(fixture->builder, 0, "main:1", running, 3);
    static const char *const words[] = {[SL_MODE_WALL] = "wall", [SL_MODE_CPU] = "cpu", [SL_MODE_GIL] = "gil"};
    for (int mode = SL_MODE_WALL; mode <= SL_MODE_GIL; mode++) {
        char header[200];
        snprintf(header, sizeof header,
                 "event: %s_ns : %s time, nanoseconds\nevent: samples : samples\nevents: %s_ns samples\n", words[mode],
                 words[mode], words[mode]);
        assert_non_null(strstr(rendered(fixture, (enum sl_mode)mode), header));
    }
}

static void test_names_cannot_break_a_line(void **state)
{
    struct fixture *fixture = *state;
    sl_function hostile = builder_function(fixture->builder,
                                           "a\nb\x7f\xc2\x85\xc2\xa0"
                                           "c",
                                           "/app/x.py");
    builder_run(fixture->builder, 0, builder_stack(fixture->builder, 0, hostile, 1), running, 0, 1000, 1);
    assert_non_null(strstr(rendered(fixture, SL_MODE_WALL), ") a b  \xc2\xa0"
                                                            "c\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_events_are_of_the_time_that_was_chosen, rendered_set_up,
                                        rendered_tear_down),
        cmocka_unit_test_setup_teardown(test_names_cannot_break_a_line, rendered_set_up, rendered_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
