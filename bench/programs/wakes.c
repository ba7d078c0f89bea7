/* wakes.c - a thread that wakes up a thousand times a second, and does nothing: the least that a sampler at 1 kHz can take
 * on this machine. Prints the share of a core that it takes.
 *
 * usage: wakes [WAKES [BUSY_NS]]     BUSY_NS: for so long it computes each time, without reading anything */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#define WAKES 3000
#define INTERVAL_NS 1000000

static long long now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int count, char **arguments)
{
    long wakes = count > 1 ? atol(arguments[1]) : WAKES;
    long busy_ns = count > 2 ? atol(arguments[2]) : 0;
    prctl(PR_SET_TIMERSLACK, 1);
    struct timespec due, cpu;
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (long i = 0; i < wakes; i++) {
        due.tv_nsec += INTERVAL_NS;
        if (due.tv_nsec >= 1000000000) {
            due.tv_nsec -= 1000000000;
            due.tv_sec++;
        }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        for (long long end = now_ns() + busy_ns; busy_ns > 0 && now_ns() < end;) {
        }
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
    printf("%.5f\n", ((double)cpu.tv_sec * 1e9 + (double)cpu.tv_nsec) / (double)wakes / INTERVAL_NS);
    return 0;
}
