/* dump.c - `stacklapse dump PID...`: what every thread of a running process does now, as a debugger would show it, but
 * without stopping anything. */
#include "cli/command.h"

#include "cli/dump_view.h"
#include "cli/processes.h"
#include "cli/terminal.h"
#include "target/children.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* What is shown, in order. */
struct views {
    struct sl_dump_view **items; /* owned */
    size_t count;
};

static void destroy(struct sl_dump_view *view)
{
    sl_dump_destroy(&view->dump);
    if (view->opened) {
        sl_process_close(&view->process);
    }
    free(view);
}

/* Looks at one process; NULL when memory is exhausted. */
static struct sl_dump_view *look_at(pid_t pid)
{
    struct sl_dump_view *view = calloc(1, sizeof *view);
    if (view == NULL) {
        return NULL;
    }
    view->pid = pid;
    view->opened = sl_process_open(&view->process, pid, &view->error);
    if (view->opened) {
        sl_process_command(&view->process, view->command);
        sl_process_executable(&view->process, view->executable);
        view->parent = (pid_t)sl_process_parent(&view->process);
        view->taken = sl_dump_take(&view->dump, &view->process, &view->error);
    }
    return view;
}

static bool add(struct views *views, pid_t pid, struct sl_error *error)
{
    for (size_t i = 0; i < views->count; i++) {
        if (views->items[i]->pid == pid) {
            return true;
        }
    }
    struct sl_dump_view **items = realloc(views->items, (views->count + 1) * sizeof *items);
    if (items == NULL) {
        return sl_error_memory(error);
    }
    views->items = items;
    struct sl_dump_view *view = look_at(pid);
    if (view == NULL) {
        return sl_error_memory(error);
    }
    views->items[views->count++] = view;
    return true;
}

static bool add_descendants(struct views *views, pid_t pid, struct sl_error *error)
{
    struct sl_descendants descendants = {0};
    bool done = sl_descendants_read(&descendants, pid) || sl_error_memory(error);
    for (size_t i = 0; i < descendants.count && done; i++) {
        done = add(views, descendants.items[i].pid, error);
    }
    sl_descendants_destroy(&descendants);
    return done;
}

static void write_text(struct sl_output *output, const struct views *views, const struct sl_options *options)
{
    struct sl_terminal terminal = sl_terminal_look(STDOUT_FILENO, options->color);
    bool any = false;
    for (size_t i = 0; i < views->count; i++) {
        struct sl_dump_view *view = views->items[i];
        /* Why a process that was named could not be read is said on standard error; of a descendant it is no failure. */
        if (!view->taken && !options->all) {
            continue;
        }
        sl_output_text(output, any ? "\n" : "");
        any = true;
        sl_dump_text(output, view, options->show_all, terminal.color, !terminal.is_terminal || terminal.unicode);
    }
}

static bool write_views(const struct views *views, const struct sl_options *options, struct sl_error *error)
{
    struct sl_output output;
    sl_output_descriptor(&output, STDOUT_FILENO);
    if (options->json) {
        sl_dump_json(&output, views->items, views->count);
    } else {
        write_text(&output, views, options);
    }
    sl_output_flush(&output);
    /* Whoever reads may have seen enough (head), or the terminal is gone. */
    if (output.error_number == EPIPE || output.error_number == EIO) {
        sl_output_abandon(&output);
        return true;
    }
    return sl_output_close(&output, error);
}

static bool look_at_all(struct views *views, const struct sl_options *options, const pid_t *pids, size_t count,
                        struct sl_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (!add(views, pids[i], error) || (options->all && !add_descendants(views, pids[i], error))) {
            return false;
        }
    }
    return true;
}

/* Says what could not be looked at, and whether that makes it a failure: every process that was named counts, with
 * --all one of its family is enough. */
static bool say_refused(const struct views *views, const struct sl_options *options, const pid_t *pids, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < views->count; i++) {
        any = any || views->items[i]->taken;
    }
    bool refused = !any;
    for (size_t i = 0; i < views->count; i++) {
        const struct sl_dump_view *view = views->items[i];
        bool named = false;
        for (size_t n = 0; n < count; n++) {
            named = named || pids[n] == view->pid;
        }
        if (!view->taken && named && !(options->all && any)) {
            sl_processes_say_refused(view->pid, &view->error);
            refused = true;
        }
    }
    return refused;
}

int sl_command_dump(const struct sl_options *options)
{
    struct views views = {0};
    struct sl_error error = {0};
    pid_t *pids = NULL;
    size_t count = 0;
    int code = SL_EXIT_DONE;
    signal(SIGPIPE, SIG_IGN);
    if (!sl_processes_named(options, "dump", &pids, &count, &error)) {
        sl_say_error(&error);
        code = error.kind == SL_ERROR_USAGE ? SL_EXIT_USAGE : SL_EXIT_FAILED;
    } else if (!look_at_all(&views, options, pids, count, &error) || !write_views(&views, options, &error)) {
        sl_say_error(&error);
        code = SL_EXIT_FAILED;
    } else if (say_refused(&views, options, pids, count)) {
        code = SL_EXIT_FAILED;
    }
    for (size_t i = 0; i < views.count; i++) {
        destroy(views.items[i]);
    }
    free(views.items);
    free(pids);
    return code;
}
