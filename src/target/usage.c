#include "target/usage.h"

#include "target/stat.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND UINT64_C(1000000000)

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
    char line[SL_STAT_BYTES];
    if (!sl_stat_read(process->folder, "stat", line)) {
        return false;
    }
    usage->children_cpu_ns = ticks_to_ns(sl_stat_number(line, SL_STAT_CHILDREN_USER_TICKS) +
                                         sl_stat_number(line, SL_STAT_CHILDREN_SYSTEM_TICKS));
    usage->cpu_ns = ticks_to_ns(sl_stat_number(line, SL_STAT_USER_TICKS) + sl_stat_number(line, SL_STAT_SYSTEM_TICKS));

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
    char line[SL_STAT_BYTES];
    if (!sl_stat_read(process->folder, "stat", line)) {
        return false;
    }
    const char *state = sl_stat_field(line, SL_STAT_STATE);
    const char *code = sl_stat_field(line, SL_STAT_EXIT_CODE);
    if (state == NULL || code == NULL || (*state != 'Z' && *state != 'X')) {
        return false;
    }
    *exit_status = (int32_t)strtol(code, NULL, 10);
    return true;
}
