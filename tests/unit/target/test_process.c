#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "target/process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t address(const void *place)
{
    return (uint64_t)(uintptr_t)place;
}

static pid_t start_sleeper(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            pause();
        }
    }
    assert_true(pid > 0);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static volatile uint64_t known_word = 0x1122334455667788;

/* What holds for both ways of reading. */
static void check_reads(struct sl_process *process)
{
    uint64_t word = 0;
    assert_int_equal(sl_process_read(process, address((const void *)&known_word), &word, sizeof word), SL_READ_OK);
    assert_int_equal(word, known_word);
    assert_int_equal(sl_process_read(process, 0, &word, sizeof word), SL_READ_FAULT);
    assert_int_equal(sl_process_read(process, UINT64_MAX - 3, &word, sizeof word), SL_READ_FAULT);
    assert_int_equal(sl_process_read(process, (uint64_t)1 << 63, &word, sizeof word), SL_READ_FAULT);
    uint8_t bytes[24];
    struct sl_read_piece pieces[] = {
        {address((const void *)&known_word), bytes, 8},
        {address((const void *)&known_word) + 4, bytes + 8, 4},
        {address((const void *)&known_word), bytes + 16, 8},
    };
    assert_int_equal(sl_process_read_pieces(process, pieces, 3), SL_READ_OK);
    assert_memory_equal(bytes, (const void *)&known_word, 8);
    assert_memory_equal(bytes + 8, (const uint8_t *)&known_word + 4, 4);
    assert_memory_equal(bytes + 16, (const void *)&known_word, 8);
    pieces[1].address = 16;
    assert_int_equal(sl_process_read_pieces(process, pieces, 3), SL_READ_FAULT);
}

static void test_memory_of_another_process_is_read_by_either_way(void **state)
{
    (void)state;
    struct sl_process process;
    pid_t pid = start_sleeper();
    assert_true(sl_process_open(&process, pid, NULL));
    check_reads(&process);
    assert_int_equal(process.memory, -1);
    process.memory = openat(process.folder, "mem", O_RDONLY | O_CLOEXEC);
    assert_true(process.memory >= 0);
    check_reads(&process);
    sl_process_close(&process);
    end(pid);
}

/* Where its first mapping begins, by what the kernel says of it now. */
static uint64_t first_address(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "r");
    uint64_t begin = 0;
    assert_non_null(maps);
    assert_int_equal(fscanf(maps, "%" SCNx64, &begin), 1);
    fclose(maps);
    return begin;
}

static void test_the_memory_of_the_next_program_is_read_by_file_too(void **state)
{
    (void)state;
    int go[2];
    assert_int_equal(pipe2(go, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        char byte;
        (void)!read(go[0], &byte, 1);
        execl("/bin/sleep", "sleep", "60", (char *)NULL);
        _exit(1);
    }
    struct sl_process process;
    assert_true(sl_process_open(&process, pid, NULL));
    process.memory = openat(process.folder, "mem", O_RDONLY | O_CLOEXEC);
    uint64_t word = 0;
    assert_int_equal(sl_process_read(&process, address((const void *)&known_word), &word, 8), SL_READ_OK);
    assert_int_equal(write(go[1], "", 1), 1);
    char program[64] = "";
    while (strstr(program, "test_") != NULL || program[0] == '\0') {
        ssize_t size = readlinkat(process.folder, "exe", program, sizeof program - 1);
        program[size > 0 ? size : 0] = '\0';
    }
    /* Its file is mapped a moment later. */
    while (memcmp(&word, "\177ELF", 4) != 0) {
        assert_int_equal(sl_process_read(&process, first_address(pid), &word, 8), SL_READ_OK);
    }
    sl_process_close(&process);
    close(go[0]);
    close(go[1]);
    end(pid);
}

static void test_what_is_half_mapped_counts_as_not_read(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    munmap(pages + page, page);
    struct sl_process process;
    uint8_t bytes[64];
    assert_true(sl_process_open(&process, getpid(), NULL));
    assert_int_equal(sl_process_read(&process, address(pages + page - 64), bytes, 64), SL_READ_OK);
    assert_int_equal(sl_process_read(&process, address(pages + page - 63), bytes, 64), SL_READ_FAULT);
    sl_process_close(&process);
    munmap(pages, page);
}

/* That we are out of descriptors is nobody's refusal. */
static void test_memory_that_cannot_be_opened_for_want_of_descriptors_is_not_denied(void **state)
{
    (void)state;
    pid_t pid = start_sleeper();
    struct sl_process process;
    assert_true(sl_process_open(&process, pid, NULL));
    process.memory = open("/dev/null", O_RDONLY | O_CLOEXEC); /* at its end: it is opened again */
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    uint64_t word = 0;
    enum sl_read read = sl_process_read(&process, address((const void *)&known_word), &word, sizeof word);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(read, SL_READ_FAULT);
    sl_process_close(&process);
    end(pid);
}

static void test_an_ended_process_is_gone_by_either_way(void **state)
{
    (void)state;
    struct sl_process process;
    struct sl_process by_file;
    uint64_t word;
    pid_t pid = start_sleeper();
    assert_true(sl_process_open(&process, pid, NULL));
    assert_true(sl_process_open(&by_file, pid, NULL));
    by_file.memory = openat(by_file.folder, "mem", O_RDONLY | O_CLOEXEC);
    assert_true(sl_process_alive(&process));
    end(pid);
    assert_false(sl_process_alive(&process));
    assert_int_equal(sl_process_read(&process, address((const void *)&known_word), &word, 8), SL_READ_GONE);
    assert_int_equal(sl_process_read(&by_file, address((const void *)&known_word), &word, 8), SL_READ_GONE);
    sl_process_close(&process);
    sl_process_close(&by_file);
}

static void test_what_cannot_be_opened_is_told_in_a_sentence(void **state)
{
    (void)state;
    struct sl_process process;
    struct sl_error error = {0};
    assert_false(sl_process_open(&process, 0, &error));
    assert_int_equal(error.kind, SL_ERROR_GONE);
    pid_t pid = start_sleeper();
    end(pid);
    assert_false(sl_process_open(&process, pid, &error));
    assert_int_equal(error.kind, SL_ERROR_GONE);
    assert_non_null(strstr(error.sentence, "there is no process"));
}

static void test_a_zombie_is_no_process_to_look_at(void **state)
{
    (void)state;
    struct sl_process process;
    struct sl_error error = {0};
    pid_t pid = start_sleeper();
    kill(pid, SIGKILL);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_false(sl_process_open(&process, pid, &error));
    assert_int_equal(error.kind, SL_ERROR_NOT_PYTHON);
    assert_non_null(strstr(error.sentence, "zombie"));
    waitpid(pid, NULL, 0);
}

static void *wait_for_ever(void *argument)
{
    for (;;) {
        pause();
    }
    return argument;
}

static void test_a_process_that_goes_on_without_its_main_thread_is_told_from_a_zombie(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pthread_t thread;
        pthread_create(&thread, NULL, wait_for_ever, NULL);
        pthread_exit(NULL);
    }
    struct sl_process process;
    struct sl_error error = {0};
    while (sl_process_open(&process, pid, &error)) {
        sl_process_close(&process);
    }
    assert_int_equal(error.kind, SL_ERROR_NOT_PYTHON);
    assert_non_null(strstr(error.sentence, "main thread"));
    end(pid);
}

static void test_a_name_of_brackets_and_spaces_hides_nothing(void **state)
{
    (void)state;
    struct sl_process before;
    struct sl_process process;
    assert_true(sl_process_open(&before, getpid(), NULL));
    assert_int_equal(prctl(PR_SET_NAME, ") Z 1 1 ("), 0);
    assert_true(sl_process_open(&process, getpid(), NULL));
    assert_int_equal(process.start_ticks, before.start_ticks);
    assert_true(sl_process_alive(&process));
    sl_process_close(&process);
    sl_process_close(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_of_another_process_is_read_by_either_way),
        cmocka_unit_test(test_the_memory_of_the_next_program_is_read_by_file_too),
        cmocka_unit_test(test_what_is_half_mapped_counts_as_not_read),
        cmocka_unit_test(test_memory_that_cannot_be_opened_for_want_of_descriptors_is_not_denied),
        cmocka_unit_test(test_an_ended_process_is_gone_by_either_way),
        cmocka_unit_test(test_what_cannot_be_opened_is_told_in_a_sentence),
        cmocka_unit_test(test_a_zombie_is_no_process_to_look_at),
        cmocka_unit_test(test_a_process_that_goes_on_without_its_main_thread_is_told_from_a_zombie),
        cmocka_unit_test(test_a_name_of_brackets_and_spaces_hides_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
