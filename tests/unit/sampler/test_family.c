#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "python_double.h"

#include "sampler/family.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

/* More polls than it takes to look at every new process twice. */
#define POLLS 40

/* A process of ours, which is what the session records, and one that it starts when it is told to. */
static struct shared {
    atomic_int start, grandchild;
} * shared;
static pid_t child;

static struct sl_family family;
static size_t descriptors_left;
static uint64_t now_ns;
static pid_t covered_parent;
static uint64_t covered_ns;

static void live_until_killed(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        if (atomic_exchange(&shared->start, 0) != 0) {
            if (fork() == 0) {
                /* It is told of only when nothing can make it outlive the test. */
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                atomic_store(&shared->grandchild, getpid());
                for (;;) {
                    pause();
                }
            }
        }
        usleep(1000);
    }
}

static pid_t start_grandchild(void)
{
    atomic_store(&shared->grandchild, 0);
    atomic_store(&shared->start, 1);
    while (atomic_load(&shared->grandchild) == 0) {
        usleep(1000);
    }
    return atomic_load(&shared->grandchild);
}

static void start_child(void)
{
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        live_until_killed();
    }
}

static void end_child(void)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    child = 0;
}

static int set_up(void **state)
{
    (void)state;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    python_double = (struct python_double){0};
    descriptors_left = 1000;
    now_ns = 1000 * MS;
    covered_parent = 0;
    covered_ns = 0;
    sl_family_init(&family, &descriptors_left);
    return shared == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    sl_family_destroy(&family);
    int leaked = descriptors_left != 1000;
    if (child != 0) {
        end_child();
    }
    munmap(shared, sizeof *shared);
    return leaked ? -1 : 0;
}

static bool is_ours(void *context, pid_t pid)
{
    (void)context;
    return pid == getpid();
}

static void take_cover(void *context, pid_t pid, uint64_t ns)
{
    (void)context;
    covered_parent = pid;
    covered_ns += ns;
}

/* How often `pid` is found in so many polls; what it was found as goes to `found`. */
static size_t times_found(pid_t pid, struct sl_found *found)
{
    const struct sl_relation relation = {.belongs = is_ours, .cover = take_cover};
    size_t times = 0;
    for (int poll = 0; poll < POLLS; poll++) {
        now_ns += 10 * MS;
        sl_family_poll(&family, now_ns, &relation);
        for (size_t i = 0; i < family.found_count; i++) {
            if (family.found[i].pid == pid) {
                *found = family.found[i];
                times++;
            }
        }
    }
    return times;
}

/* Every process has an interpreter, whose one thread is that of `pid`. */
static void give_thread_to(pid_t pid)
{
    python_double.threads[0].id = pid;
    python_double.thread_count = 1;
}

static void test_a_fork_with_a_thread_of_its_own_is_found_once(void **state)
{
    (void)state;
    sl_family_search(&family, now_ns);
    struct sl_found found;
    assert_int_equal(times_found(-1, &found), 0);
    start_child();
    give_thread_to(child);
    assert_int_equal(times_found(child, &found), 1);
    assert_false(found.root || found.before || found.again);
    assert_int_equal(family.count, 0);
}

static void test_one_that_was_there_is_told_as_such(void **state)
{
    (void)state;
    start_child();
    give_thread_to(child);
    sl_family_search(&family, now_ns);
    struct sl_found found;
    assert_int_equal(times_found(child, &found), 1);
    assert_true(found.before);
}

static void test_one_with_its_parents_memory_is_not_taken_for_it(void **state)
{
    (void)state;
    sl_family_search(&family, now_ns);
    start_child();
    give_thread_to(getpid());
    struct sl_found found;
    assert_int_equal(times_found(child, &found), 0);
    give_thread_to(child);
    assert_int_equal(times_found(child, &found), 1);
}

static void test_what_is_no_python_is_kept_for_its_descendants(void **state)
{
    (void)state;
    python_double.attach_failures = UINT32_MAX;
    python_double.attach_error = SL_ERROR_NOT_PYTHON;
    python_double.not_yet = true;
    sl_family_search(&family, now_ns);
    start_child();
    struct sl_found found;
    assert_int_equal(times_found(child, &found), 0);
    assert_int_equal(family.count, 1);
    pid_t grandchild = start_grandchild();
    python_double.attach_failures = 0;
    give_thread_to(grandchild);
    assert_int_equal(times_found(grandchild, &found), 1);
    assert_int_equal(family.refusal.kind, SL_ERROR_NONE);
}

static void test_that_a_python_cannot_be_recorded_is_told(void **state)
{
    (void)state;
    python_double.attach_failures = UINT32_MAX;
    python_double.attach_error = SL_ERROR_UNSUPPORTED;
    sl_family_search(&family, now_ns);
    start_child();
    struct sl_found found;
    assert_int_equal(times_found(child, &found), 0);
    assert_int_equal(family.refusal.kind, SL_ERROR_UNSUPPORTED);
}

static void test_one_that_could_not_be_recorded_is_found_again_and_the_reason_told(void **state)
{
    (void)state;
    sl_family_search(&family, now_ns);
    start_child();
    give_thread_to(child);
    struct sl_found found = {0};
    assert_int_equal(times_found(child, &found), 1);
    assert_false(found.before);
    struct sl_error full = {0};
    sl_error_set(&full, SL_ERROR_USAGE, "no more");
    found.covered_ns = 7;
    sl_family_return(&family, &found, &full, now_ns);
    assert_string_equal(family.refusal.sentence, "no more");
    struct sl_found later = {0};
    assert_int_equal(times_found(child, &later), 1);
    assert_true(later.before);
    assert_int_equal(later.covered_ns, 7);
}

static void test_one_that_was_recorded_is_found_again_only_if_it_may_be(void **state)
{
    (void)state;
    start_child();
    give_thread_to(child);
    sl_family_search(&family, now_ns);
    struct sl_found found;
    assert_int_equal(times_found(child, &found), 1);
    sl_family_keep(&family, child, now_ns);
    assert_int_equal(times_found(child, &found), 0);
    sl_family_rest(&family);
    sl_family_search(&family, now_ns);
    assert_int_equal(times_found(child, &found), 1);

    sl_family_take_back(&family, child, now_ns);
    assert_int_equal(times_found(child, &found), 1);
    assert_true(found.again);
}

static void test_what_is_accounted_for_goes_to_the_parent_when_one_has_ended(void **state)
{
    (void)state;
    python_double.attach_failures = UINT32_MAX;
    python_double.attach_error = SL_ERROR_NOT_PYTHON;
    sl_family_search(&family, now_ns);
    start_child();
    pid_t pid = child;
    struct sl_found found;
    assert_int_equal(times_found(pid, &found), 0);
    assert_true(sl_family_cover(&family, pid, 7 * MS));
    assert_false(sl_family_cover(&family, getpid(), 7 * MS));
    end_child();
    assert_int_equal(times_found(pid, &found), 0);
    assert_int_equal(family.count, 0);
    assert_int_equal(covered_parent, getpid());
    assert_int_equal(covered_ns, 7 * MS);
    assert_int_equal(sl_family_heir(&family, pid), getpid());
    assert_int_equal(sl_family_heir(&family, getpid()), 0);
}

static void test_of_the_kin_roots_alone_outlast_a_search(void **state)
{
    (void)state;
    python_double.attach_failures = UINT32_MAX;
    python_double.attach_error = SL_ERROR_NOT_PYTHON;
    start_child();
    struct sl_error error = {0};
    assert_true(sl_family_add(&family, child, now_ns, &error));
    assert_true(sl_family_has_root(&family));
    sl_family_search(&family, now_ns);
    pid_t grandchild = start_grandchild();
    struct sl_found found;
    assert_int_equal(times_found(grandchild, &found), 0);
    assert_int_equal(family.count, 2);
    sl_family_rest(&family);
    assert_int_equal(family.count, 1);
    assert_int_equal(family.due_ns, UINT64_MAX);
    assert_true(sl_family_has_root(&family));

    sl_family_search(&family, now_ns);
    python_double.attach_failures = 0;
    give_thread_to(child);
    assert_int_equal(times_found(child, &found), 1);
    assert_true(found.root);
    assert_false(sl_family_has_root(&family));
}

static void test_no_more_are_kept_than_files_may_be_open(void **state)
{
    (void)state;
    start_child();
    size_t before = descriptors_left;
    descriptors_left = 1;
    struct sl_error error = {0};
    assert_false(sl_family_add(&family, child, now_ns, &error));
    assert_int_equal(error.kind, SL_ERROR_SYSTEM);
    descriptors_left = before;
    assert_true(sl_family_add(&family, child, now_ns, &error));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_fork_with_a_thread_of_its_own_is_found_once),
        TEST(test_one_that_was_there_is_told_as_such),
        TEST(test_one_with_its_parents_memory_is_not_taken_for_it),
        TEST(test_what_is_no_python_is_kept_for_its_descendants),
        TEST(test_that_a_python_cannot_be_recorded_is_told),
        TEST(test_one_that_could_not_be_recorded_is_found_again_and_the_reason_told),
        TEST(test_one_that_was_recorded_is_found_again_only_if_it_may_be),
        TEST(test_what_is_accounted_for_goes_to_the_parent_when_one_has_ended),
        TEST(test_of_the_kin_roots_alone_outlast_a_search),
        TEST(test_no_more_are_kept_than_files_may_be_open),
    };
    return cmocka_run_group_tests_name("family", tests, NULL, NULL);
}
