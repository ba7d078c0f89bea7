/* live.h - real interpreters to look at: each runs a program that prints what is to be seen in it, and stays as it is.
 * STACKLAPSE_PYTHONS names them, joined by colons; without it there are none, and tests that need them are skipped. */
#ifndef LIVE_H
#define LIVE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "cpython/python.h"

#include <stdio.h>
#include <sys/types.h>

#define PYTHONS_MAX 32

extern const char *pythons[PYTHONS_MAX];
extern size_t python_count;

void read_pythons(void);

struct child {
    pid_t pid;
    int input;
    FILE *output;
};

/* Runs `program` with `scene` as its argument. It ends when its standard input does. */
void start(struct child *child, const char *python, const char *program, const char *scene);
/* The same for a whole command, up to a NULL. */
void start_command(struct child *child, const char *const *arguments);
void finish(struct child *child);

/* What the program printed up to its dot, line by line. */
void read_lines(struct child *child, struct sl_buffer *lines);

struct sl_python *attach(struct sl_process *process, const struct child *child);

#endif
