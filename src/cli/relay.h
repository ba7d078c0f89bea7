/* relay.h - stands between the program and whoever sends signals, so that it gets each as it would without us.
 *
 * What the terminal sends (Ctrl-C, Ctrl-\, Ctrl-Z, hangup) goes to the whole process group: the program has it already,
 * and we only stay alive. What a person or a supervisor sends to us alone (kill PID) is passed on. The kernel tells the
 * two apart (si_code), but not whether a kill was meant for the group; such a signal may reach the program twice. When
 * the program stops (Ctrl-Z) we stop with it, so that the shell gets its prompt, and go on together. */
#ifndef SL_CLI_RELAY_H
#define SL_CLI_RELAY_H

#include "base/error.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct sl_relay {
    sigset_t inherited; /* the mask we were started with: the program's */
    int descriptor;     /* of signalfd(2) */
    bool stop_sent;     /* a stop signal (Ctrl-Z) was sent to us since the program last went on */
    bool stopped;       /* the program is stopped by such a signal */
    bool interrupted;   /* the terminal has sent SIGINT (Ctrl-C) */
};

/* Blocks what is relayed, in this thread and in those it creates, and SIGXFSZ, which would end us where an error code is to
 * tell of a limit on the size of files. To be called before the program is launched. */
bool sl_relay_begin(struct sl_relay *relay, struct sl_error *error);

/* What else goes on while the program runs. */
struct sl_relay_duties {
    int descriptor; /* readable when `ready` is to be called (once); -1: none */
    void (*ready)(void *context);
    int period_ms; /* between calls of `tick`; -1: never */
    void (*tick)(void *context);
    void (*leave)(void *context); /* the terminal is about to be left to someone else: before we stop */
    void (*back)(void *context);  /* after that, when we go on */
    void *context;
};

/* Returns when the program has ended. It is not collected; where we are the first process of a container, everything else is
 * that has ended and is left to us. */
void sl_relay_until_end(struct sl_relay *relay, pid_t program, const struct sl_relay_duties *duties);

/* After the program's end: what is sent to us is ours from now on. The signals stay blocked until
 * `sl_interrupt_arm`. */
void sl_relay_end(struct sl_relay *relay);

#endif
