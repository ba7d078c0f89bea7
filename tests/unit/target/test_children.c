#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "target/children.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* parent: first (by its main thread), second (by another thread), which has a child of its own. */
struct family {
    atomic_int parent, first, second, grandchild;
};
static struct family *family;

static _Noreturn void wait_forever(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        pause();
    }
}

static void *start_second(void *ignored)
{
    pid_t pid = fork();
    if (pid == 0) {
        pid_t grandchild = fork();
        if (grandchild == 0) {
            wait_forever();
        }
        atomic_store(&family->grandchild, grandchild);
        for (;;) {
            pause();
        }
    }
    atomic_store(&family->second, pid);
    for (;;) {
        pause();
    }
    return ignored;
}

static int set_up(void **state)
{
    (void)state;
    family = mmap(NULL, sizeof *family, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (family == MAP_FAILED) {
        return -1;
    }
    pid_t parent = fork();
    if (parent == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pid_t first = fork();
        if (first == 0) {
            wait_forever();
        }
        atomic_store(&family->first, first);
        pthread_t thread;
        pthread_create(&thread, NULL, start_second, NULL);
        for (;;) {
            pause();
        }
    }
    atomic_store(&family->parent, parent);
    while (atomic_load(&family->first) == 0 || atomic_load(&family->second) == 0 ||
           atomic_load(&family->grandchild) == 0) {
        usleep(1000);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kill(family->grandchild, SIGKILL);
    kill(family->second, SIGKILL);
    kill(family->first, SIGKILL);
    kill(family->parent, SIGKILL);
    waitpid(family->parent, NULL, 0);
    munmap(family, sizeof *family);
    return 0;
}

static size_t place_of(const struct sl_descendants *descendants, pid_t pid)
{
    size_t place = 0;
    while (place < descendants->count && descendants->items[place].pid != pid) {
        place++;
    }
    assert_true(place < descendants->count);
    return place;
}

static void check(struct sl_descendants *descendants)
{
    assert_int_equal(descendants->count, 3);
    assert_int_equal(descendants->items[place_of(descendants, family->first)].parent, family->parent);
    assert_int_equal(descendants->items[place_of(descendants, family->second)].parent, family->parent);
    assert_int_equal(descendants->items[place_of(descendants, family->grandchild)].parent, family->second);
    assert_true(place_of(descendants, family->second) < place_of(descendants, family->grandchild));
}

static void test_descendants_are_found_whichever_thread_started_them(void **state)
{
    (void)state;
    struct sl_descendants descendants = {0};
    assert_true(sl_descendants_read(&descendants, family->parent));
    check(&descendants);
    /* Again with what is there already. */
    assert_true(sl_descendants_read(&descendants, family->parent));
    check(&descendants);
    sl_descendants_destroy(&descendants);
}

static void test_a_kernel_without_lists_gives_the_same(void **state)
{
    (void)state;
    struct sl_descendants descendants = {0};
    assert_true(sl_descendants_by_parent(&descendants, family->parent));
    check(&descendants);
    sl_descendants_destroy(&descendants);
}

static void test_a_process_without_children_and_none_at_all_have_none(void **state)
{
    (void)state;
    struct sl_descendants descendants = {0};
    assert_true(sl_descendants_read(&descendants, family->first));
    assert_int_equal(descendants.count, 0);
    assert_true(sl_descendants_read(&descendants, INT32_MAX));
    assert_int_equal(descendants.count, 0);
    assert_true(sl_descendants_by_parent(&descendants, INT32_MAX));
    assert_int_equal(descendants.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descendants_are_found_whichever_thread_started_them),
        cmocka_unit_test(test_a_kernel_without_lists_gives_the_same),
        cmocka_unit_test(test_a_process_without_children_and_none_at_all_have_none),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
