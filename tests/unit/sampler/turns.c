#include "turns.h"

#include "profile/combine.h"
#include "support/sound_profile.h"
#include "target/clock.h"

#include <string.h>

static struct sl_profile *read_back(const struct sl_buffer *trace)
{
    struct sl_error error = {0};
    struct sl_profile *profile = sl_trace_read(trace->bytes, trace->size, &error);
    assert_non_null(profile);
    assert_null(broken_promise(profile));
    assert_true(profile->facts.complete);
    assert_int_equal(profile->facts.lost_bytes, 0);
    return profile;
}

static struct sl_recorder *next_recorder(const struct turns *turns, int descriptor)
{
    const struct sl_recorder_options options = {
        .start_time_ns = turns->turn != NULL ? turns->turn->time_ns : sl_clock_wall_ns(),
        .interval_ns = turns->interval_ns,
        .descriptor = descriptor,
    };
    struct sl_error error = {0};
    struct sl_recorder *recorder = sl_recorder_create(&options, &error);
    assert_non_null(recorder);
    return recorder;
}

/* Reads the recording that has ended, if it is in memory, and frees its recorder. */
static void take(struct turns *turns)
{
    const struct sl_buffer *trace = sl_recorder_trace(turns->recorder);
    if (trace->size > 0) {
        struct sl_profile *profile = read_back(trace);
        if (turns->forgets) {
            sl_profile_destroy(profile);
        } else {
            turns->profiles[turns->count] = profile;
        }
        turns->count++;
    }
    sl_recorder_destroy(turns->recorder);
    turns->recorder = NULL;
}

static struct sl_recorder *turn(void *context, const struct sl_session_turn *told)
{
    struct turns *turns = context;
    assert_ptr_equal(told->ended, turns->recorder);
    turns->turn = told;
    take(turns);
    if (turns->step != NULL) {
        turns->step(turns);
    }
    if (turns->wanted > 0 && turns->count >= turns->wanted) {
        if (turns->refuses) {
            return NULL;
        }
        sl_session_stop(turns->session);
    }
    assert_true(turns->forgets || turns->count < TURNS_MAX - 1);
    turns->recorder = next_recorder(turns, -1);
    return turns->recorder;
}

void turns_start(struct turns *turns, const struct sl_session_options *options)
{
    struct sl_session_options own = *options;
    own.turn = turn;
    own.turn_context = turns;
    turns->interval_ns = options->interval_ns;
    turns->recorder = next_recorder(turns, turns->descriptor);
    struct sl_error error = {0};
    turns->session = sl_session_create(&own, turns->recorder, &error);
    assert_non_null(turns->session);
}

void turns_run(struct turns *turns)
{
    turns->end = sl_session_run(turns->session, &turns->error);
    struct sl_session_progress progress = sl_session_progress(turns->session);
    turns->elapsed_ns = progress.elapsed_ns;
    turns->samples = progress.samples;
    assert_false(progress.sampling);
    sl_session_destroy(turns->session);
    turns->session = NULL;
    if (turns->recorder != NULL) {
        take(turns);
    }
}

struct sl_profile *turns_combined(const struct turns *turns)
{
    const struct sl_profile *profiles[TURNS_MAX];
    for (size_t i = 0; i < turns->count; i++) {
        profiles[i] = turns->profiles[i];
    }
    struct sl_buffer trace;
    sl_buffer_init(&trace);
    struct sl_error error = {0};
    assert_true(sl_profile_combine(profiles, turns->count, &trace, &error));
    struct sl_profile *combined = read_back(&trace);
    sl_buffer_destroy(&trace);
    return combined;
}

void turns_destroy(struct turns *turns)
{
    for (size_t i = 0; i < turns->count && !turns->forgets; i++) {
        sl_profile_destroy(turns->profiles[i]);
    }
    turns->count = 0;
}

uint32_t turns_process(const struct sl_profile *profile, pid_t pid)
{
    uint32_t found = SL_NONE;
    for (uint32_t i = 0; i < profile->process_count; i++) {
        if (profile->processes[i].pid == (uint32_t)pid) {
            assert_int_equal(found, SL_NONE);
            found = i;
        }
    }
    return found;
}

uint32_t turns_thread(const struct sl_profile *profile, pid_t id)
{
    uint32_t found = SL_NONE;
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        if (profile->threads[i].id == (uint64_t)id) {
            assert_int_equal(found, SL_NONE);
            found = i;
        }
    }
    return found;
}

static bool holds(const struct sl_profile *profile, sl_stack stack, const char *function)
{
    for (; stack != 0; stack = profile->stacks[stack].caller) {
        sl_string name = profile->functions[profile->stacks[stack].function].name;
        if (strcmp(sl_profile_text(profile, name), function) == 0) {
            return true;
        }
    }
    return false;
}

uint64_t turns_weight(const struct sl_profile *profile, uint32_t thread, const char *function)
{
    assert_int_not_equal(thread, SL_NONE);
    uint64_t weight_ns = 0;
    const struct sl_thread_record *record = &profile->threads[thread];
    for (uint32_t i = record->first_run; i < record->first_run + record->run_count; i++) {
        const struct sl_run *run = &profile->runs[i];
        if (function == NULL || holds(profile, run->stack, function)) {
            weight_ns += run->end_ns - run->begin_ns;
        }
    }
    return weight_ns;
}

void turns_assert_whole(const struct sl_profile *profile, pid_t id, const char *function)
{
    uint32_t thread = turns_thread(profile, id);
    assert_int_not_equal(thread, SL_NONE);
    assert_int_equal(profile->threads[thread].end_ns, profile->facts.duration_ns);
    assert_int_equal(turns_weight(profile, thread, function),
                     profile->facts.duration_ns - profile->threads[thread].begin_ns);
}

uint64_t turns_duration(const struct turns *turns)
{
    uint64_t duration_ns = 0;
    for (size_t i = 0; i < turns->count; i++) {
        duration_ns += turns->profiles[i]->facts.duration_ns;
    }
    return duration_ns;
}
