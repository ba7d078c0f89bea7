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

struct sl_profile *sl_recording_file_read(const char *path, struct sl_error *error)
{
    struct sl_buffer buffer;
    sl_buffer_init(&buffer);
    struct sl_profile *profile = NULL;
    if (sl_file_read(path, is_neither, &buffer, error)) {
        const char *bytes = buffer.bytes != NULL ? buffer.bytes : "";
        struct sl_error reason = {0};
        if (sl_folded_looks_like(bytes, buffer.size)) {
            profile = sl_folded_read(bytes, buffer.size, &reason);
        } else {
            profile = sl_trace_read(bytes, buffer.size, &reason);
        }
        if (profile == NULL) {
            sl_error_set(error, reason.kind, "cannot read %s: %s", path, reason.sentence);
        }
    }
    sl_buffer_destroy(&buffer);
    return profile;
}
