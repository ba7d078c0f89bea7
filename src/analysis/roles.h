/* roles.h - whose code a function is: the user's own, a library's, or the interpreter's machinery.
 *
 * Library is what lies under a prefix of the program's own interpreter (sys.prefix, base_prefix, exec_prefix,
 * base_exec_prefix, the directory of the standard library), in a `site-packages` or `dist-packages` folder below one
 * of them or on the process's sys.path, or is frozen into the interpreter. A folder that is merely called `lib` is not.
 * A script that itself lies under a prefix (a virtual environment in the project's folder whose prefix is the project)
 * is the user's: only <prefix>/lib/pythonX.Y, <prefix>/lib64/pythonX.Y and dist-/site-packages count below a prefix.
 * So an editable install, which lies elsewhere, is the user's. What was compiled from no file (<stdin>,
 * <ipython-input-...>) is the user's, except for the wrappers that some libraries make; code from a <string> is his who
 * runs it: the user's unless only library code ever calls it. A function written in C counts as a library's; a mark
 * ([broken]) is shown like own code. Several processes' folders count together. */
#ifndef SL_ANALYSIS_ROLES_H
#define SL_ANALYSIS_ROLES_H

#include "base/arena.h"
#include "profile/profile.h"

enum sl_role {
    SL_ROLE_OWN = 0,       /* shown */
    SL_ROLE_LIBRARY = 1,   /* the first such frame above own code is shown, those above it are folded into it */
    SL_ROLE_MACHINERY = 2, /* the import system, runpy: left out of the tree, its callees move down to its caller */
};

struct sl_roles_options {
    bool show_all;           /* every function is OWN */
    const char *const *show; /* globs; a match makes a function OWN. `show` beats `hide` */
    size_t show_count;
    const char *const *hide; /* globs; a match makes a function LIBRARY */
    size_t hide_count;
};

/* One role for each function, from the arena; NULL when it is exhausted. A glob (`*`, `?`, `[...]`; `*` also matches
 * `/`) is held against the whole path of the file, the short path, and the dotted module name with any of its
 * prefixes: `--hide 'requests.*'`, `--hide requests`, `--hide '*' --show 'app/views.py'`. A function written in C has no
 * file: its name (`time.sleep`) is what a glob is held against. */
uint8_t *sl_roles(struct sl_arena *arena, const struct sl_profile *profile, const struct sl_roles_options *options);

/* The file's path for a person: relative to the longest entry of sys.path (or site-packages, or the standard library)
 * that it lies under, else as it is. Never empty for a Python function. Points into the profile's text, or to a
 * constant. */
const char *sl_short_path(const struct sl_profile *profile, sl_function function);

/* The top-level package or module that the function's file belongs to ("json", "sympy", "app"), "<built-in>" for one
 * written in C, a mark's name; its size in `*size`. Points into the profile's text, or to a constant. */
const char *sl_package(const struct sl_profile *profile, sl_function function, size_t *size);

/* Whether `text` matches the glob `pattern` as a whole: `*` any text, `?` one character, `[a-z]` one of a set, `[!a-z]`
 * one that is not in it; a `[` without an end is itself. Both are UTF-8. Linear in the product of their sizes at worst, no recursion. */
bool sl_glob_matches(const char *pattern, size_t pattern_size, const char *text, size_t size);

#endif
