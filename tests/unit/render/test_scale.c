/* What an output costs must grow linearly with a recording: many threads, and stacks that are deep. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_many_threads_each_is_told_by_what_it_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
