/* description.h - what a person would say of a process: its command line, its program, who started it. */
#ifndef SL_TARGET_DESCRIPTION_H
#define SL_TARGET_DESCRIPTION_H

#include "target/process.h"

#include <stddef.h>
#include <stdint.h>

/* No more of a command line or path is told. */
#define SL_DESCRIPTION_MAX 4096

/* Its arguments with a blank between them; "" when they cannot be read. */
void sl_process_command(const struct sl_process *process, char command[SL_DESCRIPTION_MAX]);

/* The path of the program that it runs, as it sees it; "" when it cannot be read. */
void sl_process_executable(const struct sl_process *process, char path[SL_DESCRIPTION_MAX]);

/* The values that the kernel handed to its program at the start (getauxval(3)), as they are in memory: they differ from
 * one start to the next. Returns how many bytes; 0 when they cannot be read. */
size_t sl_process_start_values(const struct sl_process *process, char values[SL_DESCRIPTION_MAX]);

/* The process that started it, or by now is in its place; 0 when that cannot be read. */
uint32_t sl_process_parent(const struct sl_process *process);

/* The same of a process that was not opened. */
pid_t sl_parent_of(pid_t pid);

#endif
