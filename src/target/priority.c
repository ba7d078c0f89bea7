#include "target/priority.h"

#include "target/clock.h"

#include <sys/resource.h>

#define FIRST (-20)
#define JUDGED_EVERY_NS UINT64_C(100000000)

/* Of the calling thread alone: on Linux a nice value belongs to a thread (setpriority(2), "C library/kernel
 * differences"). */
static bool set(struct sl_priority *priority, int nice)
{
    if (setpriority(PRIO_PROCESS, 0, nice) != 0) {
        return false;
    }
    priority->now = nice;
    return true;
}

void sl_priority_raise(struct sl_priority *priority)
{
    int before = getpriority(PRIO_PROCESS, 0);
    *priority = (struct sl_priority){
        .before = before,
        .raised = before,
        .now = before,
        .judged_ns = sl_clock_now_ns(),
        .cpu_ns = sl_clock_thread_cpu_ns(),
    };
    struct rlimit limit;
    int lowest = FIRST;
    if (!set(priority, lowest) && getrlimit(RLIMIT_NICE, &limit) == 0 && limit.rlim_cur <= 40) {
        lowest = 20 - (int)limit.rlim_cur;
        if (lowest < before) {
            set(priority, lowest);
        }
    }
    priority->raised = priority->now;
}

void sl_priority_keep(struct sl_priority *priority, uint64_t now_ns)
{
    uint64_t passed_ns = now_ns - priority->judged_ns;
    if (priority->raised == priority->before || passed_ns < JUDGED_EVERY_NS) {
        return;
    }
    uint64_t cpu_ns = sl_clock_thread_cpu_ns();
    uint64_t taken_ns = cpu_ns - priority->cpu_ns;
    if (priority->now == priority->raised && taken_ns > passed_ns / 3 * 2) {
        set(priority, priority->before);
    } else if (priority->now != priority->raised && taken_ns < passed_ns / 2) {
        set(priority, priority->raised);
    }
    priority->judged_ns = now_ns;
    priority->cpu_ns = cpu_ns;
}

void sl_priority_restore(struct sl_priority *priority)
{
    if (priority->now != priority->before) {
        set(priority, priority->before);
    }
}
