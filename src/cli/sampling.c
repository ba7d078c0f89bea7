#include "cli/sampling.h"

#include "base/buffer.h"
#include "cli/command_line.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

struct sl_recorder *sl_sampling_recorder(const struct sl_options *options, int descriptor, uint64_t start_time_ns,
                                         struct sl_error *error)
{
    struct sl_buffer command;
    sl_buffer_init(&command);
    if (options->program_kind == SL_PROGRAM_COMMAND) {
        sl_command_line_word(&command, options->program);
        sl_command_line_words(&command, options->arguments);
    }
    const struct sl_recorder_options recorder_options = {
        .start_time_ns = start_time_ns,
        .interval_ns = options->interval_ns,
        .command = command.failed ? NULL : command.bytes,
        .descriptor = descriptor,
    };
    struct sl_recorder *recorder = sl_recorder_create(&recorder_options, error);
    sl_buffer_destroy(&command);
    return recorder;
}

static bool write_to(struct sl_sampling *sampling, const struct sl_options *options, int descriptor,
                     struct sl_error *error)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    sampling->recorder = sl_sampling_recorder(options, descriptor, now_ns, error);
    return sampling->recorder != NULL;
}

/* A disk that is full is found out here, and the next place is tried. */
static bool create_recorder(struct sl_sampling *sampling, const struct sl_options *options, struct sl_error *error)
{
    for (enum sl_recording_place place = SL_RECORDING_STATE; place < SL_RECORDING_NOWHERE;) {
        struct sl_error *why = sampling->not_kept.kind == SL_ERROR_NONE ? &sampling->not_kept : NULL;
        if (!sl_recording_create(&sampling->recording, place, why, error)) {
            return false;
        }
        place = sampling->recording.place + 1;
        if (write_to(sampling, options, sampling->recording.descriptor, error)) {
            return true;
        }
        if (why != NULL && sampling->not_kept.kind == SL_ERROR_NONE) {
            sampling->not_kept = *error;
        }
        sl_recording_discard(&sampling->recording);
    }
    return false;
}

static bool begin(struct sl_sampling *sampling, struct sl_error *error)
{
    memset(sampling, 0, sizeof *sampling);
    sampling->recording = (struct sl_recording){.descriptor = -1, .place = SL_RECORDING_NOWHERE};
    sampling->end = SL_SESSION_NOTHING;
    sampling->ended_descriptor = eventfd(0, EFD_CLOEXEC);
    return sampling->ended_descriptor >= 0 || sl_error_system(error, errno, "cannot create an event descriptor");
}

static struct sl_session_options session_options(const struct sl_options *options)
{
    return (struct sl_session_options){
        .interval_ns = options->interval_ns,
        .main_thread_only = options->main_thread_only,
        .states = true,
        .duration_ns = options->duration_ns,
        .descendants = options->children                             ? SL_DESCENDANTS_ALL
                       : options->program_kind == SL_PROGRAM_COMMAND ? SL_DESCENDANTS_FIRST
                                                                     : SL_DESCENDANTS_NONE,
    };
}

/* False: nothing is left behind. */
static bool create_session(struct sl_sampling *sampling, const struct sl_session_options *options,
                           struct sl_recorder *recorder, struct sl_error *error)
{
    sampling->session = sl_session_create(options, recorder, error);
    if (sampling->session == NULL) {
        sl_sampling_destroy(sampling, false);
    }
    return sampling->session != NULL;
}

bool sl_sampling_prepare(struct sl_sampling *sampling, const struct sl_options *options, struct sl_error *error)
{
    const struct sl_session_options session = session_options(options);
    if (!begin(sampling, error)) {
        return false;
    }
    if (!create_recorder(sampling, options, error)) {
        sl_sampling_destroy(sampling, false);
        return false;
    }
    return create_session(sampling, &session, sampling->recorder, error);
}

bool sl_sampling_prepare_stream(struct sl_sampling *sampling, const struct sl_options *options, int descriptor,
                                uint64_t flush_ns, struct sl_error *error)
{
    struct sl_session_options session = session_options(options);
    session.flush_ns = flush_ns;
    if (!begin(sampling, error)) {
        return false;
    }
    if (!write_to(sampling, options, descriptor, error)) {
        sl_sampling_destroy(sampling, false);
        return false;
    }
    return create_session(sampling, &session, sampling->recorder, error);
}

/* A part of a turn of a series, so that what was started at once on many machines does not all turn at once. */
static uint64_t part_of(uint64_t turn_ns)
{
    uint64_t drawn = 0;
    (void)!getrandom(&drawn, sizeof drawn, GRND_NONBLOCK);
    return turn_ns / 2 + drawn % (turn_ns / 2 + 1);
}

bool sl_sampling_prepare_turns(struct sl_sampling *sampling, const struct sl_options *options,
                               struct sl_recorder *recorder,
                               struct sl_recorder *(*turn)(void *context, const struct sl_session_turn *turn),
                               void *context, struct sl_error *error)
{
    struct sl_session_options session = session_options(options);
    session.turn_ns = options->series.every_ns;
    session.first_turn_ns = part_of(session.turn_ns);
    session.turn = turn;
    session.turn_context = context;
    return begin(sampling, error) && create_session(sampling, &session, recorder, error);
}

static void *run_session(void *argument)
{
    struct sl_sampling *sampling = argument;
    sampling->end = sl_session_run(sampling->session, &sampling->error);
    uint64_t one = 1;
    (void)!write(sampling->ended_descriptor, &one, sizeof one);
    return NULL;
}

bool sl_sampling_add(struct sl_sampling *sampling, const struct sl_session_target *target, struct sl_error *error)
{
    return sl_session_add(sampling->session, target, error);
}

bool sl_sampling_join(struct sl_sampling *sampling, const struct sl_options *options, pid_t pid, struct sl_error *error)
{
    struct sl_session_target target = {.pid = pid};
    if (sl_sampling_add(sampling, &target, error)) {
        return true;
    }
    target.prospect = true;
    return options->children && error->kind == SL_ERROR_NOT_PYTHON && sl_sampling_add(sampling, &target, error);
}

bool sl_sampling_start(struct sl_sampling *sampling, struct sl_error *error)
{
    int error_number = pthread_create(&sampling->thread, NULL, run_session, sampling);
    if (error_number != 0) {
        return sl_error_system(error, error_number, "cannot start the sampler's thread");
    }
    sampling->running = true;
    return true;
}

void sl_sampling_finish(struct sl_sampling *sampling)
{
    if (sampling->running) {
        sl_session_stop(sampling->session);
        pthread_join(sampling->thread, NULL);
        sampling->running = false;
    }
}

void sl_sampling_destroy(struct sl_sampling *sampling, bool keep)
{
    sl_sampling_finish(sampling);
    if (sampling->session != NULL) {
        sl_session_destroy(sampling->session);
    }
    if (sampling->recorder != NULL) {
        sl_recorder_destroy(sampling->recorder);
    }
    if (keep) {
        sl_recording_close(&sampling->recording);
    } else {
        sl_recording_discard(&sampling->recording);
    }
    if (sampling->ended_descriptor >= 0) {
        close(sampling->ended_descriptor);
    }
    memset(sampling, 0, sizeof *sampling);
    sampling->recording = (struct sl_recording){.descriptor = -1, .place = SL_RECORDING_NOWHERE};
    sampling->ended_descriptor = -1;
}
