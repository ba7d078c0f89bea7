#include "cpython/python.h"
#include "target/description.h"

#include <string.h>

bool sl_python_named(const struct sl_process *process)
{
    char path[SL_DESCRIPTION_MAX];
    sl_process_executable(process, path);
    const char *slash = strrchr(path, '/');
    return strncmp(slash != NULL ? slash + 1 : path, "python", strlen("python")) == 0;
}
