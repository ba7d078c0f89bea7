/* run.c - `stacklapse script.py`: starts the program as it would start without us, looks at it until it ends, and says
 * where its time went.
 *
 * Until the program has started, whatever fails ends us with SL_EXIT_NOT_STARTED and leaves nothing behind. From then
 * on nothing that fails changes what the program does or its exit code. */
#include "cli/command.h"

#include "base/buffer.h"
#include "cli/command_line.h"
#include "cli/interpreter.h"
#include "cli/interrupt.h"
#include "cli/outcome.h"
#include "cli/progress.h"
#include "cli/relay.h"
#include "cli/report.h"
#include "cli/sampling.h"
#include "cli/series.h"
#include "cli/suggest.h"
#include "profile/trace_reader.h"
#include "target/launch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct run {
    const struct sl_options *options;
    struct sl_report report;
    struct sl_interpreter interpreter;
    char **arguments;         /* of the program, with its argv[0] */
    struct sl_buffer command; /* the program as the report names it */
    struct sl_relay relay;
    struct sl_launched program;
    struct sl_series *series; /* of recordings that follow each other; NULL: there is one */
    struct sl_sampling sampling;
    bool sampled;     /* `sampling` is there */
    bool interrupted; /* the program died of Ctrl-C */
    struct sl_progress progress;
};

/* What Python would say by itself, but in the words of somebody who typed `stacklapse`. */
static bool check_script(const struct sl_options *options, struct sl_error *error)
{
    const char *script = options->program;
    if (options->program_kind != SL_PROGRAM_SCRIPT || strcmp(script, "-") == 0 || access(script, F_OK) == 0) {
        return true;
    }
    if (errno != ENOENT && errno != ENOTDIR) {
        return sl_error_system(error, errno, "cannot open %s", script);
    }
    const char *names[SL_COMMANDS_MAX + 1] = {NULL};
    for (size_t i = 0; i < SL_COMMANDS_MAX && sl_commands[i].name != NULL; i++) {
        names[i] = sl_commands[i].name;
        if (strcmp(names[i], script) == 0) {
            return sl_error_set(error, SL_ERROR_USAGE, "the sub-command comes before all options: stacklapse %s",
                                script);
        }
    }
    char *found = strchr(script, '/') == NULL ? sl_interpreter_on_path(getenv("PATH"), script, NULL) : NULL;
    if (found != NULL) {
        free(found);
        return sl_error_set(error, SL_ERROR_USAGE,
                            "no such file: %s; to run the command of this name: stacklapse -- %s", script, script);
    }
    const char *near = sl_nearest(script, names);
    if (near != NULL) {
        return sl_error_set(error, SL_ERROR_USAGE, "no such file or sub-command: %s; did you mean stacklapse %s?",
                            script, near);
    }
    return sl_error_set(error, SL_ERROR_SYSTEM, "no such file: %s", script);
}

/* The program's argv, and how the report names it. */
static bool make_arguments(struct run *run, struct sl_error *error)
{
    const struct sl_options *options = run->options;
    size_t count = 0;
    while (options->arguments[count] != NULL) {
        count++;
    }
    run->arguments = calloc(count + 4, sizeof *run->arguments);
    if (run->arguments == NULL) {
        return sl_error_memory(error);
    }
    char **next = run->arguments;
    *next++ = run->interpreter.called;
    if (options->program_kind == SL_PROGRAM_MODULE) {
        *next++ = (char *)"-m";
    } else if (options->program_kind == SL_PROGRAM_CODE) {
        *next++ = (char *)"-c";
    }
    if (options->program_kind != SL_PROGRAM_COMMAND) {
        *next++ = (char *)options->program;
    }
    memcpy(next, options->arguments, count * sizeof *next);

    sl_command_line_words(&run->command, run->arguments + (options->program_kind == SL_PROGRAM_COMMAND ? 0 : 1));
    return !run->command.failed || sl_error_memory(error);
}

/* Set by `python -m stacklapse` (python/stacklapse/__main__.py) to the Python that it is run by. */
static const char module_python[] = "_STACKLAPSE_PYTHON";

/* The Python that was asked for, or where none was, that of which this is the module; else NULL. */
static bool find_python(struct run *run, struct sl_error *error)
{
    const char *asked = run->options->python != NULL ? run->options->python : getenv(module_python);
    return sl_interpreter_find(&run->interpreter, asked, error);
}

static bool prepare(struct run *run, struct sl_error *error)
{
    const struct sl_options *options = run->options;
    if (options->program_kind == SL_PROGRAM_NONE) {
        return sl_error_set(error, SL_ERROR_USAGE,
                            "nothing to run: stacklapse script.py profiles a script; stacklapse --help says the rest");
    }
    if (options->program_kind == SL_PROGRAM_COMMAND && options->python != NULL) {
        return sl_error_set(error, SL_ERROR_USAGE,
                            "--python is for a script, a module or code; the command behind -- has its own");
    }
    if (!sl_report_plan(&run->report, options, STDERR_FILENO, error) || !check_script(options, error)) {
        return false;
    }
    bool found = options->program_kind == SL_PROGRAM_COMMAND
                     ? sl_interpreter_command(&run->interpreter, options->program, error)
                     : find_python(run, error);
    unsetenv(module_python); /* the program's environment is as it would be without us */
    return found && make_arguments(run, error);
}

/* The program goes on, or has ended, without a recording. */
static void give_up(struct run *run, const char *why)
{
    sl_progress_erase(&run->progress);
    sl_say("not profiled: %s", why);
    if (run->sampled) {
        run->sampled = false;
        sl_sampling_destroy(&run->sampling, false);
    }
}

static const char ended_too_soon[] = "the program ended before a Python was found in it";

static const char *reason(const struct sl_error *error)
{
    return error->kind == SL_ERROR_GONE ? ended_too_soon : error->sentence;
}

/* The session has ended before the program: it could see nothing, or can write no more. */
static void on_session_end(void *context)
{
    struct run *run = context;
    sl_sampling_finish(&run->sampling);
    if (run->sampling.end == SL_SESSION_NOTHING) {
        give_up(run, reason(&run->sampling.error));
    }
}

static void on_tick(void *context)
{
    struct run *run = context;
    if (!run->sampled) {
        return;
    }
    if (run->series != NULL) {
        sl_series_tell(run->series, &run->progress);
    }
    struct sl_session_progress progress = sl_session_progress(run->sampling.session);
    if (!progress.sampling) {
        /* What runs now may have the screen to itself. */
        sl_progress_erase(&run->progress);
    } else if (progress.elapsed_ns >= (uint64_t)SL_PROGRESS_PERIOD_MS * 1000000) {
        sl_progress_show(&run->progress, progress.elapsed_ns, progress.samples);
    }
}

static void on_leave(void *context)
{
    struct run *run = context;
    sl_progress_erase(&run->progress);
    if (run->sampled) {
        sl_session_stops(run->sampling.session);
    }
}

static void on_back(void *context)
{
    struct run *run = context;
    if (run->sampled) {
        sl_session_went_on(run->sampling.session);
    }
}

static void look_until_end(struct run *run)
{
    const struct sl_session_target target = {
        .pid = run->program.pid,
        .started_ns = run->program.started_ns,
        .command = run->command.bytes,
        .starting = run->options->program_kind != SL_PROGRAM_COMMAND,
        .prospect = run->options->program_kind == SL_PROGRAM_COMMAND,
    };
    struct sl_error error = {0};
    if (run->sampled &&
        !(sl_sampling_add(&run->sampling, &target, &error) && sl_sampling_start(&run->sampling, &error))) {
        /* Of a program that has just started, only a zombie is no Python at once. */
        give_up(run, error.kind == SL_ERROR_NOT_PYTHON ? ended_too_soon : reason(&error));
    }
    sl_progress_init(&run->progress, run->options->quiet || !run->sampled ? -1 : STDERR_FILENO);
    const struct sl_relay_duties duties = {
        .descriptor = run->sampled ? run->sampling.ended_descriptor : -1,
        .ready = on_session_end,
        .period_ms = run->progress.descriptor >= 0 || run->series != NULL ? SL_PROGRESS_PERIOD_MS : -1,
        .tick = on_tick,
        .leave = on_leave,
        .back = on_back,
        .context = run,
    };
    sl_relay_until_end(&run->relay, run->program.pid, &duties);
    if (run->sampled) {
        sl_sampling_finish(&run->sampling);
    }
    sl_progress_erase(&run->progress);
}

/* Whether any process in it was a Python that could be read. */
static bool saw_python(const struct sl_profile *profile)
{
    for (uint32_t i = 0; i < profile->process_count; i++) {
        if (sl_profile_text_size(profile, profile->processes[i].python) > 0) {
            return true;
        }
    }
    return false;
}

static void write_report(struct run *run)
{
    if (run->sampling.end == SL_SESSION_NOTHING) {
        give_up(run, reason(&run->sampling.error));
        return;
    }
    struct sl_error error = {0};
    struct sl_profile *profile = sl_trace_read_file(run->sampling.recording.path, &error);
    if (profile == NULL) {
        sl_outcome_unreadable(&run->sampling, &error);
    } else if (saw_python(profile)) {
        (void)sl_outcome_write(&run->sampling, &run->report, run->options, profile);
    } else {
        bool cut_off = run->sampling.end == SL_SESSION_FAILED;
        give_up(run, cut_off ? run->sampling.error.sentence : ended_too_soon);
    }
    sl_profile_destroy(profile);
}

/* The end of recordings that follow each other. */
static void finish_series(struct run *run)
{
    if (run->sampling.end == SL_SESSION_NOTHING) {
        give_up(run, reason(&run->sampling.error));
        return;
    }
    bool failed = run->sampling.end == SL_SESSION_FAILED;
    (void)sl_series_finish(run->series, failed ? &run->sampling.error : NULL);
    if (sl_session_progress(run->sampling.session).samples == 0) {
        give_up(run, ended_too_soon);
    }
}

/* Whether there is a recording to be made. */
static bool prepare_sampling(struct run *run, struct sl_error *error)
{
    if (!sl_is_series(&run->options->series)) {
        return sl_sampling_prepare(&run->sampling, run->options, error);
    }
    run->series = sl_series_open(run->options, error);
    return run->series != NULL &&
           sl_sampling_prepare_turns(&run->sampling, run->options, sl_series_recorder(run->series), sl_series_turn,
                                     run->series, error);
}

static int exit_code(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* From the program's start to its end and the report. False when it could not be started. */
static bool run_program(struct run *run, int *code, struct sl_error *error)
{
    if (!sl_relay_begin(&run->relay, error)) {
        return false;
    }
    struct sl_error sampling_error = {0};
    run->sampled = prepare_sampling(run, &sampling_error);
    if (sampling_error.kind == SL_ERROR_USAGE) {
        *error = sampling_error;
        return false;
    }
    if (!sl_launch(&run->program, run->interpreter.path, run->arguments, &run->relay.inherited, error)) {
        if (run->sampled) {
            sl_sampling_destroy(&run->sampling, false);
        }
        return false;
    }
    /* A reader of the report who closes the pipe is told of by an error code. */
    signal(SIGPIPE, SIG_IGN);
    if (run->options->verbose) {
        sl_say("%s: %s, pid %d", run->interpreter.why, run->interpreter.path, (int)run->program.pid);
    }
    if (!run->sampled) {
        give_up(run, sampling_error.sentence);
    }
    look_until_end(run);
    sl_relay_end(&run->relay);
    sl_interrupt_arm(SL_INTERRUPT_GRACE_NS);

    struct sl_exit end = {0};
    bool ended = sl_launch_wait(run->program.pid, &end, error);
    *code = ended ? exit_code(end.status) : SL_EXIT_FAILED;
    run->interrupted = ended && run->relay.interrupted && WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGINT;
    if (run->sampled && run->series != NULL) {
        finish_series(run);
    } else if (run->sampled) {
        write_report(run);
    }
    if (run->sampled) {
        sl_sampling_destroy(&run->sampling, true);
        sl_recordings_prune();
    }
    return true;
}

int sl_command_run(const struct sl_options *options)
{
    struct run run = {.options = options, .progress = {.descriptor = -1}};
    struct sl_error error = {0};
    int code = SL_EXIT_NOT_STARTED;
    sl_buffer_init(&run.command);
    if (!prepare(&run, &error) || !run_program(&run, &code, &error)) {
        sl_say_error(&error);
        code = SL_EXIT_NOT_STARTED;
    }
    sl_series_close(run.series);
    sl_buffer_destroy(&run.command);
    sl_interpreter_destroy(&run.interpreter);
    free(run.arguments);
    if (run.interrupted) {
        sl_interrupt_die();
    }
    return code;
}
