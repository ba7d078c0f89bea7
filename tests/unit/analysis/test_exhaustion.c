/* Memory that runs out at any point: nothing crashes, nothing is kept, and the caller is told. */
#include "analysis/call_tree.h"
#include "analysis/differences.h"
#include "analysis/functions.h"
#include "analysis/roles.h"
#include "analysis/thread_summary.h"
#include "support/profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* In the place of arena_malloc.c. */
static uint64_t pages_left;
static int64_t pages_held;

void *sl_arena_page_get(size_t size)
{
    if (pages_left == 0) {
        return NULL;
    }
    pages_left--;
    void *page = calloc(1, size);
    pages_held += page != NULL;
    return page;
}

void sl_arena_page_put(void *page, size_t size)
{
    (void)size;
    pages_held -= page != NULL;
    free(page);
}

static struct builder *recording(void)
{
    struct builder *builder = builder_create();
    builder_process(builder, (struct sl_process_record){.pid = 2});
    builder_thread(builder, 0, "");
    builder_thread(builder, 1, "");
    builder_function(builder, "json", "/usr/lib/python3.12/json/__init__.py");
    builder_function(builder, "encode", "/usr/lib/python3.12/json/encoder.py");
    builder_function(builder, "text", "<string>");
    for (uint32_t i = 0; i < 4000; i++) {
        char frames[96];
        snprintf(frames, sizeof frames, "main:%u f%u:1 json:%u encode:%u f%u:%u text:1", i % 5, i % 61, i % 3, i % 7,
                 i % 40, i);
        builder_ran(builder, i % 2, frames, i % 11, 1);
    }
    return builder;
}

static const struct sl_profile *profile;
static struct sl_selection selection;
static uint8_t *chosen;

static const void *tree(struct sl_arena *arena, struct sl_call_tree_options options)
{
    struct sl_roles_options none = {0};
    options.roles = sl_roles(arena, profile, &none);
    return options.roles == NULL ? NULL : sl_call_tree_build(arena, profile, &selection, &options);
}

static const void *merged(struct sl_arena *arena)
{
    return tree(arena, (struct sl_call_tree_options){.by_process = true, .by_thread = true, .focus = SL_NONE});
}

static const void *timeline(struct sl_arena *arena)
{
    return tree(arena, (struct sl_call_tree_options){.timeline = true, .focus = SL_NONE});
}

static const void *inverted(struct sl_arena *arena)
{
    return tree(arena, (struct sl_call_tree_options){.inverted = true, .focus = 3});
}

/* Of the first half, then of the whole. */
static const void *kept(struct sl_arena *arena)
{
    struct sl_call_tree_options options = {.without_lines = true, .focus = SL_NONE};
    struct sl_call_tree_keeper keeper = {0};
    struct sl_selection half = selection;
    half.end_ns /= 2;
    const void *answer = sl_call_tree_build_again(&keeper, arena, profile, &half, &options);
    if (answer != NULL) {
        answer = sl_call_tree_build_again(&keeper, arena, profile, &selection, &options);
    }
    sl_call_tree_forget(&keeper);
    return answer;
}

static const void *totals(struct sl_arena *arena)
{
    uint32_t count;
    return sl_function_totals(arena, NULL, profile, &selection, &count);
}

static const void *lines(struct sl_arena *arena)
{
    uint32_t count;
    return sl_line_totals(arena, NULL, profile, &selection, &count);
}

static const void *edges(struct sl_arena *arena)
{
    uint32_t count;
    return sl_edges(arena, NULL, profile, &selection, true, &count);
}

static const void *threads(struct sl_arena *arena)
{
    uint32_t count;
    return sl_thread_summaries(arena, profile, &selection, &count);
}

static const void *differences(struct sl_arena *arena)
{
    struct sl_side sides[SL_SIDES] = {{profile, selection, NULL}, {profile, selection, NULL}};
    sides[SL_AFTER].selection.end_ns /= 2;
    const struct sl_differences_options options = {.without_idle = true, .functions = true, .trees = true};
    return sl_differences(arena, sides, &options);
}

static void test_whatever_is_asked_survives_it(void **state)
{
    (void)state;
    struct builder *builder = recording();
    profile = builder_profile(builder);
    chosen = malloc(profile->function_count);
    for (uint32_t i = 0; i < profile->function_count; i++) {
        chosen[i] = i % 3 != 1;
    }
    const void *(*const questions[])(struct sl_arena *) = {merged, timeline, inverted, kept,       totals,
                                                           lines,  edges,    threads,  differences};
    for (size_t i = 0; i < 2 * sizeof questions / sizeof questions[0]; i++) {
        selection = sl_selection_all(profile);
        selection.functions = i % 2 == 0 ? NULL : chosen;
        const void *answer = NULL;
        uint64_t pages = 0;
        for (; answer == NULL; pages++) {
            struct sl_arena arena;
            sl_arena_init(&arena);
            pages_left = pages;
            answer = questions[i / 2](&arena);
            assert_int_equal(answer == NULL, arena.exhausted);
            sl_arena_reset(&arena);
            assert_int_equal(pages_held, 0);
            assert_true(pages < 1000);
        }
        /* It was made to fail. */
        assert_true(pages > 1);
    }
    free(chosen);
    builder_destroy(builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whatever_is_asked_survives_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
