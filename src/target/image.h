/* image.h - whether a process still runs the program that it ran before.
 *
 * exec(2) replaces all memory of a process and keeps its pid, its start time and often its name, and with address
 * randomisation switched off even its addresses. A descriptor of /proc/PID/mem belongs to the memory it was opened on,
 * and reads nothing from it once that has been given up: it tells in one system call of 0.2 us. */
#ifndef SL_TARGET_IMAGE_H
#define SL_TARGET_IMAGE_H

#include "target/process.h"

#include <stdbool.h>

struct sl_image {
    int memory; /* descriptor of /proc/PID/mem; -1 when it may not be opened: then every image counts as current */
};

void sl_image_open(struct sl_image *image, const struct sl_process *process);
void sl_image_close(struct sl_image *image);

/* False once the process has ended or executed another program (or the same again). */
bool sl_image_current(const struct sl_image *image);

#endif
