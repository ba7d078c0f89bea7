#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static enum sl_error_kind kind_of(int error_number)
{
    switch (error_number) {
    case EPERM:
    case EACCES:
        return SL_ERROR_PERMISSION;
    case ESRCH:
        return SL_ERROR_GONE;
    default:
        return SL_ERROR_SYSTEM;
    }
}

bool sl_error_set(struct sl_error *error, enum sl_error_kind kind, const char *format, ...)
{
    if (error == NULL) {
        return false;
    }
    va_list arguments;
    va_start(arguments, format);
    error->kind = kind;
    error->error_number = 0;
    vsnprintf(error->sentence, sizeof error->sentence, format, arguments);
    va_end(arguments);
    return false;
}

bool sl_error_system(struct sl_error *error, int error_number, const char *format, ...)
{
    if (error == NULL) {
        return false;
    }
    va_list arguments;
    va_start(arguments, format);
    error->kind = kind_of(error_number);
    error->error_number = error_number;
    vsnprintf(error->sentence, sizeof error->sentence, format, arguments);
    va_end(arguments);

    char reason[128];
    /* The GNU variant returns the text, which need not lie in the buffer. */
    const char *text = strerror_r(error_number, reason, sizeof reason);
    size_t used = strlen(error->sentence);
    snprintf(error->sentence + used, sizeof error->sentence - used, ": %s", text);
    return false;
}

bool sl_error_memory(struct sl_error *error)
{
    sl_error_set(error, SL_ERROR_SYSTEM, "out of memory");
    if (error != NULL) {
        error->error_number = ENOMEM;
    }
    return false;
}
