#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_all(int descriptor, struct sl_buffer *buffer)
{
    struct stat status;
    size_t step = (size_t)64 * 1024;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
        step = (size_t)status.st_size;
    }
    for (;;) {
        if (!sl_buffer_reserve(buffer, step)) {
            errno = ENOMEM;
            return false;
        }
        ssize_t got = read(descriptor, buffer->bytes + buffer->size, buffer->capacity - buffer->size - 1);
        if (got == 0) {
            return true;
        }
        if (got > 0) {
            buffer->size += (size_t)got;
            step = 1;
        } else if (errno != EINTR) {
            return false;
        }
    }
}

bool sl_file_read(const char *path, struct sl_buffer *buffer, struct sl_error *error)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    bool done = descriptor >= 0 && read_all(descriptor, buffer);
    if (!done) {
        sl_error_system(error, errno, "cannot read %s", path);
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    return done;
}
