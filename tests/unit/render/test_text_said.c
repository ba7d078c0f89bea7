#include "text_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_recording_without_samples_says_so(void **state)
{
    struct fixture *fixture = *state;
    builder_facts(fixture->builder)->duration_ns = 3000000;
    struct sl_render_options options = report_options(fixture);
    const char *text = report_text(fixture, &options);
    assert_non_null(strstr(text, "\n no samples were recorded: the program ended after 3.00 ms\n"));
    assert_null(strstr(text, "only 0 samples"));
}

static void a_program_that_ended_before_the_first_look_is_told_so(void **state)
{
    struct fixture *fixture = *state;
    struct sl_facts *facts = builder_facts(fixture->builder);
    facts->duration_ns = 2000000000;
    struct sl_render_options options = report_options(fixture);
    facts->interval_ns = 10000000000;
    facts->looks = 0;
    const char *text = report_text(fixture, &options);
    assert_non_null(strstr(text, "\n no samples were recorded: the program ended after 2.00 s, before the first look "
                                 "(one every 10 s)\n"));
    assert_null(strstr(text, "only 0 samples"));
}

static void of_a_damaged_recording_without_samples_no_end_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct sl_facts *facts = builder_facts(fixture->builder);
    facts->complete = false;
    facts->lost_bytes = 421;
    facts->interval_ns = SL_INTERVAL_UNKNOWN;
    struct sl_render_options options = report_options(fixture);
    const char *text = report_text(fixture, &options);
    assert_non_null(strstr(text, "\n no samples are in what can be read\n"));
    assert_null(strstr(text, "ended after"));
    assert_null(strstr(text, " every "));
}

static void what_limits_the_report_is_said(void **state)
{
    struct fixture *fixture = *state;
    report_cook(fixture);
    struct sl_facts *facts = builder_facts(fixture->builder);
    struct sl_render_options options = report_options(fixture);
    assert_null(strstr(report_text(fixture, &options), "incomplete"));
    assert_null(strstr(report_text(fixture, &options), "-i 100us"));
    assert_null(strstr(report_text(fixture, &options), "--children"));

    facts->complete = false;
    assert_non_null(strstr(report_text(fixture, &options), "\n incomplete: the recording was cut off"));
    facts->lost_bytes = 1234;
    assert_non_null(
        strstr(report_text(fixture, &options), "\n incomplete: 1,234 bytes of the recording cannot be read\n"));
    facts->samples = 199;
    assert_non_null(strstr(report_text(fixture, &options), "\n only 199 samples · for more of them:  -i 100us\n"));
    facts->children_cpu_ns = facts->cpu_ns + 1;
    assert_non_null(
        strstr(report_text(fixture, &options),
               "\n child processes used 1.87 s of CPU, more than the program · record the Pythons:  --children\n"));
    options.children_recorded = true;
    assert_null(strstr(report_text(fixture, &options), "--children"));
    assert_non_null(
        strstr(report_text(fixture, &options),
               "\n child processes used 1.87 s of CPU, more than the program · they are no Python, or too brief\n"));
    builder_process_record(fixture->builder, 0)->exit_status = 9;
    assert_non_null(strstr(report_text(fixture, &options), " · ended by SIGKILL"));
    builder_process_record(fixture->builder, 0)->exit_status = 3 << 8;
    assert_non_null(strstr(report_text(fixture, &options), " · exit code 3"));
}

static void that_many_looks_were_late_is_said_in_place_of_an_error(void **state)
{
    struct fixture *fixture = *state;
    report_cook(fixture);
    struct sl_facts *facts = builder_facts(fixture->builder);
    struct sl_render_options options = report_options(fixture);
    facts->looks = 1000;
    facts->samples = 199;
    facts->late = 100;
    assert_non_null(strstr(report_text(fixture, &options), "shares ± "));
    assert_null(strstr(report_text(fixture, &options), "late: "));

    facts->late = 250;
    const char *text = report_text(fixture, &options);
    assert_null(strstr(text, "shares ± "));
    assert_null(strstr(text, "for more of them")); /* it could not take them */
    assert_non_null(strstr(text, "\n 20 % of the looks were late: shares may be far off · the machine was busy\n"));
    facts->interval_ns = 10000;
    assert_non_null(strstr(report_text(fixture, &options), " far off · a longer interval:  -i 1ms\n"));
    facts->description = builder_string(fixture->builder, "Block at /app/api.py:14");
    assert_non_null(strstr(report_text(fixture, &options), " far off · a longer interval:  interval=0.001\n"));
    options.short_form = true;
    assert_non_null(strstr(report_text(fixture, &options), " · 199 samples · 250 late\n"));
}

static void that_only_the_main_thread_is_shown_is_said(void **state)
{
    struct fixture *fixture = *state;
    report_cook(fixture);
    struct sl_render_options options = report_options(fixture);
    const uint8_t threads[] = {1};
    assert_null(strstr(report_text(fixture, &options), "only the main thread"));
    options.selection.threads = threads;
    assert_non_null(strstr(report_text(fixture, &options), "\n only the main thread\n"));
    builder_process(fixture->builder, (struct sl_process_record){.pid = 2});
    assert_non_null(strstr(report_text(fixture, &options), "\n only main threads\n"));
}

static void what_a_profiler_recorded_is_not_advised_with_the_commands_options(void **state)
{
    struct fixture *fixture = *state;
    report_cook(fixture);
    struct sl_facts *facts = builder_facts(fixture->builder);
    facts->children_cpu_ns = facts->cpu_ns + 1;
    struct sl_render_options options = report_options(fixture);
    facts->samples = 52;
    facts->description = builder_string(fixture->builder, "Block at /app/api.py:14");
    for (int named = 1; named >= 0; named--) {
        const char *text = report_text(fixture, &options);
        assert_non_null(strstr(text, "\n only 52 samples · for more of them:  interval=0.0001\n"));
        assert_null(strstr(text, "-i 100us"));
        assert_null(strstr(text, "child processes"));
        /* A description may be empty; what was recorded tells it too. */
        facts->description = 0;
        builder_thread_record(fixture->builder, fixture->thread)->kind = SL_THREAD_SCOPE;
    }
}

static void that_slots_became_longer_is_said(void **state)
{
    struct fixture *fixture = *state;
    report_ran(fixture, "<module>:88", running, 1000);
    builder_thread_record(fixture->builder, fixture->thread)->kind = SL_THREAD_SCOPE;
    struct sl_render_options options = report_options(fixture);
    struct sl_facts *facts = builder_facts(fixture->builder);
    facts->late = 0;
    facts->samples = facts->looks = 1000;
    assert_non_null(strstr(report_text(fixture, &options), "\n 1,000 samples every 1 ms · shares ± 2 % "));
    facts->interval_ns = 100000;
    facts->even_looks = 250;
    assert_non_null(strstr(report_text(fixture, &options), "\n 1,000 samples every 100 µs or more · shares ± 3 %\n"));
}

/* Which option has an effect depends on why it was recorded. */
static void a_request_is_not_advised_with_an_interval(void **state)
{
    struct fixture *fixture = *state;
    report_cook(fixture);
    struct sl_facts *facts = builder_facts(fixture->builder);
    struct sl_render_options options = report_options(fixture);
    facts->samples = 52;
    facts->description = builder_string(fixture->builder, "GET request");
    assert_null(strstr(report_text(fixture, &options), "for more of them"));
}

static void the_last_line_is_a_command_that_can_be_pasted(void **state)
{
    struct fixture *fixture = *state;
    report_cook(fixture);
    struct sl_render_options options = report_options(fixture);
    assert_non_null(strstr(report_text(fixture, &options), "\n again:  stacklapse view last --show-all"));
    options.roles.show_all = true;
    assert_non_null(strstr(report_text(fixture, &options), "\n again:  stacklapse view last --flat"));
    options.recording = "'/tmp/it'\\''s here.lapse'"; /* quoted by who names it */
    assert_non_null(strstr(report_text(fixture, &options), "stacklapse view '/tmp/it'\\''s here.lapse' --flat"));
    options.recording = NULL;
    assert_null(strstr(report_text(fixture, &options), "again:"));
}

static void what_other_threads_used_is_said_where_it_is_much(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    static const char line[] =
        "\n other threads used 870 ms of the CPU time: they run no Python, or were not recorded\n";
    report_ran(fixture, "<module>:1 main:2", running, 1000);
    report_ran(fixture, "<module>:1 main:3", report_waits(futex_call), 1000);
    struct sl_render_options options = report_options(fixture);
    assert_non_null(strstr(report_text(fixture, &options), line));
    options.selection.mode = SL_MODE_CPU;
    options.selection.begin_ns = 500000000;
    assert_non_null(strstr(report_text(fixture, &options), line));

    const uint8_t taken[] = {1};
    options.selection.threads = taken;
    assert_null(strstr(report_text(fixture, &options), "other threads"));
    options.selection.threads = NULL;
    builder_facts(builder)->complete = false;
    assert_null(strstr(report_text(fixture, &options), "other threads"));
    builder_facts(builder)->complete = true;
    builder_thread_record(builder, fixture->thread)->cpu_ns = 1500000000;
    assert_null(strstr(report_text(fixture, &options), "other threads"));
    builder_thread_record(builder, fixture->thread)->cpu_ns = 0;
    builder_facts(builder)->description = builder_string(builder, "Profile at app.py:1");
    assert_null(strstr(report_text(fixture, &options), "other threads"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, report_set_up, report_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_recording_without_samples_says_so),
        TEST(a_program_that_ended_before_the_first_look_is_told_so),
        TEST(of_a_damaged_recording_without_samples_no_end_is_told),
        TEST(what_limits_the_report_is_said),
        TEST(that_many_looks_were_late_is_said_in_place_of_an_error),
        TEST(what_other_threads_used_is_said_where_it_is_much),
        TEST(that_only_the_main_thread_is_shown_is_said),
        TEST(what_a_profiler_recorded_is_not_advised_with_the_commands_options),
        TEST(that_slots_became_longer_is_said),
        TEST(a_request_is_not_advised_with_an_interval),
        TEST(the_last_line_is_a_command_that_can_be_pasted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
