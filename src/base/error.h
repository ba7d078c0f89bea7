/* error.h - how everything in stacklapse says that it failed.
 *
 * One convention: what can fail for a reason that a user should read takes `struct sl_error *error` last, returns
 * false (or NULL), and fills in a kind and one sentence, made where the facts are known. Nothing is printed on the way
 * up; the doors (src/cli, src/extension) print or raise it in one place. What fails on the sampling path returns a
 * small enum instead, is counted, and never formats text. */
#ifndef SL_BASE_ERROR_H
#define SL_BASE_ERROR_H

#include <stdbool.h>

enum sl_error_kind {
    SL_ERROR_NONE = 0,
    SL_ERROR_USAGE,       /* the caller asked for something that cannot be: a wrong option, a wrong argument */
    SL_ERROR_SYSTEM,      /* the operating system refused: no file, disk full, out of memory */
    SL_ERROR_PERMISSION,  /* another process may not be read by this one */
    SL_ERROR_GONE,        /* the process ended, or is another one by now */
    SL_ERROR_NOT_PYTHON,  /* a process or file that has no CPython in it */
    SL_ERROR_UNSUPPORTED, /* a CPython that this version cannot read: too old, too new, free-threaded, debug */
    SL_ERROR_FORMAT,      /* a file that is not what it should be */
};

struct sl_error {
    enum sl_error_kind kind;
    int error_number;   /* why the system refused, as of errno; 0: not known, or for another reason */
    char sentence[512]; /* one sentence for a person, without a full stop at its end and without a prefix */
};

/* Fills in `error` (which may be NULL) and returns false, so that a failing function can end in
 * `return sl_error_set(error, ...)`. A sentence that is too long is cut. */
bool sl_error_set(struct sl_error *error, enum sl_error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a failed system call: appends ": " and the text of `error_number`. EPERM and EACCES give
 * SL_ERROR_PERMISSION, ESRCH gives SL_ERROR_GONE, everything else SL_ERROR_SYSTEM. */
bool sl_error_system(struct sl_error *error, int error_number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Out of memory. Returns false. */
bool sl_error_memory(struct sl_error *error);

#endif
