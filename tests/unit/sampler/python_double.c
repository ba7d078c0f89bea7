#include "python_double.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

struct python_double python_double;
void (*python_double_step)(void);

#define FUNCTIONS_MAX 16

struct sl_python {
    struct sl_process *process;
    struct sl_python_thread list[DOUBLE_THREADS_MAX];
    size_t listed;
    bool followed;
    enum sl_list seen;
    struct sl_frame frames[DOUBLE_FRAMES_MAX];
    char names[FUNCTIONS_MAX][8];
    char files[FUNCTIONS_MAX][16];
    struct sl_code codes[FUNCTIONS_MAX];
};

struct sl_process *sl_python_process(const struct sl_python *python)
{
    return python->process;
}

struct sl_python *sl_python_attach(struct sl_process *process, bool *not_yet, struct sl_error *error)
{
    if (python_double.attach_failures > 0) {
        python_double.attach_failures--;
        if (not_yet != NULL) {
            *not_yet = python_double.not_yet;
        }
        sl_error_set(error, python_double.attach_error, "the double does not attach");
        return NULL;
    }
    python_double.attached++;
    if (python_double.kills) {
        kill(process->pid, SIGKILL);
        waitpid(process->pid, NULL, 0);
    }
    struct sl_python *python = calloc(1, sizeof *python);
    python->process = process;
    for (unsigned i = 0; i < FUNCTIONS_MAX; i++) {
        snprintf(python->names[i], sizeof python->names[i], "f%u", i);
        snprintf(python->files[i], sizeof python->files[i], "/app/f%u.py", i);
        python->codes[i] = (struct sl_code){
            .name = python->names[i],
            .name_size = strlen(python->names[i]),
            .file = python->files[i],
            .file_size = strlen(python->files[i]),
            .first_line = 1,
        };
    }
    for (size_t i = 0; i < DOUBLE_THREADS_MAX; i++) {
        python_double.threads[i].seen = 0;
    }
    return python;
}

void sl_python_detach(struct sl_python *python)
{
    free(python);
}

const char *sl_python_version(const struct sl_python *python)
{
    (void)python;
    return "3.99.0";
}

enum sl_look sl_python_threads(struct sl_python *python, const struct sl_python_thread **threads, size_t *count)
{
    if (python_double_step != NULL) {
        python_double_step();
    }
    for (size_t i = 0; i < python_double.thread_count; i++) {
        python->list[i] = (struct sl_python_thread){
            .address = 0x1000 + i * 0x100,
            .native_id = (uint64_t)python_double.threads[i].id,
            .interpreter = 0x100 + (uint64_t)python_double.threads[i].interpreter_id,
            .interpreter_id = python_double.threads[i].interpreter_id,
        };
    }
    if (python_double.long_list) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    *threads = python->list;
    *count = python_double.thread_count;
    python->listed = *count;
    python_double.lists++;
    return SL_LOOK_OK;
}

void sl_python_threads_forget(struct sl_python *python)
{
    (void)python;
    python_double.forgotten++;
}

bool sl_python_threads_long(const struct sl_python *python)
{
    (void)python;
    return python_double.long_list;
}

bool sl_python_threads_begun(const struct sl_python *python)
{
    if (python_double_step != NULL) {
        python_double_step();
    }
    return python_double.thread_count > python->listed;
}

bool sl_python_threads_follow(struct sl_python *python)
{
    python->followed = python_double.follows_list && python_double.lists > 0;
    python->seen = SL_LIST_UNSEEN;
    if (python->followed && python_double_step != NULL) {
        python_double_step();
    }
    return python->followed;
}

enum sl_list sl_python_threads_seen(const struct sl_python *python)
{
    return python->seen;
}

enum sl_look sl_python_walk(struct sl_python *python, const struct sl_python_thread *thread, struct sl_walk *walk)
{
    struct double_thread *answer = &python_double.threads[(thread->address - 0x1000) / 0x100];
    answer->walks++;
    if (python->followed) {
        python->followed = false;
        python->seen = python_double.thread_count == python->listed ? SL_LIST_SAME : SL_LIST_CHANGED;
    }
    if (answer->torn_left > 0) {
        answer->torn_left--;
        *walk = (struct sl_walk){0};
        return SL_LOOK_TORN;
    }
    answer->torn_left = answer->torn;
    if (answer->too_deep) {
        *walk = (struct sl_walk){0};
        return SL_LOOK_TOO_DEEP;
    }
    for (size_t i = 0; i < answer->depth; i++) {
        python->frames[i] = answer->frames[answer->depth - 1 - i];
        if (answer->walks <= answer->nameless || (answer->nameless_innermost && i == 0)) {
            python->frames[i].code = SL_CODE_NAMELESS;
        }
    }
    size_t unchanged = 0;
    while (unchanged < answer->depth && unchanged < answer->seen &&
           memcmp(&answer->frames[unchanged], &answer->seen_frames[unchanged], sizeof(struct sl_frame)) == 0) {
        unchanged++;
    }
    memcpy(answer->seen_frames, answer->frames, sizeof answer->frames);
    *walk = (struct sl_walk){
        .frames = python->frames,
        .count = answer->depth,
        .unchanged = unchanged,
        .holds_gil = answer->holds_gil,
        .task = answer->task,
        .task_code = answer->task_code,
    };
    answer->seen = answer->depth;
    return SL_LOOK_OK;
}

const struct sl_code *sl_python_code(const struct sl_python *python, uint32_t number)
{
    return number < FUNCTIONS_MAX ? &python->codes[number] : NULL;
}

bool sl_python_facts(struct sl_python *python, struct sl_python_facts *facts)
{
    (void)python;
    facts->prefixes = strdup("/usr");
    facts->path = strdup(python_double.path != NULL ? python_double.path : "/app\n/usr/lib/python3.99");
    facts->executable = strdup("/usr/bin/python3.99");
    return true;
}

void sl_python_facts_destroy(struct sl_python_facts *facts)
{
    free(facts->prefixes);
    free(facts->path);
    free(facts->executable);
}

void sl_python_gil_range(struct sl_python *python, const struct sl_python_thread *thread, uint64_t *begin,
                         uint64_t *end)
{
    (void)python;
    (void)thread;
    bool there = python_double.gil_late == 0;
    python_double.gil_late -= !there;
    *begin = there ? python_double.gil_begin : 0;
    *end = there ? python_double.gil_end : 0;
}

uint64_t sl_python_gil_holder(struct sl_python *python, uint64_t begin)
{
    (void)python;
    (void)begin;
    return python_double.gil_holder;
}
