/* combine_processes.h - processes that go on from one recording into another: those of the same number, executable and
 * command that were not seen to end. A number alone is that of many: of others later on, and of others in other containers.
 * Only from one recording into the one that follows it without a gap may the command be another: that of what was executed. */
#ifndef SL_PROFILE_COMBINE_PROCESSES_H
#define SL_PROFILE_COMBINE_PROCESSES_H

#include "profile/recorder.h"

struct sl_joined_processes {
    struct sl_joined_process {
        uint32_t pid;
        sl_string executable; /* in the result, as all here */
        sl_string command;
        bool open; /* it was not seen to end */
        uint64_t end_ns;
        uint64_t cpu_ns;
        int32_t exit_status;
    } * all;
    uint32_t count, capacity;
    uint32_t *numbers; /* of each process of the recording that is being added */
    uint64_t ended_ns; /* when the one before that did, of wall-clock time */
};

/* Takes over the processes of another recording, which begins at `offset_ns`: `strings` tells what its own are in the
 * result. False when memory is exhausted. */
bool sl_joined_processes_add(struct sl_joined_processes *processes, struct sl_recorder *recorder,
                             const struct sl_profile *profile, const sl_string *strings, uint64_t offset_ns);

/* Tells how all of them ended, after the last recording. */
void sl_joined_processes_end(const struct sl_joined_processes *processes, struct sl_recorder *recorder);

void sl_joined_processes_destroy(struct sl_joined_processes *processes);

#endif
