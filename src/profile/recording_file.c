#include "profile/recording_file.h"

#include "base/file.h"
#include "profile/folded_reader.h"
#include "profile/trace_reader.h"

struct sl_profile *sl_recording_file_read(const char *path, struct sl_error *error)
{
    struct sl_buffer buffer;
    sl_buffer_init(&buffer);
    struct sl_profile *profile = NULL;
    if (sl_file_read(path, &buffer, error)) {
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
