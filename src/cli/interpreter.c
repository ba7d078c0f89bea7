#include "cli/interpreter.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where PATH is unset, a shell looks here. */
static const char default_path[] = "/usr/local/bin:/usr/bin:/bin";

static bool is_executable(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 && S_ISREG(file.st_mode) && access(path, X_OK) == 0;
}

static bool exists(const char *folder, const char *name)
{
    char path[PATH_MAX];
    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path && access(path, F_OK) == 0;
}

/* "folder/name" if that is an executable file. */
static char *executable_in(const char *folder, size_t folder_size, const char *name)
{
    char *path;
    /* An empty entry of PATH is the working directory. */
    if (asprintf(&path, "%.*s/%s", folder_size > 0 ? (int)folder_size : 1, folder_size > 0 ? folder : ".", name) < 0) {
        return NULL;
    }
    if (is_executable(path)) {
        return path;
    }
    free(path);
    return NULL;
}

char *sl_interpreter_on_path(const char *path, const char *name, const char *skipped)
{
    const char *entry = path != NULL ? path : default_path;
    for (;;) {
        size_t size = strcspn(entry, ":");
        bool skip = skipped != NULL && strlen(skipped) == size && memcmp(entry, skipped, size) == 0;
        char *found = skip ? NULL : executable_in(entry, size, name);
        if (found != NULL || entry[size] == '\0') {
            return found;
        }
        entry += size + 1;
    }
}

bool sl_interpreter_is_tools_own(const char *folder)
{
    /* Both leave a receipt in what they install; what they run without installing it lies in their caches. */
    static const char *const places[] = {"/pipx/venvs/", "/pipx/.cache/", "/uv/tools/", "/uv/archive-v", NULL};
    if (exists(folder, "uv-receipt.toml") || exists(folder, "pipx_metadata.json")) {
        return true;
    }
    for (const char *const *place = places; *place != NULL; place++) {
        if (strstr(folder, *place) != NULL) {
            return true;
        }
    }
    return false;
}

static char *python_in(const char *folder)
{
    size_t size = strlen(folder);
    char *found = executable_in(folder, size, "python");
    return found != NULL ? found : executable_in(folder, size, "python3");
}

/* Takes over `path`. `called` NULL: by its path. */
static bool choose(struct sl_interpreter *interpreter, char *path, const char *called, const char *why,
                   struct sl_error *error)
{
    interpreter->path = path;
    interpreter->called = strdup(called != NULL ? called : path);
    interpreter->why = why;
    return interpreter->called != NULL || sl_error_memory(error);
}

/* The Python of the virtual environment in `folder`. */
static char *python_of(const char *folder)
{
    char bin[PATH_MAX];
    return snprintf(bin, sizeof bin, "%s/bin", folder) < (int)sizeof bin ? python_in(bin) : NULL;
}

static bool find_asked(struct sl_interpreter *interpreter, const char *asked, struct sl_error *error)
{
    struct stat file;
    if (strchr(asked, '/') != NULL || strcmp(asked, ".") == 0) {
        if (stat(asked, &file) != 0) {
            return sl_error_set(error, SL_ERROR_SYSTEM, "no such Python: %s", asked);
        }
        if (S_ISDIR(file.st_mode)) {
            char *found = python_of(asked);
            if (found == NULL) {
                return sl_error_set(error, SL_ERROR_SYSTEM, "there is no bin/python in %s", asked);
            }
            return choose(interpreter, found, NULL, "--python", error);
        }
        if (!is_executable(asked)) {
            return sl_error_set(error, SL_ERROR_SYSTEM, "%s is not a file that can be executed", asked);
        }
        char *path = strdup(asked);
        return path != NULL ? choose(interpreter, path, NULL, "--python", error) : sl_error_memory(error);
    }
    char name[64];
    bool version = *asked >= '0' && *asked <= '9';
    snprintf(name, sizeof name, "%s%s", version ? "python" : "", asked);
    char *found = sl_interpreter_on_path(getenv("PATH"), name, NULL);
    if (found != NULL) {
        return choose(interpreter, found, name, "--python", error);
    }
    found = python_of(asked);
    if (found != NULL) {
        return choose(interpreter, found, NULL, "--python", error);
    }
    return sl_error_set(error, SL_ERROR_SYSTEM, "no such Python on PATH: %s", name);
}

/* The folder that this command lies in, or "". */
static void own_folder(char *folder, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", folder, size - 1);
    folder[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(folder, '/');
    *(slash != NULL ? slash : folder) = '\0';
}

bool sl_interpreter_find(struct sl_interpreter *interpreter, const char *asked, struct sl_error *error)
{
    *interpreter = (struct sl_interpreter){0};
    if (asked != NULL) {
        return find_asked(interpreter, asked, error);
    }

    const char *environment = getenv("VIRTUAL_ENV");
    if (environment != NULL && *environment != '\0') {
        char *found = python_of(environment);
        if (found != NULL) {
            return choose(interpreter, found, NULL, "$VIRTUAL_ENV", error);
        }
    }

    char folder[PATH_MAX];
    own_folder(folder, sizeof folder);
    bool skipped = false;
    char *slash = strrchr(folder, '/');
    if (slash != NULL) {
        *slash = '\0';
        skipped = sl_interpreter_is_tools_own(folder);
        *slash = '/';
        char *found = skipped ? NULL : python_in(folder);
        if (found != NULL) {
            return choose(interpreter, found, NULL, "beside this command", error);
        }
    }

    static const char *const names[] = {"python", "python3"};
    for (unsigned i = 0; i < 2; i++) {
        char *found = sl_interpreter_on_path(getenv("PATH"), names[i], skipped ? folder : NULL);
        if (found != NULL) {
            /* By its bare name it would be looked for in the folder that was skipped. */
            return choose(interpreter, found, skipped ? NULL : names[i], "on PATH", error);
        }
    }
    return sl_error_set(error, SL_ERROR_SYSTEM,
                        "there is no python and no python3 on PATH; --python names the one to use");
}

bool sl_interpreter_command(struct sl_interpreter *interpreter, const char *name, struct sl_error *error)
{
    *interpreter = (struct sl_interpreter){0};
    if (strchr(name, '/') != NULL) {
        if (!is_executable(name)) {
            return sl_error_set(error, SL_ERROR_SYSTEM, "%s is not a file that can be executed", name);
        }
        char *path = strdup(name);
        return path != NULL ? choose(interpreter, path, NULL, "as given", error) : sl_error_memory(error);
    }
    char *found = sl_interpreter_on_path(getenv("PATH"), name, NULL);
    if (found == NULL) {
        return sl_error_set(error, SL_ERROR_SYSTEM, "no such command on PATH: %s", name);
    }
    return choose(interpreter, found, name, "on PATH", error);
}

void sl_interpreter_destroy(struct sl_interpreter *interpreter)
{
    free(interpreter->path);
    free(interpreter->called);
    *interpreter = (struct sl_interpreter){0};
}
