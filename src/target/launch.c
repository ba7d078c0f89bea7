#include "target/launch.h"

#include "target/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* In the child: becomes the program, or tells why not and ends. */
static _Noreturn void become(const char *path, char *const *arguments, const sigset_t *mask,
                             const struct sigaction *child_action, int report)
{
    sigaction(SIGCHLD, child_action, NULL);
    sigprocmask(SIG_SETMASK, mask, NULL);
    execv(path, arguments);
    int error_number = errno;
    (void)!write(report, &error_number, sizeof error_number);
    _exit(127);
}

bool sl_launch(struct sl_launched *launched, const char *path, char *const *arguments, const sigset_t *mask,
               struct sl_error *error)
{
    /* The pipe closes by itself when exec succeeds. */
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) {
        return sl_error_system(error, errno, "cannot start %s", path);
    }
    struct sigaction child_action;
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigemptyset(&standard.sa_mask);
    sigaction(SIGCHLD, &standard, &child_action);

    uint64_t started_ns = sl_clock_now_ns();
    pid_t child = fork();
    if (child == 0) {
        become(path, arguments, mask, &child_action, report[1]);
    }
    int error_number = child < 0 ? errno : 0;
    close(report[1]);
    if (child > 0) {
        ssize_t size;
        do {
            size = read(report[0], &error_number, sizeof error_number);
        } while (size < 0 && errno == EINTR);
        if (size == (ssize_t)sizeof error_number) {
            while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
            }
        } else {
            error_number = 0;
        }
    }
    close(report[0]);
    if (error_number != 0) {
        return sl_error_system(error, error_number, "cannot start %s", path);
    }
    *launched = (struct sl_launched){.pid = child, .started_ns = started_ns};
    return true;
}

static uint64_t nanoseconds(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000;
}

bool sl_launch_wait(pid_t pid, struct sl_exit *exit, struct sl_error *error)
{
    memset(exit, 0, sizeof *exit);
    siginfo_t ended;
    while (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT) != 0) {
        if (errno != EINTR) {
            return sl_error_system(error, errno, "cannot wait for process %d", (int)pid);
        }
    }
    /* What wait4 tells includes the descendants; the clock of the process, which exists until it is collected, does
     * not. */
    clockid_t clock;
    struct timespec own = {0};
    bool clock_read = clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &own) == 0;

    struct rusage usage;
    while (wait4(pid, &exit->status, 0, &usage) < 0) {
        if (errno != EINTR) {
            return sl_error_system(error, errno, "cannot wait for process %d", (int)pid);
        }
    }
    uint64_t all_ns = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
    exit->cpu_ns = clock_read ? (uint64_t)own.tv_sec * 1000000000 + (uint64_t)own.tv_nsec : all_ns;
    /* The two are rounded differently. */
    exit->children_cpu_ns = all_ns > exit->cpu_ns ? all_ns - exit->cpu_ns : 0;
    return true;
}
