#include "cli/series.h"

#include "cli/command.h"
#include "cli/recordings.h"
#include "cli/sampling.h"
#include "cli/series_message.h"
#include "profile/recording_file.h"
#include "profile/trace_reader.h"
#include "push/address.h"
#include "push/sender.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* For as long as a server was away: an hour of recordings of 15 s, most of which take some dozens of kB. */
enum { WAITING_MAX = 240 };
static const size_t waiting_bytes_max = (size_t)64 * 1024 * 1024;

/* What is left to the server at the end. */
static const uint64_t grace_ns = 10000000000;

enum { SERVICE_MAX = 257 };

struct sl_series {
    const struct sl_options *options;
    struct sl_recorder *recorder;
    struct sl_recording file;  /* that it writes to; none where it could not be made, or there is no folder */
    struct sl_sender *sender;  /* NULL: nothing is sent */
    struct sl_address address; /* as it was typed, for sentences */
    char service[SERVICE_MAX]; /* "" until it is known. From the start on the sender's thread alone uses it */
    uint64_t kept, unkept; /* recordings in the folder, and that should be there. The session's thread counts them */
    struct sl_error unkept_why; /* of the first; written before `unkept_known` is set */
    atomic_bool unkept_known;
    bool unkept_told, again_told, refused_told;
};

/* A recording that is to be sent: it lies in a file, or in the memory of its recorder. */
struct waiting {
    struct sl_series *series;
    char *path;
    struct sl_recorder *recorder;
};

static void drop(void *content)
{
    struct waiting *waiting = content;
    sl_recorder_destroy(waiting->recorder);
    free(waiting->path);
    free(waiting);
}

static bool make_message(void *content, struct sl_buffer *message, struct sl_error *error)
{
    struct waiting *waiting = content;
    struct sl_series *series = waiting->series;
    struct sl_profile *profile = NULL;
    if (waiting->path != NULL) {
        profile = sl_recording_file_read(waiting->path, error);
    } else {
        const struct sl_buffer *trace = sl_recorder_trace(waiting->recorder);
        profile = sl_trace_read(trace->bytes, trace->size, error);
    }
    if (profile != NULL && series->service[0] == '\0') {
        sl_series_service(profile, series->service, sizeof series->service);
    }
    bool made =
        profile != NULL && sl_series_message(profile, &series->options->series, series->service, message, error);
    sl_profile_destroy(profile);
    return made;
}

static void count_unkept(struct sl_series *series, const struct sl_error *why)
{
    series->unkept++;
    if (!atomic_load(&series->unkept_known)) {
        series->unkept_why = *why;
        atomic_store(&series->unkept_known, true);
    }
}

/* What is sent waits in memory where there is no folder, or that cannot be written to. */
static bool begin(struct sl_series *series, uint64_t time_ns, struct sl_error *error)
{
    const struct sl_options *options = series->options;
    const char *folder = options->series.folder;
    struct sl_error why = {0};
    series->recorder = NULL;
    if (folder != NULL && sl_recording_create_in(&series->file, folder, &why)) {
        series->recorder = sl_sampling_recorder(options, series->file.descriptor, time_ns, &why);
        if (series->recorder == NULL) {
            sl_recording_discard(&series->file);
        }
    }
    if (folder != NULL && series->recorder == NULL) {
        count_unkept(series, &why);
    }
    if (series->recorder == NULL) {
        series->recorder = sl_sampling_recorder(options, -1, time_ns, error);
    }
    return series->recorder != NULL;
}

/* `path`: where the recording lies, if it does; else it is in the recorder, which is taken over. False when memory is exhausted. */
static bool send(struct sl_series *series, const char *path, struct sl_recorder *recorder)
{
    struct waiting *waiting = calloc(1, sizeof *waiting);
    char *copy = path != NULL ? strdup(path) : NULL;
    if (waiting == NULL || (path != NULL && copy == NULL)) {
        free(waiting);
        free(copy);
        return false;
    }
    *waiting = (struct waiting){.series = series, .path = copy, .recorder = path == NULL ? recorder : NULL};
    const struct sl_sender_message message = {
        .content = waiting,
        .make = make_message,
        .drop = drop,
        .bytes = path == NULL ? sl_recorder_trace(recorder)->size : strlen(path),
    };
    sl_sender_add(series->sender, &message);
    return true;
}

/* What a recording that has ended goes to; one without a sample goes nowhere. `sink`: why the file has not all of it, or NULL. */
static void hand_over(struct sl_series *series, const struct sl_error *sink)
{
    const struct sl_series_options *options = &series->options->series;
    struct sl_recorder *recorder = series->recorder;
    bool any = sl_recorder_facts(recorder)->samples > 0;
    bool filed = series->file.path != NULL;
    bool taken = any && series->sender != NULL && send(series, series->file.path, recorder) && !filed;
    if (filed && any) {
        sl_recording_close(&series->file);
        sl_recordings_prune_in(options->folder, options->kept);
    } else if (filed) {
        sl_recording_discard(&series->file);
    }
    if (filed && any && sink != NULL) {
        count_unkept(series, sink);
    } else if (filed && any) {
        series->kept++;
    }
    if (!taken) {
        sl_recorder_destroy(recorder);
    }
    series->recorder = NULL;
}

struct sl_recorder *sl_series_turn(void *context, const struct sl_session_turn *turn)
{
    struct sl_series *series = context;
    hand_over(series, turn->sink);
    return begin(series, turn->time_ns, NULL) ? series->recorder : NULL;
}

static bool start_sender(struct sl_series *series, struct sl_error *error)
{
    const struct sl_series_options *options = &series->options->series;
    struct sl_series_headers headers;
    char *url = sl_series_address(options);
    bool started = url != NULL || sl_error_memory(error);
    started = sl_series_headers_make(&headers, options->push_as, getenv("STACKLAPSE_PUSH_HEADERS"), error) && started;
    started = started && sl_address_parse(&series->address, options->push_url, error);
    if (started) {
        const struct sl_sender_options sender = {
            .http = {.url = url, .headers = (const char *const *)headers.lines, .header_count = headers.count},
            .messages_max = WAITING_MAX,
            .bytes_max = waiting_bytes_max,
            .otlp = options->push_as == SL_PUSH_OTLP,
        };
        series->sender = sl_sender_start(&sender, error);
    }
    sl_series_headers_destroy(&headers);
    free(url);
    return series->sender != NULL;
}

static bool make_folder(const char *folder, struct sl_error *error)
{
    char *path = strdup(folder);
    bool made = path != NULL ? sl_recordings_make_folder(path, error) : sl_error_memory(error);
    free(path);
    return made;
}

struct sl_series *sl_series_open(const struct sl_options *options, struct sl_error *error)
{
    struct sl_series *series = calloc(1, sizeof *series);
    if (series == NULL) {
        sl_error_memory(error);
        return NULL;
    }
    series->options = options;
    series->file.descriptor = -1;
    const char *service = options->series.service != NULL ? options->series.service : getenv("OTEL_SERVICE_NAME");
    snprintf(series->service, sizeof series->service, "%s", service != NULL ? service : "");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    bool open = options->series.folder == NULL || make_folder(options->series.folder, error);
    open = open && begin(series, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec, error);
    if (open && series->unkept > 0) {
        *error = series->unkept_why;
        open = false;
    }
    open = open && (options->series.push_url == NULL || start_sender(series, error));
    if (!open) {
        sl_series_close(series);
        return NULL;
    }
    return series;
}

struct sl_recorder *sl_series_recorder(const struct sl_series *series)
{
    return series->recorder;
}

void sl_series_tell(struct sl_series *series, struct sl_progress *progress)
{
    if (atomic_load(&series->unkept_known) && !series->unkept_told) {
        series->unkept_told = true;
        sl_progress_erase(progress);
        sl_say_error(&series->unkept_why);
        sl_say("looking goes on, and the next recording is tried again");
    }
    struct sl_sender_failure failure;
    if (series->sender == NULL || !sl_sender_failures(series->sender, NULL, &failure)) {
        return;
    }
    bool *told = failure.again ? &series->again_told : &series->refused_told;
    if (!*told) {
        *told = true;
        sl_progress_erase(progress);
        sl_say("%s%s", failure.error.sentence, failure.again ? "; it is tried again" : "");
    }
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* False when something was lost. */
static bool say_kept(const struct sl_series *series, bool quiet)
{
    if (!quiet && series->kept > 0) {
        sl_say("kept %" PRIu64 " recording%s in %s", series->kept, plural(series->kept),
               series->options->series.folder);
    }
    if (series->unkept > 0) {
        sl_say("%" PRIu64 " recording%s could not be kept whole: %s", series->unkept, plural(series->unkept),
               series->unkept_why.sentence);
    }
    return series->unkept == 0;
}

static bool say_sent(struct sl_series *series, bool quiet)
{
    if (series->sender == NULL) {
        return true;
    }
    struct sl_sender_counts counts;
    struct sl_sender_failure last;
    sl_sender_finish(series->sender, grace_ns, &counts, &last);
    series->sender = NULL;
    if (!quiet && counts.sent > 0) {
        sl_say("sent %" PRIu64 " recording%s to %s", counts.sent, plural(counts.sent), series->address.name);
    }
    uint64_t unsent = counts.refused + counts.lost;
    if (unsent > 0) {
        sl_say("%" PRIu64 " recording%s could not be sent: %s", unsent, plural(unsent),
               last.error.kind != SL_ERROR_NONE ? last.error.sentence : "there was no time left");
    }
    return unsent == 0;
}

bool sl_series_finish(struct sl_series *series, const struct sl_error *sink)
{
    if (series->recorder != NULL) {
        hand_over(series, sink);
    }
    bool quiet = series->options->quiet;
    bool kept = say_kept(series, quiet);
    return say_sent(series, quiet) && kept;
}

void sl_series_close(struct sl_series *series)
{
    if (series == NULL) {
        return;
    }
    if (series->sender != NULL) {
        sl_sender_finish(series->sender, 0, NULL, NULL);
    }
    if (series->recorder != NULL) {
        sl_recorder_destroy(series->recorder);
    }
    sl_recording_discard(&series->file);
    sl_address_destroy(&series->address);
    free(series);
}
