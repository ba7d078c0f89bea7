#include "analysis/thread_summary.h"

#include "support/profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const sl_state running = SL_STATE_KNOWN | SL_STATE_ON_CPU;
static const sl_state waiting = SL_STATE_KNOWN;

struct fixture {
    struct builder *builder;
    struct sl_arena arena;
    uint32_t count;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->builder = builder_create();
    sl_arena_init(&fixture->arena);
    builder_thread(fixture->builder, 0, "python3");
    builder_function(fixture->builder, "_bootstrap", "/usr/lib/python3.12/threading.py");
    builder_function(fixture->builder, "_worker", "/usr/lib/python3.12/concurrent/futures/thread.py");
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    sl_arena_reset(&fixture->arena);
    builder_destroy(fixture->builder);
    free(fixture);
    return 0;
}

static const struct sl_thread_summary *summaries(struct fixture *fixture, enum sl_mode mode)
{
    const struct sl_profile *profile = builder_profile(fixture->builder);
    struct sl_selection selection = sl_selection_all(profile);
    selection.mode = mode;
    const struct sl_thread_summary *found = sl_thread_summaries(&fixture->arena, profile, &selection, &fixture->count);
    assert_non_null(found);
    return found;
}

static void test_main_threads_come_first_then_the_busiest(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    for (int i = 0; i < 4; i++) {
        builder_thread(builder, 0, "");
    }
    builder_ran(builder, 0, "main:1", waiting, 10);
    builder_ran(builder, 1, "a:1", waiting, 9);
    builder_ran(builder, 2, "b:1", running, 5);
    builder_ran(builder, 3, "c:1", waiting, 11);
    const struct sl_thread_summary *found = summaries(fixture, SL_MODE_WALL);
    /* The one that was never seen is none. */
    assert_int_equal(fixture->count, 4);
    assert_int_equal(found[0].thread, 0);
    assert_int_equal(found[1].thread, 2);
    assert_int_equal(found[1].running.samples, 5);
    assert_int_equal(found[2].thread, 3);
    assert_int_equal(found[3].thread, 1);
    found = summaries(fixture, SL_MODE_CPU);
    assert_int_equal(fixture->count, 1);
    assert_int_equal(found[0].thread, 2);
}

static void test_idle_is_who_only_waited(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    enum { main_thread, waits, wakes, ran, unknown, wanders, scope };
    for (int i = main_thread; i < scope; i++) {
        builder_thread(builder, 0, "");
    }
    builder_thread_record(builder, scope)->kind = SL_THREAD_SCOPE;
    builder_ran(builder, main_thread, "main:1", waiting, 5000);
    builder_ran(builder, waits, "main:1", waiting, 5000);
    builder_ran(builder, wakes, "main:1", waiting, 2500);
    builder_ran(builder, wakes, "main:1 get:1", running, 2);
    builder_ran(builder, wakes, "main:1", waiting, 2500);
    builder_ran(builder, ran, "main:1", waiting, 2500);
    builder_ran(builder, ran, "main:1", running, 30);
    builder_ran(builder, ran, "main:1", waiting, 2500);
    builder_ran(builder, unknown, "main:1", 0, 5000);
    for (int i = 0; i < 10; i++) {
        builder_ran(builder, wanders, i % 2 == 0 ? "main:1" : "main:2", waiting, 500);
    }
    builder_ran(builder, scope, "main:1", waiting, 5000);
    const struct sl_thread_summary *found = summaries(fixture, SL_MODE_WALL);
    assert_int_equal(fixture->count, 7);
    for (uint32_t i = 0; i < fixture->count; i++) {
        assert_int_equal(found[i].idle, found[i].thread == waits || found[i].thread == wakes);
    }
}

static void test_a_slow_start_and_a_short_job_leave_a_thread_idle(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    static const sl_state waiting_for_gil = SL_STATE_KNOWN | SL_STATE_WAITS_GIL;
    static const sl_state waiting_for_lock = SL_STATE_KNOWN | SL_STATE_LOCK;
    enum { main_thread, starts, job, works, reads, starves, threads };
    for (uint32_t thread = starts; thread < threads; thread++) {
        builder_thread(builder, 0, "");
        /* On a busy machine: 20 ms to get there, of which the thread had the processor for less than one. */
        builder_ran(builder, thread, "_bootstrap:1 run:1", running, 10);
        builder_ran(builder, thread, "_bootstrap:1 run:2", waiting_for_lock, 5);
        builder_ran(builder, thread, "_bootstrap:1 run:3", waiting_for_gil, 5);
        bool starving = thread == starves;
        builder_ran(builder, thread, "_bootstrap:1 run:4 get:1", starving ? waiting_for_gil : waiting, 500);
        builder_thread_record(builder, thread)->cpu_ns = thread == works ? 20000000 : 900000;
        if (thread == job) {
            builder_ran(builder, thread, "_bootstrap:1 run:5", waiting_for_gil, 5);
            builder_ran(builder, thread, "_bootstrap:1 run:5 work:1", running, 1);
        } else if (thread == reads) {
            builder_ran(builder, thread, "_bootstrap:1 run:6 read:1", waiting, 20);
        }
        builder_ran(builder, thread, "_bootstrap:1 run:4 get:1", starving ? waiting_for_gil : waiting, 500);
    }
    const struct sl_thread_summary *found = summaries(fixture, SL_MODE_WALL);
    assert_int_equal(fixture->count, threads - 1);
    for (uint32_t i = 0; i < fixture->count; i++) {
        assert_int_equal(found[i].idle, found[i].thread == starts || found[i].thread == job);
    }
}

static void test_names_are_a_threads_own(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    static const char *const names[] = {"worker-1", "python3", "python3.12", "app.py", "", "python-io"};
    builder_ran(builder, 0, "main:1", running, 1);
    for (uint32_t i = 0; i < 6; i++) {
        builder_thread(builder, 0, names[i]);
        builder_ran(builder, i + 1, "main:1", running, 1);
    }
    /* A process that renamed itself: its threads inherit that. */
    uint32_t server = builder_process(builder, (struct sl_process_record){.pid = 2});
    builder_thread(builder, server, "server: main");
    builder_thread(builder, server, "server: main");
    builder_ran(builder, 7, "main:1", running, 1);
    builder_ran(builder, 8, "main:1", running, 1);
    const struct sl_thread_summary *found = summaries(fixture, SL_MODE_WALL);
    assert_int_equal(fixture->count, 9);
    for (uint32_t i = 0; i < fixture->count; i++) {
        uint32_t thread = found[i].thread;
        bool named = thread == 1 || thread == 6 || thread == 7;
        assert_int_equal(found[i].name, named ? builder_thread_record(builder, thread)->name : SL_NONE);
    }
}

static void test_a_name_that_python_made_up_stands_only_where_nothing_else_tells(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    static const char *const names[] = {"Thread-1",        "Thread-12 (fetc", "Thread-12345678", "ThreadPoolExecu",
                                        "ThreadPoolMine",  "Thread-",         "Thread-a",        "Thread-1b",
                                        "QueueFeederThre", "asyncio_0",       "Thread-2"};
    enum { count = sizeof names / sizeof names[0], made_up = 4, without_function = count - 1 };
    builder_ran(builder, 0, "main:1", running, 1);
    for (uint32_t i = 0; i < count; i++) {
        builder_thread(builder, 0, names[i]);
        builder_ran(builder, i + 1, i == without_function ? "_bootstrap:1" : "_bootstrap:1 fetch:1", running, 1);
    }
    const struct sl_thread_summary *found = summaries(fixture, SL_MODE_WALL);
    assert_int_equal(fixture->count, count + 1);
    for (uint32_t i = 0; i < fixture->count; i++) {
        uint32_t thread = found[i].thread;
        bool named = thread > made_up;
        assert_int_equal(found[i].name, named ? builder_thread_record(builder, thread)->name : SL_NONE);
    }
}

static void test_the_first_function_is_what_the_thread_is_for(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    builder_function_of_kind(builder, "[starting]", "", SL_FUNCTION_MARK);
    for (int i = 0; i < 3; i++) {
        builder_thread(builder, 0, "");
    }
    builder_ran(builder, 0, "[starting]", running, 50);
    builder_ran(builder, 0, "main:1 work:1", running, 10);
    builder_ran(builder, 1, "_bootstrap:1 _bootstrap:2 _worker:1 fetch:1 parse:2", running, 5);
    builder_ran(builder, 1, "_bootstrap:1 _bootstrap:2 _worker:1 store:1", running, 4);
    builder_ran(builder, 2, "_bootstrap:1 _bootstrap:2", running, 3);
    const struct sl_thread_summary *found = summaries(fixture, SL_MODE_WALL);
    assert_int_equal(found[0].first_function, builder_function(builder, "main", "/app/app.py"));
    assert_int_equal(found[1].first_function, builder_function(builder, "fetch", "/app/app.py"));
    assert_int_equal(found[2].first_function, SL_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_main_threads_come_first_then_the_busiest),
        TEST(test_idle_is_who_only_waited),
        TEST(test_a_slow_start_and_a_short_job_leave_a_thread_idle),
        TEST(test_names_are_a_threads_own),
        TEST(test_a_name_that_python_made_up_stands_only_where_nothing_else_tells),
        TEST(test_the_first_function_is_what_the_thread_is_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
