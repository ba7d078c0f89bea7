#include "target/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND UINT64_C(1000000000)

/* /proc/PID/stat holds at most 52 numbers of 20 digits and a name of 16 bytes. */
#define STAT_SIZE_MAX 2048

/* Fields of /proc/PID/stat, counted from 1 as in proc_pid_stat(5). */
enum {
    STAT_STATE = 3,
    STAT_USER_TICKS = 14,
    STAT_SYSTEM_TICKS = 15,
    STAT_CHILDREN_USER_TICKS = 16,
    STAT_CHILDREN_SYSTEM_TICKS = 17,
    STAT_EXIT_CODE = 52,
};

static bool read_stat(const struct sl_process *process, char text[STAT_SIZE_MAX])
{
    int descriptor = openat(process->folder, "stat", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return false;
    }
    ssize_t size = read(descriptor, text, STAT_SIZE_MAX - 1);
    close(descriptor);
    if (size <= 0) {
        return false;
    }
    text[size] = '\0';
    return true;
}

/* The text of one field from the third on. The second, the name, may hold spaces and brackets; the last bracket ends
 * it. */
static const char *stat_field(const char *text, int field)
{
    const char *at = strrchr(text, ')');
    for (int number = 2; at != NULL && number < field; number++) {
        at = strchr(at + 1, ' ');
    }
    return at != NULL ? at + 1 : NULL;
}

static uint64_t stat_number(const char *text, int field)
{
    const char *at = stat_field(text, field);
    return at != NULL ? strtoull(at, NULL, 10) : 0;
}

static uint64_t ticks_to_ns(uint64_t ticks)
{
    long ticks_per_second = sysconf(_SC_CLK_TCK);
    return ticks * (NS_PER_SECOND / (uint64_t)(ticks_per_second > 0 ? ticks_per_second : 100));
}

bool sl_usage_cpu(const struct sl_process *process, uint64_t *cpu_ns)
{
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(process->pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
        return false;
    }
    *cpu_ns = (uint64_t)time.tv_sec * NS_PER_SECOND + (uint64_t)time.tv_nsec;
    return true;
}

bool sl_usage_read(const struct sl_process *process, struct sl_usage *usage)
{
    char text[STAT_SIZE_MAX];
    if (!read_stat(process, text)) {
        return false;
    }
    usage->children_cpu_ns =
        ticks_to_ns(stat_number(text, STAT_CHILDREN_USER_TICKS) + stat_number(text, STAT_CHILDREN_SYSTEM_TICKS));
    usage->cpu_ns = ticks_to_ns(stat_number(text, STAT_USER_TICKS) + stat_number(text, STAT_SYSTEM_TICKS));

    /* That the folder could be read shows that the pid still is this process's. */
    (void)sl_usage_cpu(process, &usage->cpu_ns);
    return true;
}

bool sl_usage_exit_status(const struct sl_process *process, int32_t *exit_status)
{
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0) {
        if (info.si_pid != process->pid) {
            return false;
        }
        *exit_status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8
                                                  : info.si_status | (info.si_code == CLD_DUMPED ? 0x80 : 0);
        return true;
    }
    char text[STAT_SIZE_MAX];
    if (!read_stat(process, text)) {
        return false;
    }
    const char *state = stat_field(text, STAT_STATE);
    const char *code = stat_field(text, STAT_EXIT_CODE);
    if (state == NULL || code == NULL || (*state != 'Z' && *state != 'X')) {
        return false;
    }
    *exit_status = (int32_t)strtol(code, NULL, 10);
    return true;
}
