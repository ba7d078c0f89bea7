/* Coroutines of real interpreters, which print what they wait for. */
#include "live.h"

#include "cpython/await.h"
#include "cpython/runtime.h"

#include <stdlib.h>
#include <string.h>

static void print_chain(const struct sl_python *python, const struct sl_await *await, struct sl_buffer *lines)
{
    sl_buffer_init(lines);
    sl_buffer_text(lines, "");
    for (size_t i = await->chain.walk.count; i > 0; i--) {
        const struct sl_code *code = sl_python_code(python, await->chain.walk.frames[i - 1].code);
        assert_non_null(code);
        sl_buffer_format(lines, "%s\t%s\t%u\n", code->name, code->file, await->chain.walk.frames[i - 1].line);
    }
}

/* Reads it twice: the second time nothing has changed, which is told. */
static void look_at(const char *python_path, const char *scene, enum sl_awaiting expected_state)
{
    struct child child;
    struct sl_process process;
    struct sl_buffer expected;
    struct sl_buffer seen;
    struct sl_await await;
    start(&child, python_path, PROGRAM, scene);
    read_lines(&child, &expected);
    struct sl_python *python = attach(&process, &child);
    char *chain;
    uint64_t coroutine = strtoull(expected.bytes, &chain, 16);
    sl_await_init(&await);
    assert_int_equal(sl_await_read(&await, python, coroutine), expected_state);
    if (expected_state == SL_AWAITING) {
        assert_int_equal(await.chain.walk.unchanged, 0);
        print_chain(python, &await, &seen);
        /* What asyncio itself has on the way is not printed by the program. */
        if (strcmp(scene, "tasks") == 0) {
            assert_ptr_equal(strstr(seen.bytes, chain + 1), seen.bytes);
            assert_non_null(strstr(seen.bytes, "\nsleep\t"));
        } else {
            assert_string_equal(seen.bytes, chain + 1);
        }
        size_t count = await.chain.walk.count;
        assert_int_equal(sl_await_read(&await, python, coroutine), SL_AWAITING);
        assert_int_equal(await.chain.walk.count, count);
        assert_int_equal(await.chain.walk.unchanged, count);
        sl_buffer_destroy(&seen);
    } else {
        assert_int_equal(await.chain.walk.count, 0);
    }
    sl_await_destroy(&await);
    sl_buffer_destroy(&expected);
    sl_python_detach(python);
    sl_process_close(&process);
    finish(&child);
}

static void look_at_all(const char *const *scenes, enum sl_awaiting state)
{
    if (python_count == 0) {
        skip();
    }
    for (size_t p = 0; p < python_count; p++) {
        for (size_t s = 0; scenes[s] != NULL; s++) {
            look_at(pythons[p], scenes[s], state);
        }
    }
}

static void test_coroutines_and_generators(void **state)
{
    (void)state;
    look_at_all((const char *const[]){"coroutines", "generators", "own_awaitable", "deep", NULL}, SL_AWAITING);
}

static void test_asynchronous_generators_and_context_managers(void **state)
{
    (void)state;
    look_at_all((const char *const[]){"async_for", "next_of", "throws", "async_with", NULL}, SL_AWAITING);
}

static void test_tasks_that_are_awaited(void **state)
{
    (void)state;
    look_at_all((const char *const[]){"tasks", NULL}, SL_AWAITING);
}

static void test_only_what_is_awaited_is_followed(void **state)
{
    (void)state;
    look_at_all((const char *const[]){"many_locals", "with_a_generator_as_local", "yields", NULL}, SL_AWAITING);
}

static void test_a_coroutine_that_runs_or_has_not_begun_waits_for_nothing(void **state)
{
    (void)state;
    look_at_all((const char *const[]){"runs", NULL}, SL_AWAIT_RUNS);
    look_at_all((const char *const[]){"created", NULL}, SL_AWAIT_ENDED);
}

/* Of the code objects that are believed to stay, one is compared in each reading, and each has its turn. */
static void check_turns(struct sl_python *python, uint64_t coroutine)
{
    struct sl_await await;
    uint64_t first = python->walk + 1;
    for (size_t n = 0; n < 2 * python->codes.count + 1; n++) {
        uint64_t walk = python->walk;
        uint32_t compared = 0;
        sl_await_init(&await);
        assert_int_equal(sl_await_read(&await, python, coroutine), SL_AWAITING);
        sl_await_destroy(&await);
        for (uint32_t i = 0; i < python->codes.count; i++) {
            compared += python->codes.items[i].compared_walk > walk;
            python->codes.items[i].matches = 1000;
        }
        assert_true(n == 0 || compared == 1);
    }
    for (uint32_t i = 0; i < python->codes.count; i++) {
        assert_true(python->codes.items[i].compared_walk > first);
    }
}

static void test_code_that_stays_is_compared_in_turn(void **state)
{
    (void)state;
    for (size_t p = 0; p < python_count; p++) {
        struct child child;
        struct sl_process process;
        struct sl_buffer lines;
        start(&child, pythons[p], PROGRAM, "coroutines");
        read_lines(&child, &lines);
        struct sl_python *python = attach(&process, &child);
        check_turns(python, strtoull(lines.bytes, NULL, 16));
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
        cmocka_unit_test(test_coroutines_and_generators),
        cmocka_unit_test(test_asynchronous_generators_and_context_managers),
        cmocka_unit_test(test_tasks_that_are_awaited),
        cmocka_unit_test(test_only_what_is_awaited_is_followed),
        cmocka_unit_test(test_a_coroutine_that_runs_or_has_not_begun_waits_for_nothing),
        cmocka_unit_test(test_code_that_stays_is_compared_in_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
