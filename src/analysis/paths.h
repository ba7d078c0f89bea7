/* paths.h - the folders that a program's interpreters know: where libraries lie, and what file names are relative to.
 *
 * They are kept in a profile as text, one list for each process; here they are looked through entry by entry. */
#ifndef SL_ANALYSIS_PATHS_H
#define SL_ANALYSIS_PATHS_H

#include "profile/profile.h"

/* Some bytes of a profile's text. */
struct sl_span {
    const char *text;
    size_t size;
};

enum sl_folder_kind {
    SL_FOLDER_PATH = 0,   /* an entry of sys.path */
    SL_FOLDER_PREFIX = 1, /* sys.prefix and its like, or the directory of the standard library */
};

/* The entries of all processes' lists, without the slashes at their ends ("/" becomes ""). Empty entries are left out,
 * and processes that know the same as the one before. */
struct sl_folders {
    const struct sl_profile *profile;
    uint32_t process; /* whose list is looked through, and which of the two */
    enum sl_folder_kind kind;
    const char *rest; /* of that list; NULL: it has not begun */
    uint32_t count;
    struct sl_span folder; /* the current one */
    enum sl_folder_kind found;
};

/* Looked through in all: more than any program has, and a bound for what a damaged recording can ask for. */
#define SL_FOLDERS_MAX 1024

void sl_folders_begin(struct sl_folders *folders, const struct sl_profile *profile);

/* Moves on to the next folder. False when there is none. */
bool sl_folders_next(struct sl_folders *folders);

/* What comes after `folder` and a slash in `file`; NULL when the file does not lie below it. */
const char *sl_below(const char *file, struct sl_span folder);

/* What comes after the folder site-packages or dist-packages in `file`, the last one there is; NULL without one. */
const char *sl_below_packages(const char *file);

/* What comes after the folder of the standard library, when `below_prefix` (what comes after a prefix) begins with
 * one: lib/python3.12/, lib64/python3.12/, lib/python312.zip/. Else NULL. */
const char *sl_below_library(const char *below_prefix);

/* Whether a folder is by its name one that holds a standard library: .../lib/python3.12, .../Lib. */
bool sl_is_library_folder(struct sl_span folder);

#endif
