#include "analysis/load_times.h"

#include "support/profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const uint64_t ms = 1000000;

static void test_code_was_loaded_when_a_function_of_its_file_was_seen_first(void **state)
{
    (void)state;
    struct builder *builder = builder_create();
    uint32_t main_thread = builder_thread(builder, 0, "");
    uint32_t worker = builder_thread(builder, 0, "");
    builder_function(builder, "late", "/app/late.py");
    builder_function(builder, "caller", "/app/caller.py");
    builder_ran(builder, main_thread, "main:1", SL_STATE_KNOWN, 1000);
    builder_ran(builder, main_thread, "main:1 caller:1 late:1", SL_STATE_KNOWN, 1000);
    builder_ran(builder, worker, "main:2", SL_STATE_KNOWN, 500);
    builder_ran(builder, worker, "main:2 caller:2", SL_STATE_KNOWN, 1500);
    sl_string never = builder_string(builder, "/app/never.py");
    builder_facts(builder)->start_time_ns = 5000000 * ms;
    const struct sl_profile *profile = builder_profile(builder);
    struct sl_arena arena;
    sl_arena_init(&arena);
    const uint64_t *times = sl_load_times(&arena, profile);
    assert_non_null(times);
    /* What the clocks are not exact by is the same for all. */
    uint64_t begin_ns = times[builder_string(builder, "/app/app.py")];
    assert_in_range(begin_ns, 5000000 * ms, 5000000 * ms + 200 * ms);
    assert_int_equal(times[builder_string(builder, "/app/caller.py")] - begin_ns, 500 * ms);
    assert_int_equal(times[builder_string(builder, "/app/late.py")] - begin_ns, 1000 * ms);
    assert_true(times[never] >= 5000000 * ms + 2000 * ms);
    sl_arena_reset(&arena);
    builder_destroy(builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_code_was_loaded_when_a_function_of_its_file_was_seen_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
