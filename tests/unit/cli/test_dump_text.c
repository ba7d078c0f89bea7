#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "python_double.h"

#include "cli/dump_view.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is printed of a thread with this stack. */
static char *printed(const uint32_t *codes, size_t count)
{
    struct sl_process process;
    assert_true(sl_process_open(&process, getpid(), NULL));
    struct sl_frame frames[8];
    for (size_t i = 0; i < count; i++) {
        frames[i] = (struct sl_frame){.code = codes[i], .line = 1};
    }
    struct sl_dump_thread thread = {
        .id = 7,
        .main = true,
        .consistent = true,
        .state = SL_STATE_KNOWN | SL_STATE_ON_CPU,
        .frames = frames,
        .count = count,
    };
    struct sl_dump_view view = {
        .pid = 7,
        .taken = true,
        .dump = {.python = sl_python_attach(&process, NULL, NULL), .threads = &thread, .count = 1},
    };
    struct sl_output output;
    sl_output_memory(&output);
    sl_dump_text(&output, &view, false, false, false);
    char *text = strndup(output.pending.bytes, output.pending.size);
    sl_output_abandon(&output);
    sl_python_detach(view.dump.python);
    sl_process_close(&process);
    return text;
}

static void what_calls_itself_is_shown_once_and_counted(void **state)
{
    (void)state;
    char *text = printed((const uint32_t[]){0, 1, 1, 1}, 4);
    assert_non_null(strstr(text, "    f1  /app/f1.py:1\n"
                                 "    [this frame 2 times more; --show-all shows them]\n"
                                 "    f0  /app/f0.py:1\n"));
    free(text);
}

static void functions_without_a_name_are_not_taken_for_the_same(void **state)
{
    (void)state;
    char *text = printed((const uint32_t[]){0, SL_CODE_NAMELESS, SL_CODE_NAMELESS, SL_CODE_NAMELESS}, 4);
    assert_non_null(strstr(text, "    [unknown function]\n"
                                 "    [unknown function]\n"
                                 "    [unknown function]\n"
                                 "    f0  /app/f0.py:1\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_calls_itself_is_shown_once_and_counted),
        cmocka_unit_test(functions_without_a_name_are_not_taken_for_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
