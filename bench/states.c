/* states.c - what looking up what each thread does adds to a sample: the sampler's own CPU time for one, with states and
 * without.  `ninja -C build bench_states && build/bench_states PID [SECONDS]`.
 *
 * Looks 2,000 times a second, with and without in turn. Threads that wait and did not run since the last look cost a read
 * of a few bytes in either case, so the samples of a program that only waits say what that takes. */
#include "profile/recorder.h"
#include "sampler/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TURNS = 6 };

struct cost {
    uint64_t cpu_ns;
    uint64_t samples;
};

static void require(bool done, const struct sl_error *error)
{
    if (!done) {
        fprintf(stderr, "bench_states: %s\n", error->sentence);
        exit(1);
    }
}

static void record(pid_t pid, bool states, uint64_t duration_ns, struct cost *cost)
{
    struct sl_error error = {0};
    const struct sl_recorder_options recorder_options = {.interval_ns = 500000, .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&recorder_options, &error);
    require(recorder != NULL, &error);
    const struct sl_session_options options = {.interval_ns = 500000, .states = states, .duration_ns = duration_ns};
    struct sl_session *session = sl_session_create(&options, recorder, &error);
    require(session != NULL, &error);
    const struct sl_session_target target = {.pid = pid};
    require(sl_session_add(session, &target, &error), &error);
    enum sl_session_end end = sl_session_run(session, &error);
    require(end == SL_SESSION_STOPPED || end == SL_SESSION_ENDED, &error);
    cost->cpu_ns += sl_recorder_facts(recorder)->sampler_cpu_ns;
    cost->samples += sl_recorder_facts(recorder)->samples;
    sl_session_destroy(session);
    sl_recorder_destroy(recorder);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench_states PID [SECONDS]\n");
        return 2;
    }
    pid_t pid = (pid_t)strtol(argv[1], NULL, 10);
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 6;
    struct cost costs[2] = {0};
    for (int turn = 0; turn < TURNS; turn++) {
        record(pid, turn % 2 != 0, (uint64_t)(seconds * 1e9 / TURNS), &costs[turn % 2]);
    }
    for (int states = 0; states < 2; states++) {
        const struct cost *cost = &costs[states];
        printf("%s %.0f %" PRIu64 "\n", states != 0 ? "with" : "without",
               cost->samples > 0 ? (double)cost->cpu_ns / (double)cost->samples : 0, cost->samples);
    }
    return 0;
}
