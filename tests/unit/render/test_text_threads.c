#include "text_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void threads_that_only_waited_are_one_line(void **state)
{
    struct fixture *fixture = *state;
    report_ran(fixture, "<module>:1 main:2", running, 1000);
    for (int i = 0; i < 31; i++) {
        uint32_t thread = builder_thread(fixture->builder, 0, "");
        builder_ran(fixture->builder, thread, "run:1 get:5", report_waits(futex_call), 1000);
    }
    struct sl_render_options options = report_options(fixture);
    assert_string_equal(report_tree(fixture, &options), " 1.000 s 100 %  <module>  app.py:1\n"
                                                        " 1.000   100 %  └─ main  app.py:1\n"
                                                        "                      ▸ line 2\n"
                                                        "\n"
                                                        " 31 threads idle\n");
}

static void threads_that_do_the_same_are_one_tree(void **state)
{
    struct fixture *fixture = *state;
    report_ran(fixture, "<module>:1 main:2", running, 1000);
    for (int i = 0; i < 12; i++) {
        char name[16];
        snprintf(name, sizeof name, "worker_%d", i);
        uint32_t thread = builder_thread(fixture->builder, 0, name);
        builder_thread_record(fixture->builder, thread)->cpu_ns = 100000000;
        builder_ran(fixture->builder, thread, "Pool.run:60 fetch:7", running, 100);
        builder_ran(fixture->builder, thread, "Pool.run:60 fetch:8", report_waits(recvfrom_call), 900);
    }
    uint32_t writer = builder_thread(fixture->builder, 0, "");
    builder_ran(fixture->builder, writer, "write_log:3", running, 1000);
    struct sl_render_options options = report_options(fixture);
    assert_string_equal(report_tree(fixture, &options),
                        "  1.000 s   100 %  main thread\n"
                        "  1.000     100 %  └─ <module>  app.py:1\n"
                        "  1.000     100 %     └─ main  app.py:1\n"
                        "                            ▸ line 2\n"
                        "\n"
                        " 12.00 s  1,200 %  12 threads worker_0 … worker_11: Pool.run  app.py:1  1.20 s CPU\n"
                        " 12.00    1,200 %  └─ fetch  app.py:1\n"
                        " 10.80    1,080 %        ▸ line 8  [recv]\n"
                        "\n"
                        "  1.000 s   100 %  thread write_log  app.py:1\n"
                        "                      ▸ line 3\n");
}

/* What the interpreter does to start and end a thread is nothing that a person asks for. */
static void a_thread_without_a_name_is_named_after_its_function(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    report_ran(fixture, "<module>:1 main:2", running, 1000);
    builder_function(builder, "Thread._bootstrap", "/usr/lib/python3.12/threading.py");
    builder_function(builder, "Thread.run", "/usr/lib/python3.12/threading.py");
    uint32_t thread = builder_thread(builder, 0, "");
    builder_ran(builder, thread, "Thread._bootstrap:1000 Thread.run:980", running, 20);
    builder_ran(builder, thread, "Thread._bootstrap:1000 Thread.run:980 fetch:5 parse:7", running, 700);
    builder_ran(builder, thread, "Thread._bootstrap:1000 Thread.run:980 fetch:6", report_waits(recvfrom_call), 280);
    struct sl_render_options options = report_options(fixture);
    assert_string_equal(report_tree(fixture, &options), " 1.000 s 100 %  main thread\n"
                                                        " 1.000   100 %  └─ <module>  app.py:1\n"
                                                        " 1.000   100 %     └─ main  app.py:1\n"
                                                        "                         ▸ line 2\n"
                                                        "\n"
                                                        " 1.000 s 100 %  thread fetch  app.py:1\n"
                                                        " 0.28     28 %  │  ▸ line 6  [recv]\n"
                                                        " 0.70     70 %  ├─ parse  app.py:1\n"
                                                        "                │     ▸ line 7\n"
                                                        " 0.020     2 %  └─ before and after\n");
}

static void of_many_kinds_of_threads_the_rest_is_counted(void **state)
{
    struct fixture *fixture = *state;
    report_ran(fixture, "<module>:1 main:2", running, 1000);
    for (int i = 0; i < 21; i++) {
        char frames[32];
        snprintf(frames, sizeof frames, "job_%c:3", 'a' + i);
        uint32_t thread = builder_thread(fixture->builder, 0, "");
        builder_ran(fixture->builder, thread, frames, running, i < 20 ? 500 : 2);
    }
    struct sl_render_options options = report_options(fixture);
    const char *tree = report_tree(fixture, &options);
    assert_int_equal(report_count(tree, " thread job_"), 9);
    assert_non_null(strstr(tree, "\n ⋯ and 12 more threads, 5.50 s\n"));
}

static void each_process_has_its_tree(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    report_ran(fixture, "<module>:1 main:2", running, 1000);
    struct sl_process_record record = *builder_process_record(builder, 0);
    record.pid = 4712;
    record.parent_pid = 4711;
    record.command = builder_string(builder, "worker.py --fast");
    record.python = builder_string(builder, "3.13.0");
    uint32_t process = builder_process(builder, record);
    builder_process_record(builder, process)->begin_ns = 0;
    builder_process_record(builder, process)->end_ns = 600000000;
    builder_process_record(builder, process)->cpu_ns = 590000000;
    uint32_t thread = builder_thread(builder, process, "");
    builder_ran(builder, thread, "<module>:1 work:2", running, 600);
    builder_process_record(builder, 0)->end_ns = 1000000000;
    builder_process_record(builder, 0)->cpu_ns = 990000000;
    struct sl_render_options options = report_options(fixture);
    assert_string_equal(report_tree(fixture, &options),
                        " process 4711 · app.py --port 0 · 1.00 s wall · 990 ms CPU\n"
                        " 1.000 s 100 %  <module>  app.py:1\n"
                        " 1.000   100 %  └─ main  app.py:1\n"
                        "                      ▸ line 2\n"
                        "\n"
                        " process 4712 · worker.py --fast · Python 3.13.0 · 600 ms wall · 590 ms CPU\n"
                        " 0.60 s   60 %  <module>  app.py:1\n"
                        " 0.60     60 %  └─ work  app.py:1\n"
                        "                      ▸ line 2\n");
    options.merge_processes = true;
    assert_string_equal(report_tree(fixture, &options), " 1.60 s  160 %  <module>  app.py:1\n"
                                                        " 1.000   100 %  ├─ main  app.py:1\n"
                                                        "                │     ▸ line 2\n"
                                                        " 0.60     60 %  └─ work  app.py:1\n"
                                                        "                      ▸ line 2\n");
}

static void the_first_process_is_followed_by_the_busiest(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    report_ran(fixture, "<module>:1 main:2", report_waits(futex_call), 1000);
    for (uint32_t i = 0; i < 20; i++) {
        struct sl_process_record record = *builder_process_record(builder, 0);
        record.pid = 5000 + i;
        uint32_t thread = builder_thread(builder, builder_process(builder, record), "");
        uint32_t busy = i == 17 ? 900 : 10 * (i + 1);
        builder_ran(builder, thread, "work:1", running, busy);
        builder_ran(builder, thread, "work:2", report_waits(futex_call), 1000 - busy);
    }
    struct sl_render_options options = report_options(fixture);
    const char *tree = report_tree(fixture, &options);
    const char *first = strstr(tree, " process 4711 ");
    const char *busiest = strstr(tree, "\n process 5017 ");
    const char *next = strstr(tree, "\n process 5019 ");
    assert_ptr_equal(first, tree);
    assert_true(busiest != NULL && next > busiest);
    assert_int_equal(report_count(tree, "\n process "), 15);
    assert_null(strstr(tree, "\n process 5004 "));
    assert_non_null(strstr(tree, "\n ⋯ and 5 more processes, 5.00 s\n"));
}

static void a_process_is_named_without_the_folder_of_its_interpreter(void **state)
{
    static const struct {
        const char *executable;
        const char *command;
        const char *named;
    } cases[] = {
        {"/srv/my env/bin/python3", "/srv/my env/bin/python3 -B -c from x import y", "python3 -B -c from x import y"},
        {"/srv/my env/bin/python3", "/srv/my env/bin/python3 /srv/my env/bin/gunicorn -w 4", "python3 gunicorn -w 4"},
        {"/srv/app/env/bin/python3", "env/bin/python3 env/bin/pytest tests", "python3 pytest tests"},
        {"/usr/bin/python3", "python3 /usr/bin/tool", "python3 /usr/bin/tool"},
        {"/usr/bin/python3", "/usr/bin/python3", "python3"},
        {"/usr/bin/python3", "/usr/bin/python3.12 job.py", "/usr/bin/python3.12 job.py"},
        {"/usr/bin/python3", "bin/python3 job.py", "python3 job.py"},
        {"/usr/bin/python3", "n/python3 job.py", "n/python3 job.py"},
        {"", "/usr/bin/python3 job.py", "/usr/bin/python3 job.py"},
    };
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    report_ran(fixture, "<module>:1 main:2", running, 1000);
    uint32_t process = builder_process(builder, *builder_process_record(builder, 0));
    uint32_t thread = builder_thread(builder, process, "");
    builder_ran(builder, thread, "<module>:1 work:2", running, 600);
    struct sl_render_options options = report_options(fixture);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sl_process_record *record = builder_process_record(builder, process);
        record->pid = 4712;
        record->executable = builder_string(builder, cases[i].executable);
        record->command = builder_string(builder, cases[i].command);
        char heading[128];
        snprintf(heading, sizeof heading, "\n process 4712 · %s · ", cases[i].named);
        assert_non_null(strstr(report_tree(fixture, &options), heading));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, report_set_up, report_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(threads_that_only_waited_are_one_line),
        TEST(threads_that_do_the_same_are_one_tree),
        TEST(a_thread_without_a_name_is_named_after_its_function),
        TEST(of_many_kinds_of_threads_the_rest_is_counted),
        TEST(each_process_has_its_tree),
        TEST(the_first_process_is_followed_by_the_busiest),
        TEST(a_process_is_named_without_the_folder_of_its_interpreter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
