/* Random recordings, looked at in random ways, against the same questions answered run by run and frame by frame. */
#include "analysis/call_tree.h"
#include "analysis/functions.h"
#include "analysis/roles.h"
#include "support/profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { tries = 300, depth_max = 12, rows_max = 20000 };

static uint64_t seed;

static uint32_t chance(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

static const sl_state states[] = {0, SL_STATE_KNOWN, SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL,
                                  SL_STATE_KNOWN | SL_STATE_ON_CPU};

/* Three processes of three threads, a dozen functions of every role. */
static struct builder *random_recording(void)
{
    struct builder *builder = builder_create();
    static const char *const files[] = {"/app/app.py", "/usr/lib/python3.12/json/__init__.py",
                                        "<frozen importlib._bootstrap>"};
    sl_function functions[12];
    for (int i = 0; i < 12; i++) {
        char name[] = {(char)('a' + i), '\0'};
        functions[i] = builder_function(builder, name, files[chance(10) < 5 ? 0 : chance(10) < 7 ? 1 : 2]);
    }
    builder_process(builder, (struct sl_process_record){.pid = 2});
    for (uint32_t i = 0; i < 6; i++) {
        builder_thread(builder, i % 2, "");
    }
    uint32_t variety = 2 + chance(10);
    uint32_t lines = 1 + chance(3);
    for (uint32_t i = 0; i < 60; i++) {
        uint32_t thread = chance(6);
        uint64_t begin_ns = builder_thread_record(builder, thread)->end_ns + (chance(4) == 0 ? chance(5000) : 0);
        sl_stack stack = 0;
        uint32_t depth = chance(depth_max);
        for (uint32_t frame = 0; frame < depth; frame++) {
            stack = builder_stack(builder, stack, functions[chance(variety)], 1 + chance(lines));
        }
        builder_run(builder, thread, stack, states[chance(4)], begin_ns, begin_ns + chance(3) * 1000 + chance(7),
                    1 + chance(5));
    }
    return builder;
}

/* One row of an answer: what it is about, as numbers, and what it amounts to. */
struct row {
    uint32_t key[depth_max + 4];
    uint32_t size;
    struct sl_amount self, hidden, total;
};

struct rows {
    struct row *rows;
    uint32_t count;
};

static struct row *row_of(struct rows *rows, const uint32_t *key, uint32_t size)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        if (rows->rows[i].size == size && memcmp(rows->rows[i].key, key, size * sizeof *key) == 0) {
            return &rows->rows[i];
        }
    }
    assert_true(rows->count < rows_max);
    struct row *row = &rows->rows[rows->count++];
    *row = (struct row){.size = size};
    memcpy(row->key, key, size * sizeof *key);
    return row;
}

static void assert_same(const struct rows *expected, struct rows *given)
{
    for (uint32_t i = 0; i < expected->count; i++) {
        const struct row *row = &expected->rows[i];
        struct row *other = row_of(given, row->key, row->size);
        assert_int_equal(row->total.ns, other->total.ns);
        assert_int_equal(row->total.samples, other->total.samples);
        assert_int_equal(row->self.ns, other->self.ns);
        assert_int_equal(row->self.samples, other->self.samples);
        assert_int_equal(row->hidden.ns, other->hidden.ns);
        assert_int_equal(row->hidden.samples, other->hidden.samples);
    }
    assert_int_equal(expected->count, given->count);
}

/* A stack as a list, outermost frame first. */
struct frames {
    struct sl_stack_record frames[depth_max];
    uint32_t count;
};

static struct frames frames_of(const struct sl_profile *profile, sl_stack stack)
{
    struct frames frames = {0};
    for (sl_stack at = stack; at != 0; at = profile->stacks[at].caller) {
        frames.count++;
    }
    uint32_t place = frames.count;
    for (sl_stack at = stack; at != 0; at = profile->stacks[at].caller) {
        frames.frames[--place] = profile->stacks[at];
    }
    return frames;
}

struct question {
    const struct sl_profile *profile;
    struct sl_selection selection;
    struct sl_call_tree_options options;
};

/* What a run counts for; nothing when it is left out. Ranges cut runs at whole samples of theirs by rounding only. */
static struct sl_amount counted(const struct question *question, const struct sl_run *run, struct frames *frames)
{
    const struct sl_selection *selection = &question->selection;
    if (selection->threads != NULL && !selection->threads[run->thread]) {
        return (struct sl_amount){0};
    }
    *frames = frames_of(question->profile, run->stack);
    bool found = selection->functions == NULL;
    for (uint32_t i = 0; i < frames->count; i++) {
        found = found || selection->functions[frames->frames[i].function];
    }
    uint32_t cut = question->options.focus == SL_NONE ? 0 : frames->count;
    for (uint32_t i = frames->count; question->options.focus != SL_NONE && i-- > 0;) {
        cut = frames->frames[i].function == question->options.focus ? i : cut;
    }
    found = found && (question->options.focus == SL_NONE || cut < frames->count);
    memmove(frames->frames, frames->frames + cut, (frames->count - cut) * sizeof frames->frames[0]);
    frames->count -= cut;
    return found ? sl_run_amount(selection, run) : (struct sl_amount){0};
}

static uint32_t role_of(const struct question *question, sl_function function)
{
    uint32_t role = question->options.roles[function];
    return function == question->options.focus && role == SL_ROLE_MACHINERY ? SL_ROLE_LIBRARY : role;
}

/* The frames that are shown, and whether what ran is folded into the last of them. */
static struct frames shown_frames(const struct question *question, const struct frames *frames, bool *folded)
{
    struct frames shown = {0};
    bool inside = false;
    *folded = false;
    for (uint32_t i = 0; i < frames->count; i++) {
        uint32_t role = role_of(question, frames->frames[i].function);
        if (role == SL_ROLE_MACHINERY) {
            continue;
        }
        *folded = role == SL_ROLE_LIBRARY && inside;
        inside = role == SL_ROLE_LIBRARY;
        if (!*folded) {
            shown.frames[shown.count++] = frames->frames[i];
        }
    }
    return shown;
}

/* Key: process and thread where they are levels, then functions from the root on. */
static uint32_t base_key(const struct question *question, const struct sl_run *run, uint32_t *key)
{
    uint32_t size = 0;
    if (question->options.by_process) {
        key[size++] = question->profile->threads[run->thread].process + 1000;
    }
    if (question->options.by_thread) {
        key[size++] = run->thread + 2000;
    }
    return size;
}

static void expect_nodes(const struct question *question, struct rows *rows, struct rows *lines)
{
    for (uint32_t i = 0; i < question->profile->run_count; i++) {
        const struct sl_run *run = &question->profile->runs[i];
        struct frames frames;
        struct sl_amount amount = counted(question, run, &frames);
        if (sl_amount_is_zero(amount)) {
            continue;
        }
        bool folded;
        struct frames shown = shown_frames(question, &frames, &folded);
        uint32_t key[depth_max + 4];
        uint32_t base = base_key(question, run, key);
        for (uint32_t level = 0; level <= base; level++) {
            struct row *row = row_of(rows, key, level);
            sl_amount_add(&row->total, amount);
            if (level == base && shown.count == 0) {
                sl_amount_add(&row->self, amount);
            }
        }
        for (uint32_t level = 0; level < shown.count; level++) {
            bool inverted = question->options.inverted;
            const struct sl_stack_record *frame = &shown.frames[inverted ? shown.count - 1 - level : level];
            key[base + level] = frame->function;
            bool leaf = inverted ? level == 0 : level == shown.count - 1;
            struct row *row = row_of(rows, key, base + level + 1);
            sl_amount_add(&row->total, amount);
            if (leaf) {
                sl_amount_add(folded ? &row->hidden : &row->self, amount);
            }
            key[base + level + 1] = frame->line;
            row = row_of(lines, key, base + level + 2);
            sl_amount_add(&row->total, amount);
            if (leaf && !folded) {
                sl_amount_add(&row->self, amount);
            }
        }
    }
}

static uint32_t node_key(const struct sl_call_tree *tree, uint32_t node, uint32_t *key)
{
    uint32_t size = tree->nodes[node].depth;
    for (uint32_t at = node; at != 0; at = tree->nodes[at].parent) {
        const struct sl_node *subject = &tree->nodes[at];
        key[subject->depth - 1] = subject->subject + (subject->kind == SL_NODE_PROCESS  ? 1000
                                                      : subject->kind == SL_NODE_THREAD ? 2000
                                                                                        : 0);
    }
    return size;
}

/* Nodes of one place are added together, so that a timeline can be compared too. */
static void collect_nodes(const struct sl_call_tree *tree, struct rows *rows, struct rows *lines)
{
    for (uint32_t i = 0; i < tree->node_count; i++) {
        uint32_t key[depth_max + 4];
        uint32_t size = node_key(tree, i, key);
        const struct sl_node *node = &tree->nodes[i];
        struct row *row = row_of(rows, key, size);
        sl_amount_add(&row->total, node->total);
        sl_amount_add(&row->self, node->self);
        sl_amount_add(&row->hidden, node->hidden);
        for (uint32_t line = node->first_line; line < node->first_line + node->line_count; line++) {
            key[size] = tree->lines[line].line;
            row = row_of(lines, key, size + 1);
            sl_amount_add(&row->total, tree->lines[line].total);
            sl_amount_add(&row->self, tree->lines[line].self);
        }
    }
}

/* The folded functions of each node, as (place of the node, functions above it that are folded) and as sets. */
static void check_hidden(const struct question *question, const struct sl_call_tree *tree, struct rows *paths)
{
    paths->count = 0;
    for (uint32_t i = 0; i < question->profile->run_count; i++) {
        struct frames frames;
        struct sl_amount amount = counted(question, &question->profile->runs[i], &frames);
        uint32_t key[depth_max + 4];
        uint32_t size = base_key(question, &question->profile->runs[i], key);
        bool inside = false;
        uint32_t folded = 0;
        for (uint32_t frame = 0; frame < frames.count && !sl_amount_is_zero(amount); frame++) {
            uint32_t role = role_of(question, frames.frames[frame].function);
            if (role == SL_ROLE_MACHINERY) {
                continue;
            }
            if (role == SL_ROLE_LIBRARY && inside) {
                key[size + folded++] = frames.frames[frame].function + 5000;
                row_of(paths, key, size + folded);
            } else {
                folded = 0;
                key[size++] = frames.frames[frame].function;
            }
            inside = role == SL_ROLE_LIBRARY;
        }
    }
    for (uint32_t i = 0; i < tree->node_count; i++) {
        uint32_t key[depth_max + 4];
        uint32_t size = node_key(tree, i, key);
        uint32_t count = 0;
        for (uint32_t row = 0; row < paths->count; row++) {
            const struct row *path = &paths->rows[row];
            count += path->size > size && memcmp(path->key, key, size * sizeof *key) == 0 && path->key[size] >= 5000;
        }
        assert_int_equal(tree->nodes[i].hidden_frames, count);
        assert_true(tree->nodes[i].hidden_count <= count && (count == 0) == (tree->nodes[i].hidden_count == 0));
    }
}

static void random_selection(struct question *question, uint8_t *threads, uint8_t *functions)
{
    const struct sl_profile *profile = question->profile;
    struct sl_selection *selection = &question->selection;
    *selection = sl_selection_all(profile);
    if (chance(2) == 0) {
        selection->begin_ns = chance((uint32_t)profile->facts.duration_ns + 1);
        selection->end_ns = selection->begin_ns + chance((uint32_t)profile->facts.duration_ns + 1);
    }
    selection->mode = chance(3);
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        threads[i] = chance(3) > 0;
    }
    for (uint32_t i = 0; i < profile->function_count; i++) {
        functions[i] = chance(4) == 0;
    }
    selection->threads = chance(3) == 0 ? threads : NULL;
    selection->functions = chance(3) == 0 ? functions : NULL;
}

static void assert_same_nodes(const struct sl_call_tree *tree, const struct sl_call_tree *bare)
{
    assert_non_null(bare);
    assert_int_equal(bare->line_count, 0);
    assert_int_equal(bare->node_count, tree->node_count);
    for (uint32_t i = 0; i < tree->node_count; i++) {
        struct sl_node node = tree->nodes[i];
        node.first_line = 0;
        node.line_count = 0;
        assert_memory_equal(&bare->nodes[i], &node, sizeof node);
    }
    assert_int_equal(bare->hidden_count, tree->hidden_count);
    assert_memory_equal(bare->hidden, tree->hidden, tree->hidden_count * sizeof *tree->hidden);
}

/* Who leaves the lines out gets the same nodes; and so does who keeps the places, from whatever selection he comes. */
static void check_without_lines(const struct question *question, struct sl_arena *arena,
                                const struct sl_call_tree *tree)
{
    struct sl_call_tree_options options = question->options;
    options.without_lines = true;
    const struct sl_call_tree *bare = sl_call_tree_build(arena, question->profile, &question->selection, &options);
    assert_same_nodes(tree, bare);
    if (options.by_process || options.by_thread || options.timeline || options.inverted || options.focus != SL_NONE) {
        return;
    }
    struct sl_call_tree_keeper keeper = {0};
    struct sl_selection selections[] = {question->selection, sl_selection_all(question->profile), question->selection};
    selections[0].begin_ns = selections[0].end_ns / 2;
    const struct sl_call_tree *again = NULL;
    for (size_t i = 0; i < sizeof selections / sizeof selections[0]; i++) {
        again = sl_call_tree_build_again(&keeper, arena, question->profile, &selections[i], &options);
    }
    assert_same_nodes(tree, again);
    sl_call_tree_forget(&keeper);
}

static void test_trees_agree_with_counting_run_by_run(void **state)
{
    (void)state;
    struct rows expected[2] = {{calloc(rows_max, sizeof(struct row)), 0}, {calloc(rows_max, sizeof(struct row)), 0}};
    struct rows given[2] = {{calloc(rows_max, sizeof(struct row)), 0}, {calloc(rows_max, sizeof(struct row)), 0}};
    for (seed = 1; seed <= tries; seed++) {
        uint64_t start = seed;
        struct sl_arena arena;
        sl_arena_init(&arena);
        struct builder *builder = random_recording();
        struct question question = {.profile = builder_profile(builder)};
        uint8_t threads[8], functions[16];
        random_selection(&question, threads, functions);
        struct sl_roles_options roles = {.show_all = chance(4) == 0};
        question.options = (struct sl_call_tree_options){.roles = sl_roles(&arena, question.profile, &roles),
                                                         .by_process = chance(2) == 0,
                                                         .by_thread = chance(2) == 0,
                                                         .timeline = chance(3) == 0,
                                                         .inverted = chance(3) == 0,
                                                         .focus = chance(3) == 0 ? 1 + chance(12) : SL_NONE};
        for (int i = 0; i < 2; i++) {
            expected[i].count = 0;
            given[i].count = 0;
        }
        /* The root is there even when nothing else is. */
        row_of(&expected[0], &(uint32_t){0}, 0);
        expect_nodes(&question, &expected[0], &expected[1]);
        const struct sl_call_tree *tree =
            sl_call_tree_build(&arena, question.profile, &question.selection, &question.options);
        assert_non_null(tree);
        collect_nodes(tree, &given[0], &given[1]);
        assert_same(&expected[0], &given[0]);
        assert_same(&expected[1], &given[1]);
        check_without_lines(&question, &arena, tree);
        if (!question.options.inverted && !question.options.timeline) {
            check_hidden(&question, tree, &expected[0]);
            assert_int_equal(tree->node_count, given[0].count);
        }
        builder_destroy(builder);
        sl_arena_reset(&arena);
        seed = start;
    }
    for (int i = 0; i < 2; i++) {
        free(expected[i].rows);
        free(given[i].rows);
    }
}

/* Adds a row's amount once for a run, however often it occurs in the stack. */
static void add_once(struct rows *rows, const uint32_t *key, uint32_t size, struct sl_amount amount, bool leaf,
                     uint32_t *done, uint32_t run)
{
    struct row *row = row_of(rows, key, size);
    if (done[row - rows->rows] != run + 1) {
        done[row - rows->rows] = run + 1;
        sl_amount_add(&row->total, amount);
    }
    if (leaf) {
        sl_amount_add(&row->self, amount);
    }
}

static void test_totals_agree_with_counting_run_by_run(void **state)
{
    (void)state;
    struct rows expected[4], given[4];
    uint32_t *done[4];
    for (int i = 0; i < 4; i++) {
        expected[i].rows = calloc(rows_max, sizeof(struct row));
        given[i].rows = calloc(rows_max, sizeof(struct row));
        done[i] = calloc(rows_max, sizeof(uint32_t));
    }
    for (seed = 1; seed <= tries; seed++) {
        uint64_t start = seed;
        struct sl_arena arena;
        sl_arena_init(&arena);
        struct builder *builder = random_recording();
        const struct sl_profile *profile = builder_profile(builder);
        struct question question = {.profile = profile, .options = {.focus = SL_NONE}};
        uint8_t threads[8], functions[16];
        random_selection(&question, threads, functions);
        for (int i = 0; i < 4; i++) {
            expected[i].count = 0;
            given[i].count = 0;
            memset(done[i], 0, rows_max * sizeof(uint32_t));
        }
        for (uint32_t i = 0; i < profile->run_count; i++) {
            struct frames frames;
            struct sl_amount amount = counted(&question, &profile->runs[i], &frames);
            for (uint32_t at = 0; at < frames.count && !sl_amount_is_zero(amount); at++) {
                const struct sl_stack_record *frame = &frames.frames[at];
                bool leaf = at + 1 == frames.count;
                uint32_t caller = at == 0 ? SL_NONE : frames.frames[at - 1].function;
                uint32_t line = at == 0 ? 0 : frames.frames[at - 1].line;
                add_once(&expected[0], (uint32_t[]){frame->function}, 1, amount, leaf, done[0], i);
                add_once(&expected[1], (uint32_t[]){frame->function, frame->line}, 2, amount, leaf, done[1], i);
                add_once(&expected[2], (uint32_t[]){caller, frame->function, 0}, 3, amount, leaf, done[2], i);
                add_once(&expected[3], (uint32_t[]){caller, frame->function, line}, 3, amount, leaf, done[3], i);
            }
        }
        uint32_t count;
        const struct sl_function_total *totals = sl_function_totals(&arena, NULL, profile, &question.selection, &count);
        for (uint32_t i = 0; i < count; i++) {
            struct row *row = row_of(&given[0], (uint32_t[]){totals[i].function}, 1);
            row->self = totals[i].self;
            row->total = totals[i].total;
            assert_true(i == 0 || totals[i].self.ns <= totals[i - 1].self.ns);
        }
        const struct sl_line_total *lines = sl_line_totals(&arena, NULL, profile, &question.selection, &count);
        for (uint32_t i = 0; i < count; i++) {
            struct row *row = row_of(&given[1], (uint32_t[]){lines[i].function, lines[i].line}, 2);
            row->self = lines[i].self;
            row->total = lines[i].total;
            assert_true(i == 0 || lines[i - 1].function < lines[i].function ||
                        (lines[i - 1].function == lines[i].function && lines[i - 1].line < lines[i].line));
        }
        for (int by_line = 0; by_line < 2; by_line++) {
            const struct sl_edge *edges = sl_edges(&arena, NULL, profile, &question.selection, by_line != 0, &count);
            for (uint32_t i = 0; i < count; i++) {
                uint32_t key[] = {edges[i].caller, edges[i].callee, edges[i].line};
                struct row *row = row_of(&given[2 + by_line], key, 3);
                row->self = edges[i].self;
                row->total = edges[i].total;
                assert_true(i == 0 || edges[i - 1].caller <= edges[i].caller);
            }
        }
        for (int i = 0; i < 4; i++) {
            assert_same(&expected[i], &given[i]);
        }
        builder_destroy(builder);
        sl_arena_reset(&arena);
        seed = start;
    }
    for (int i = 0; i < 4; i++) {
        free(expected[i].rows);
        free(given[i].rows);
        free(done[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trees_agree_with_counting_run_by_run),
        cmocka_unit_test(test_totals_agree_with_counting_run_by_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
