/* wakes.c - a thread that does nothing but wake up a thousand times a second: the least that a sampler at 1 kHz can take on
 * this machine. Prints the share of a core that it takes. */
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>

#define WAKES 3000
#define INTERVAL_NS 1000000

int main(void)
{
    prctl(PR_SET_TIMERSLACK, 1);
    struct timespec due, cpu;
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (int i = 0; i < WAKES; i++) {
        due.tv_nsec += INTERVAL_NS;
        if (due.tv_nsec >= 1000000000) {
            due.tv_nsec -= 1000000000;
            due.tv_sec++;
        }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
    printf("%.5f\n", ((double)cpu.tv_sec * 1e9 + (double)cpu.tv_nsec) / WAKES / INTERVAL_NS);
    return 0;
}
