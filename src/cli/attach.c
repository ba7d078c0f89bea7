/* attach.c - `stacklapse attach PID...`: looks at programs that run already, until a time is over, Ctrl-C, or they end,
 * and says where their time went. They do not notice: nothing is written to them, none is stopped or signalled. */
#include "cli/command.h"

#include "cli/interrupt.h"
#include "cli/outcome.h"
#include "cli/processes.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/sampling.h"
#include "cli/series.h"
#include "cli/signals.h"
#include "profile/trace_reader.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* All but Ctrl-Z (SIGTSTP) end the recording. */
static const int signals_taken[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

/* One look at programs that run. */
struct attach {
    const struct sl_options *options;
    struct sl_report report;
    struct sl_series *series; /* of recordings that follow each other; NULL: there is one */
    struct sl_sampling sampling;
    struct sl_progress progress;
    size_t joined;  /* how many of the processes are looked at */
    bool sink_told; /* it was said that the recording cannot be written */
};

static void show_progress(struct attach *attach)
{
    struct sl_session_progress progress = sl_session_progress(attach->sampling.session);
    if (progress.sink != NULL && !attach->sink_told && attach->series == NULL) {
        attach->sink_told = true;
        sl_progress_erase(&attach->progress);
        sl_say_error(progress.sink);
        sl_say("looking goes on: what is seen is kept in memory, and written when that is possible");
    }
    if (attach->series != NULL) {
        sl_series_tell(attach->series, &attach->progress);
    }
    if (progress.elapsed_ns >= (uint64_t)SL_PROGRESS_PERIOD_MS * 1000000) {
        sl_progress_show(&attach->progress, progress.elapsed_ns, progress.samples);
    }
}

/* Stops as the key does that was pressed: not at all where no shell is there that could let us go on again. */
static void stop(struct sl_session *session)
{
    sigset_t key;
    sigemptyset(&key);
    sigaddset(&key, SIGTSTP);
    sl_session_stops_alone(session);
    raise(SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &key, NULL);
    sigprocmask(SIG_BLOCK, &key, NULL);
    sl_session_went_on(session);
}

/* Until the session ends by itself or a signal asks for the end. */
static void look_until_end(struct attach *attach, int signals)
{
    sl_progress_init(&attach->progress, attach->options->quiet ? -1 : STDERR_FILENO);
    struct pollfd events[] = {
        {.fd = attach->sampling.ended_descriptor, .events = POLLIN},
        {.fd = signals, .events = POLLIN},
    };
    bool over = false;
    while (!over) {
        int ready = poll(events, 2, SL_PROGRESS_PERIOD_MS);
        struct signalfd_siginfo signal;
        while (ready > 0 && !over && read(signals, &signal, sizeof signal) == (ssize_t)sizeof signal) {
            if (signal.ssi_signo == SIGTSTP) {
                sl_progress_erase(&attach->progress);
                stop(attach->sampling.session);
            } else {
                over = true;
            }
        }
        over = over || events[0].revents != 0;
        if (!over) {
            show_progress(attach);
        }
    }
    sl_sampling_finish(&attach->sampling);
    sl_progress_erase(&attach->progress);
}

/* Joins what can be joined, and says of the rest why not. */
static void join(struct attach *attach, const pid_t *pids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sl_error error = {0};
        if (sl_sampling_join(&attach->sampling, attach->options, pids[i], &error)) {
            attach->joined++;
        } else {
            sl_processes_say_refused(pids[i], &error);
        }
    }
}

/* Why there is not a single sample. */
static void say_nothing_seen(const struct attach *attach, const struct sl_profile *profile, const pid_t *pids,
                             size_t count)
{
    const struct sl_sampling *sampling = &attach->sampling;
    if (sampling->end == SL_SESSION_FAILED) {
        sl_say("there is nothing to report: %s", sampling->error.sentence);
    } else if (profile->process_count == 0 && count == 1) {
        sl_say("no Python was found in process %d or below it", (int)pids[0]);
    } else if (profile->process_count == 0) {
        sl_say("no Python was found in these %zu processes or below them", count);
    } else {
        sl_say("not a single sample was taken: %s", sampling->end == SL_SESSION_ENDED
                                                        ? "the process ended before it could be looked at"
                                                        : "the recording was ended too soon");
    }
}

/* False when there is nothing to report, or it could not be written. `*worth_keeping` is false when nothing was seen. */
static bool write_report(struct attach *attach, const pid_t *pids, size_t count, bool *worth_keeping)
{
    *worth_keeping = false;
    if (attach->sampling.end == SL_SESSION_NOTHING) {
        sl_say_error(&attach->sampling.error);
        return false;
    }
    struct sl_error error = {0};
    struct sl_profile *profile = sl_trace_read_file(attach->sampling.recording.path, &error);
    if (profile == NULL) {
        *worth_keeping = true;
        sl_outcome_unreadable(&attach->sampling, &error);
        return false;
    }
    bool written = false;
    *worth_keeping = profile->facts.samples > 0;
    if (*worth_keeping) {
        written = sl_outcome_write(&attach->sampling, &attach->report, attach->options, profile);
    } else {
        say_nothing_seen(attach, profile, pids, count);
    }
    sl_profile_destroy(profile);
    return written;
}

/* The end of recordings that follow each other. False when there is none, or not all of them are where they should be. */
static bool finish_series(struct attach *attach)
{
    if (attach->sampling.end == SL_SESSION_NOTHING) {
        sl_say_error(&attach->sampling.error);
        return false;
    }
    bool failed = attach->sampling.end == SL_SESSION_FAILED;
    bool whole = sl_series_finish(attach->series, failed ? &attach->sampling.error : NULL);
    bool any = sl_session_progress(attach->sampling.session).samples > 0;
    if (!any) {
        sl_say("not a single sample was taken: no Python was found, or it was over too soon");
    }
    return whole && any;
}

static bool prepare(struct attach *attach, struct sl_error *error)
{
    if (!sl_is_series(&attach->options->series)) {
        return sl_sampling_prepare(&attach->sampling, attach->options, error);
    }
    attach->series = sl_series_open(attach->options, error);
    return attach->series != NULL &&
           sl_sampling_prepare_turns(&attach->sampling, attach->options, sl_series_recorder(attach->series),
                                     sl_series_turn, attach->series, error);
}

/* Until the end, and what comes of it. False when that is not all that was asked for. */
static bool look_and_report(struct attach *attach, int signals, const pid_t *pids, size_t count)
{
    look_until_end(attach, signals);
    sl_interrupt_arm(SL_INTERRUPT_GRACE_NS);
    bool worth_keeping = false;
    bool written = attach->series != NULL ? finish_series(attach) : write_report(attach, pids, count, &worth_keeping);
    written = written && attach->sampling.end != SL_SESSION_FAILED;
    sl_sampling_destroy(&attach->sampling, worth_keeping);
    sl_recordings_prune();
    return written;
}

/* The exit code, or SL_EXIT_FAILED with `error` filled in. */
static int look_at(struct attach *attach, const pid_t *pids, size_t count, struct sl_error *error)
{
    int signals = sl_signals_receive(signals_taken, sizeof signals_taken / sizeof signals_taken[0], error);
    if (signals < 0) {
        return SL_EXIT_FAILED;
    }
    signal(SIGPIPE, SIG_IGN);
    int code = SL_EXIT_FAILED;
    if (prepare(attach, error)) {
        join(attach, pids, count);
        if (attach->joined == 0 || !sl_sampling_start(&attach->sampling, error)) {
            sl_sampling_destroy(&attach->sampling, false);
        } else if (look_and_report(attach, signals, pids, count) && attach->joined == count) {
            code = SL_EXIT_DONE;
        }
    }
    sl_series_close(attach->series);
    close(signals);
    return code;
}

int sl_command_attach(const struct sl_options *options)
{
    struct attach attach = {.options = options, .progress = {.descriptor = -1}};
    struct sl_error error = {0};
    pid_t *pids = NULL;
    size_t count = 0;
    int code = SL_EXIT_FAILED;
    if (sl_processes_named(options, "attach", &pids, &count, &error) &&
        sl_report_plan(&attach.report, options, STDOUT_FILENO, &error)) {
        code = look_at(&attach, pids, count, &error);
    }
    if (error.kind != SL_ERROR_NONE) {
        sl_say_error(&error);
        code = error.kind == SL_ERROR_USAGE ? SL_EXIT_USAGE : SL_EXIT_FAILED;
    }
    free(pids);
    return code;
}
