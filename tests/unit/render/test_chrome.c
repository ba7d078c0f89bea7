#include "render/render.h"
#include "support/profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const sl_state running = SL_STATE_KNOWN | SL_STATE_ON_CPU;

/* The calls that begin and end, as "+main +work -work ...". */
static void assert_calls(struct builder *builder, const char *expected)
{
    const struct sl_profile *profile = builder_profile(builder);
    struct sl_render_options options = sl_render_defaults(profile);
    struct sl_output output;
    sl_output_memory(&output);
    struct sl_error error = {0};
    assert_true(sl_renderer_named("chrome")->render(profile, &options, &output, &error));
    sl_output_write(&output, "", 1);
    char calls[256] = "";
    for (const char *event = output.pending.bytes; (event = strstr(event, "\"ph\":\"")) != NULL;) {
        event += strlen("\"ph\":\"");
        if (*event == 'B' || *event == 'E') {
            const char *name = strstr(event, "\"name\":\"") + strlen("\"name\":\"");
            strcat(calls, calls[0] != '\0' ? " " : "");
            strcat(calls, *event == 'B' ? "+" : "-");
            strncat(calls, name, strcspn(name, "\""));
        }
    }
    assert_string_equal(calls, expected);
    sl_output_abandon(&output);
}

static void a_call_goes_on_while_its_caller_is_at_the_same_line(void **state)
{
    (void)state;
    struct builder *builder = builder_create();
    builder_thread(builder, 0, "");
    builder_ran(builder, 0, "main:1 work:2", running, 1);
    builder_ran(builder, 0, "main:1 work:3", running, 1);
    builder_ran(builder, 0, "main:1 work:3 deep:4", running, 1);
    builder_ran(builder, 0, "main:1 work:3", running, 1);
    builder_ran(builder, 0, "main:5", running, 1);
    assert_calls(builder, "+main +work +deep -deep -work -main");
    builder_ran(builder, 0, "main:5 rest:6", running, 1);
    builder_ran(builder, 0, "main:7 rest:6", running, 1);
    builder_ran(builder, 0, "other:1 rest:6", running, 1);
    assert_calls(builder, "+main +work +deep -deep -work +rest -rest +rest -rest -main +other +rest -rest -other");
    builder_destroy(builder);
}

static void nothing_stays_open_from_thread_to_thread(void **state)
{
    (void)state;
    struct builder *builder = builder_create();
    for (uint32_t thread = 0; thread < 2; thread++) {
        builder_thread(builder, 0, "");
        builder_ran(builder, thread, "main:1 work:2", running, 1);
    }
    assert_calls(builder, "+main +work -work -main +main +work -work -main");
    builder_destroy(builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_goes_on_while_its_caller_is_at_the_same_line),
        cmocka_unit_test(nothing_stays_open_from_thread_to_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
