#include "text_report.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

sl_state report_waits(uint32_t call)
{
    return sl_state_in_call(SL_STATE_KNOWN, call);
}

int report_set_up(void **state)
{
    setenv("TZ", "UTC", 1);
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->builder = builder_create();
    fixture->thread = builder_thread(fixture->builder, 0, "");
    strcpy(fixture->folder, "/tmp/test_text.XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof fixture->path, "%s/kitchen.py", fixture->folder);
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    for (int line = 1; line <= 20; line++) {
        fprintf(file, line == 15 ? "    for i in range(n): x += i  # %d\n" : "    line_number(%d)\n", line);
    }
    fclose(file);
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}}; /* before the recording */
    assert_int_equal(utimensat(AT_FDCWD, fixture->path, times, 0), 0);
    struct sl_process_record *process = builder_process_record(fixture->builder, 0);
    char path[256];
    snprintf(path, sizeof path, "/app\n%s", fixture->folder);
    process->path = builder_string(fixture->builder, path);
    process->pid = 4711;
    process->command = builder_string(fixture->builder, "app.py --port 0");
    process->python = builder_string(fixture->builder, "3.12.1");
    process->executable = builder_string(fixture->builder, "/usr/bin/python3.12");
    struct sl_facts *facts = builder_facts(fixture->builder);
    facts->start_time_ns = 1795381457000000000; /* 2026-11-22 21:04:17 */
    facts->cpu_ns = 1870000000;
    facts->late = 3;
    facts->sampler_cpu_ns = 4620000;
    facts->complete = true;
    *state = fixture;
    return 0;
}

int report_tear_down(void **state)
{
    struct fixture *fixture = *state;
    unlink(fixture->path);
    rmdir(fixture->folder);
    builder_destroy(fixture->builder);
    free(fixture->text);
    free(fixture);
    return 0;
}

struct sl_render_options report_options(struct fixture *fixture)
{
    struct sl_render_options options = sl_render_defaults(builder_profile(fixture->builder));
    struct sl_facts *facts = builder_facts(fixture->builder);
    facts->looks = facts->duration_ns / 1000000;
    options.recording = "last";
    return options;
}

const char *report_text(struct fixture *fixture, const struct sl_render_options *options)
{
    const struct sl_renderer *renderer = sl_renderer_named("text");
    assert_non_null(renderer);
    struct sl_output output;
    sl_output_memory(&output);
    struct sl_error error = {0};
    assert_true(renderer->render(builder_profile(fixture->builder), options, &output, &error));
    free(fixture->text);
    fixture->text = strndup(output.pending.bytes, output.pending.size);
    assert_true(sl_output_close(&output, &error));
    return fixture->text;
}

const char *report_without_page(struct fixture *fixture, const struct sl_render_options *options)
{
    report_text(fixture, options);
    char *page = strstr(fixture->text, "      page:  ");
    page = page != NULL ? page : strstr(fixture->text, "\n page:  ");
    if (page != NULL) {
        strcpy(page, "\n");
    }
    return fixture->text;
}

const char *report_tree(struct fixture *fixture, const struct sl_render_options *options)
{
    struct sl_facts *facts = builder_facts(fixture->builder);
    uint64_t cpu_ns = facts->cpu_ns;
    facts->cpu_ns = 0; /* of which the threads of a test have not used as much as the last lines of a report expect */
    report_text(fixture, options);
    facts->cpu_ns = cpu_ns;
    /* Blank lines separate it from the header and the hints. */
    char *tree = strstr(fixture->text + 1, "\n\n");
    assert_non_null(tree);
    char *end = strstr(tree + 2, "\n\n again:");
    assert_non_null(end);
    end[1] = '\0';
    return tree + 2;
}

size_t report_count(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + strlen(part), part)) {
        count++;
    }
    return count;
}

void report_ran(struct fixture *fixture, const char *frames, sl_state state, uint32_t milliseconds)
{
    builder_ran(fixture->builder, fixture->thread, frames, state, milliseconds);
}

void report_cook(struct fixture *fixture)
{
    struct builder *builder = fixture->builder;
    builder_function(builder, "Stove.scald", fixture->path);
    builder_function(builder, "loads", "/usr/lib/python3.12/json/__init__.py");
    builder_function(builder, "JSONDecoder.decode", "/usr/lib/python3.12/json/decoder.py");
    builder_function(builder, "StreamReader.read", "/usr/lib/python3.12/codecs.py");
    report_ran(fixture, "<module>:88 Kitchen.cook:44 Stove.scald:15", running, 1102);
    report_ran(fixture, "<module>:88 Kitchen.cook:44 Stove.scald:16", running, 112);
    report_ran(fixture, "<module>:88 Kitchen.cook:45 Recipe.load:33 loads:299 JSONDecoder.decode:4", running, 120);
    report_ran(fixture, "<module>:88 Kitchen.cook:45 Recipe.load:33 loads:299 StreamReader.read:9", running, 57);
    report_ran(fixture, "<module>:88 Kitchen.cook:45 Recipe.load:33 loads:299 JSONDecoder.decode:4 decode_unit:9",
               running, 121);
    report_ran(fixture, "<module>:88 Kitchen.cook:45 Recipe.load:34", running, 12);
    report_ran(fixture, "<module>:88 Kitchen.cook:46", running, 88);
    report_ran(fixture, "<module>:89 wait_for_oven:25", report_waits(clock_nanosleep_call), 640);
    for (int i = 0; i < 14; i++) {
        char frames[64];
        snprintf(frames, sizeof frames, "<module>:90 tiny_%d:1", i);
        report_ran(fixture, frames, running, 2);
    }
    report_ran(fixture, "<module>:91 at_exit:92", running, 30);
}

sl_stack report_chain(struct fixture *fixture, int depth)
{
    sl_stack stack = builder_stack_named(fixture->builder, "<module>:3");
    uint64_t now_ns = 0;
    for (int i = 0; i < depth; i++) {
        char name[32];
        snprintf(name, sizeof name, "f%d", i);
        stack = builder_stack(fixture->builder, stack, builder_function(fixture->builder, name, "/app/app.py"), 7);
    }
    builder_run(fixture->builder, fixture->thread, stack, running, now_ns, now_ns + 1000000000, 1000);
    return stack;
}
