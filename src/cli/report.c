#include "cli/report.h"

#include "base/output.h"
#include "cli/browser.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_recording(const char *path)
{
    static const char extension[] = ".lapse";
    size_t size = strlen(path);
    return size >= sizeof extension && strcasecmp(path + size - (sizeof extension - 1), extension) == 0;
}

/* What would make writing the file fail at the end, as far as it can be known. */
static bool may_write(const char *path, struct sl_error *error)
{
    struct stat file;
    int named = sl_output_descriptor_named(path);
    if (named >= 0) {
        int flags = fcntl(named, F_GETFL);
        bool writable = flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
        return writable || sl_error_system(error, EBADF, "cannot write %s", path);
    }
    bool exists = stat(path, &file) == 0;
    if (exists && S_ISDIR(file.st_mode)) {
        return sl_error_set(error, SL_ERROR_SYSTEM, "cannot write %s: it is a directory", path);
    }
    if (exists && (!S_ISREG(file.st_mode) || named == SL_OUTPUT_DESCRIPTOR_FOREIGN)) {
        return access(path, W_OK) == 0 || sl_error_system(error, errno, "cannot write %s", path);
    }
    if (strlen(path) >= PATH_MAX) {
        return sl_error_system(error, ENAMETOOLONG, "cannot write %.200s", path);
    }
    char *place = sl_output_place(path);
    if (place == NULL) {
        return sl_error_memory(error);
    }
    int error_number = 0;
    if (place[0] != '\0' && place[strlen(place) - 1] == '/') {
        error_number = EISDIR;
    } else if (access(dirname(place), W_OK | X_OK) != 0) {
        error_number = errno;
    }
    free(place);
    return error_number == 0 || sl_error_system(error, error_number, "cannot write %s", path);
}

static bool no_renderer_for(const char *path, struct sl_error *error)
{
    char names[256] = "";
    for (const struct sl_renderer *renderer = sl_renderers; renderer->name != NULL; renderer++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "", renderer->name);
    }
    return sl_error_set(error, SL_ERROR_USAGE, "the name %s does not say which format to write; -r does: %s", path,
                        names);
}

bool sl_report_plan(struct sl_report *report, const struct sl_options *options, int text_descriptor,
                    struct sl_error *error)
{
    *report = (struct sl_report){.descriptor = -1};
    const struct sl_renderer *standard = &sl_renderers[0];
    const char *output = options->output;
    bool to_file = output != NULL && strcmp(output, "-") != 0;
    if (options->renderer != NULL) {
        report->renderer = sl_renderer_named(options->renderer);
    } else if (!to_file) {
        report->renderer = standard;
    } else if (!is_recording(output)) {
        report->renderer = sl_renderer_for_path(output);
        if (report->renderer == NULL) {
            return no_renderer_for(output, error);
        }
    }
    if (to_file) {
        report->path = output;
        return may_write(output, error);
    }
    if (output == NULL && strcmp(report->renderer->name, "html") == 0 && isatty(STDOUT_FILENO)) {
        return true;
    }
    bool by_itself = output == NULL && report->renderer == standard;
    report->descriptor = by_itself ? text_descriptor : STDOUT_FILENO;
    if (report->renderer->binary && isatty(report->descriptor)) {
        return sl_error_set(error, SL_ERROR_USAGE, "%s is not for a terminal; write it to a file: -o profile%s",
                            report->renderer->name, report->renderer->extensions[0]);
    }
    return true;
}

static bool copy_file(const char *from, struct sl_output *output, struct sl_error *error)
{
    int descriptor = open(from, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return sl_error_system(error, errno, "cannot read %s", from);
    }
    char bytes[65536];
    ssize_t size;
    while ((size = read(descriptor, bytes, sizeof bytes)) != 0) {
        if (size > 0) {
            sl_output_write(output, bytes, (size_t)size);
        } else if (errno != EINTR) {
            break;
        }
    }
    if (size < 0) {
        sl_error_system(error, errno, "cannot read %s", from);
    }
    close(descriptor);
    return size == 0;
}

static bool save_recording(const struct sl_report *report, const char *recording, struct sl_output *output,
                           struct sl_error *error)
{
    if (report->trace == NULL) {
        return copy_file(recording, output, error);
    }
    sl_output_write(output, report->trace->bytes, report->trace->size);
    return true;
}

static struct sl_render_options render_options(const struct sl_report *report, const struct sl_options *options,
                                               const char *name, const struct sl_profile *profile)
{
    struct sl_render_options render = sl_render_defaults(profile);
    render.roles = (struct sl_roles_options){
        .show_all = options->show_all,
        .show = options->show.globs,
        .show_count = options->show.count,
        .hide = options->hide.globs,
        .hide_count = options->hide.count,
    };
    render.timeline = options->timeline;
    render.flat = options->flat;
    render.flat_by_total = options->flat_by_total;
    render.percent = options->shares;
    render.merge_processes = options->merge;
    render.children_recorded = options->children;
    render.source = options->source;
    render.page_state = options->page_state;
    render.source_roots = report->source_roots;
    render.source_root_count = report->source_root_count;
    if (options->threshold >= 0) {
        render.threshold = options->threshold;
        render.threshold_given = true;
    }
    render.recording = name;
    render.about.title = report->title;
    if (report->descriptor >= 0) {
        struct sl_terminal terminal = sl_terminal_look(report->descriptor, options->color);
        render.color = terminal.color;
        render.unicode = terminal.unicode;
        render.width = terminal.width;
    } else {
        render.color = options->color == SL_COLOR_ALWAYS;
    }
    return render;
}

/* One byte for each thread, non-zero for those that are shown; NULL when memory is exhausted. */
static uint8_t *main_threads(const struct sl_profile *profile)
{
    uint8_t *threads = calloc((size_t)profile->thread_count + 1, 1);
    for (uint32_t thread = 0; threads != NULL && thread < profile->thread_count; thread++) {
        threads[thread] = profile->threads[thread].main || profile->threads[thread].kind == SL_THREAD_SCOPE;
    }
    return threads;
}

/* What is looked at in the recording; `*threads` is to be freed. False when memory is exhausted. */
static bool select_in(const struct sl_profile *profile, const struct sl_options *options, uint8_t **threads,
                      struct sl_selection *selection)
{
    *selection = sl_selection_all(profile);
    selection->mode = options->mode;
    *threads = options->main_thread_only ? main_threads(profile) : NULL;
    selection->threads = *threads;
    return !options->main_thread_only || *threads != NULL;
}

static bool render_to(struct sl_output *output, const struct sl_report *report, const struct sl_options *options,
                      const char *name, const struct sl_profile *profile, struct sl_error *error)
{
    struct sl_render_options render = render_options(report, options, name, profile);
    struct sl_comparison comparison = {.profiles = {report->before, profile}};
    uint8_t *threads = NULL;
    uint8_t *threads_before = NULL;
    bool done = select_in(profile, options, &threads, &render.selection) || sl_error_memory(error);
    if (done && report->before != NULL) {
        comparison.selections[1] = render.selection;
        done = select_in(report->before, options, &threads_before, &comparison.selections[0])
                   ? report->renderer->compare(&comparison, &render, output, error)
                   : sl_error_memory(error);
    } else if (done) {
        done = report->renderer->render(profile, &render, output, error);
    }
    free(threads_before);
    free(threads);
    return done;
}

static bool is_there(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0;
}

/* A report gets the mode of any program's output. What sl_output_file has made is for its owner only. */
static void follow_umask(const struct sl_output *output)
{
    mode_t mask = umask(077);
    umask(mask);
    /* Best effort: a report that others cannot read is still a report. */
    (void)!fchmod(output->descriptor, 0666 & ~mask);
}

/* Writes it to the descriptor, or to the file at `path`. A new file is for its owner only if it is a recording. */
static bool write_to(const char *path, const struct sl_report *report, const struct sl_options *options,
                     const char *recording, const char *name, const struct sl_profile *profile, struct sl_error *error)
{
    struct sl_output output;
    if (report->descriptor >= 0) {
        sl_output_descriptor(&output, report->descriptor);
    } else {
        bool ordinary = report->renderer != NULL && !is_there(path);
        if (!sl_output_file(&output, path, error)) {
            return false;
        }
        if (ordinary) {
            follow_umask(&output);
        }
    }
    sl_interrupt_guard(&output);
    bool done;
    if (report->renderer == NULL) {
        done = save_recording(report, recording, &output, error);
    } else {
        done = render_to(&output, report, options, name, profile, error);
    }
    if (report->descriptor >= 0) {
        sl_output_flush(&output);
    }
    bool unread = report->descriptor >= 0 && (output.error_number == EPIPE || output.error_number == EIO);
    if (!done || unread) {
        sl_output_abandon(&output);
    } else {
        done = sl_output_close(&output, error);
    }
    sl_interrupt_guard(NULL);
    return done;
}

/* A page for a person at a terminal: it goes to a temporary file, and that to the browser. */
static bool write_page(const struct sl_report *report, const struct sl_options *options, const char *recording,
                       const char *name, const struct sl_profile *profile, struct sl_error *error)
{
    char *path = sl_browser_file(error);
    if (path == NULL) {
        return false;
    }
    bool done = write_to(path, report, options, recording, name, profile, error);
    if (done) {
        sl_say("stdout is a terminal, so saved profile output to %s", path);
        if (!options->no_open && sl_browser_expected()) {
            (void)sl_browser_open(path);
        }
    } else {
        unlink(path);
    }
    free(path);
    return done;
}

bool sl_report_write(const struct sl_report *report, const struct sl_options *options, const char *recording,
                     const char *name, const struct sl_profile *profile, struct sl_error *error)
{
    bool page = report->descriptor < 0 && report->path == NULL;
    return page ? write_page(report, options, recording, name, profile, error)
                : write_to(report->path, report, options, recording, name, profile, error);
}
