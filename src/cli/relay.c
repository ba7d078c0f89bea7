#include "cli/relay.h"

#include "target/description.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Passed on when they were sent to us by another process; real-time signals too. Not those that tell of a fault of the
 * receiver's own. */
static const int passed_on[] = {SIGHUP,  SIGINT,    SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM,
                                SIGPROF, SIGVTALRM, SIGIO,   SIGPWR,  SIGURG,  SIGWINCH};
static const int stopping[] = {SIGTSTP, SIGTTIN, SIGTTOU};

/* More generations than any process tree has. */
enum { ANCESTORS_MAX = 1000 };

static void add(sigset_t *set, const int *signals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sigaddset(set, signals[i]);
    }
}

static bool is_stopping(int number)
{
    return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

bool sl_relay_begin(struct sl_relay *relay, struct sl_error *error)
{
    *relay = (struct sl_relay){.descriptor = -1};
    sigset_t relayed;
    sigemptyset(&relayed);
    add(&relayed, passed_on, sizeof passed_on / sizeof passed_on[0]);
    add(&relayed, stopping, sizeof stopping / sizeof stopping[0]);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++) {
        sigaddset(&relayed, number);
    }
    sigaddset(&relayed, SIGCHLD);
    sigaddset(&relayed, SIGCONT);
    sigset_t blocked = relayed;
    sigaddset(&blocked, SIGXFSZ);
    sigprocmask(SIG_BLOCK, &blocked, &relay->inherited);
    relay->descriptor = signalfd(-1, &relayed, SFD_CLOEXEC | SFD_NONBLOCK);
    if (relay->descriptor < 0) {
        sl_error_system(error, errno, "cannot receive signals");
        sigprocmask(SIG_SETMASK, &relay->inherited, NULL);
        return false;
    }
    return true;
}

/* Whether the sender is the program or one of its descendants: it means its own group, of which the program is part,
 * or its parent, for which the program's own signals are nothing to be passed back. */
static bool is_programs_own(pid_t sender, pid_t program)
{
    for (int i = 0; i < ANCESTORS_MAX && sender > 1; i++) {
        if (sender == program) {
            return true;
        }
        sender = sl_parent_of(sender);
    }
    return false;
}

static void pass_on(const struct signalfd_siginfo *signal, pid_t program)
{
    if (signal->ssi_code > 0 || is_programs_own((pid_t)signal->ssi_pid, program)) {
        return;
    }
    if (signal->ssi_code == SI_QUEUE) {
        union sigval value = {.sival_ptr = (void *)(uintptr_t)signal->ssi_ptr};
        sigqueue(program, (int)signal->ssi_signo, value);
    } else {
        kill(program, (int)signal->ssi_signo);
    }
}

static void take_signals(struct sl_relay *relay, pid_t program)
{
    struct signalfd_siginfo signal;
    while (read(relay->descriptor, &signal, sizeof signal) == (ssize_t)sizeof signal) {
        int number = (int)signal.ssi_signo;
        if (number == SIGCONT) {
            relay->stop_sent = false;
            if (relay->stopped) {
                kill(program, SIGCONT);
            }
        } else if (number != SIGCHLD) { /* of which one may stand for several: the child's state is asked for */
            relay->stop_sent = relay->stop_sent || is_stopping(number);
            relay->interrupted = relay->interrupted || (number == SIGINT && signal.ssi_code > 0);
            pass_on(&signal, program);
        }
    }
}

/* Asks what the program has become. */
static void take_changes(struct sl_relay *relay, pid_t program)
{
    for (;;) {
        siginfo_t change = {0};
        if (waitid(P_PID, (id_t)program, &change, WSTOPPED | WCONTINUED | WNOHANG) != 0 || change.si_pid == 0) {
            return;
        }
        /* Programs that handle Ctrl-Z by themselves stop by SIGSTOP at the end of it. */
        relay->stopped =
            change.si_code == CLD_STOPPED && (is_stopping(change.si_status) || change.si_status == SIGSTOP);
    }
}

/* The first process of a container is given the orphans of all others, and nobody else would collect them. */
static void collect_orphans(pid_t program)
{
    siginfo_t end = {0};
    while (getpid() == 1 && waitid(P_ALL, 0, &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid != 0 &&
           end.si_pid != program) {
        waitid(P_PID, (id_t)end.si_pid, &end, WEXITED | WNOHANG);
        end = (siginfo_t){0};
    }
}

static bool has_ended(pid_t program)
{
    siginfo_t end = {0};
    return waitid(P_PID, (id_t)program, &end, WEXITED | WNOHANG | WNOWAIT) != 0 || end.si_pid != 0;
}

/* The program has stopped: so do we, until somebody continues the group, or us alone. */
static void stop_with(struct sl_relay *relay, pid_t program, const struct sl_relay_duties *duties)
{
    if (duties->leave != NULL) {
        duties->leave(duties->context);
    }
    /* Not the signal that was sent: the program has taken it already, and to the shell a stop is a stop. */
    kill(getpid(), SIGSTOP);
    if (duties->back != NULL) {
        duties->back(duties->context);
    }

    take_changes(relay, program);
    if (relay->stopped) {
        kill(program, SIGCONT);
    }
    relay->stopped = false;
    relay->stop_sent = false;
}

void sl_relay_until_end(struct sl_relay *relay, pid_t program, const struct sl_relay_duties *duties)
{
    struct pollfd awaited[2] = {
        {.fd = relay->descriptor, .events = POLLIN},
        {.fd = duties->descriptor, .events = POLLIN},
    };
    while (!has_ended(program)) {
        int count = poll(awaited, 2, duties->period_ms);
        take_signals(relay, program);
        take_changes(relay, program);
        collect_orphans(program);
        /* Without a stop signal for us it was stopped by its pid (kill -STOP), and will be continued by its pid: if we
         * had stopped too, nobody would wake us. */
        if (relay->stopped && relay->stop_sent) {
            stop_with(relay, program, duties);
        }
        if (count > 0 && awaited[1].revents != 0) {
            awaited[1].fd = -1;
            duties->ready(duties->context);
        }
        if (duties->period_ms >= 0) {
            duties->tick(duties->context);
        }
    }
}

void sl_relay_end(struct sl_relay *relay)
{
    if (relay->descriptor >= 0) {
        close(relay->descriptor);
    }
    relay->descriptor = -1;
}
