#include "cli/processes.h"

#include "base/buffer.h"
#include "cli/command.h"
#include "cpython/python.h"
#include "target/children.h"
#include "target/description.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* So many descendants are named, so many looked into: each takes a millisecond. */
enum { NAMED_MAX = 5, EXAMINED_MAX = 200 };

/* Of a command line, enough to know it by. */
enum { SHOWN_MAX = 60 };

static bool parse(const char *text, const char *command, pid_t *pid, struct sl_error *error)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || number <= 0 || number > INT32_MAX) {
        return sl_error_set(error, SL_ERROR_USAGE,
                            "%s takes the number of a process, not '%s'; pgrep -f NAME tells the numbers", command,
                            text);
    }
    *pid = (pid_t)number;
    return true;
}

bool sl_processes_named(const struct sl_options *options, const char *command, pid_t **pids, size_t *count,
                        struct sl_error *error)
{
    *count = 0;
    *pids = calloc(options->operand_count + 1, sizeof **pids);
    if (*pids == NULL) {
        return sl_error_memory(error);
    }
    if (options->operand_count == 0) {
        return sl_error_set(error, SL_ERROR_USAGE, "which process? stacklapse %s PID; pgrep -f NAME tells the numbers",
                            command);
    }
    for (size_t i = 0; i < options->operand_count; i++) {
        pid_t pid = 0;
        if (!parse(options->operands[i], command, &pid, error)) {
            return false;
        }
        bool known = false;
        for (size_t n = 0; n < *count; n++) {
            known = known || (*pids)[n] == pid;
        }
        if (!known) {
            (*pids)[(*count)++] = pid;
        }
    }
    return true;
}

/* Whether there is a Python in it that can be read. `command` is its command line then. */
static bool is_python(pid_t pid, char command[SL_DESCRIPTION_MAX])
{
    struct sl_process process;
    if (!sl_process_open(&process, pid, NULL)) {
        return false;
    }
    struct sl_python *python = sl_python_attach(&process, NULL, NULL);
    if (python != NULL) {
        sl_process_command(&process, command);
        sl_python_detach(python);
    }
    sl_process_close(&process);
    return python != NULL;
}

/* A command line may be long. */
static void append_cut(struct sl_buffer *sentence, const char *text)
{
    size_t size = strlen(text);
    size_t shown = size <= SHOWN_MAX ? size : SHOWN_MAX;
    while (shown < size && shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80) {
        shown--;
    }
    sl_buffer_append(sentence, text, shown);
    sl_buffer_text(sentence, shown < size ? "..." : "");
}

/* What it runs, which may be another program by now: what starts a Python often is a script at first. */
static void append_program(struct sl_buffer *sentence, pid_t pid)
{
    struct sl_process process;
    if (!sl_process_open(&process, pid, NULL)) {
        return;
    }
    char path[SL_DESCRIPTION_MAX];
    sl_process_executable(&process, path);
    sl_process_close(&process);
    if (path[0] != '\0') {
        const char *slash = strrchr(path, '/');
        sl_buffer_text(sentence, "; it runs ");
        append_cut(sentence, slash != NULL ? slash + 1 : path);
        sl_buffer_text(sentence, " now");
    }
}

static void append_python_children(struct sl_buffer *sentence, pid_t pid)
{
    struct sl_descendants descendants = {0};
    if (!sl_descendants_read(&descendants, pid)) {
        return;
    }
    size_t found = 0;
    for (size_t i = 0; i < descendants.count && i < EXAMINED_MAX; i++) {
        char command[SL_DESCRIPTION_MAX];
        if (!is_python(descendants.items[i].pid, command)) {
            continue;
        }
        found++;
        if (found > NAMED_MAX) {
            sl_buffer_text(sentence, ", and more");
            break;
        }
        sl_buffer_text(sentence, found == 1 ? "; of its descendants these are Python: " : ", ");
        sl_buffer_format(sentence, "%d (", (int)descendants.items[i].pid);
        append_cut(sentence, command);
        sl_buffer_byte(sentence, ')');
    }
    sl_descendants_destroy(&descendants);
}

void sl_processes_say_refused(pid_t pid, const struct sl_error *error)
{
    struct sl_buffer sentence;
    sl_buffer_init(&sentence);
    sl_buffer_text(&sentence, error->sentence);
    if (error->kind == SL_ERROR_NOT_PYTHON) {
        append_program(&sentence, pid);
        append_python_children(&sentence, pid);
    }
    if (sentence.failed) {
        sl_say_error(error);
    } else {
        sl_say("%s", sentence.bytes);
    }
    sl_buffer_destroy(&sentence);
}
