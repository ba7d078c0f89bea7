#include "target/image.h"

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

void sl_image_open(struct sl_image *image, const struct sl_process *process)
{
    image->memory = openat(process->folder, "mem", O_RDONLY | O_CLOEXEC);
}

void sl_image_close(struct sl_image *image)
{
    if (image->memory >= 0) {
        close(image->memory);
    }
    image->memory = -1;
}

bool sl_image_current(const struct sl_image *image)
{
    if (image->memory < 0) {
        return true;
    }
    /* Nothing is mapped at address 0: memory that exists answers EIO there, memory that is gone reads as a file that
     * has ended (fs/proc/base.c, mem_rw). */
    char byte;
    return pread(image->memory, &byte, 1, 0) != 0;
}
