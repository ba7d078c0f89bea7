#include "live.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *pythons[PYTHONS_MAX];
size_t python_count;

void read_pythons(void)
{
    static char paths[16384];
    const char *list = getenv("STACKLAPSE_PYTHONS");
    char *rest = NULL;
    snprintf(paths, sizeof paths, "%s", list != NULL ? list : "");
    for (char *path = strtok_r(paths, ":", &rest); path != NULL && python_count < PYTHONS_MAX;
         path = strtok_r(NULL, ":", &rest)) {
        pythons[python_count++] = path;
    }
}

void start_command(struct child *child, const char *const *arguments)
{
    int input[2];
    int output[2];
    assert_int_equal(pipe(input), 0);
    assert_int_equal(pipe(output), 0);
    child->pid = fork();
    assert_true(child->pid >= 0);
    if (child->pid == 0) {
        dup2(input[0], 0);
        dup2(output[1], 1);
        close(input[1]);
        close(output[0]);
        execv(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    close(input[0]);
    close(output[1]);
    child->input = input[1];
    child->output = fdopen(output[0], "r");
    assert_non_null(child->output);
}

void start(struct child *child, const char *python, const char *program, const char *scene)
{
    start_command(child, (const char *const[]){python, "-W", "ignore", program, scene, NULL});
}

void finish(struct child *child)
{
    close(child->input);
    fclose(child->output);
    kill(child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
}

void read_lines(struct child *child, struct sl_buffer *lines)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    sl_buffer_init(lines);
    while ((size = getline(&line, &capacity, child->output)) > 0 && strcmp(line, ".\n") != 0) {
        sl_buffer_append(lines, line, (size_t)size);
    }
    free(line);
    assert_true(size > 0);
}

struct sl_python *attach(struct sl_process *process, const struct child *child)
{
    struct sl_error error = {0};
    assert_true(sl_process_open(process, child->pid, &error));
    struct sl_python *python = sl_python_attach(process, NULL, &error);
    if (python == NULL) {
        print_message("%s\n", error.sentence);
    }
    assert_non_null(python);
    return python;
}
