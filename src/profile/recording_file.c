#include "profile/recording_file.h"

#include "base/file.h"
#include "profile/folded_reader.h"
#include "profile/trace_format.h"
#include "profile/trace_reader.h"

#include <string.h>

/* Whether a file that begins with these bytes is neither a trace nor folded stacks: its first line shows it. */
static bool is_neither(const char *bytes, size_t size)
{
    size_t magic = size < SL_TRACE_MAGIC_SIZE ? size : SL_TRACE_MAGIC_SIZE;
    if (memcmp(bytes, SL_TRACE_MAGIC, magic) == 0) {
        return false;
    }
    bool has_line = size >= SL_FOLDED_LINE_MAX || memchr(bytes, '\n', size) != NULL;
    return has_line && !sl_folded_looks_like(bytes, size);
}

static struct sl_profile *read_profile(const struct sl_buffer *content, bool folded_too, struct sl_error *error)
{
    const char *bytes = content->bytes != NULL ? content->bytes : "";
    if (!sl_folded_looks_like(bytes, content->size)) {
        return sl_trace_read(bytes, content->size, error);
    }
    if (!folded_too) {
        sl_error_set(error, SL_ERROR_FORMAT, "it holds folded stacks, which cannot be saved as a recording");
        return NULL;
    }
    return sl_folded_read(bytes, content->size, error);
}

static struct sl_profile *read_file(const char *path, bool folded_too, struct sl_buffer *content,
                                    struct sl_error *error)
{
    if (!sl_file_read(path, is_neither, content, error)) {
        return NULL;
    }
    struct sl_error reason = {0};
    struct sl_profile *profile = read_profile(content, folded_too, &reason);
    if (profile == NULL) {
        sl_error_set(error, reason.kind, "cannot read %s: %s", path, reason.sentence);
    }
    return profile;
}

struct sl_profile *sl_recording_file_read(const char *path, struct sl_error *error)
{
    struct sl_buffer content;
    sl_buffer_init(&content);
    struct sl_profile *profile = read_file(path, true, &content, error);
    sl_buffer_destroy(&content);
    return profile;
}

struct sl_profile *sl_recording_file_read_trace(const char *path, struct sl_buffer *trace, struct sl_error *error)
{
    return read_file(path, false, trace, error);
}
