/* top.c - `stacklapse top PID...`: where a running program's time goes, as it goes there. Of what is seen, only totals
 * and the last minute are kept, in memory.
 *
 *   top_feed.c     the session, and what it writes read back
 *   top_numbers.c  what is counted
 *   top_view.c     what the keys have chosen
 *   top_rows.c, top_head.c  the rows of the screen
 *   top_screen.c   the terminal
 */
#include "cli/command.h"

#include "cli/processes.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "cli/top_feed.h"
#include "cli/top_numbers.h"
#include "cli/top_rows.h"
#include "cli/top_screen.h"
#include "cli/top_view.h"
#include "profile/trace_reader.h"
#include "target/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Counting that takes no longer than this is done whenever there is something new: twice a second. */
#define PATIENCE_NS ((uint64_t)100000000)

/* A process that cannot be looked at. */
struct refusal {
    pid_t pid;
    struct sl_error error;
};

struct top {
    const struct sl_options *options;
    struct sl_roles_options roles;
    struct sl_top_feed feed;
    struct sl_top_view view;
    struct sl_top_numbers numbers;
    struct sl_top_rows rows;
    struct sl_top_choice choice;
    struct sl_profile *frozen; /* what there was when the view was paused, NULL when it is not */
    uint64_t frozen_exact_ns;
    double frozen_cpu_share;
    int signal;               /* that ends us, 0: none */
    struct refusal *refusals; /* owned */
    size_t refusal_count;
};

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* Begins or ends the pause as the view has it. */
static bool keep_pause(struct top *top, struct sl_error *error)
{
    if (top->view.paused == (top->frozen != NULL)) {
        return true;
    }
    if (!top->view.paused) {
        sl_profile_destroy(top->frozen);
        top->frozen = NULL;
        return true;
    }
    const struct sl_profile *profile = sl_trace_follower_profile(top->feed.follower);
    top->frozen = profile != NULL ? sl_profile_copy(profile) : NULL;
    top->frozen_exact_ns = sl_trace_follower_exact_ns(top->feed.follower);
    top->frozen_cpu_share = sl_top_feed_cpu_share(&top->feed, top->view.window_ns);
    return top->frozen != NULL || sl_error_memory(error);
}

static bool show(struct top *top, struct sl_error *error)
{
    if (!keep_pause(top, error)) {
        return false;
    }
    const struct sl_profile *profile = top->frozen;
    uint64_t exact_ns = top->frozen_exact_ns;
    top->rows.cpu_share = top->frozen_cpu_share;
    if (profile == NULL) {
        profile = sl_trace_follower_profile(top->feed.follower);
        exact_ns = sl_trace_follower_exact_ns(top->feed.follower);
        top->rows.cpu_share = sl_top_feed_cpu_share(&top->feed, top->view.window_ns);
    }
    if (profile == NULL || !sl_top_numbers_compute(&top->numbers, profile, exact_ns, &top->roles, &top->view)) {
        return sl_error_memory(error);
    }
    sl_top_screen_measure();
    top->rows.rows = sl_top_screen_rows();
    top->rows.columns = sl_top_screen_columns();
    struct sl_top_screenful screenful;
    bool made = sl_top_rows_make(&top->rows, &top->numbers, &top->view, &top->choice, &screenful);
    if (made) {
        const char *text = screenful.text.pending.bytes;
        sl_top_screen_show(text != NULL ? text : "", screenful.marked);
    }
    sl_output_abandon(&screenful.text);
    return made || sl_error_memory(error);
}

/* Takes what was pressed, up to what must be shown before the next key means something. */
static enum sl_top_effect take_keys(struct top *top)
{
    enum sl_top_effect effect = SL_TOP_NOTHING;
    for (int key; effect < SL_TOP_CHANGED && (key = sl_top_screen_key()) != SL_KEY_NONE;) {
        enum sl_top_effect one = sl_top_view_key(&top->view, key, &top->choice);
        effect = one > effect ? one : effect;
    }
    return effect;
}

/* Until a key, a signal or the end of the processes ends it. False when it fails. */
static bool watch(struct top *top, int signals, struct sl_error *error)
{
    struct pollfd events[] = {
        {.fd = top->feed.sampling.ended_descriptor, .events = POLLIN},
        {.fd = signals, .events = POLLIN},
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = sl_top_feed_descriptor(&top->feed), .events = POLLIN},
    };
    uint64_t took_ns = 0;
    bool due = true;
    for (;;) {
        if (due) {
            uint64_t begin_ns = sl_clock_now_ns();
            if (!show(top, error)) {
                return false;
            }
            took_ns = sl_clock_now_ns() - begin_ns;
        }
        /* Keys may wait in ncurses, where poll(2) does not see them. */
        enum sl_top_effect effect = take_keys(top);
        if (effect == SL_TOP_QUIT) {
            return true;
        }
        if (top->view.ended && !top->view.paused) {
            return true;
        }
        due = effect != SL_TOP_NOTHING;
        if (due) {
            continue;
        }
        /* What takes long to count is counted less often: for at most a fifth of the time. */
        bool patient = took_ns > PATIENCE_NS;
        events[3].events = patient ? 0 : POLLIN;
        int ready = poll(events, sizeof events / sizeof events[0], patient ? (int)(took_ns * 4 / 1000000) : -1);
        took_ns = 0;
        if (ready < 0 && errno != EINTR) {
            return sl_error_system(error, errno, "cannot wait for keys");
        }
        struct signalfd_siginfo signal;
        if (read(signals, &signal, sizeof signal) == (ssize_t)sizeof signal) {
            top->signal = (int)signal.ssi_signo;
            return true;
        }
        if (ready <= 0) {
            continue;
        }
        if ((events[2].revents & (POLLHUP | POLLERR)) != 0) {
            top->signal = SIGHUP;
            return true;
        }
        if (events[3].revents != 0) {
            if (!sl_top_feed_read(&top->feed, error)) {
                return false;
            }
            due = !top->view.paused;
        }
        if (events[0].revents != 0) {
            if (!sl_top_view_end(&top->view)) {
                return true;
            }
            events[0].fd = -1;
            due = true;
        }
    }
}

/* Says how it ended, on a terminal that is as it was. */
static int tell_end(struct top *top, size_t count, struct sl_error *error)
{
    const struct sl_sampling *sampling = &top->feed.sampling;
    if (top->signal != 0) {
        return top->signal == SIGINT ? SL_EXIT_DONE : 128 + top->signal;
    }
    if (error->kind != SL_ERROR_NONE) {
        return SL_EXIT_FAILED;
    }
    if (sampling->end == SL_SESSION_NOTHING) {
        *error = sampling->error;
        return SL_EXIT_FAILED;
    }
    if (sampling->end == SL_SESSION_ENDED) {
        sl_say(count == 1 ? "the process has ended" : "the processes have ended");
    }
    return SL_EXIT_DONE;
}

/* Joins what can be joined, and notes of the rest why not: what is said now would not be seen behind the view. */
static bool join(struct top *top, const pid_t *pids, size_t count, struct sl_error *error)
{
    top->refusals = calloc(count, sizeof *top->refusals);
    if (top->refusals == NULL) {
        return sl_error_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        struct refusal refusal = {.pid = pids[i]};
        if (!sl_sampling_join(&top->feed.sampling, top->options, pids[i], &refusal.error)) {
            top->refusals[top->refusal_count++] = refusal;
        }
    }
    return top->refusal_count < count;
}

static int look_at(struct top *top, const pid_t *pids, size_t count, struct sl_error *error)
{
    int code = SL_EXIT_FAILED;
    if (!sl_top_feed_open(&top->feed, top->options, error) || !join(top, pids, count, error)) {
        return code;
    }
    int signals = sl_signals_receive(ending, sizeof ending / sizeof ending[0], error);
    struct sl_terminal terminal = sl_terminal_look(STDOUT_FILENO, top->options->color);
    top->rows = (struct sl_top_rows){.color = terminal.color, .unicode = terminal.unicode, .roles = &top->roles};
    if (signals >= 0 && sl_top_screen_begin(terminal.color, terminal.unicode, error)) {
        bool ended_well = sl_top_feed_start(&top->feed, error) && watch(top, signals, error);
        sl_sampling_finish(&top->feed.sampling);
        sl_top_screen_end();
        code = ended_well ? tell_end(top, count - top->refusal_count, error) : SL_EXIT_FAILED;
    }
    if (signals >= 0) {
        close(signals);
    }
    return code;
}

/* Makes it a failure. */
static int say_refused(const struct top *top, int code)
{
    for (size_t i = 0; i < top->refusal_count; i++) {
        sl_processes_say_refused(top->refusals[i].pid, &top->refusals[i].error);
    }
    return top->refusal_count > 0 && code == SL_EXIT_DONE ? SL_EXIT_FAILED : code;
}

int sl_command_top(const struct sl_options *options)
{
    struct top top = {
        .options = options,
        .roles = {.show = options->show.globs,
                  .show_count = options->show.count,
                  .hide = options->hide.globs,
                  .hide_count = options->hide.count},
    };
    struct sl_error error = {0};
    pid_t *pids = NULL;
    size_t count = 0;
    int code = SL_EXIT_FAILED;
    sl_top_numbers_init(&top.numbers);
    sl_top_view_init(&top.view, options->mode, options->hide.count > 0 || options->show.count > 0);
    if (sl_processes_named(options, "top", &pids, &count, &error) && sl_top_screen_possible(&error)) {
        code = say_refused(&top, look_at(&top, pids, count, &error));
        sl_top_feed_close(&top.feed);
    }
    if (error.kind != SL_ERROR_NONE) {
        sl_say_error(&error);
        code = error.kind == SL_ERROR_USAGE ? SL_EXIT_USAGE : code == SL_EXIT_DONE ? SL_EXIT_FAILED : code;
    }
    sl_profile_destroy(top.frozen);
    sl_top_numbers_destroy(&top.numbers);
    free(top.refusals);
    free(pids);
    return code;
}
