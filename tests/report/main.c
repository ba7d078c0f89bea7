/* report_shapes - writes made-up recordings, for the tests of the report page, to standard output:
 *
 *   report_shapes page NAME      the report page
 *   report_shapes columns NAME   the bytes of src/render/columns.h
 *   report_shapes numbers NAME   what the page must show, computed natively (numbers.h)
 *   report_shapes time NAME      nothing; says on standard error how long writing the page took */
#include "numbers.h"
#include "shapes.h"

#include "profile/trace_reader.h"
#include "render/columns.h"
#include "render/render.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool write_page(const struct sl_profile *profile, struct sl_output *output, struct sl_error *error)
{
    struct sl_render_options options = sl_render_defaults(profile);
    options.recording = "last";
    return sl_renderer_named("html")->render(profile, &options, output, error);
}

static double now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int count, char **words)
{
    struct sl_profile *profile = count == 3 ? shape_named(words[2]) : NULL;
    if (profile == NULL) {
        fprintf(stderr, "usage: report_shapes page|columns|numbers|time NAME\n");
        return 2;
    }
    struct sl_output output;
    sl_output_descriptor(&output, STDOUT_FILENO);
    struct sl_error error = {0};
    bool done = true;
    if (strcmp(words[1], "page") == 0) {
        done = write_page(profile, &output, &error);
    } else if (strcmp(words[1], "columns") == 0) {
        struct sl_buffer columns;
        sl_buffer_init(&columns);
        sl_columns_write(profile, &columns);
        sl_output_write(&output, columns.bytes, columns.size);
        sl_buffer_destroy(&columns);
    } else if (strcmp(words[1], "numbers") == 0) {
        numbers_write(profile, &output);
    } else if (strcmp(words[1], "time") == 0) {
        struct sl_output memory;
        sl_output_memory(&memory);
        double begin = now(CLOCK_MONOTONIC);
        double cpu_begin = now(CLOCK_PROCESS_CPUTIME_ID);
        done = write_page(profile, &memory, &error);
        fprintf(stderr, "%.3f s, of them %.3f s on a CPU, %zu bytes\n", now(CLOCK_MONOTONIC) - begin,
                now(CLOCK_PROCESS_CPUTIME_ID) - cpu_begin, memory.pending.size);
        sl_output_abandon(&memory);
    } else {
        return 2;
    }
    done = done && sl_output_close(&output, &error);
    if (!done) {
        fprintf(stderr, "report_shapes: %s\n", error.sentence);
    }
    sl_profile_destroy(profile);
    return done ? 0 : 1;
}
