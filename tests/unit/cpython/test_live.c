/* Real interpreters, each in a stack that it prints itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpython/code_check.h"
#include "cpython/runtime.h"
#include "live.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The program stands still, so that only what is asked for in vain at first takes another attempt. */
#define ATTEMPTS_MAX 4

/* On a machine that is slow, code may be read so late that it cannot be told whose it is; by the next walk it is known. */
static bool all_named(const struct sl_walk *walk)
{
    for (size_t i = 0; i < walk->count; i++) {
        if (walk->frames[i].code == SL_CODE_NAMELESS) {
            return false;
        }
    }
    return true;
}

static void walk_thread(struct sl_python *python, pid_t native_id, bool subinterpreter, struct sl_walk *walk)
{
    const struct sl_python_thread *threads;
    size_t count;
    assert_int_equal(sl_python_threads(python, &threads, &count), SL_LOOK_OK);
    for (size_t i = 0; i < count; i++) {
        if (threads[i].native_id == (uint64_t)native_id && (threads[i].interpreter_id != 0) == subinterpreter) {
            struct sl_python_thread thread = threads[i];
            enum sl_look look = SL_LOOK_TORN;
            bool named = false;
            for (int attempt = 0; (look != SL_LOOK_OK || !named) && attempt < ATTEMPTS_MAX; attempt++) {
                look = sl_python_walk(python, &thread, walk);
                named = look == SL_LOOK_OK && all_named(walk);
            }
            assert_int_equal(look, SL_LOOK_OK);
            assert_true(named);
            return;
        }
    }
    fail_msg("no such thread among %zu", count);
}

/* The stack without its innermost frame, which is the function that printed it. */
static void print_stack(const struct sl_python *python, const struct sl_walk *walk, struct sl_buffer *lines)
{
    sl_buffer_init(lines);
    if (walk->count == 0 || walk->frames == NULL) {
        fail_msg("an empty stack");
        return;
    }
    assert_string_equal(sl_python_code(python, walk->frames[0].code)->name, "stay");
    for (size_t i = 1; i < walk->count; i++) {
        const struct sl_code *code = sl_python_code(python, walk->frames[i].code);
        assert_int_equal(strlen(code->name), code->name_size);
        sl_buffer_format(lines, "%s\t%s\t%u\n", code->name, code->file, walk->frames[i].line);
    }
}

/* The function "plain" is at an instruction that calls, and neither begins nor ends with one. */
static void assert_calls(const struct sl_python *python)
{
    for (uint32_t i = 0; i < python->codes.count; i++) {
        const struct sl_known_code *known = &python->codes.items[i];
        if (strcmp(sl_python_code(python, known->number)->name, "plain") == 0) {
            bool wiped = python->layout.minor >= 14;
            uint32_t units = 0;
            for (uint32_t unit = 0; unit < known->identity.units; unit++) {
                units += sl_calls_may(&known->calls, unit);
            }
            assert_int_equal(sl_calls_may(&known->calls, 0), wiped);
            assert_int_equal(sl_calls_may(&known->calls, (uint32_t)known->identity.units - 1), wiped);
            assert_true(units > 0 && (wiped || units < known->identity.units));
            return;
        }
    }
    fail_msg("no such function");
}

static void assert_same_stack(const char *python_path, const char *scene)
{
    struct child child;
    struct sl_process process;
    struct sl_buffer expected;
    struct sl_buffer seen;
    struct sl_walk walk = {0};
    start(&child, python_path, PROGRAM, scene);
    read_lines(&child, &expected);
    struct sl_python *python = attach(&process, &child);
    bool subinterpreter = strcmp(scene, "subinterpreter") == 0;
    walk_thread(python, child.pid, subinterpreter, &walk);
    print_stack(python, &walk, &seen);
    if (strcmp(expected.bytes, seen.bytes) != 0) {
        print_message("%s %s\nexpected:\n%.2000s\nseen:\n%.2000s\n", python_path, scene, expected.bytes, seen.bytes);
    }
    assert_string_equal(seen.bytes, expected.bytes);
    if (strcmp(scene, "plain") == 0) {
        assert_calls(python);
    }
    /* Nothing moves but the function that waits, perhaps: a second look is the same, and says so. */
    size_t count = walk.count;
    struct sl_buffer again;
    walk_thread(python, child.pid, subinterpreter, &walk);
    print_stack(python, &walk, &again);
    assert_string_equal(again.bytes, expected.bytes);
    assert_int_equal(walk.count, count);
    assert_true(walk.unchanged >= count - 1);
    sl_buffer_destroy(&again);
    sl_buffer_destroy(&seen);
    sl_buffer_destroy(&expected);
    sl_python_detach(python);
    sl_process_close(&process);
    finish(&child);
}

static void assert_same_stacks(const char *const *scenes)
{
    if (python_count == 0) {
        print_message("STACKLAPSE_PYTHONS is not set\n");
        skip();
    }
    for (size_t p = 0; p < python_count; p++) {
        for (size_t s = 0; scenes[s] != NULL; s++) {
            assert_same_stack(pythons[p], scenes[s]);
        }
    }
}

static void test_plain_calls_and_classes(void **state)
{
    (void)state;
    assert_same_stacks((const char *const[]){"plain", "instantiate", "warm_instantiate", "finalizer", NULL});
}

static void test_generators_and_coroutines(void **state)
{
    (void)state;
    assert_same_stacks((const char *const[]){"generators", "deep_generators", "coroutines", NULL});
}

static void test_calls_through_c(void **state)
{
    (void)state;
    assert_same_stacks((const char *const[]){"through_c", "deep_through_c", NULL});
}

static void test_recursion_over_many_chunks(void **state)
{
    (void)state;
    assert_same_stacks((const char *const[]){"deep", NULL});
}

static void test_names_files_and_line_tables_of_every_size_and_alphabet(void **state)
{
    (void)state;
    assert_same_stacks((const char *const[]){"other_letters", "made", "long_lines", NULL});
}

static void test_subinterpreters(void **state)
{
    (void)state;
    assert_same_stacks((const char *const[]){"subinterpreter", NULL});
}

static void test_what_the_interpreter_says_of_itself(void **state)
{
    (void)state;
    if (python_count == 0) {
        skip();
    }
    for (size_t p = 0; p < python_count; p++) {
        struct child child;
        struct sl_process process;
        struct sl_buffer expected;
        struct sl_buffer seen;
        struct sl_python_facts facts;
        start(&child, pythons[p], PROGRAM, "facts");
        read_lines(&child, &expected);
        struct sl_python *python = attach(&process, &child);
        assert_true(sl_python_facts(python, &facts));
        sl_buffer_init(&seen);
        sl_buffer_format(&seen, "%s\n%s\n\n%s\n", facts.executable, facts.prefixes, facts.path);
        assert_string_equal(seen.bytes, expected.bytes);
        assert_non_null(strstr(pythons[p], "3."));
        assert_int_equal(strncmp(sl_python_version(python), "3.1", 3), 0);
        sl_python_facts_destroy(&facts);
        sl_buffer_destroy(&seen);
        sl_buffer_destroy(&expected);
        sl_python_detach(python);
        sl_process_close(&process);
        finish(&child);
    }
}

static void test_what_is_no_list_is_no_path(void **state)
{
    (void)state;
    if (python_count == 0) {
        skip();
    }
    for (size_t p = 0; p < python_count; p++) {
        struct child child;
        struct sl_process process;
        struct sl_buffer expected;
        struct sl_python_facts facts;
        start(&child, pythons[p], PROGRAM, "path_taken_away");
        read_lines(&child, &expected);
        struct sl_python *python = attach(&process, &child);
        assert_true(sl_python_facts(python, &facts));
        assert_string_equal(facts.path, "");
        assert_memory_equal(facts.executable, expected.bytes, strlen(facts.executable));
        assert_true(facts.executable[0] == '/' && facts.prefixes[0] == '/');
        sl_python_facts_destroy(&facts);
        sl_buffer_destroy(&expected);
        sl_python_detach(python);
        sl_process_close(&process);
        finish(&child);
    }
}

static void test_a_process_without_python_is_told_apart(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    struct sl_process process;
    struct sl_error error = {0};
    bool not_yet = false;
    assert_true(sl_process_open(&process, pid, &error));
    assert_null(sl_python_attach(&process, &not_yet, &error));
    assert_int_equal(error.kind, SL_ERROR_NOT_PYTHON);
    assert_non_null(strstr(error.sentence, "is not Python"));
    assert_true(not_yet);
    sl_process_close(&process);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* The loader is the program then, and the interpreter one of the files that it has mapped. */
static void test_a_python_that_was_started_through_the_loader_is_found(void **state)
{
    (void)state;
    static const char loader[] = "/lib64/ld-linux-x86-64.so.2";
    if (python_count == 0 || access(loader, X_OK) != 0) {
        skip();
    }
    struct child child;
    struct sl_process process;
    start_command(&child, (const char *const[]){loader, pythons[0], PROGRAM, "plain", NULL});
    struct sl_buffer lines;
    read_lines(&child, &lines);
    sl_buffer_destroy(&lines);
    struct sl_python *python = attach(&process, &child);
    sl_python_detach(python);
    sl_process_close(&process);
    finish(&child);
}

/* Of the code objects that are believed to stay, one is compared in each walk, and each has its turn. From 3.14 on it is
 * told whether any was freed. */
static void check_turns(struct sl_python *python, pid_t pid)
{
    struct sl_walk walk = {0};
    if (python->layout.interpreter_code_generation != 0) {
        return;
    }
    walk_thread(python, pid, false, &walk);
    assert_true(walk.count >= 3);
    for (uint32_t i = 0; i < python->codes.count; i++) {
        python->codes.items[i].matches = 1000;
        assert_true(sl_code_trusted(&python->codes, &python->codes.items[i]));
    }
    uint64_t first = python->walk;
    for (size_t n = 0; n < 2 * (walk.count + 2); n++) {
        walk_thread(python, pid, false, &walk);
        uint32_t compared = 0;
        for (uint32_t i = 0; i < python->codes.count; i++) {
            compared += python->codes.items[i].compared_walk == python->walk;
        }
        assert_true(compared <= 1);
    }
    for (uint32_t i = 0; i < python->codes.count; i++) {
        assert_true(python->codes.items[i].compared_walk > first);
    }
}

static void test_code_that_stays_is_compared_in_turn(void **state)
{
    (void)state;
    for (size_t i = 0; i < python_count; i++) {
        struct child child;
        struct sl_process process;
        struct sl_buffer lines;
        start(&child, pythons[i], PROGRAM, "plain");
        read_lines(&child, &lines);
        struct sl_python *python = attach(&process, &child);
        check_turns(python, child.pid);
        sl_buffer_destroy(&lines);
        sl_python_detach(python);
        sl_process_close(&process);
        finish(&child);
    }
}

int main(void)
{
    read_pythons();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_calls_and_classes),
        cmocka_unit_test(test_generators_and_coroutines),
        cmocka_unit_test(test_calls_through_c),
        cmocka_unit_test(test_recursion_over_many_chunks),
        cmocka_unit_test(test_names_files_and_line_tables_of_every_size_and_alphabet),
        cmocka_unit_test(test_subinterpreters),
        cmocka_unit_test(test_code_that_stays_is_compared_in_turn),
        cmocka_unit_test(test_what_the_interpreter_says_of_itself),
        cmocka_unit_test(test_what_is_no_list_is_no_path),
        cmocka_unit_test(test_a_process_without_python_is_told_apart),
        cmocka_unit_test(test_a_python_that_was_started_through_the_loader_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
