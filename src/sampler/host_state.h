/* host_state.h - what all recordings of our own process share: for host.c, host_due.c and host_native.c. */
#ifndef SL_SAMPLER_HOST_STATE_H
#define SL_SAMPLER_HOST_STATE_H

#include "sampler/host_pulse.h"
#include "sampler/host_recording.h"
#include "sampler/host_target.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sl_host {
    pthread_mutex_t gate; /* held while one starts, stops, or the native thread is made to end; taken before `lock`.
                           * Who holds it waits for nobody but the native thread, so it may be taken with the GIL held */
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;  /* the native thread sleeps on it */
    bool wake_made;

    struct sl_host_target target;
    struct sl_host_recording **recordings; /* those that run; owned by who started them */
    size_t count, capacity;
    uint64_t epoch_ns; /* of everyone's slots; 0 before the first recording */
    uint64_t seed;
    struct sl_random random; /* that recordings begin theirs with */
    struct sl_host_pulse pulse;
    uint64_t refresh_due_ns;
    uint64_t looks;
    uint64_t wake_ns;   /* until when the native thread sleeps */
    uint64_t looked_ns; /* when it looked last, which may be a little before that time has come */
    size_t crowd;       /* how many sparing recordings had been looked at before */

    bool threaded; /* there is a native thread */
    bool ending;   /* it is to end */
    bool forking;  /* it may not be started */
    pthread_t thread;
    pid_t thread_id;
    uint64_t ended_cpu_ns; /* of native threads that have ended */
};

/* One for the process, because whatever happens to the process (fork(2)) happens to all recordings. */
extern struct sl_host sl_host;

#endif
