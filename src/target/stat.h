/* stat.h - what the kernel tells of a process or thread in one line: /proc/PID/stat and /proc/PID/task/TID/stat
 * (proc_pid_stat(5)). */
#ifndef SL_TARGET_STAT_H
#define SL_TARGET_STAT_H

#include <stdbool.h>
#include <stdint.h>

/* The longest fields of the line are the name, at most 64 bytes, and fifty numbers of 20 digits. */
#define SL_STAT_BYTES 2048

/* Fields from the third on, counted as there. */
enum sl_stat_field {
    SL_STAT_STATE = 3,
    SL_STAT_PARENT = 4,
    SL_STAT_FLAGS = 9,
    SL_STAT_USER_TICKS = 14,
    SL_STAT_SYSTEM_TICKS = 15,
    SL_STAT_CHILDREN_USER_TICKS = 16,
    SL_STAT_CHILDREN_SYSTEM_TICKS = 17,
    SL_STAT_THREADS = 20,
    SL_STAT_START_TICKS = 22,
    SL_STAT_EXIT_CODE = 52,
};

/* Reads the line from the file `name` in `folder`. False, with errno, when it cannot be opened, and when there is nothing to
 * read in it (any more). */
bool sl_stat_read(int folder, const char *name, char line[SL_STAT_BYTES]);

/* The text from the field on, NULL when the line has no such field. */
const char *sl_stat_field(const char *line, enum sl_stat_field field);

/* The field as a number, 0 when there is none. */
uint64_t sl_stat_number(const char *line, enum sl_stat_field field);

#endif
