#include "cli/series_message.h"

#include "base/output.h"
#include "render/gzip.h"
#include "render/otlp.h"
#include "render/pprof.h"
#include "render/protobuf.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { HEADER_MAX = 65536 };

enum push_request_field { PUSH_REQUEST_SERIES = 1 };
enum series_field { SERIES_LABELS = 1, SERIES_SAMPLES = 2 };
enum label_pair_field { LABEL_PAIR_NAME = 1, LABEL_PAIR_VALUE = 2 };
enum raw_sample_field { RAW_SAMPLE_PROFILE = 1, RAW_SAMPLE_ID = 2 };

static const char *const paths[] = {
    [SL_PUSH_PYROSCOPE] = "/push.v1.PusherService/Push",
    [SL_PUSH_OTLP] = "/v1development/profiles",
    [SL_PUSH_PPROF] = "",
};

char *sl_series_address(const struct sl_series_options *options)
{
    const char *url = options->push_url;
    const char *path = paths[options->push_as];
    size_t size = strlen(url);
    size_t path_size = strlen(path);
    if (size >= path_size && strcmp(url + size - path_size, path) == 0) {
        return strdup(url);
    }
    while (size > 0 && url[size - 1] == '/') {
        size--;
    }
    char *address = NULL;
    return asprintf(&address, "%.*s%s", (int)size, url, path) >= 0 ? address : NULL;
}

static bool add_header(struct sl_series_headers *headers, const char *name, int name_size, const char *value,
                       int value_size)
{
    char **grown = realloc(headers->lines, (headers->count + 1) * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    headers->lines = grown;
    char *line = NULL;
    if (asprintf(&line, "%.*s: %.*s", name_size, name, value_size, value) < 0) {
        return false;
    }
    headers->lines[headers->count++] = line;
    return true;
}

bool sl_series_headers_make(struct sl_series_headers *headers, enum sl_push_kind kind, const char *given,
                            struct sl_error *error)
{
    static const struct {
        const char *name, *value;
    } own[][2] = {
        [SL_PUSH_PYROSCOPE] = {{"Content-Type", "application/proto"}, {"Connect-Protocol-Version", "1"}},
        [SL_PUSH_OTLP] = {{"Content-Type", "application/x-protobuf"}, {"Content-Encoding", "gzip"}},
        [SL_PUSH_PPROF] = {{"Content-Type", "application/octet-stream"}},
    };
    *headers = (struct sl_series_headers){0};
    for (size_t i = 0; i < 2 && own[kind][i].name != NULL; i++) {
        if (!add_header(headers, own[kind][i].name, INT_MAX, own[kind][i].value, INT_MAX)) {
            return sl_error_memory(error);
        }
    }
    while (given != NULL && *given != '\0') {
        given += strspn(given, " ");
        size_t size = strcspn(given, ",");
        size_t name_size = strcspn(given, "=");
        if (name_size == 0 || name_size >= size || size > HEADER_MAX) {
            return sl_error_set(
                error, SL_ERROR_USAGE,
                "STACKLAPSE_PUSH_HEADERS holds headers such as Authorization=Bearer KEY,X-Scope-OrgID=shop");
        }
        if (!add_header(headers, given, (int)name_size, given + name_size + 1, (int)(size - name_size - 1))) {
            return sl_error_memory(error);
        }
        given += size + (given[size] == ',');
    }
    return true;
}

void sl_series_headers_destroy(struct sl_series_headers *headers)
{
    for (size_t i = 0; i < headers->count; i++) {
        free(headers->lines[i]);
    }
    free(headers->lines);
}

/* The next word of a command as the report names it, quoted as a shell would want it, to where it ends. */
static size_t next_word(const char **text)
{
    *text += strspn(*text, " ");
    if (**text == '\'') {
        (*text)++;
        return strcspn(*text, "'");
    }
    return strcspn(*text, " ");
}

static bool is_word(const char *word, size_t size, const char *text)
{
    return size == strlen(text) && memcmp(word, text, size) == 0;
}

/* What of a word comes behind the last slash, if anything does. */
static void cut_folders(const char **word, size_t *size)
{
    for (const char *slash; *size > 1 && (slash = memchr(*word, '/', *size - 1)) != NULL;) {
        *size -= (size_t)(slash + 1 - *word);
        *word = slash + 1;
    }
}

/* Whether the first word of a command is an interpreter: a process that was not started by us is called as it was typed. */
static bool is_interpreter(const char *word, size_t size, const char *executable)
{
    size_t executable_size = strlen(executable);
    cut_folders(&word, &size);
    cut_folders(&executable, &executable_size);
    bool named = size >= 6 && memcmp(word, "python", 6) == 0 && strspn(word + 6, "0123456789.") >= size - 6;
    return named || (size > 0 && size == executable_size && memcmp(word, executable, size) == 0);
}

/* From the options of Python in front of it to the module (`*module`) or the script; size 0 where there is none, as with -c. */
static size_t find_program(const char **text, bool *module)
{
    size_t size = next_word(text);
    while (size > 0 && **text == '-') {
        const char *word = *text;
        size_t place = word[1] != '-' ? strcspn(word, "mc") : size;
        bool valued =
            is_word(word, size, "-X") || is_word(word, size, "-W") || is_word(word, size, "--check-hash-based-pycs");
        *text += size;
        if (place < size && word[1] != 'X' && word[1] != 'W') {
            *module = word[place] == 'm';
            if (place + 1 < size) {
                *text = word + place + 1;
            }
            return *module ? next_word(text) : 0;
        }
        if (size == 1) {
            return 0;
        }
        if (valued) {
            *text += next_word(text);
        }
        size = next_word(text);
    }
    return size;
}

/* The first process that is a Python: a shell may have started it. */
static const struct sl_process_record *find_process(const struct sl_profile *profile)
{
    for (uint32_t i = 0; i < profile->process_count; i++) {
        if (sl_profile_text_size(profile, profile->processes[i].python) > 0) {
            return &profile->processes[i];
        }
    }
    return NULL;
}

bool sl_series_service(const struct sl_profile *profile, char *name, size_t size)
{
    const struct sl_process_record *process = find_process(profile);
    bool known = process != NULL;
    if (!known && profile->process_count > 0) {
        process = &profile->processes[0];
    }
    const char *word = process != NULL ? sl_profile_text(profile, process->command) : "";
    const char *first = word;
    size_t length = next_word(&first);
    if (process != NULL && is_interpreter(first, length, sl_profile_text(profile, process->executable))) {
        word = first + length + (first[length] == '\'');
    }
    bool module = false;
    length = find_program(&word, &module);
    cut_folders(&word, &length);
    length -= !module && length > 3 && memcmp(word + length - 3, ".py", 3) == 0 ? 3 : 0;
    if (length == 0) {
        word = "python";
        length = strlen(word);
    }
    if (length >= size) {
        length = size - 1;
        while (length > 0 && (word[length] & 0xc0) == 0x80) {
            length--; /* not within a character */
        }
    }
    for (size_t i = 0; i < length; i++) {
        bool printable = (unsigned char)word[i] > ' ' && word[i] != 127;
        name[i] = word[i];
        if (!printable) {
            name[i] = '_';
        }
    }
    name[length] = '\0';
    return known;
}

static void append_label(struct sl_buffer *series, const char *name, const char *value)
{
    struct sl_buffer pair;
    sl_buffer_init(&pair);
    sl_protobuf_bytes(&pair, LABEL_PAIR_NAME, name, strlen(name));
    sl_protobuf_bytes(&pair, LABEL_PAIR_VALUE, value, strlen(value));
    sl_protobuf_message(series, SERIES_LABELS, &pair);
    series->failed |= pair.failed;
    sl_buffer_destroy(&pair);
}

/* A random one (RFC 9562, version 4): a server that gets a profile twice knows it by that. None is better than the same. */
static void append_id(struct sl_buffer *sample)
{
    uint8_t bytes[16];
    if (getrandom(bytes, sizeof bytes, GRND_NONBLOCK) != (ssize_t)sizeof bytes) {
        return;
    }
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    char id[37];
    size_t size = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;
        size += (size_t)snprintf(id + size, sizeof id - size, "%s%02x", dash ? "-" : "", bytes[i]);
    }
    sl_protobuf_bytes(sample, RAW_SAMPLE_ID, id, size);
}

static bool append_profile(const struct sl_profile *profile, enum sl_pprof_values values, struct sl_buffer *bytes,
                           struct sl_error *error)
{
    const struct sl_selection selection = sl_selection_all(profile);
    const struct sl_pprof_form form = {.values = values, .summed = true};
    struct sl_output output;
    sl_output_memory(&output);
    bool done = sl_pprof_write(profile, &selection, &form, &output, error);
    done = done && (!output.pending.failed || sl_error_memory(error));
    if (done) {
        sl_buffer_append(bytes, output.pending.bytes, output.pending.size);
    }
    sl_output_abandon(&output);
    return done;
}

static bool has_time(const struct sl_profile *profile, enum sl_mode mode)
{
    struct sl_selection selection = sl_selection_all(profile);
    selection.mode = mode;
    for (uint32_t run = 0; run < profile->run_count; run++) {
        if (sl_run_amount(&selection, &profile->runs[run]).ns > 0) {
            return true;
        }
    }
    return false;
}

/* One kind of time, as a series of its own: `name` is what the server calls it. */
static bool append_series(const struct sl_profile *profile, const struct sl_series_options *options,
                          const char *service, const char *name, enum sl_pprof_values values, struct sl_buffer *message,
                          struct sl_error *error)
{
    struct sl_buffer compressed, sample, series;
    sl_buffer_init(&compressed);
    sl_buffer_init(&sample);
    sl_buffer_init(&series);
    append_label(&series, "__name__", name);
    append_label(&series, "service_name", service);
    for (size_t i = 0; i < options->tag_count; i++) {
        append_label(&series, options->tags[2 * i], options->tags[2 * i + 1]);
    }
    bool done = append_profile(profile, values, &compressed, error);
    if (done) {
        sl_protobuf_message(&sample, RAW_SAMPLE_PROFILE, &compressed);
        append_id(&sample);
        sl_protobuf_message(&series, SERIES_SAMPLES, &sample);
        sl_protobuf_message(message, PUSH_REQUEST_SERIES, &series);
        message->failed |= compressed.failed || sample.failed || series.failed;
    }
    sl_buffer_destroy(&compressed);
    sl_buffer_destroy(&sample);
    sl_buffer_destroy(&series);
    return done;
}

static bool append_otlp(const struct sl_profile *profile, const struct sl_series_options *options, const char *service,
                        struct sl_buffer *message, struct sl_error *error)
{
    const struct sl_selection selection = sl_selection_all(profile);
    const struct sl_otlp_form form = {
        .service = service,
        .attributes = (const char *const *)options->tags,
        .attribute_count = options->tag_count,
        .summed = true,
    };
    struct sl_output plain, compressed;
    struct sl_gzip gzip;
    sl_output_memory(&plain);
    sl_output_memory(&compressed);
    bool done = sl_otlp_write(profile, &selection, &form, &plain, error) && sl_gzip_init(&gzip, &compressed, error);
    if (done) {
        sl_gzip_drain(&gzip, &plain.pending, true);
        done = sl_gzip_finish(&gzip, error);
        done = done && (!(plain.pending.failed || compressed.pending.failed) || sl_error_memory(error));
    }
    if (done) {
        sl_buffer_append(message, compressed.pending.bytes, compressed.pending.size);
    }
    sl_output_abandon(&plain);
    sl_output_abandon(&compressed);
    return done;
}

bool sl_series_message(const struct sl_profile *profile, const struct sl_series_options *options, const char *service,
                       struct sl_buffer *message, struct sl_error *error)
{
    bool done = false;
    switch (options->push_as) {
    case SL_PUSH_PYROSCOPE:
        /* What only waited has no CPU time to tell of, and a profile without a sample may be refused. */
        done = append_series(profile, options, service, "wall", SL_PPROF_WALL, message, error) &&
               (!has_time(profile, SL_MODE_CPU) ||
                append_series(profile, options, service, "process_cpu", SL_PPROF_CPU, message, error));
        break;
    case SL_PUSH_OTLP:
        done = append_otlp(profile, options, service, message, error);
        break;
    case SL_PUSH_PPROF:
        done = append_profile(profile, SL_PPROF_ALL, message, error);
        break;
    }
    return done && (!message->failed || sl_error_memory(error));
}
