/* Where a trace goes, and what becomes of it when the sink takes no more. */
#include "profile/recorder_state.h"
#include "profile/trace_reader.h"
#include "profile/trace_writer.h"
#include "random.h"
#include "support/sound_profile.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { INTERVAL = 1000000 };

static struct sl_recorder *create(int descriptor)
{
    struct sl_recorder_options options = {.interval_ns = INTERVAL, .descriptor = descriptor};
    struct sl_recorder *recorder = sl_recorder_create(&options, NULL);
    assert_non_null(recorder);
    struct sl_process_record process = {.pid = 7};
    struct sl_thread_record thread = {.id = 7, .main = true};
    assert_int_equal(sl_recorder_process(recorder, &process), 0);
    assert_int_equal(sl_recorder_thread(recorder, &thread), 0);
    return recorder;
}

static void record(struct sl_recorder *recorder, uint64_t from, uint64_t to)
{
    for (uint64_t look = from; look < to; look++) {
        char name[24];
        int size = snprintf(name, sizeof name, "function_%d", (int)(look % 50));
        struct sl_function_record function = {.name = sl_recorder_string(recorder, name, (size_t)size)};
        sl_stack stack = sl_recorder_stack(recorder, 0, sl_recorder_function(recorder, function), 1);
        sl_recorder_look(recorder, look * INTERVAL, (look + 1) * INTERVAL, look * INTERVAL);
        sl_recorder_sample(recorder, 0, stack, 0);
    }
}

static int temporary_file(char *path)
{
    strcpy(path, "/tmp/test_sink.XXXXXX");
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    return descriptor;
}

static void test_what_was_flushed_can_be_read_while_the_recording_goes_on(void **state)
{
    (void)state;
    char path[64];
    int descriptor = temporary_file(path);
    struct sl_recorder *recorder = create(descriptor);
    record(recorder, 0, 100);
    assert_true(sl_recorder_pending(recorder) > 0);
    assert_true(sl_recorder_flush(recorder, NULL));
    assert_int_equal(sl_recorder_pending(recorder), 0);
    record(recorder, 100, 150);
    struct sl_profile *profile = sl_trace_read_file(path, NULL);
    assert_non_null(profile);
    assert_int_equal(profile->facts.looks, 100);
    assert_int_equal(profile->facts.lost_bytes, 0);
    assert_false(profile->facts.complete);
    sl_profile_destroy(profile);

    assert_true(sl_recorder_close(recorder, (uint64_t)150 * INTERVAL, NULL));
    profile = sl_trace_read_file(path, NULL);
    assert_non_null(profile);
    assert_int_equal(profile->facts.looks, 150);
    assert_true(profile->facts.complete);
    struct stat status;
    assert_int_equal(fstat(descriptor, &status), 0);
    assert_int_equal(profile->facts.trace_bytes, status.st_size);
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
    close(descriptor);
    unlink(path);
}

static void test_a_full_disk_is_told_at_the_start(void **state)
{
    (void)state;
    int descriptor = open("/dev/full", O_WRONLY);
    assert_true(descriptor >= 0);
    struct sl_recorder_options options = {.interval_ns = INTERVAL, .descriptor = descriptor};
    struct sl_error error = {0};
    assert_null(sl_recorder_create(&options, &error));
    assert_int_equal(error.kind, SL_ERROR_SYSTEM);
    assert_non_null(strstr(error.sentence, "No space left on device"));
    close(descriptor);
}

/* The file may grow to `size` bytes for now. */
static void limit_files(rlim_t size)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_a_disk_that_was_full_for_a_while_costs_nothing(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    char path[64];
    int descriptor = temporary_file(path);
    struct sl_recorder *recorder = create(descriptor);
    record(recorder, 0, 1000);
    /* In the middle of a block. */
    limit_files(1000);
    struct sl_error error = {0};
    assert_false(sl_recorder_flush(recorder, &error));
    assert_int_equal(error.kind, SL_ERROR_SYSTEM);
    record(recorder, 1000, 2000);
    assert_false(sl_recorder_flush(recorder, NULL));
    limit_files(RLIM_INFINITY);
    record(recorder, 2000, 3000);
    assert_true(sl_recorder_flush(recorder, NULL));
    assert_true(sl_recorder_close(recorder, (uint64_t)3000 * INTERVAL, NULL));
    struct sl_profile *profile = sl_trace_read_file(path, NULL);
    assert_non_null(profile);
    assert_true(profile->facts.complete);
    assert_int_equal(profile->run_count, 3000);
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
    close(descriptor);
    unlink(path);
}

static void test_a_disk_that_stays_full_leaves_what_was_written_before(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    char path[64];
    int descriptor = temporary_file(path);
    struct sl_recorder *recorder = create(descriptor);
    record(recorder, 0, 100);
    assert_true(sl_recorder_flush(recorder, NULL));
    struct stat status;
    assert_int_equal(fstat(descriptor, &status), 0);
    limit_files((rlim_t)status.st_size + 10);
    record(recorder, 100, 200);
    assert_false(sl_recorder_close(recorder, (uint64_t)200 * INTERVAL, NULL));
    limit_files(RLIM_INFINITY);
    sl_recorder_destroy(recorder);
    struct sl_profile *profile = sl_trace_read_file(path, NULL);
    assert_non_null(profile);
    assert_false(profile->facts.complete);
    assert_int_equal(profile->facts.looks, 100);
    assert_int_equal(profile->facts.lost_bytes, 10);
    sl_profile_destroy(profile);
    close(descriptor);
    unlink(path);
}

static void test_a_pipe_whose_reader_has_gone_is_told(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    struct sl_recorder *recorder = create(pipe_ends[1]);
    close(pipe_ends[0]);
    record(recorder, 0, 10);
    struct sl_error error = {0};
    assert_false(sl_recorder_flush(recorder, &error));
    assert_non_null(strstr(error.sentence, "Broken pipe"));
    sl_recorder_destroy(recorder);
    close(pipe_ends[1]);
}

/* A block of looks that do not compress: 20 looks with 200 samples each of stacks drawn at random. */
static void record_noise(struct sl_recorder *recorder, struct random *random, uint64_t *look, uint32_t stack_count)
{
    for (uint32_t i = 0; i < 20; i++, ++*look) {
        sl_recorder_look(recorder, *look * INTERVAL, (*look + 1) * INTERVAL, *look * INTERVAL);
        for (uint32_t thread = 0; thread < 200; thread++) {
            sl_recorder_sample(recorder, thread, 1 + random_below(random, stack_count), 0);
        }
    }
}

static void test_what_waits_for_a_full_disk_is_bounded_and_later_looks_keep_their_names(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    char path[64];
    int descriptor = temporary_file(path);
    struct sl_recorder *recorder = create(descriptor);
    for (uint64_t i = 1; i < 200; i++) {
        struct sl_thread_record thread = {.id = 7 + i};
        assert_int_equal(sl_recorder_thread(recorder, &thread), i);
    }
    assert_true(sl_recorder_flush(recorder, NULL));
    limit_files(500);
    const size_t waiting_max = (size_t)1024 * 1024;
    assert_int_equal(recorder->writer.waiting_max, 64 * waiting_max);
    recorder->writer.waiting_max = waiting_max;

    /* The definitions are made while the disk is full, so that they are the oldest thing that waits. */
    const uint32_t stack_count = 16000;
    sl_string name = sl_recorder_string(recorder, "noise", 5);
    sl_function function = sl_recorder_function(recorder, (struct sl_function_record){.name = name});
    for (uint32_t i = 1; i <= stack_count; i++) {
        assert_int_equal(sl_recorder_stack(recorder, 0, function, i), i);
    }
    struct random random = {1};
    uint64_t looks = 0;
    uint64_t recorded_bytes = 0;
    while (recorded_bytes < waiting_max * 3 / 2) {
        record_noise(recorder, &random, &looks, stack_count);
        assert_false(sl_recorder_flush(recorder, NULL));
        recorded_bytes += 20 * 200 * 2; /* at 14 bits a sample */
    }
    limit_files(RLIM_INFINITY);
    uint64_t duration_ns = looks * INTERVAL;
    assert_true(sl_recorder_close(recorder, duration_ns, NULL));
    sl_recorder_destroy(recorder);
    struct stat status;
    assert_int_equal(fstat(descriptor, &status), 0);
    assert_in_range(status.st_size, waiting_max * 9 / 10, waiting_max + 4096);

    struct sl_profile *profile = sl_trace_read_file(path, NULL);
    assert_non_null(profile);
    assert_null(broken_promise(profile));
    assert_false(profile->facts.complete);
    assert_true(profile->facts.lost_bytes > waiting_max / 3);
    assert_int_equal(profile->facts.looks, looks);
    /* Every thread is [lost] for the time of the dropped blocks, which are the oldest, and known from then on. */
    for (uint32_t t = 0; t < profile->thread_count; t++) {
        const struct sl_run *runs = &profile->runs[profile->threads[t].first_run];
        uint32_t run_count = profile->threads[t].run_count;
        uint64_t weight_ns = 0;
        for (uint32_t i = 0; i < run_count; i++) {
            const struct sl_function_record *seen = &profile->functions[profile->stacks[runs[i].stack].function];
            assert_string_equal(sl_profile_text(profile, seen->name), i == 0 ? "[lost]" : "noise");
            weight_ns += runs[i].end_ns - runs[i].begin_ns;
        }
        assert_true(run_count > 1);
        assert_int_equal(weight_ns, duration_ns);
    }
    sl_profile_destroy(profile);
    close(descriptor);
    unlink(path);
}

static void test_a_block_that_the_file_holds_in_part_is_never_dropped(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    char path[64];
    int descriptor = temporary_file(path);
    struct sl_recorder *recorder = create(descriptor);
    record(recorder, 0, 100);
    assert_true(sl_recorder_flush(recorder, NULL));
    struct stat status;
    assert_int_equal(fstat(descriptor, &status), 0);
    limit_files((rlim_t)status.st_size + 50);
    recorder->writer.waiting_max = 2000;
    for (uint64_t i = 100; i < 5000; i += 100) {
        record(recorder, i, i + 100);
        assert_false(sl_recorder_flush(recorder, NULL));
        assert_true(recorder->writer.waiting_size <= recorder->writer.waiting_max);
    }
    limit_files(RLIM_INFINITY);
    assert_true(sl_recorder_close(recorder, (uint64_t)5000 * INTERVAL, NULL));
    uint64_t dropped_size = recorder->writer.dropped_size;
    sl_recorder_destroy(recorder);
    struct sl_profile *profile = sl_trace_read_file(path, NULL);
    assert_non_null(profile);
    assert_true(dropped_size > 0);
    assert_int_equal(profile->facts.lost_bytes, dropped_size);
    /* The block that was begun is whole: what is lost comes after it. */
    assert_int_equal(profile->runs[199].end_ns, (uint64_t)200 * INTERVAL);
    const struct sl_stack_record *lost = &profile->stacks[profile->runs[200].stack];
    assert_string_equal(sl_profile_text(profile, profile->functions[lost->function].name), "[lost]");
    sl_profile_destroy(profile);
    close(descriptor);
    unlink(path);
}

static void test_a_file_that_is_no_trace_gets_one_clear_sentence(void **state)
{
    (void)state;
    static const char *const contents[] = {"", "\x89LAPS", "hello", "\x89PNG\r\n\x1a\n and the rest of a picture"};
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        char path[64];
        int descriptor = temporary_file(path);
        assert_int_equal(write(descriptor, contents[i], strlen(contents[i])), strlen(contents[i]));
        close(descriptor);
        struct sl_error error = {0};
        assert_null(sl_trace_read_file(path, &error));
        assert_int_equal(error.kind, SL_ERROR_FORMAT);
        char expected[128];
        snprintf(expected, sizeof expected, "cannot read %s: this is not a recording of stacklapse", path);
        assert_string_equal(error.sentence, expected);
        unlink(path);
    }
    struct sl_error error = {0};
    assert_null(sl_trace_read_file("/nonexistent.lapse", &error));
    assert_string_equal(error.sentence, "cannot read /nonexistent.lapse: No such file or directory");
    assert_null(sl_trace_read_file("/", &error));
    assert_string_equal(error.sentence, "cannot read /: Is a directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_flushed_can_be_read_while_the_recording_goes_on),
        cmocka_unit_test(test_a_full_disk_is_told_at_the_start),
        cmocka_unit_test(test_a_disk_that_was_full_for_a_while_costs_nothing),
        cmocka_unit_test(test_a_disk_that_stays_full_leaves_what_was_written_before),
        cmocka_unit_test(test_a_pipe_whose_reader_has_gone_is_told),
        cmocka_unit_test(test_what_waits_for_a_full_disk_is_bounded_and_later_looks_keep_their_names),
        cmocka_unit_test(test_a_block_that_the_file_holds_in_part_is_never_dropped),
        cmocka_unit_test(test_a_file_that_is_no_trace_gets_one_clear_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
