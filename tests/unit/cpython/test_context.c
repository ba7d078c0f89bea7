/* Context variables of real interpreters, which print what they hold. */
#include "live.h"

#include "cpython/context.h"

#include <stdlib.h>
#include <string.h>

static struct sl_python_thread main_thread(struct sl_python *python, pid_t id)
{
    const struct sl_python_thread *threads;
    size_t count;
    assert_int_equal(sl_python_threads(python, &threads, &count), SL_LOOK_OK);
    for (size_t i = 0; i < count; i++) {
        if (threads[i].native_id == (uint64_t)id) {
            return threads[i];
        }
    }
    fail_msg("no such thread among %zu", count);
    return (struct sl_python_thread){0};
}

static uint64_t entered(struct sl_python *python, const struct sl_python_thread *thread)
{
    uint64_t context = 0;
    assert_int_equal(sl_process_read(sl_python_process(python), sl_context_place(python, thread), &context, 8),
                     SL_READ_OK);
    return context;
}

static void assert_found(struct sl_python *python, const struct sl_python_thread *thread, const char *lines,
                         size_t expected)
{
    struct sl_trail trail;
    size_t seen = 0;
    sl_trail_init(&trail);
    while (*lines != '\0') {
        char *end;
        uint64_t address = strtoull(lines, &end, 16);
        uint64_t value = strtoull(end, &end, 16);
        struct sl_context_variable variable;
        uint64_t found = 0;
        assert_int_equal(sl_context_variable(&variable, python, address), SL_LOOK_OK);
        uint64_t context = entered(python, thread);
        if (context != 0) {
            assert_int_equal(sl_context_find(&trail, python, context, &variable, &found), SL_LOOK_OK);
            assert_true(sl_trail_same(&trail, sl_python_process(python)));
            uint64_t word = 0;
            bool read = false;
            uint64_t place = sl_context_place(python, thread);
            assert_true(sl_trail_same_with(&trail, sl_python_process(python), place, &word, &read));
            assert_true(read && word == context);
        }
        assert_int_equal(found, value);
        seen++;
        lines = end + 1;
    }
    assert_int_equal(seen, expected);
    sl_trail_destroy(&trail);
}

static void assert_variables(const char *count_text)
{
    for (size_t p = 0; p < python_count; p++) {
        struct child child;
        struct sl_process process;
        struct sl_buffer lines;
        start(&child, pythons[p], PROGRAM, count_text);
        read_lines(&child, &lines);
        struct sl_python *python = attach(&process, &child);
        struct sl_python_thread thread = main_thread(python, child.pid);
        assert_found(python, &thread, lines.bytes, strtoul(count_text, NULL, 10) + 50);
        sl_buffer_destroy(&lines);
        sl_python_detach(python);
        sl_process_close(&process);
        finish(&child);
    }
    if (python_count == 0) {
        skip();
    }
}

static void test_a_few_variables(void **state)
{
    (void)state;
    assert_variables("1");
    assert_variables("7");
}

static void test_as_many_as_take_every_kind_of_node(void **state)
{
    (void)state;
    assert_variables("40");
    assert_variables("2000");
}

static void test_no_context(void **state)
{
    (void)state;
    assert_variables("0");
}

static void test_what_is_no_variable_is_told_apart(void **state)
{
    (void)state;
    if (python_count == 0) {
        skip();
    }
    struct child child;
    struct sl_process process;
    struct sl_buffer lines;
    struct sl_context_variable variable;
    start(&child, pythons[0], PROGRAM, "1");
    read_lines(&child, &lines);
    struct sl_python *python = attach(&process, &child);
    uint64_t value = strtoull(strchr(lines.bytes, ' '), NULL, 16);
    assert_int_equal(sl_context_variable(&variable, python, value), SL_LOOK_TORN);
    assert_int_equal(sl_context_variable(&variable, python, 8), SL_LOOK_FAULT);
    sl_buffer_destroy(&lines);
    sl_python_detach(python);
    sl_process_close(&process);
    finish(&child);
}

static void test_a_context_is_located_where_it_is_entered(void **state)
{
    (void)state;
    for (size_t p = 0; p < python_count; p++) {
        struct child child;
        struct sl_process process;
        struct sl_buffer lines;
        struct sl_context_variable variable;
        struct sl_trail trail;
        uint64_t value = 0;
        start(&child, pythons[p], PROGRAM, "3");
        read_lines(&child, &lines);
        struct sl_python *python = attach(&process, &child);
        struct sl_python_thread thread = main_thread(python, child.pid);
        sl_trail_init(&trail);
        assert_int_equal(sl_context_variable(&variable, python, strtoull(lines.bytes, NULL, 16)), SL_LOOK_OK);
        uint64_t context = entered(python, &thread);
        assert_int_equal(sl_context_find(&trail, python, context, &variable, &value), SL_LOOK_OK);
        assert_true(sl_context_locate(python, (uint64_t)child.pid, context));
        assert_false(sl_context_locate(python, (uint64_t)child.pid, context + 8));
        assert_int_equal(entered(python, &thread), context);
        assert_int_not_equal(value, 0);
        sl_trail_destroy(&trail);
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
        cmocka_unit_test(test_a_few_variables),
        cmocka_unit_test(test_as_many_as_take_every_kind_of_node),
        cmocka_unit_test(test_no_context),
        cmocka_unit_test(test_what_is_no_variable_is_told_apart),
        cmocka_unit_test(test_a_context_is_located_where_it_is_entered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
