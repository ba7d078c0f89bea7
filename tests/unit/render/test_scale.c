/* What an output costs must grow linearly with a recording: many threads, stacks that are deep, and as many states as a
 * hostile one can have. */
#include "render/columns.h"
#include "render/render.h"
#include "support/profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const sl_state running = SL_STATE_KNOWN | SL_STATE_ON_CPU;

static size_t size_as(const char *name, const struct sl_profile *profile)
{
    struct sl_render_options options = sl_render_defaults(profile);
    struct sl_output output;
    sl_output_memory(&output);
    struct sl_error error = {0};
    assert_true(sl_renderer_named(name)->render(profile, &options, &output, &error));
    size_t size = output.pending.size;
    assert_true(sl_output_close(&output, &error));
    return size;
}

/* A server with a thread for each request, each of which has stacks of its own. */
static void of_many_threads_each_is_told_by_what_it_did(void **state)
{
    (void)state;
    enum { THREADS = 100000, STACKS_EACH = 3 };
    struct builder *builder = builder_create();
    sl_function function = builder_function(builder, "serve", "/app/app.py");
    for (uint32_t i = 0; i < THREADS; i++) {
        uint32_t thread = builder_thread(builder, 0, "");
        for (uint32_t line = 1; line <= STACKS_EACH; line++) {
            sl_stack stack = builder_stack(builder, 0, function, i * STACKS_EACH + line);
            uint64_t begin_ns = (uint64_t)line * 1000000;
            builder_run(builder, thread, stack, running, begin_ns, begin_ns + 1000000, 1);
        }
    }
    const struct sl_profile *profile = builder_profile(builder);
    assert_true(size_as("pprof", profile) > THREADS);
    assert_true(size_as("otlp", profile) > THREADS * STACKS_EACH);
    builder_destroy(builder);
}

/* The bottom of a recursion stays while its top changes. */
static void of_deep_stacks_only_what_changes_is_told(void **state)
{
    (void)state;
    enum { DEPTH = 65000, CHANGES = 200000 };
    struct builder *builder = builder_create();
    sl_function dig = builder_function(builder, "dig", "/app/app.py");
    sl_function top = builder_function(builder, "top", "/app/app.py");
    builder_thread(builder, 0, "");
    sl_stack stack = 0;
    for (uint32_t i = 0; i < DEPTH; i++) {
        stack = builder_stack(builder, stack, dig, 1);
    }
    sl_stack tops[] = {builder_stack(builder, stack, top, 1), stack};
    for (uint64_t i = 0; i < CHANGES; i++) {
        builder_run(builder, 0, tops[i % 2], running, i * 1000000, (i + 1) * 1000000, 1);
    }
    assert_true(size_as("chrome", builder_profile(builder)) > CHANGES);
    builder_destroy(builder);
}

static void each_run_may_have_another_state(void **state)
{
    (void)state;
    enum { RUNS = 700000 };
    struct builder *builder = builder_create();
    sl_stack stack = builder_stack_named(builder, "main:1");
    builder_thread(builder, 0, "");
    for (uint32_t i = 0; i < RUNS; i++) {
        sl_state state_of_run = sl_state_in_call(i % 64, i / 64);
        builder_run(builder, 0, stack, state_of_run, (uint64_t)i * 1000000, (uint64_t)(i + 1) * 1000000, 1);
    }
    struct sl_buffer columns;
    sl_buffer_init(&columns);
    sl_columns_write(builder_profile(builder), &columns);
    assert_false(columns.failed);
    assert_true(columns.size > 2 * RUNS);
    sl_buffer_destroy(&columns);
    builder_destroy(builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_many_threads_each_is_told_by_what_it_did),
        cmocka_unit_test(of_deep_stacks_only_what_changes_is_told),
        cmocka_unit_test(each_run_may_have_another_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
