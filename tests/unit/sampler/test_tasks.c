/* Tasks get numbers, each its own, and as many as there are numbers. */
#include "profile/state.h"
#include "sampler/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint32_t number_of(struct sl_tasks *tasks, uint64_t address, uint32_t code, bool expected_new)
{
    bool is_new;
    uint32_t number = sl_tasks_number(tasks, address, code, &is_new);
    assert_int_equal(is_new, expected_new);
    return number;
}

static void test_a_task_keeps_its_number(void **state)
{
    (void)state;
    struct sl_tasks tasks = {0};
    assert_int_equal(number_of(&tasks, 0x1000, 7, true), 1);
    assert_int_equal(number_of(&tasks, 0x2000, 7, true), 2);
    assert_int_equal(number_of(&tasks, 0x1000, 8, true), 3);
    assert_int_equal(number_of(&tasks, 0x2000, 7, false), 2);
    assert_int_equal(number_of(&tasks, 0x1000, 7, false), 1);
    assert_int_equal(number_of(&tasks, 0x1000, 8, false), 3);
    sl_tasks_destroy(&tasks);
}

static void test_the_last_number_stands_for_all_further_tasks(void **state)
{
    (void)state;
    struct sl_tasks tasks = {0};
    for (uint32_t i = 1; i <= SL_STATE_TASK_MAX; i++) {
        assert_int_equal(number_of(&tasks, i * 0x1000, 1, true), i);
    }
    for (uint32_t i = 1; i < SL_STATE_TASK_MAX; i++) {
        assert_int_equal(number_of(&tasks, i * 0x1000, 1, false), i);
    }
    for (uint32_t i = SL_STATE_TASK_MAX; i < 3000; i++) {
        assert_int_equal(number_of(&tasks, i * 0x1000, 1, false), SL_STATE_TASK_MAX);
    }
    sl_tasks_destroy(&tasks);
}

static void test_what_is_forgotten_gets_another_number(void **state)
{
    (void)state;
    struct sl_tasks tasks = {0};
    sl_tasks_forget(&tasks);
    assert_int_equal(number_of(&tasks, 0x1000, 1, true), 1);
    sl_tasks_forget(&tasks);
    assert_int_equal(number_of(&tasks, 0x1000, 1, true), 2);
    sl_tasks_destroy(&tasks);
}

static void test_a_state_keeps_all_that_it_tells_beside_the_task(void **state)
{
    (void)state;
    sl_state waits = sl_state_in_call(SL_STATE_KNOWN | SL_STATE_LOCK, 202);
    for (uint32_t task = 0; task <= SL_STATE_TASK_MAX; task++) {
        sl_state in_task = sl_state_in_task(waits, task);
        assert_int_equal(sl_state_task(in_task), task);
        assert_int_equal(sl_state_activity(in_task), waits);
        assert_int_equal(sl_state_call(in_task), 202);
        assert_true(sl_state_waits(in_task));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_task_keeps_its_number),
        cmocka_unit_test(test_the_last_number_stands_for_all_further_tasks),
        cmocka_unit_test(test_what_is_forgotten_gets_another_number),
        cmocka_unit_test(test_a_state_keeps_all_that_it_tells_beside_the_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
