#include "render/state_word.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <cmocka.h>

#ifdef __x86_64__
static void a_wait_is_named_after_its_system_call(void **state)
{
    (void)state;
    static const struct {
        long call;
        const char *word;
    } cases[] = {
        {SYS_clock_nanosleep, "sleep"},
        {SYS_nanosleep, "sleep"},
        {SYS_read, "read"},
        {SYS_write, "write"},
        {SYS_select, "select"},
        {SYS_pselect6, "select"},
        {SYS_poll, "poll"},
        {SYS_ppoll, "poll"},
        {SYS_epoll_wait, "epoll"},
        {SYS_epoll_pwait, "epoll"},
        {SYS_recvfrom, "recv"},
        {SYS_sendto, "send"},
        {SYS_accept4, "accept"},
        {SYS_connect, "connect"},
        {SYS_wait4, "child"},
        {SYS_waitid, "child"},
        {SYS_futex, "lock"},
        {SYS_fsync, "sync"},
        {SYS_flock, "lock"},
        {SYS_openat, "open"},
        {SYS_newfstatat, "stat"},
        {SYS_getdents64, "list"},
        {SYS_getpid, "wait"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sl_state waiting = sl_state_in_call(SL_STATE_KNOWN, (uint32_t)cases[i].call);
        assert_string_equal(sl_state_word(waiting), cases[i].word);
        assert_null(sl_state_word(waiting | SL_STATE_ON_CPU));
        assert_null(sl_state_word(waiting & ~(sl_state)SL_STATE_KNOWN));
    }
}
#endif

static void the_gil_locks_and_the_garbage_collector_have_words_of_their_own(void **state)
{
    (void)state;
    assert_string_equal(sl_state_word(SL_STATE_KNOWN | SL_STATE_WAITS_GIL), "GIL");
    assert_string_equal(sl_state_word(SL_STATE_KNOWN | SL_STATE_LOCK), "lock");
    assert_string_equal(sl_state_word(SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL | SL_STATE_GC), "GC");
    assert_string_equal(sl_state_word(SL_STATE_KNOWN), "wait");
    assert_null(sl_state_word(SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL));
    assert_null(sl_state_word(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef __x86_64__
        cmocka_unit_test(a_wait_is_named_after_its_system_call),
#endif
        cmocka_unit_test(the_gil_locks_and_the_garbage_collector_have_words_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
