#include "cli/interrupt.h"

#include "target/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* Set before the handler is, and read by it. */
static uint64_t heeded_from_ns;
static const char *_Atomic guarded_path;

void sl_interrupt_die(void)
{
    sigset_t unblocked;
    sigemptyset(&unblocked);
    sigaddset(&unblocked, SIGINT);
    signal(SIGINT, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &unblocked, NULL);
    raise(SIGINT);
}

static void interrupted(int number, siginfo_t *signal, void *context)
{
    (void)context;
    int error_number = errno;
    if (sl_clock_now_ns() >= heeded_from_ns) {
        const char *path = atomic_load(&guarded_path);
        if (path != NULL) {
            unlink(path);
        }
        if (number == SIGINT && signal->si_code > 0) {
            sl_interrupt_die();
        }
        _exit(128 + number);
    }
    errno = error_number;
}

void sl_interrupt_arm(uint64_t grace_ns)
{
    heeded_from_ns = sl_clock_now_ns() + grace_ns;
    struct sigaction action = {.sa_sigaction = interrupted, .sa_flags = SA_RESTART | SA_SIGINFO};
    sigset_t unblocked;
    sigemptyset(&action.sa_mask);
    sigemptyset(&unblocked);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct sigaction before;
        /* What we were started with as ignored (nohup) stays so. */
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            sigaction(signals[i], &action, NULL);
        }
        sigaddset(&unblocked, signals[i]);
    }
    sigprocmask(SIG_UNBLOCK, &unblocked, NULL);
}

void sl_interrupt_guard(const struct sl_output *output)
{
    static char *path; /* a copy: a signal may come when the output has been closed, and its own is freed */
    bool file = output != NULL && output->path != NULL;
    atomic_store(&guarded_path, NULL);
    free(path);
    path = file ? strdup(output->temporary_path) : NULL;
    atomic_store(&guarded_path, path);
}
