#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is read before anything is known of the file, and at most before it is decided whether the rest is worth it. */
static const size_t first_step = (size_t)64 * 1024;
static const size_t undecided_max = (size_t)1024 * 1024;

static size_t size_of(int descriptor)
{
    struct stat status;
    bool known = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
    return known ? (size_t)status.st_size : 0;
}

static bool read_all(int descriptor, sl_file_refusal refused, struct sl_buffer *buffer)
{
    size_t size = size_of(descriptor);
    size_t step = first_step;
    for (;;) {
        if (!sl_buffer_reserve(buffer, step)) {
            errno = ENOMEM;
            return false;
        }
        size_t before = buffer->size;
        ssize_t got = read(descriptor, buffer->bytes + before, step);
        if (got == 0) {
            return true;
        }
        if (got > 0) {
            buffer->size += (size_t)got;
            if (refused != NULL && before < undecided_max && refused(buffer->bytes, buffer->size)) {
                return true;
            }
            bool rest = buffer->size >= undecided_max && size > buffer->size;
            step = rest ? size - buffer->size : first_step;
        } else if (errno != EINTR) {
            return false;
        }
    }
}

/* Asked before it is opened, because opening a device can already do something. */
static bool may_be_opened(const char *path, struct sl_error *error)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return sl_error_system(error, errno, "cannot read %s", path);
    }
    if (S_ISDIR(status.st_mode)) {
        return sl_error_system(error, EISDIR, "cannot read %s", path);
    }
    return S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode) ||
           sl_error_set(error, SL_ERROR_SYSTEM, "cannot read %s: it is neither a file nor a pipe", path);
}

bool sl_file_read(const char *path, sl_file_refusal refused, struct sl_buffer *buffer, struct sl_error *error)
{
    if (!may_be_opened(path, error)) {
        return false;
    }
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    bool done = descriptor >= 0 && read_all(descriptor, refused, buffer);
    if (!done) {
        sl_error_system(error, errno, "cannot read %s", path);
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    return done;
}
