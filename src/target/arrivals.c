#include "target/arrivals.h"

#include "base/array.h"

#include "target/description.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* More new ids than this are not asked for one by one: reading /proc costs less. */
#define GAP_MAX 512

/* How often an id is asked for whose process is not there: it may have been given out and the process not yet made. */
#define ATTEMPTS_MAX 3

static void disbelieve(struct sl_arrivals *arrivals)
{
    if (arrivals->load >= 0) {
        close(arrivals->load);
    }
    arrivals->load = -1;
    arrivals->pending_count = 0;
}

/* The id that was given out last: the fifth field. 0 when it is not told. */
static pid_t last_id(const struct sl_arrivals *arrivals)
{
    char text[128];
    ssize_t size = arrivals->load >= 0 ? pread(arrivals->load, text, sizeof text - 1, 0) : -1;
    if (size <= 0) {
        return 0;
    }
    text[size] = '\0';
    const char *field = strrchr(text, ' ');
    long id = field != NULL ? strtol(field + 1, NULL, 10) : 0;
    return id > 0 && id <= INT32_MAX ? (pid_t)id : 0;
}

static void *tell_own_id(void *id)
{
    *(pid_t *)id = (pid_t)syscall(SYS_gettid);
    return NULL;
}

/* Whether the id of a thread that is started now is told. */
static bool tells_the_truth(const struct sl_arrivals *arrivals)
{
    pid_t before = last_id(arrivals);
    pid_t id = 0;
    pthread_t thread;
    if (before == 0 || pthread_create(&thread, NULL, tell_own_id, &id) != 0) {
        return false;
    }
    pthread_join(thread, NULL);
    pid_t after = last_id(arrivals);
    /* Ids may just have begun again from the lowest. */
    return after >= before ? before < id && id <= after : id > before || id <= after;
}

void sl_arrivals_init(struct sl_arrivals *arrivals)
{
    *arrivals = (struct sl_arrivals){.load = open("/proc/loadavg", O_RDONLY | O_CLOEXEC)};
    if (!tells_the_truth(arrivals)) {
        disbelieve(arrivals);
    }
}

void sl_arrivals_destroy(struct sl_arrivals *arrivals)
{
    if (arrivals->load >= 0) {
        close(arrivals->load);
    }
    free(arrivals->known);
    free(arrivals->list);
    *arrivals = (struct sl_arrivals){.load = -1};
}

static void tell(struct sl_arrivals *arrivals, pid_t pid)
{
    pid_t parent = sl_parent_of(pid);
    if (parent == 0) {
        return; /* it has ended, or descends from nobody whom we can see */
    }
    if (!sl_array_room(&arrivals->list, &arrivals->capacity, (uint32_t)arrivals->count, sizeof *arrivals->list)) {
        return;
    }
    arrivals->list[arrivals->count++] = (struct sl_arrival){.pid = pid, .parent = parent};
}

static int ascending(const void *a, const void *b)
{
    pid_t left = *(const pid_t *)a;
    pid_t right = *(const pid_t *)b;
    return (left > right) - (left < right);
}

/* All ids in /proc, in ascending order; NULL when that cannot be read. */
static pid_t *read_all(size_t *count)
{
    DIR *folder = opendir("/proc");
    if (folder == NULL) {
        return NULL;
    }
    pid_t *ids = NULL;
    uint32_t capacity = 0;
    *count = 0;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (!isdigit((unsigned char)entry->d_name[0])) {
            continue;
        }
        if (!sl_array_room(&ids, &capacity, (uint32_t)*count, sizeof *ids)) {
            free(ids);
            closedir(folder);
            return NULL;
        }
        ids[(*count)++] = (pid_t)strtol(entry->d_name, NULL, 10);
    }
    closedir(folder);
    if (*count > 1) {
        qsort(ids, *count, sizeof *ids, ascending);
    }
    return ids;
}

/* Tells the processes that were not in /proc when it was last read. */
static void tell_unknown(struct sl_arrivals *arrivals)
{
    size_t count = 0;
    pid_t *ids = read_all(&count);
    if (ids == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (arrivals->known_count == 0 ||
            bsearch(&ids[i], arrivals->known, arrivals->known_count, sizeof *ids, ascending) == NULL) {
            tell(arrivals, ids[i]);
        }
    }
    free(arrivals->known);
    arrivals->known = ids;
    arrivals->known_count = count;
}

void sl_arrivals_all(struct sl_arrivals *arrivals)
{
    arrivals->count = 0;
    arrivals->pending_count = 0;
    arrivals->last = last_id(arrivals);
    if (arrivals->last == 0) {
        disbelieve(arrivals);
    }
    arrivals->known_count = 0;
    tell_unknown(arrivals);
}

/* Looks for the process of an id that was given out. False when there is none yet. */
static bool arrived(struct sl_arrivals *arrivals, pid_t pid)
{
    int descriptor = (int)syscall(SYS_pidfd_open, pid, 0);
    if (descriptor >= 0) {
        close(descriptor);
        tell(arrivals, pid);
        return true;
    }
    if (errno == ENOSYS || errno == EPERM) {
        disbelieve(arrivals); /* it takes this call to tell a process from a thread */
        return true;
    }
    /* EINVAL, and from Linux 6.15 on ENOENT: a thread. Where we lack descriptors or memory, nothing is known. */
    return errno != ESRCH && errno != EMFILE && errno != ENFILE && errno != ENOMEM;
}

static void look_for_pending(struct sl_arrivals *arrivals)
{
    size_t kept = 0;
    size_t count = arrivals->pending_count;
    for (size_t i = 0; i < count; i++) {
        struct sl_pending_arrival pending = arrivals->pending[i];
        if (!arrived(arrivals, pending.pid) && ++pending.attempts < ATTEMPTS_MAX) {
            arrivals->pending[kept++] = pending;
        }
    }
    arrivals->pending_count = kept;
}

static void look_for_ids(struct sl_arrivals *arrivals, pid_t from, pid_t to)
{
    for (pid_t id = from; id <= to && arrivals->load >= 0; id++) {
        if (!arrived(arrivals, id) && arrivals->pending_count < SL_ARRIVALS_PENDING_MAX) {
            arrivals->pending[arrivals->pending_count++] = (struct sl_pending_arrival){.pid = id};
        }
    }
}

void sl_arrivals_next(struct sl_arrivals *arrivals)
{
    arrivals->count = 0;
    if (arrivals->load >= 0) {
        look_for_pending(arrivals);
        pid_t last = last_id(arrivals);
        bool far = last < arrivals->last || last - arrivals->last > GAP_MAX;
        if (last == 0) {
            disbelieve(arrivals);
        } else if (far) {
            tell_unknown(arrivals);
        } else {
            look_for_ids(arrivals, arrivals->last + 1, last);
        }
        arrivals->last = last;
    }
    if (arrivals->load < 0) {
        tell_unknown(arrivals);
    }
}
