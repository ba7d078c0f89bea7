/* trace.c - what the trace itself costs, without any sampling: time to take a sample in, bytes it takes, time to read it
 * back.  `ninja -C build bench_trace && build/bench_trace`.
 *
 * The samples are made up: one thread, stacks 30 deep, of which some are much more frequent than others; the next sample
 * is another stack than the one before. What a real program takes is in docs/benchmarks.md. */
#include "profile/recorder.h"
#include "profile/trace_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SAMPLES = 1000000, DEPTH = 30, LEAVES = 400 };

static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void require(bool done, const char *what)
{
    if (!done) {
        fprintf(stderr, "bench_trace: %s failed\n", what);
        exit(1);
    }
}

static uint64_t drawn(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static sl_stack push(struct sl_recorder *recorder, sl_stack caller, uint32_t number)
{
    char name[32];
    int size = snprintf(name, sizeof name, "function_%u", number);
    struct sl_function_record function = {
        .name = sl_recorder_string(recorder, name, (size_t)size),
        .file = sl_recorder_string(recorder, "/srv/app.py", 11),
        .first_line = number * 10,
    };
    return sl_recorder_stack(recorder, caller, sl_recorder_function(recorder, function), number * 10 + 1);
}

int main(void)
{
    const uint64_t interval_ns = 10000;
    struct sl_recorder_options options = {.interval_ns = interval_ns, .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&options, NULL);
    require(recorder != NULL, "creating a recorder");
    struct sl_process_record process = {.pid = 1};
    struct sl_thread_record thread = {.id = 1, .main = true};
    sl_recorder_process(recorder, &process);
    sl_recorder_thread(recorder, &thread);
    sl_stack leaves[LEAVES];
    sl_stack base = 0;
    for (uint32_t i = 0; i < DEPTH - 1; i++) {
        base = push(recorder, base, i);
    }
    for (uint32_t i = 0; i < LEAVES; i++) {
        leaves[i] = push(recorder, base, DEPTH + i);
    }

    uint64_t random = 88172645463325252;
    uint64_t taken_ns = 0, flushed_ns = 0;
    uint64_t begin_ns = cpu_ns();
    for (uint64_t i = 0; i < SAMPLES; i++) {
        uint64_t x = drawn(&random);
        /* The lowest of three: half of the samples are in a fifth of the leaves. */
        uint64_t leaf = x % LEAVES;
        leaf = (x >> 20) % LEAVES < leaf ? (x >> 20) % LEAVES : leaf;
        leaf = (x >> 40) % LEAVES < leaf ? (x >> 40) % LEAVES : leaf;
        sl_recorder_look(recorder, i * interval_ns, (i + 1) * interval_ns, i * interval_ns + x % interval_ns);
        sl_recorder_sample(recorder, 0, leaves[leaf], SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL);
        if (sl_recorder_pending(recorder) >= SL_RECORDER_BLOCK_BYTES) {
            uint64_t flush_ns = cpu_ns();
            taken_ns += flush_ns - begin_ns;
            require(sl_recorder_flush(recorder, NULL), "flushing");
            begin_ns = cpu_ns();
            flushed_ns += begin_ns - flush_ns;
        }
    }
    taken_ns += cpu_ns() - begin_ns;
    require(sl_recorder_close(recorder, SAMPLES * interval_ns, NULL), "closing");
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    printf("a sample taken in: %.0f ns, and %.0f ns to pack it\n", (double)taken_ns / SAMPLES,
           (double)flushed_ns / SAMPLES);
    printf("a sample stored: %.2f bytes\n", (double)trace->size / SAMPLES);

    uint64_t read_ns = cpu_ns();
    struct sl_profile *profile = sl_trace_read(trace->bytes, trace->size, NULL);
    read_ns = cpu_ns() - read_ns;
    require(profile != NULL && profile->facts.samples == SAMPLES, "reading back");
    printf("%d samples read: %.0f ms\n", SAMPLES, (double)read_ns / 1e6);
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
    return 0;
}
