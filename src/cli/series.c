#include "cli/series.h"

#include "cli/command.h"
#include "cli/recordings.h"
#include "cli/sampling.h"
#include "cli/series_message.h"
#include "profile/trace_reader.h"
#include "push/address.h"
#include "push/sender.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* For as long as a server was away: an hour of recordings of 15 s, most of which take some dozens of kB. */
enum { WAITING_MAX = 240 };
static const size_t waiting_bytes_max = (size_t)64 * 1024 * 1024;

/* What is left to the server at the end: less than what `docker stop` gives to a program and us together. */
static const uint64_t grace_ns = 5000000000;

/* After so many of them it is said that there is something to wait for. */
enum { MOMENT_NS = 20000000, MOMENTS = 25 };

enum { READ_BYTES = 65536 };

struct sl_series {
    const struct sl_options *options;
    struct sl_recorder *recorder;
    struct sl_recording file;         /* that it writes to; none where it could not be made, or there is no folder */
    struct sl_sender *sender;         /* NULL: nothing is sent */
    struct sl_address address;        /* as it was typed, for sentences */
    char service[SL_SERVICE_MAX + 1]; /* from the start on the sender's thread alone uses it, and */
    bool service_known;               /* else it is asked for in each recording */
    /* Recordings in the folder, those that should be there, and those that could not even wait to be sent. The session's thread
     * counts them while there is one, as it fills in `error`: why there is no next one. */
    uint64_t kept, unkept, unsent;
    struct sl_error error;
    struct sl_error unkept_why; /* of the first; written before `unkept_known` is set */
    atomic_bool unkept_known;
    bool unkept_told, again_told, refused_told, crowded_told;
    struct sl_sender_counts seen; /* when it was last looked at what to tell */
};

/* A recording that is to be sent. */
struct waiting {
    struct sl_series *series;
    struct sl_buffer trace;
};

static void drop(void *content)
{
    struct waiting *waiting = content;
    sl_buffer_destroy(&waiting->trace);
    free(waiting);
}

static bool make_message(void *content, struct sl_buffer *message, struct sl_error *error)
{
    struct waiting *waiting = content;
    struct sl_series *series = waiting->series;
    struct sl_profile *profile = sl_trace_read(waiting->trace.bytes, waiting->trace.size, error);
    if (profile != NULL && !series->service_known) {
        series->service_known = sl_series_service(profile, series->service, sizeof series->service);
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

static bool make_folder(const char *folder, struct sl_error *error)
{
    char *path = strdup(folder);
    bool made = path != NULL ? sl_recordings_make_folder(path, error) : sl_error_memory(error);
    free(path);
    return made;
}

/* What is sent waits in memory where there is no folder, or that cannot be written to. */
static bool begin(struct sl_series *series, uint64_t time_ns, struct sl_error *error)
{
    const struct sl_options *options = series->options;
    const char *folder = options->series.folder;
    struct sl_error why = {0};
    series->recorder = NULL;
    /* It may have been removed meanwhile. */
    if (folder != NULL && make_folder(folder, &why) && sl_recording_create_in(&series->file, folder, &why)) {
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

/* What was written to a file that is still open. */
static bool read_back(int descriptor, struct sl_buffer *trace)
{
    ssize_t size = 1;
    while (size > 0 && sl_buffer_reserve(trace, READ_BYTES)) {
        size = pread(descriptor, trace->bytes + trace->size, READ_BYTES, (off_t)trace->size);
        trace->size += size > 0 ? (size_t)size : 0;
    }
    return size == 0;
}

/* A recording that has ended, from its file if it has one. False when it cannot be had. */
static bool send(struct sl_series *series)
{
    struct waiting *waiting = calloc(1, sizeof *waiting);
    if (waiting == NULL) {
        return false;
    }
    waiting->series = series;
    if (series->file.path == NULL) {
        waiting->trace = sl_recorder_take_trace(series->recorder);
    } else if (!read_back(series->file.descriptor, &waiting->trace)) {
        drop(waiting);
        return false;
    }
    const struct sl_sender_message message = {
        .content = waiting,
        .make = make_message,
        .drop = drop,
        .bytes = waiting->trace.size,
    };
    sl_sender_add(series->sender, &message);
    return true;
}

/* What a recording that has ended goes to; one without a sample goes nowhere. `sink`: why its file has not all of it, or NULL;
 * then it is not sent either, as that would look like a program that was not there. */
static void hand_over(struct sl_series *series, const struct sl_error *sink)
{
    const struct sl_series_options *options = &series->options->series;
    bool any = sl_recorder_facts(series->recorder)->samples > 0;
    bool filed = series->file.path != NULL;
    if (any && series->sender != NULL && (sink != NULL || !send(series))) {
        series->unsent++;
    }
    if (filed && any) {
        sl_recording_close(&series->file);
        sl_recordings_prune_in(options->folder, options->kept);
        series->kept += sink == NULL;
    } else if (filed) {
        sl_recording_discard(&series->file);
    }
    if (filed && any && sink != NULL) {
        count_unkept(series, sink);
    }
    sl_recorder_destroy(series->recorder);
    series->recorder = NULL;
}

struct sl_recorder *sl_series_turn(void *context, const struct sl_session_turn *turn)
{
    struct sl_series *series = context;
    hand_over(series, turn->sink);
    return begin(series, turn->time_ns, &series->error) ? series->recorder : NULL;
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

struct sl_series *sl_series_open(const struct sl_options *options, struct sl_error *error)
{
    struct sl_series *series = calloc(1, sizeof *series);
    if (series == NULL) {
        sl_error_memory(error);
        return NULL;
    }
    series->options = options;
    series->file = (struct sl_recording){.descriptor = -1, .place = SL_RECORDING_NOWHERE};
    const char *service = options->series.service != NULL ? options->series.service : getenv("OTEL_SERVICE_NAME");
    series->service_known = options->series.push_url != NULL && options->series.push_as != SL_PUSH_PPROF &&
                            service != NULL && *service != '\0';
    if (series->service_known && !sl_check_service("OTEL_SERVICE_NAME", service, error)) {
        free(series);
        return NULL;
    }
    snprintf(series->service, sizeof series->service, "%s", series->service_known ? service : "");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    bool open = begin(series, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec, error);
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

/* Once of each kind, until something has been sent again. */
static void tell_of_sending(struct sl_series *series, struct sl_progress *progress)
{
    struct sl_sender_counts counts;
    struct sl_sender_failure failure;
    sl_sender_counts(series->sender, &counts);
    const char *why = sl_sender_failures(series->sender, NULL, &failure) ? failure.error.sentence : "";
    if (counts.sent > series->seen.sent) {
        series->again_told = series->refused_told = series->crowded_told = false;
    }
    bool again = counts.retried > series->seen.retried && failure.again && !series->again_told;
    uint64_t given_up = counts.refused + counts.lost - counts.gave_way;
    uint64_t given_up_before = series->seen.refused + series->seen.lost - series->seen.gave_way;
    bool refused = given_up > given_up_before && !failure.again && !series->refused_told;
    bool crowded = counts.gave_way > series->seen.gave_way && !series->crowded_told;
    if (again || refused || crowded) {
        sl_progress_erase(progress);
    }
    if (again || refused) {
        sl_say("%s%s", why, again ? "; it is tried again" : "");
    }
    if (crowded) {
        sl_say("too many recordings wait to be sent to %s: the oldest are given up", series->address.name);
    }
    series->again_told |= again;
    series->refused_told |= refused;
    series->crowded_told |= crowded;
    series->seen = counts;
}

void sl_series_tell(struct sl_series *series, struct sl_progress *progress)
{
    if (atomic_load(&series->unkept_known) && !series->unkept_told) {
        series->unkept_told = true;
        sl_progress_erase(progress);
        sl_say_error(&series->unkept_why);
        sl_say("looking goes on, and the next recording is tried again");
    }
    if (series->sender != NULL) {
        tell_of_sending(series, progress);
    }
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* False when something was lost. */
static bool say_kept(const struct sl_series *series, bool quiet)
{
    const struct sl_series_options *options = &series->options->series;
    if (!quiet && series->kept > options->kept) {
        sl_say("made %" PRIu64 " recordings, of which the last %" PRIu64 " are kept in %s", series->kept, options->kept,
               options->folder);
    } else if (!quiet && series->kept > 0) {
        sl_say("kept %" PRIu64 " recording%s in %s", series->kept, plural(series->kept), options->folder);
    }
    if (series->unkept > 0) {
        sl_say("%" PRIu64 " recording%s could not be kept whole: %s", series->unkept, plural(series->unkept),
               series->unkept_why.sentence);
    }
    return series->unkept == 0;
}

/* Mostly nothing waits any more after a moment. */
static void wait_for_sender(struct sl_series *series, bool quiet)
{
    struct sl_sender_counts counts;
    const struct timespec moment = {.tv_nsec = MOMENT_NS};
    for (int i = 0; i < MOMENTS; i++) {
        sl_sender_counts(series->sender, &counts);
        if (counts.waiting == 0) {
            return;
        }
        nanosleep(&moment, NULL);
    }
    if (!quiet) {
        sl_say("sending what waits, for %u s at most; Ctrl-C ends that", (unsigned)(grace_ns / 1000000000));
    }
}

static bool say_sent(struct sl_series *series, bool quiet)
{
    if (series->sender == NULL) {
        return true;
    }
    struct sl_sender_counts counts;
    struct sl_sender_failure last;
    wait_for_sender(series, quiet);
    sl_sender_finish(series->sender, grace_ns, &counts, &last);
    series->sender = NULL;
    if (!quiet && counts.sent > 0) {
        sl_say("sent %" PRIu64 " recording%s to %s", counts.sent, plural(counts.sent), series->address.name);
    }
    uint64_t unsent = counts.refused + counts.lost + series->unsent;
    if (unsent > 0) {
        const char *why = last.error.kind != SL_ERROR_NONE ? last.error.sentence
                          : series->unsent > 0             ? "there was no room for them"
                                                           : "there was no time left";
        sl_say("%" PRIu64 " recording%s could not be sent: %s", unsent, plural(unsent), why);
    }
    return unsent == 0;
}

bool sl_series_finish(struct sl_series *series, const struct sl_error *sink)
{
    bool quiet = series->options->quiet;
    bool any = series->recorder != NULL && sl_recorder_facts(series->recorder)->samples > 0;
    if (series->recorder != NULL) {
        hand_over(series, sink);
    }
    const struct sl_error *ended_by = series->error.kind != SL_ERROR_NONE ? &series->error : any ? NULL : sink;
    if (ended_by != NULL) {
        sl_say("recording has ended: %s", ended_by->sentence);
    }
    bool kept = say_kept(series, quiet);
    return say_sent(series, quiet) && kept && ended_by == NULL;
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
