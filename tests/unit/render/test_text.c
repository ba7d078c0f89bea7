#include "analysis/roles.h"
#include "render/render.h"
#include "render/text_unicode.h"
#include "support/profile_builder.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const sl_state running = SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL;
enum { clock_nanosleep_call = 230, futex_call = 202, recvfrom_call = 45 };

struct fixture {
    struct builder *builder;
    char folder[64];
    char path[128];
    uint32_t thread; /* main */
    char *text;      /* what was rendered last */
};

static sl_state waiting_in(uint32_t call)
{
    return sl_state_in_call(SL_STATE_KNOWN, call);
}

/* A program in a folder of its own, so that it has a source; facts that are not zero. */
static int set_up(void **state)
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

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    unlink(fixture->path);
    rmdir(fixture->folder);
    builder_destroy(fixture->builder);
    free(fixture->text);
    free(fixture);
    return 0;
}

static struct sl_render_options options_of(struct fixture *fixture)
{
    struct sl_render_options options = sl_render_defaults(builder_profile(fixture->builder));
    struct sl_facts *facts = builder_facts(fixture->builder);
    facts->looks = facts->duration_ns / 1000000;
    options.recording = "last";
    return options;
}

static const char *render(struct fixture *fixture, const struct sl_render_options *options)
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

/* The same without the part of the last line that is there only when the page can be made. */
static const char *render_without_page(struct fixture *fixture, const struct sl_render_options *options)
{
    render(fixture, options);
    char *page = strstr(fixture->text, "      page:  ");
    page = page != NULL ? page : strstr(fixture->text, "\n page:  ");
    if (page != NULL) {
        strcpy(page, "\n");
    }
    return fixture->text;
}

/* The rows of the tree alone: without the header and the hints, which are separated by blank lines. */
static const char *render_tree(struct fixture *fixture, const struct sl_render_options *options)
{
    render(fixture, options);
    char *tree = strstr(fixture->text + 1, "\n\n");
    assert_non_null(tree);
    char *end = strstr(tree + 2, "\n\n again:");
    assert_non_null(end);
    end[1] = '\0';
    return tree + 2;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + strlen(part), part)) {
        count++;
    }
    return count;
}

static void ran(struct fixture *fixture, const char *frames, sl_state state, uint32_t milliseconds)
{
    builder_ran(fixture->builder, fixture->thread, frames, state, milliseconds);
}

/* The sketch of the design, lived through. */
static void cook(struct fixture *fixture)
{
    struct builder *builder = fixture->builder;
    builder_function(builder, "Stove.scald", fixture->path);
    builder_function(builder, "loads", "/usr/lib/python3.12/json/__init__.py");
    builder_function(builder, "JSONDecoder.decode", "/usr/lib/python3.12/json/decoder.py");
    builder_function(builder, "StreamReader.read", "/usr/lib/python3.12/codecs.py");
    ran(fixture, "<module>:88 Kitchen.cook:44 Stove.scald:15", running, 1102);
    ran(fixture, "<module>:88 Kitchen.cook:44 Stove.scald:16", running, 112);
    ran(fixture, "<module>:88 Kitchen.cook:45 Recipe.load:33 loads:299 JSONDecoder.decode:4", running, 120);
    ran(fixture, "<module>:88 Kitchen.cook:45 Recipe.load:33 loads:299 StreamReader.read:9", running, 57);
    ran(fixture, "<module>:88 Kitchen.cook:45 Recipe.load:33 loads:299 JSONDecoder.decode:4 decode_unit:9", running,
        121);
    ran(fixture, "<module>:88 Kitchen.cook:45 Recipe.load:34", running, 12);
    ran(fixture, "<module>:88 Kitchen.cook:46", running, 88);
    ran(fixture, "<module>:89 wait_for_oven:25", waiting_in(clock_nanosleep_call), 640);
    for (int i = 0; i < 14; i++) {
        char frames[64];
        snprintf(frames, sizeof frames, "<module>:90 tiny_%d:1", i);
        ran(fixture, frames, running, 2);
    }
    ran(fixture, "<module>:91 at_exit:92", running, 30);
}

static void the_tree_of_calls_is_one_screen(void **state)
{
    struct fixture *fixture = *state;
    cook(fixture);
    struct sl_render_options options = options_of(fixture);
    assert_string_equal(
        render_without_page(fixture, &options),
        "\n"
        " stacklapse  app.py --port 0                                                    2026-11-22 21:04:17\n"
        " 2.31 s wall · 1.87 s CPU                            Python 3.12.1 · /usr/bin/python3.12 · pid 4711\n"
        " 2,310 samples every 1 ms · shares ± 1 %        0 missed · 0 broken · 3 late · cost 0.2 % of a core\n"
        "\n"
        " 2.310 s 100 %  <module>  app.py:1\n"
        " 1.61     70 %  ├─ Kitchen.cook  app.py:1\n"
        " 1.21     53 %  │  ├─ Stove.scald  kitchen.py:1\n"
        " 1.10     48 %  │  │     ▸ line 15: for i in range(n): x += i  # 15\n"
        " 0.31     13 %  │  ├─ Recipe.load  app.py:1\n"
        " 0.30     13 %  │  │  ├─ loads  json/__init__.py:1  ⋯ 2 frames hidden (json, codecs)\n"
        " 0.18      8 %  │  │  │  ├─ self and hidden frames\n"
        " 0.12      5 %  │  │  │  └─ decode_unit  app.py:1\n"
        "                │  │  │        ▸ line 9\n"
        " 0.012   0.5 %  │  │  └─ self\n"
        " 0.09      4 %  │  └─ self\n"
        " 0.64     28 %  ├─ wait_for_oven  app.py:1\n"
        "                │     ▸ line 25  [sleep]\n"
        " 0.03      1 %  ├─ at_exit  app.py:1\n"
        "                │     ▸ line 92\n"
        " 0.03      1 %  └─ ⋯ 14 more\n"
        "\n"
        " again:  stacklapse view last --show-all\n");
}

static void without_unicode_it_is_the_same_in_ascii(void **state)
{
    struct fixture *fixture = *state;
    cook(fixture);
    struct sl_render_options options = options_of(fixture);
    options.unicode = false;
    assert_string_equal(
        render_without_page(fixture, &options),
        "\n"
        " stacklapse  app.py --port 0                                                    2026-11-22 21:04:17\n"
        " 2.31 s wall, 1.87 s CPU                               Python 3.12.1, /usr/bin/python3.12, pid 4711\n"
        " 2,310 samples every 1 ms, shares +/- 1 %          0 missed, 0 broken, 3 late, cost 0.2 % of a core\n"
        "\n"
        " 2.310 s 100 %  <module>  app.py:1\n"
        " 1.61     70 %  |- Kitchen.cook  app.py:1\n"
        " 1.21     53 %  |  |- Stove.scald  kitchen.py:1\n"
        " 1.10     48 %  |  |     > line 15: for i in range(n): x += i  # 15\n"
        " 0.31     13 %  |  |- Recipe.load  app.py:1\n"
        " 0.30     13 %  |  |  |- loads  json/__init__.py:1  ... 2 frames hidden (json, codecs)\n"
        " 0.18      8 %  |  |  |  |- self and hidden frames\n"
        " 0.12      5 %  |  |  |  `- decode_unit  app.py:1\n"
        "                |  |  |        > line 9\n"
        " 0.012   0.5 %  |  |  `- self\n"
        " 0.09      4 %  |  `- self\n"
        " 0.64     28 %  |- wait_for_oven  app.py:1\n"
        "                |     > line 25  [sleep]\n"
        " 0.03      1 %  |- at_exit  app.py:1\n"
        "                |     > line 92\n"
        " 0.03      1 %  `- ... 14 more\n"
        "\n"
        " again:  stacklapse view last --show-all\n");
}

static void shares_come_first_when_asked_for(void **state)
{
    struct fixture *fixture = *state;
    ran(fixture, "<module>:1 a:2", running, 750);
    ran(fixture, "<module>:1 b:2", running, 250);
    struct sl_render_options options = options_of(fixture);
    options.percent = true;
    assert_string_equal(render_tree(fixture, &options), " 100 % 1.000 s  <module>  app.py:1\n"
                                                        "  75 % 0.75     ├─ a  app.py:1\n"
                                                        "                │     ▸ line 2\n"
                                                        "  25 % 0.25     └─ b  app.py:1\n"
                                                        "                      ▸ line 2\n");
}

static void a_narrow_terminal_gets_shorter_names(void **state)
{
    struct fixture *fixture = *state;
    cook(fixture);
    struct sl_render_options options = options_of(fixture);
    options.width = 60;
    assert_string_equal(render_without_page(fixture, &options),
                        "\n"
                        " stacklapse  app.py --port 0            2026-11-22 21:04:17\n"
                        " 2.31 s wall · 1.87 s CPU\n"
                        " Python 3.12.1 · /usr/bin/python3.12 · pid 4711\n"
                        " 2,310 samples every 1 ms · shares ± 1 %\n"
                        " 0 missed · 0 broken · 3 late · cost 0.2 % of a core\n"
                        "\n"
                        " 2.310 s 100 %  <module>  app.py:1\n"
                        " 1.61     70 %  ├─ Kitchen.cook  app.py:1\n"
                        " 1.21     53 %  │  ├─ Stove.scald  kitchen.py:1\n"
                        " 1.10     48 %  │  │     ▸ line 15: for i in range(n): x +=…\n"
                        " 0.31     13 %  │  ├─ Recipe.load  app.py:1\n"
                        " 0.30     13 %  │  │  ├─ loads  json/__init__.py:1  ⋯ 2\n"
                        " 0.18      8 %  │  │  │  ├─ self and hidden frames\n"
                        " 0.12      5 %  │  │  │  └─ decode_unit  app.py:1\n"
                        "                │  │  │        ▸ line 9\n"
                        " 0.012   0.5 %  │  │  └─ self\n"
                        " 0.09      4 %  │  └─ self\n"
                        " 0.64     28 %  ├─ wait_for_oven  app.py:1\n"
                        "                │     ▸ line 25  [sleep]\n"
                        " 0.03      1 %  ├─ at_exit  app.py:1\n"
                        "                │     ▸ line 92\n"
                        " 0.03      1 %  └─ ⋯ 14 more\n"
                        "\n"
                        " again:  stacklapse view last --show-all\n");
}

static void functions_by_self_time_have_their_total_beside_it(void **state)
{
    struct fixture *fixture = *state;
    cook(fixture);
    struct sl_render_options options = options_of(fixture);
    options.flat = true;
    assert_string_equal(render_tree(fixture, &options),
                        " self            total\n"
                        " 1.21 s   53 %   1.21     53 %  Stove.scald  kitchen.py:1\n"
                        " 0.64     28 %   0.64     28 %  wait_for_oven  app.py:1  [sleep]\n"
                        " 0.12      5 %   0.12      5 %  decode_unit  app.py:1\n"
                        " 0.12      5 %   0.24     10 %  JSONDecoder.decode  json/decoder.py:1\n"
                        " 0.09      4 %   1.61     70 %  Kitchen.cook  app.py:1\n"
                        " 0.06      2 %   0.06      2 %  StreamReader.read  codecs.py:1\n"
                        " 0.03      1 %   0.03      1 %  at_exit  app.py:1\n"
                        " 0.012   0.5 %   0.31     13 %  Recipe.load  app.py:1\n"
                        " 0.03      1 %                  ⋯ 14 more\n");
}

static void functions_by_total_time_have_those_without_time_of_their_own(void **state)
{
    struct fixture *fixture = *state;
    ran(fixture, "<module>:1 load:2 parse:3", running, 600);
    ran(fixture, "<module>:1 parse:3", running, 390);
    ran(fixture, "<module>:1 load:2 small:3", running, 10);
    struct sl_render_options options = options_of(fixture);
    options.flat = true;
    options.flat_by_total = true;
    assert_string_equal(render_tree(fixture, &options), " total           self\n"
                                                        " 1.000 s 100 %                  <module>  app.py:1\n"
                                                        " 0.990    99 %   0.990    99 %  parse  app.py:1\n"
                                                        " 0.61     61 %                  load  app.py:1\n"
                                                        " 0.010     1 %   0.010     1 %  small  app.py:1\n");
    options.threshold = 0.7;
    assert_string_equal(render_tree(fixture, &options), " total           self\n"
                                                        " 1.000 s 100 %                  <module>  app.py:1\n"
                                                        " 0.990    99 %   0.990    99 %  parse  app.py:1\n"
                                                        "                                ⋯ 2 more\n");
    options.width = 60;
    assert_string_equal(render_tree(fixture, &options), " total\n"
                                                        " 1.000 s 100 %  <module>  app.py:1\n"
                                                        " 0.990    99 %  parse  app.py:1\n"
                                                        "                ⋯ 2 more\n");
}

static void a_timeline_has_calls_in_their_order_with_their_start(void **state)
{
    struct fixture *fixture = *state;
    ran(fixture, "<module>:1 load:2", running, 300);
    ran(fixture, "<module>:2 compute:2 inner:7", running, 500);
    ran(fixture, "<module>:3 load:2", running, 200);
    ran(fixture, "<module>:4 once:2", running, 4);
    ran(fixture, "<module>:5 twice:2", running, 4);
    struct sl_render_options options = options_of(fixture);
    options.timeline = true;
    assert_string_equal(render_tree(fixture, &options), " start   time\n"
                                                        " 0.000   1.008 s 100 %  <module>  app.py:1\n"
                                                        " 0.000   0.30     30 %  ├─ load  app.py:1\n"
                                                        "                        │     ▸ line 2\n"
                                                        " 0.300   0.50     50 %  ├─ compute  app.py:1\n"
                                                        " 0.300   0.50     50 %  │  └─ inner  app.py:1\n"
                                                        "                        │        ▸ line 7\n"
                                                        " 0.800   0.20     20 %  ├─ load  app.py:1\n"
                                                        "                        │     ▸ line 2\n"
                                                        "         0.008   0.8 %  └─ ⋯ 2 more\n");
}

static void what_is_below_the_threshold_is_counted_and_shown_when_asked_for(void **state)
{
    struct fixture *fixture = *state;
    ran(fixture, "<module>:1 main:2 big:3", running, 990);
    ran(fixture, "<module>:1 main:2 small:3", running, 4);
    ran(fixture, "<module>:1 main:2 smaller:3", running, 3);
    ran(fixture, "other:1", running, 3);
    struct sl_render_options options = options_of(fixture);
    assert_string_equal(render_tree(fixture, &options), " 0.997 s 100 %  <module>  app.py:1\n"
                                                        " 0.997   100 %  └─ main  app.py:1\n"
                                                        " 0.990    99 %     ├─ big  app.py:1\n"
                                                        "                   │     ▸ line 3\n"
                                                        " 0.007   0.7 %     └─ ⋯ 2 more\n"
                                                        " 0.003   0.3 %  ⋯ 1 more\n");
    options.threshold = 0;
    assert_string_equal(render_tree(fixture, &options), " 0.997 s 100 %  <module>  app.py:1\n"
                                                        " 0.997   100 %  └─ main  app.py:1\n"
                                                        " 0.990    99 %     ├─ big  app.py:1\n"
                                                        "                   │     ▸ line 3\n"
                                                        " 0.004   0.4 %     ├─ small  app.py:1\n"
                                                        "                   │     ▸ line 3\n"
                                                        " 0.003   0.3 %     └─ smaller  app.py:1\n"
                                                        "                         ▸ line 3\n"
                                                        " 0.003   0.3 %  other  app.py:1\n");
}

static void a_recursion_is_one_row_however_deep(void **state)
{
    struct fixture *fixture = *state;
    sl_stack stack = builder_stack_named(fixture->builder, "<module>:3");
    sl_function walk = builder_function(fixture->builder, "walk", "/app/app.py");
    uint64_t now_ns = 0;
    for (int depth = 0; depth < 10000; depth++) {
        stack = builder_stack(fixture->builder, stack, walk, 7);
        if (depth % 100 == 99) {
            builder_run(fixture->builder, fixture->thread, stack, running, now_ns, now_ns + 5000000, 5);
            now_ns += 5000000;
        }
    }
    stack = builder_stack(fixture->builder, stack, builder_function(fixture->builder, "leaf", "/app/app.py"), 9);
    builder_run(fixture->builder, fixture->thread, stack, running, now_ns, now_ns + 500000000, 500);
    struct sl_render_options options = options_of(fixture);
    assert_string_equal(render_tree(fixture, &options), " 1.000 s 100 %  <module>  app.py:1\n"
                                                        " 1.000   100 %  └─ walk  app.py:1\n"
                                                        " 1.000   100 %     └─ ↻ 9,999 calls deeper: walk\n"
                                                        " 0.50     50 %        │  ▸ line 7\n"
                                                        " 0.50     50 %        └─ leaf  app.py:1\n"
                                                        "                            ▸ line 9\n");
}

static void functions_that_call_each_other_in_turn_are_one_row(void **state)
{
    struct fixture *fixture = *state;
    char frames[1024] = "<module>:1";
    for (int i = 0; i < 30; i++) {
        strcat(frames, i % 2 == 0 ? " visit:2" : " generic_visit:3");
    }
    strcat(frames, " visit_Name:9");
    ran(fixture, frames, running, 1000);
    struct sl_render_options options = options_of(fixture);
    assert_string_equal(render_tree(fixture, &options),
                        " 1.000 s 100 %  <module>  app.py:1\n"
                        " 1.000   100 %  └─ visit  app.py:1\n"
                        " 1.000   100 %     └─ generic_visit  app.py:1\n"
                        " 1.000   100 %        └─ ↻ 28 calls deeper: visit, generic_visit\n"
                        " 1.000   100 %           └─ visit_Name  app.py:1\n"
                        "                               ▸ line 9\n");
}

/* A visitor that goes six levels down in a tree with two kinds of nodes: 64 ways, each 4 ms in the last visitor itself
 * and 12 ms in what it calls. Its four ways through the first two levels are told apart, and in each of them 16 ways are
 * added up. */
static void a_recursion_that_branches_is_added_up_below_its_second_round(void **state)
{
    struct fixture *fixture = *state;
    for (int way = 0; way < 64; way++) {
        char frames[512] = "<module>:1";
        for (int level = 0; level < 6; level++) {
            strcat(frames, (way >> (5 - level)) % 2 == 0 ? " visit:5 visit_A:6" : " visit:5 visit_B:7");
        }
        ran(fixture, frames, running, 4);
        strcat(frames, " leaf:9");
        ran(fixture, frames, running, 12);
    }
    struct sl_render_options options = options_of(fixture);
    assert_string_equal(render_tree(fixture, &options),
                        " 1.024 s 100 %  <module>  app.py:1\n"
                        " 1.024   100 %  └─ visit  app.py:1\n"
                        " 0.51     50 %     ├─ visit_A  app.py:1\n"
                        " 0.51     50 %     │  └─ visit  app.py:1\n"
                        " 0.26     25 %     │     ├─ visit_A  app.py:1\n"
                        " 0.26     25 %     │     │  └─ ↻ up to 8 calls deeper: visit, visit_A, visit_B\n"
                        " 0.19     19 %     │     │     ├─ leaf  app.py:1\n"
                        " 0.03      3 %     │     │     ├─ self of visit_A\n"
                        " 0.03      3 %     │     │     └─ self of visit_B\n"
                        " 0.26     25 %     │     └─ visit_B  app.py:1\n"
                        " 0.26     25 %     │        └─ ↻ up to 8 calls deeper: visit, visit_A, visit_B\n"
                        " 0.19     19 %     │           ├─ leaf  app.py:1\n"
                        " 0.03      3 %     │           ├─ self of visit_A\n"
                        " 0.03      3 %     │           └─ self of visit_B\n"
                        " 0.51     50 %     └─ visit_B  app.py:1\n"
                        " 0.51     50 %        └─ visit  app.py:1\n"
                        " 0.26     25 %           ├─ visit_A  app.py:1\n"
                        " 0.26     25 %           │  └─ ↻ up to 8 calls deeper: visit, visit_A, visit_B\n"
                        " 0.19     19 %           │     ├─ leaf  app.py:1\n"
                        " 0.03      3 %           │     ├─ self of visit_A\n"
                        " 0.03      3 %           │     └─ self of visit_B\n"
                        " 0.26     25 %           └─ visit_B  app.py:1\n"
                        " 0.26     25 %              └─ ↻ up to 8 calls deeper: visit, visit_A, visit_B\n"
                        " 0.19     19 %                 ├─ leaf  app.py:1\n"
                        " 0.03      3 %                 ├─ self of visit_A\n"
                        " 0.03      3 %                 └─ self of visit_B\n");
    /* Who asks for everything gets it. */
    options.roles.show_all = true;
    assert_int_equal(count_of(render_tree(fixture, &options), "visit_A"), 63);
}

/* A wrapper around many functions is below itself, too, but nothing to be added up. */
static void a_wrapper_around_each_of_some_functions_is_no_recursion(void **state)
{
    struct fixture *fixture = *state;
    char frames[1024] = "<module>:1";
    for (int level = 0; level < 5; level++) {
        sprintf(frames + strlen(frames), " wrapper:5 function_%d:6", level);
        for (int leaf = 0; leaf < 10; leaf++) {
            char stack[1100];
            snprintf(stack, sizeof stack, "%s leaf_%d_%d:1", frames, level, leaf);
            ran(fixture, stack, running, 10);
        }
    }
    struct sl_render_options options = options_of(fixture);
    const char *tree = render_tree(fixture, &options);
    assert_int_equal(count_of(tree, " leaf_"), 50);
    assert_int_equal(count_of(tree, "↻"), 0);
}

static void three_calls_of_a_function_are_no_recursion_worth_a_row(void **state)
{
    struct fixture *fixture = *state;
    ran(fixture, "<module>:1 fact:2 fact:2 fact:3", running, 1000);
    struct sl_render_options options = options_of(fixture);
    const char *tree = render_tree(fixture, &options);
    assert_int_equal(count_of(tree, "fact"), 3);
    assert_int_equal(count_of(tree, "deeper"), 0);
}

/* A chain of distinct functions, which cannot be told in one row. */
static sl_stack add_chain(struct fixture *fixture, int depth)
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

struct small_stack_task {
    struct fixture *fixture;
    struct sl_render_options options;
};

static void *render_on_a_small_stack(void *argument)
{
    struct small_stack_task *task = argument;
    render(task->fixture, &task->options);
    return NULL;
}

/* 10,000 frames in 128 KiB of stack: nothing recurses. One row each: nothing is written twice. */
static void a_stack_ten_thousand_deep_takes_a_row_a_frame_and_no_recursion(void **state)
{
    struct fixture *fixture = *state;
    add_chain(fixture, 10000);
    struct small_stack_task task = {.fixture = fixture, .options = options_of(fixture)};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)128 * 1024);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, &attributes, render_on_a_small_stack, &task), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    assert_true(count_of(fixture->text, "\n") < 10020);
    assert_int_equal(count_of(fixture->text, "app.py:1\n"), 10001);
    /* Also at the bottom the name is whole and where it is seen. */
    assert_non_null(strstr(fixture->text, "↳ f9999  app.py:1\n"));
    assert_true(strlen(fixture->text) < (size_t)10020 * 100 * 3);
}

/* Indentation that stopped growing tells the depth, where otherwise two callers could be meant. */
static void a_deep_tree_with_branches_tells_the_depth(void **state)
{
    struct fixture *fixture = *state;
    char frames[1024] = "<module>:1";
    for (int i = 0; i < 40; i++) {
        sprintf(frames + strlen(frames), " level_%d:2", i);
        ran(fixture, frames, running, 25);
    }
    struct sl_render_options options = options_of(fixture);
    const char *tree = render_tree(fixture, &options);
    assert_non_null(strstr(tree, "↳ 41: level_39  app.py:1\n"));
}

static void threads_that_only_waited_are_one_line(void **state)
{
    struct fixture *fixture = *state;
    ran(fixture, "<module>:1 main:2", running, 1000);
    for (int i = 0; i < 31; i++) {
        uint32_t thread = builder_thread(fixture->builder, 0, "");
        builder_ran(fixture->builder, thread, "run:1 get:5", waiting_in(futex_call), 1000);
    }
    struct sl_render_options options = options_of(fixture);
    assert_string_equal(render_tree(fixture, &options), " 1.000 s 100 %  <module>  app.py:1\n"
                                                        " 1.000   100 %  └─ main  app.py:1\n"
                                                        "                      ▸ line 2\n"
                                                        "\n"
                                                        " 31 threads idle\n");
}

static void threads_that_do_the_same_are_one_tree(void **state)
{
    struct fixture *fixture = *state;
    ran(fixture, "<module>:1 main:2", running, 1000);
    for (int i = 0; i < 12; i++) {
        char name[16];
        snprintf(name, sizeof name, "worker_%d", i);
        uint32_t thread = builder_thread(fixture->builder, 0, name);
        builder_thread_record(fixture->builder, thread)->cpu_ns = 100000000;
        builder_ran(fixture->builder, thread, "Pool.run:60 fetch:7", running, 100);
        builder_ran(fixture->builder, thread, "Pool.run:60 fetch:8", waiting_in(recvfrom_call), 900);
    }
    uint32_t writer = builder_thread(fixture->builder, 0, "");
    builder_ran(fixture->builder, writer, "write_log:3", running, 1000);
    struct sl_render_options options = options_of(fixture);
    assert_string_equal(render_tree(fixture, &options),
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
    ran(fixture, "<module>:1 main:2", running, 1000);
    builder_function(builder, "Thread._bootstrap", "/usr/lib/python3.12/threading.py");
    builder_function(builder, "Thread.run", "/usr/lib/python3.12/threading.py");
    uint32_t thread = builder_thread(builder, 0, "");
    builder_ran(builder, thread, "Thread._bootstrap:1000 Thread.run:980", running, 20);
    builder_ran(builder, thread, "Thread._bootstrap:1000 Thread.run:980 fetch:5 parse:7", running, 700);
    builder_ran(builder, thread, "Thread._bootstrap:1000 Thread.run:980 fetch:6", waiting_in(recvfrom_call), 280);
    struct sl_render_options options = options_of(fixture);
    assert_string_equal(render_tree(fixture, &options), " 1.000 s 100 %  main thread\n"
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
    ran(fixture, "<module>:1 main:2", running, 1000);
    for (int i = 0; i < 21; i++) {
        char frames[32];
        snprintf(frames, sizeof frames, "job_%c:3", 'a' + i);
        uint32_t thread = builder_thread(fixture->builder, 0, "");
        builder_ran(fixture->builder, thread, frames, running, i < 20 ? 500 : 2);
    }
    struct sl_render_options options = options_of(fixture);
    const char *tree = render_tree(fixture, &options);
    assert_int_equal(count_of(tree, " thread job_"), 9);
    assert_non_null(strstr(tree, "\n ⋯ and 12 more threads, 5.50 s\n"));
}

static void each_process_has_its_tree(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    ran(fixture, "<module>:1 main:2", running, 1000);
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
    struct sl_render_options options = options_of(fixture);
    assert_string_equal(render_tree(fixture, &options),
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
    assert_string_equal(render_tree(fixture, &options), " 1.60 s  160 %  <module>  app.py:1\n"
                                                        " 1.000   100 %  ├─ main  app.py:1\n"
                                                        "                │     ▸ line 2\n"
                                                        " 0.60     60 %  └─ work  app.py:1\n"
                                                        "                      ▸ line 2\n");
}

static void a_recording_without_samples_says_so(void **state)
{
    struct fixture *fixture = *state;
    builder_facts(fixture->builder)->duration_ns = 3000000;
    struct sl_render_options options = options_of(fixture);
    const char *text = render(fixture, &options);
    assert_non_null(strstr(text, "\n no samples were recorded: the program ended after 3.00 ms\n"));
    assert_null(strstr(text, "only 0 samples"));
}

static void a_program_that_ended_before_the_first_look_is_told_so(void **state)
{
    struct fixture *fixture = *state;
    struct sl_facts *facts = builder_facts(fixture->builder);
    facts->duration_ns = 2000000000;
    struct sl_render_options options = options_of(fixture);
    facts->interval_ns = 10000000000;
    facts->looks = 0;
    const char *text = render(fixture, &options);
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
    struct sl_render_options options = options_of(fixture);
    const char *text = render(fixture, &options);
    assert_non_null(strstr(text, "\n no samples are in what can be read\n"));
    assert_null(strstr(text, "ended after"));
    assert_null(strstr(text, " every "));
}

static void what_limits_the_report_is_said(void **state)
{
    struct fixture *fixture = *state;
    cook(fixture);
    struct sl_facts *facts = builder_facts(fixture->builder);
    struct sl_render_options options = options_of(fixture);
    assert_null(strstr(render(fixture, &options), "incomplete"));
    assert_null(strstr(render(fixture, &options), "-i 100us"));
    assert_null(strstr(render(fixture, &options), "--children"));

    facts->complete = false;
    assert_non_null(strstr(render(fixture, &options), "\n incomplete: the recording was cut off"));
    facts->lost_bytes = 1234;
    assert_non_null(strstr(render(fixture, &options), "\n incomplete: 1,234 bytes of the recording cannot be read\n"));
    facts->samples = 199;
    assert_non_null(strstr(render(fixture, &options), "\n only 199 samples · for more of them:  -i 100us\n"));
    facts->children_cpu_ns = facts->cpu_ns + 1;
    assert_non_null(
        strstr(render(fixture, &options),
               "\n child processes used 1.87 s of CPU, more than the program · record the Pythons:  --children\n"));
    options.children_recorded = true;
    assert_null(strstr(render(fixture, &options), "--children"));
    assert_non_null(
        strstr(render(fixture, &options),
               "\n child processes used 1.87 s of CPU, more than the program · they are no Python, or too brief\n"));
    builder_process_record(fixture->builder, 0)->exit_status = 9;
    assert_non_null(strstr(render(fixture, &options), " · ended by SIGKILL"));
    builder_process_record(fixture->builder, 0)->exit_status = 3 << 8;
    assert_non_null(strstr(render(fixture, &options), " · exit code 3"));
}

static void that_many_looks_were_late_is_said_in_place_of_an_error(void **state)
{
    struct fixture *fixture = *state;
    cook(fixture);
    struct sl_facts *facts = builder_facts(fixture->builder);
    struct sl_render_options options = options_of(fixture);
    facts->looks = 1000;
    facts->samples = 199;
    facts->late = 100;
    assert_non_null(strstr(render(fixture, &options), "shares ± "));
    assert_null(strstr(render(fixture, &options), "late: "));

    facts->late = 250;
    const char *text = render(fixture, &options);
    assert_null(strstr(text, "shares ± "));
    assert_null(strstr(text, "for more of them")); /* it could not take them */
    assert_non_null(strstr(text, "\n 20 % of the looks were late: shares may be far off · the machine was busy\n"));
    facts->interval_ns = 10000;
    assert_non_null(strstr(render(fixture, &options), " far off · a longer interval:  -i 1ms\n"));
    facts->description = builder_string(fixture->builder, "Block at /app/api.py:14");
    assert_non_null(strstr(render(fixture, &options), " far off · a longer interval:  interval=0.001\n"));
    options.short_form = true;
    assert_non_null(strstr(render(fixture, &options), " · 199 samples · 250 late\n"));
}

static void that_only_the_main_thread_is_shown_is_said(void **state)
{
    struct fixture *fixture = *state;
    cook(fixture);
    struct sl_render_options options = options_of(fixture);
    const uint8_t threads[] = {1};
    assert_null(strstr(render(fixture, &options), "only the main thread"));
    options.selection.threads = threads;
    assert_non_null(strstr(render(fixture, &options), "\n only the main thread\n"));
    builder_process(fixture->builder, (struct sl_process_record){.pid = 2});
    assert_non_null(strstr(render(fixture, &options), "\n only main threads\n"));
}

static void what_a_profiler_recorded_is_not_advised_with_the_commands_options(void **state)
{
    struct fixture *fixture = *state;
    cook(fixture);
    struct sl_facts *facts = builder_facts(fixture->builder);
    facts->children_cpu_ns = facts->cpu_ns + 1;
    struct sl_render_options options = options_of(fixture);
    facts->samples = 52;
    facts->description = builder_string(fixture->builder, "Block at /app/api.py:14");
    for (int named = 1; named >= 0; named--) {
        const char *text = render(fixture, &options);
        assert_non_null(strstr(text, "\n only 52 samples · for more of them:  interval=0.0001\n"));
        assert_null(strstr(text, "-i 100us"));
        assert_null(strstr(text, "child processes"));
        /* A description may be empty; what was recorded tells it too. */
        facts->description = 0;
        builder_thread_record(fixture->builder, fixture->thread)->kind = SL_THREAD_SCOPE;
    }
}

/* Which option has an effect depends on why it was recorded. */
static void a_request_is_not_advised_with_an_interval(void **state)
{
    struct fixture *fixture = *state;
    cook(fixture);
    struct sl_facts *facts = builder_facts(fixture->builder);
    struct sl_render_options options = options_of(fixture);
    facts->samples = 52;
    facts->description = builder_string(fixture->builder, "GET request");
    assert_null(strstr(render(fixture, &options), "for more of them"));
}

static void the_last_line_is_a_command_that_can_be_pasted(void **state)
{
    struct fixture *fixture = *state;
    cook(fixture);
    struct sl_render_options options = options_of(fixture);
    assert_non_null(strstr(render(fixture, &options), "\n again:  stacklapse view last --show-all"));
    options.roles.show_all = true;
    assert_non_null(strstr(render(fixture, &options), "\n again:  stacklapse view last --flat"));
    options.recording = "'/tmp/it'\\''s here.lapse'"; /* quoted by who names it */
    assert_non_null(strstr(render(fixture, &options), "stacklapse view '/tmp/it'\\''s here.lapse' --flat"));
    options.recording = NULL;
    assert_null(strstr(render(fixture, &options), "again:"));
}

static void the_short_form_has_one_line_above_the_tree(void **state)
{
    struct fixture *fixture = *state;
    builder_facts(fixture->builder)->late = 0;
    builder_facts(fixture->builder)->description = builder_string(fixture->builder, "Block at /app/api.py:14");
    ran(fixture, "busy:6", running, 19);
    struct sl_render_options options = options_of(fixture);
    options.short_form = true;
    assert_string_equal(render(fixture, &options), " Block at /app/api.py:14 · 19.0 ms · 19 samples\n"
                                                   "\n"
                                                   " 19 ms   100 %  busy  app.py:1\n"
                                                   "                   ▸ line 6\n");
}

/* Without what colours it, the coloured report is the plain one; nothing else is an escape sequence. */
static void colours_are_all_that_colour_adds(void **state)
{
    struct fixture *fixture = *state;
    cook(fixture);
    struct sl_render_options options = options_of(fixture);
    char *plain = strdup(render(fixture, &options));
    assert_null(strchr(plain, '\033'));
    options.color = true;
    const char *colored = render(fixture, &options);
    assert_non_null(strstr(colored, "\033[38;5;196m"));
    assert_non_null(strstr(colored, "\033[1mKitchen.cook"));
    assert_null(strstr(colored, "\033[1mloads"));
    char *stripped = calloc(1, strlen(colored) + 1);
    size_t used = 0;
    for (const char *at = colored; *at != '\0';) {
        if (*at == '\033') {
            assert_int_equal(at[1], '[');
            at += 2 + strspn(at + 2, "0123456789;");
            assert_int_equal(*at++, 'm');
        } else {
            stripped[used++] = *at++;
        }
    }
    assert_string_equal(stripped, plain);
    free(stripped);
    free(plain);
    /* No row leaves a colour on. */
    for (const char *line = colored; *line != '\0'; line = strchr(line, '\n') + 1) {
        size_t size = (size_t)(strchr(line, '\n') - line);
        char *row = strndup(line, size);
        char *last = strrchr(row, '\033');
        assert_true(last == NULL || strncmp(last, "\033[0m", 4) == 0);
        free(row);
    }
}

/* Everything that a program can choose, as bad as it can be. */
static void add_hostile(struct fixture *fixture)
{
    struct builder *builder = fixture->builder;
    static const char bad[] = "\033[2J\033]0;owned\007\n\r\b\xff\xfe\u202e\u2028\x9b"
                              "evil";
    char *huge = malloc(10001);
    memset(huge, 'x', 10000);
    huge[10000] = '\0';
    sl_function functions[] = {
        builder_function(builder, bad, bad),
        builder_function(builder, huge, huge),
        builder_function(builder, "", ""),
        builder_function(builder, "厨房厨房厨房厨房厨房厨房厨房厨房厨房厨房厨房厨房",
                         "/app/厨房/厨房厨房厨房厨房厨房厨房厨房.py"),
        builder_function_of_kind(builder, bad, bad, SL_FUNCTION_MARK),
        builder_function_of_kind(builder, huge, "", SL_FUNCTION_NATIVE),
        builder_function(builder, "library", "/usr/lib/python3.12/\033[31m/x.py"),
    };
    uint64_t now_ns = 0;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        sl_stack stack = builder_stack_named(builder, "<module>:1");
        stack = builder_stack(builder, stack, functions[i], UINT32_MAX);
        stack = builder_stack(builder, stack, functions[(i + 1) % 7], 1);
        builder_run(builder, fixture->thread, stack, waiting_in((uint32_t)i * 9999), now_ns, now_ns + 100000000, 100);
        now_ns += 100000000;
    }
    for (int i = 0; i < 5; i++) {
        uint32_t thread = builder_thread(builder, 0, bad);
        builder_run(builder, thread, builder_stack(builder, 0, functions[i], 0), running, 0, 200000000, 200);
    }
    struct sl_process_record *process = builder_process_record(builder, 0);
    process->command = builder_string(builder, bad);
    process->python = builder_string(builder, bad);
    process->executable = builder_string(builder, huge);
    process->exit_status = 0x7FFFFFFF;
    FILE *file = fopen(fixture->path, "w");
    fprintf(file, "%s%s\n", bad, huge);
    fclose(file);
    free(huge);
}

static void check_rows(const char *text, uint32_t width, bool unicode)
{
    for (const char *line = text; *line != '\0';) {
        const char *end = strchr(line, '\n');
        assert_non_null(end);
        size_t size = (size_t)(end - line);
        bool command = strncmp(line, " again:", 7) == 0 || strncmp(line, " page:", 6) == 0;
        if (!command) {
            if (sl_text_columns(line, size) > width) {
                print_error("%u columns: %.*s\n", width, (int)size, line);
            }
            assert_true(sl_text_columns(line, size) <= width);
        }
        for (size_t i = 0; i < size; i++) {
            assert_true((unsigned char)line[i] >= 0x20 && line[i] != 0x7F);
            assert_true(unicode || (unsigned char)line[i] < 0x80);
        }
        assert_true(size == 0 || line[size - 1] != ' ');
        /* Cleaned text is as it would be cleaned. */
        struct sl_buffer again;
        sl_buffer_init(&again);
        sl_text_clean(&again, line, size, true);
        assert_int_equal(again.size, size);
        sl_buffer_destroy(&again);
        line = end + 1;
    }
}

static void check_every_form(struct fixture *fixture)
{
    for (uint32_t width = 40; width <= 220; width += 20) {
        for (uint32_t form = 0; form < 64; form++) {
            struct sl_render_options options = options_of(fixture);
            options.width = width;
            options.unicode = form & 1;
            options.flat = form & 2;
            options.timeline = form & 4;
            options.percent = form & 8;
            options.roles.show_all = form & 16;
            options.short_form = form & 32;
            options.threshold = width % 2 == 0 ? 0 : 0.005;
            check_rows(render(fixture, &options), width, options.unicode);
        }
    }
}

static void no_row_is_wider_than_the_terminal(void **state)
{
    struct fixture *fixture = *state;
    cook(fixture);
    check_every_form(fixture);
}

static void no_deep_row_is_wider_than_the_terminal(void **state)
{
    struct fixture *fixture = *state;
    char frames[8192] = "<module>:1";
    for (int i = 0; i < 100; i++) {
        sprintf(frames + strlen(frames), " A_class_with_a_long_name.and_a_method_%d:2", i);
        if (i % 3 == 0) {
            ran(fixture, frames, waiting_in(futex_call), 25);
        }
    }
    check_every_form(fixture);
}

static void a_hostile_program_cannot_act_on_the_terminal(void **state)
{
    struct fixture *fixture = *state;
    add_hostile(fixture);
    check_every_form(fixture);
    struct sl_render_options options = options_of(fixture);
    options.recording = "\033[2J\n'";
    check_rows(render(fixture, &options), 100, true);
    /* Long names do not make long reports. */
    assert_true(strlen(fixture->text) < 20000);
}

static void a_selection_of_nothing_is_no_crash(void **state)
{
    struct fixture *fixture = *state;
    cook(fixture);
    struct sl_render_options options = options_of(fixture);
    options.selection.begin_ns = options.selection.end_ns;
    render(fixture, &options);
    options = options_of(fixture);
    options.selection.mode = SL_MODE_GIL;
    assert_non_null(strstr(render(fixture, &options), "\n only time holding the GIL\n"));
    uint8_t none[1] = {0};
    options.selection.threads = none;
    assert_non_null(strstr(render(fixture, &options), "\n no samples in what was selected\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_tree_of_calls_is_one_screen),
        TEST(without_unicode_it_is_the_same_in_ascii),
        TEST(shares_come_first_when_asked_for),
        TEST(a_narrow_terminal_gets_shorter_names),
        TEST(functions_by_self_time_have_their_total_beside_it),
        TEST(functions_by_total_time_have_those_without_time_of_their_own),
        TEST(a_timeline_has_calls_in_their_order_with_their_start),
        TEST(what_is_below_the_threshold_is_counted_and_shown_when_asked_for),
        TEST(a_recursion_is_one_row_however_deep),
        TEST(functions_that_call_each_other_in_turn_are_one_row),
        TEST(a_recursion_that_branches_is_added_up_below_its_second_round),
        TEST(a_wrapper_around_each_of_some_functions_is_no_recursion),
        TEST(three_calls_of_a_function_are_no_recursion_worth_a_row),
        TEST(a_stack_ten_thousand_deep_takes_a_row_a_frame_and_no_recursion),
        TEST(a_deep_tree_with_branches_tells_the_depth),
        TEST(threads_that_only_waited_are_one_line),
        TEST(threads_that_do_the_same_are_one_tree),
        TEST(a_thread_without_a_name_is_named_after_its_function),
        TEST(of_many_kinds_of_threads_the_rest_is_counted),
        TEST(each_process_has_its_tree),
        TEST(a_recording_without_samples_says_so),
        TEST(a_program_that_ended_before_the_first_look_is_told_so),
        TEST(of_a_damaged_recording_without_samples_no_end_is_told),
        TEST(what_limits_the_report_is_said),
        TEST(that_many_looks_were_late_is_said_in_place_of_an_error),
        TEST(that_only_the_main_thread_is_shown_is_said),
        TEST(what_a_profiler_recorded_is_not_advised_with_the_commands_options),
        TEST(a_request_is_not_advised_with_an_interval),
        TEST(the_last_line_is_a_command_that_can_be_pasted),
        TEST(the_short_form_has_one_line_above_the_tree),
        TEST(colours_are_all_that_colour_adds),
        TEST(no_row_is_wider_than_the_terminal),
        TEST(no_deep_row_is_wider_than_the_terminal),
        TEST(a_hostile_program_cannot_act_on_the_terminal),
        TEST(a_selection_of_nothing_is_no_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
