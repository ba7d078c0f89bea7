#include "analysis/roles.h"

#include "analysis/paths.h"

#include <string.h>

/* Parts of a module's name that are held against a glob: more than any module has. */
enum { module_parts_max = 64 };

/* Where a function is whose code object names no file. */
static const char unknown_path[] = "<unknown>";

static const char frozen_start[] = "<frozen ";

/* What all functions are judged by. */
struct judge {
    const struct sl_profile *profile;
    const struct sl_roles_options *options;
    struct sl_span *prefixes;
    struct sl_span *libraries; /* directories of standard libraries */
    struct sl_span *packages;  /* entries of sys.path that are site-packages or dist-packages */
    uint32_t prefix_count, library_count, package_count;
    char *module; /* room for the longest file's name */
};

static bool starts_with(const char *text, const char *start)
{
    while (*start != '\0' && *text == *start) {
        text++;
        start++;
    }
    return *start == '\0';
}

static bool is_text(const char *text, const char *other)
{
    return starts_with(text, other) && strlen(text) == strlen(other);
}

static bool ends_with_packages(struct sl_span folder)
{
    static const char site[] = "/site-packages";
    static const char dist[] = "/dist-packages";
    size_t size = sizeof site - 1;
    return folder.size >= size && (memcmp(folder.text + folder.size - size, site, size) == 0 ||
                                   memcmp(folder.text + folder.size - size, dist, size) == 0);
}

static bool prepare(struct judge *judge, struct sl_arena *arena)
{
    judge->prefixes = SL_ARENA_NEW(arena, struct sl_span, SL_FOLDERS_MAX);
    judge->libraries = SL_ARENA_NEW(arena, struct sl_span, SL_FOLDERS_MAX);
    judge->packages = SL_ARENA_NEW(arena, struct sl_span, SL_FOLDERS_MAX);
    uint32_t longest = sizeof unknown_path;
    for (sl_function i = 0; i < judge->profile->function_count; i++) {
        uint32_t size = sl_profile_text_size(judge->profile, judge->profile->functions[i].file);
        longest = size > longest ? size : longest;
    }
    judge->module = SL_ARENA_NEW(arena, char, (size_t)longest + 1);
    if (arena->exhausted) {
        return false;
    }
    struct sl_folders folders;
    sl_folders_begin(&folders, judge->profile);
    while (sl_folders_next(&folders)) {
        if (folders.found == SL_FOLDER_PATH) {
            if (ends_with_packages(folders.folder)) {
                judge->packages[judge->package_count++] = folders.folder;
            }
        } else if (sl_is_library_folder(folders.folder)) {
            judge->libraries[judge->library_count++] = folders.folder;
        } else {
            judge->prefixes[judge->prefix_count++] = folders.folder;
        }
    }
    return true;
}

/* Code that has no file: what its name in pointed brackets says. */
static enum sl_role role_without_file(const char *file)
{
    static const char *const machinery[] = {"<frozen importlib._bootstrap", "<frozen runpy>", "<frozen zipimport>"};
    /* Made by libraries (attrs, decorator, numpy) on the fly, as wrappers around the user's functions. */
    static const char *const library[] = {"<frozen ", "<attrs generated ", "<decorator-gen-",
                                          "<__array_function__ internals>"};
    for (size_t i = 0; i < sizeof machinery / sizeof machinery[0]; i++) {
        if (starts_with(file, machinery[i])) {
            return SL_ROLE_MACHINERY;
        }
    }
    for (size_t i = 0; i < sizeof library / sizeof library[0]; i++) {
        if (starts_with(file, library[i])) {
            return SL_ROLE_LIBRARY;
        }
    }
    return SL_ROLE_OWN;
}

/* What comes after the directory of a standard library, NULL when the file lies in none. */
static const char *below_standard_library(const struct judge *judge, const char *file)
{
    for (uint32_t i = 0; i < judge->library_count; i++) {
        const char *below = sl_below(file, judge->libraries[i]);
        if (below != NULL) {
            return below;
        }
    }
    for (uint32_t i = 0; i < judge->prefix_count; i++) {
        const char *below = sl_below(file, judge->prefixes[i]);
        below = below == NULL ? NULL : sl_below_library(below);
        if (below != NULL) {
            return below;
        }
    }
    if (judge->prefix_count > 0 || judge->library_count > 0) {
        return NULL;
    }
    /* Nothing is known of the interpreter: lib/python3.12 anywhere is then the best guess. */
    for (const char *at = file; *at != '\0'; at++) {
        const char *below = *at == '/' ? sl_below_library(at + 1) : NULL;
        if (below != NULL) {
            return below;
        }
    }
    return NULL;
}

static bool in_packages(const struct judge *judge, const char *file)
{
    for (uint32_t i = 0; i < judge->package_count; i++) {
        if (sl_below(file, judge->packages[i]) != NULL) {
            return true;
        }
    }
    const char *packages = sl_below_packages(file);
    if (packages == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < judge->prefix_count; i++) {
        const char *below = sl_below(file, judge->prefixes[i]);
        /* The folder's own name lies below the prefix too. */
        if (below != NULL && below < packages) {
            return true;
        }
    }
    return judge->prefix_count == 0;
}

static enum sl_role role_of_file(const struct judge *judge, const char *file)
{
    if (file[0] == '<') {
        return role_without_file(file);
    }
    if (in_packages(judge, file)) {
        return SL_ROLE_LIBRARY;
    }
    const char *standard = below_standard_library(judge, file);
    if (standard == NULL) {
        return SL_ROLE_OWN;
    }
    /* As a file instead of frozen, with -X frozen_modules=off. */
    return is_text(standard, "runpy.py") ? SL_ROLE_MACHINERY : SL_ROLE_LIBRARY;
}

/* The dotted name of the module of a file: `sympy.core.expr`, `json.__init__`. Returns its size. */
static size_t module_name(const struct judge *judge, sl_function function, char *name)
{
    const char *path = sl_short_path(judge->profile, function);
    size_t size = strlen(path);
    if (starts_with(path, frozen_start) && path[size - 1] == '>') {
        path += sizeof frozen_start - 1;
        size -= sizeof frozen_start;
    }
    if (size > 3 && memcmp(path + size - 3, ".py", 3) == 0) {
        size -= 3;
    }
    for (size_t i = 0; i < size; i++) {
        name[i] = path[i] == '/' ? '.' : path[i];
    }
    return size;
}

/* Whether a glob fits the file's path, its short path, or its module with any of its prefixes. */
static bool fits(const struct judge *judge, const char *glob, sl_function function, const char *module,
                 size_t module_size)
{
    const struct sl_function_record *record = &judge->profile->functions[function];
    size_t glob_size = strlen(glob);
    if (record->kind != SL_FUNCTION_PYTHON) {
        const char *name = sl_profile_text(judge->profile, record->name);
        return sl_glob_matches(glob, glob_size, name, strlen(name));
    }
    const char *file = sl_profile_text(judge->profile, record->file);
    const char *path = sl_short_path(judge->profile, function);
    if (sl_glob_matches(glob, glob_size, file, strlen(file)) || sl_glob_matches(glob, glob_size, path, strlen(path))) {
        return true;
    }
    int parts = 0;
    for (size_t i = 1; i <= module_size && parts < module_parts_max; i++) {
        if (i == module_size || module[i] == '.') {
            parts++;
            if (sl_glob_matches(glob, glob_size, module, i)) {
                return true;
            }
        }
    }
    return false;
}

static bool fits_any(const struct judge *judge, const char *const *globs, size_t count, sl_function function,
                     const char *module, size_t module_size)
{
    for (size_t i = 0; i < count; i++) {
        if (fits(judge, globs[i], function, module, module_size)) {
            return true;
        }
    }
    return false;
}

/* Whether the user asked for this role of the function. */
static bool is_asked_for(const struct judge *judge, sl_function function, enum sl_role *role)
{
    const struct sl_roles_options *options = judge->options;
    if (options->show_count == 0 && options->hide_count == 0) {
        return false;
    }
    bool python = judge->profile->functions[function].kind == SL_FUNCTION_PYTHON;
    size_t module_size = python ? module_name(judge, function, judge->module) : 0;
    if (fits_any(judge, options->show, options->show_count, function, judge->module, module_size)) {
        *role = SL_ROLE_OWN;
        return true;
    }
    *role = SL_ROLE_LIBRARY;
    return fits_any(judge, options->hide, options->hide_count, function, judge->module, module_size);
}

static enum sl_role judge_function(const struct judge *judge, sl_function function)
{
    const struct sl_function_record *record = &judge->profile->functions[function];
    enum sl_role role;
    if (record->kind == SL_FUNCTION_MARK) {
        return SL_ROLE_OWN;
    }
    if (is_asked_for(judge, function, &role)) {
        return role;
    }
    return record->kind == SL_FUNCTION_NATIVE ? SL_ROLE_LIBRARY
                                              : role_of_file(judge, sl_profile_text(judge->profile, record->file));
}

/* Code from a string belongs to whoever runs it: the user's stays the user's, what is only ever run by libraries (named
 * tuples, the lines of .pth files) becomes theirs. `file` is the number of "<string>". */
static bool settle_strings(const struct sl_profile *profile, struct sl_arena *scratch, sl_string file, uint8_t *roles)
{
    uint8_t *around = SL_ARENA_NEW(scratch, uint8_t, profile->stack_count);
    uint8_t *run_by_user = SL_ARENA_NEW(scratch, uint8_t, profile->function_count);
    if (around == NULL || run_by_user == NULL) {
        return false;
    }
    for (sl_stack stack = 1; stack < profile->stack_count; stack++) {
        const struct sl_stack_record *record = &profile->stacks[stack];
        const struct sl_function_record *function = &profile->functions[record->function];
        bool string = function->kind == SL_FUNCTION_PYTHON && function->file == file;
        bool passes_on = string || roles[record->function] == SL_ROLE_MACHINERY;
        around[stack] = passes_on ? around[record->caller] : roles[record->function];
        if (string && around[stack] == SL_ROLE_OWN) {
            run_by_user[record->function] = true;
        }
    }
    for (sl_function i = 1; i < profile->function_count; i++) {
        const struct sl_function_record *function = &profile->functions[i];
        if (function->kind == SL_FUNCTION_PYTHON && function->file == file && !run_by_user[i]) {
            roles[i] = SL_ROLE_LIBRARY;
        }
    }
    return true;
}

uint8_t *sl_roles(struct sl_arena *arena, const struct sl_profile *profile, const struct sl_roles_options *options)
{
    uint8_t *roles = SL_ARENA_NEW(arena, uint8_t, profile->function_count);
    if (roles == NULL || options->show_all) {
        return roles;
    }
    struct sl_arena scratch;
    sl_arena_init(&scratch);
    struct judge judge = {.profile = profile, .options = options};
    /* Functions of one file have one role: plus one, 0 for a file that was not seen yet. */
    uint8_t *known = SL_ARENA_NEW(&scratch, uint8_t, profile->string_count);
    bool prepared = known != NULL && prepare(&judge, &scratch);
    sl_string string_file = SL_NONE;
    for (sl_function i = 0; prepared && i < profile->function_count; i++) {
        const struct sl_function_record *record = &profile->functions[i];
        if (record->kind != SL_FUNCTION_PYTHON) {
            roles[i] = (uint8_t)judge_function(&judge, i);
            continue;
        }
        if (known[record->file] == 0) {
            known[record->file] = (uint8_t)(judge_function(&judge, i) + 1);
            if (is_text(sl_profile_text(profile, record->file), "<string>") &&
                !is_asked_for(&judge, i, &(enum sl_role){0})) {
                string_file = record->file;
            }
        }
        roles[i] = known[record->file] - 1;
    }
    if (prepared && string_file != SL_NONE) {
        prepared = settle_strings(profile, &scratch, string_file, roles);
    }
    sl_arena_reset(&scratch);
    arena->exhausted = arena->exhausted || !prepared;
    return prepared ? roles : NULL;
}

const char *sl_short_path(const struct sl_profile *profile, sl_function function)
{
    const struct sl_function_record *record = &profile->functions[function];
    const char *file = sl_profile_text(profile, record->file);
    if (record->kind != SL_FUNCTION_PYTHON) {
        return file;
    }
    if (file[0] == '\0') {
        return unknown_path;
    }
    if (file[0] == '<') {
        return file;
    }
    const char *shortest = sl_below_packages(file);
    shortest = shortest == NULL || *shortest == '\0' ? file : shortest;
    struct sl_folders folders;
    sl_folders_begin(&folders, profile);
    while (sl_folders_next(&folders)) {
        const char *below = folders.folder.size == 0 ? NULL : sl_below(file, folders.folder);
        if (below != NULL && folders.found == SL_FOLDER_PREFIX && !sl_is_library_folder(folders.folder)) {
            below = sl_below_library(below);
        }
        if (below != NULL && below > shortest && *below != '\0') {
            shortest = below;
        }
    }
    return shortest;
}

static size_t size_before(const char *text, size_t size, const char *ends)
{
    for (size_t i = 0; i < size; i++) {
        for (const char *end = ends; *end != '\0'; end++) {
            if (text[i] == *end) {
                return i;
            }
        }
    }
    return size;
}

/* The last part of a path that is under no known folder, or the one before it where that only says __init__.py. */
static const char *last_part(const char *path, size_t *size)
{
    size_t end = *size;
    for (int tries = 0; tries < 2; tries++) {
        size_t start = end;
        while (start > 0 && path[start - 1] != '/') {
            start--;
        }
        *size = end - start;
        if (start < 2 || !(starts_with(path + start, "__init__.py") || starts_with(path + start, "__main__.py"))) {
            return path + start;
        }
        end = start - 1;
    }
    return path + end - *size;
}

const char *sl_package(const struct sl_profile *profile, sl_function function, size_t *size)
{
    const struct sl_function_record *record = &profile->functions[function];
    if (record->kind == SL_FUNCTION_NATIVE) {
        static const char native[] = "<built-in>";
        *size = sizeof native - 1;
        return native;
    }
    const char *path =
        record->kind == SL_FUNCTION_MARK ? sl_profile_text(profile, record->name) : sl_short_path(profile, function);
    *size = strlen(path);
    if (starts_with(path, frozen_start)) {
        path += sizeof frozen_start - 1;
        *size = size_before(path, strlen(path), ".>");
        return path;
    }
    if (path[0] == '<' || record->kind == SL_FUNCTION_MARK) {
        return path;
    }
    while (starts_with(path, "./") || starts_with(path, "../")) {
        path += path[1] == '/' ? 2 : 3;
        *size = strlen(path);
    }
    if (path[0] == '/') {
        path = last_part(path, size);
    } else {
        *size = size_before(path, *size, "/");
    }
    if (*size > 3 && memcmp(path + *size - 3, ".py", 3) == 0) {
        *size -= 3;
    }
    return path;
}
