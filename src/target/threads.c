#include "target/threads.h"

#include "target/clock.h"
#include "target/stat.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A process of more threads than Linux can number is not scanned further. */
#define SCAN_MAX ((size_t)1 << 22)

/* The line of /proc/PID/task/TID/syscall is at most "-1234567890" and 8 numbers of "0x" and 16 digits. */
#define CALL_TEXT_MAX 192
#define FILE_NAME_MAX 64

static enum sl_thread_read read_error(int error_number)
{
    return error_number == ESRCH || error_number == ENOENT ? SL_THREAD_GONE : SL_THREAD_UNKNOWN;
}

/* Reads a small file whole from its start, through `descriptor` if it is one, else by its name. */
static enum sl_thread_read read_file(const struct sl_threads *threads, int descriptor, pid_t id, const char *file,
                                     char *text, size_t size)
{
    ssize_t length;
    if (descriptor >= 0) {
        length = pread(descriptor, text, size - 1, 0);
    } else {
        char name[FILE_NAME_MAX];
        snprintf(name, sizeof name, "%d/%s", (int)id, file);
        descriptor = openat(threads->folder, name, O_RDONLY | O_CLOEXEC);
        if (descriptor < 0) {
            return read_error(errno);
        }
        length = read(descriptor, text, size - 1);
        int error_number = errno;
        close(descriptor);
        errno = error_number;
    }
    if (length < 0) {
        return read_error(errno);
    }
    text[length] = '\0';
    return length > 0 ? SL_THREAD_OK : SL_THREAD_UNKNOWN;
}

/* The last of the numbers in `text`, and how many there are. */
static bool last_number(const char *text, uint64_t *number, size_t *count)
{
    *count = 0;
    for (;;) {
        text += strspn(text, " \t");
        char *end;
        if (*text < '0' || *text > '9') {
            return *count > 0;
        }
        *number = strtoull(text, &end, 10);
        text = end;
        (*count)++;
    }
}

/* What the line "NSpid:" of a thread's status file says: its id in the innermost namespace, and in how many it has one. A
 * line before that has the groups of the user, which may be any number. */
static bool innermost_id(const struct sl_threads *threads, pid_t id, uint64_t *inner, size_t *depth)
{
    static const char key[] = "NSpid:";
    char name[FILE_NAME_MAX];
    snprintf(name, sizeof name, "%d/status", (int)id);
    int descriptor = openat(threads->folder, name, O_RDONLY | O_CLOEXEC);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
    if (file == NULL) {
        if (descriptor >= 0) {
            close(descriptor);
        }
        return false;
    }
    char *line = NULL;
    size_t capacity = 0;
    bool found = false;
    while (!found && getline(&line, &capacity, file) > 0) {
        found = strncmp(line, key, sizeof key - 1) == 0;
    }
    found = found && last_number(line + sizeof key - 1, inner, depth);
    free(line);
    fclose(file);
    return found;
}

bool sl_threads_open(struct sl_threads *threads, const struct sl_process *process, size_t *descriptors_left)
{
    memset(threads, 0, sizeof *threads);
    threads->pid = process->pid;
    threads->descriptors_left = descriptors_left;
    threads->folder = openat(process->folder, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (threads->folder < 0) {
        return false;
    }
    uint64_t inner;
    size_t depth;
    threads->inner_namespace = innermost_id(threads, process->pid, &inner, &depth) && depth > 1;
    return true;
}

void sl_threads_close(struct sl_threads *threads)
{
    if (threads->folder >= 0) {
        close(threads->folder);
    }
    threads->folder = -1;
    free(threads->ids);
    threads->ids = NULL;
    threads->id_count = 0;
}

/* Learns the ids of all threads anew. */
static void scan_ids(struct sl_threads *threads)
{
    threads->id_count = 0;
    int copy = openat(threads->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) {
        return;
    }
    DIR *folder = fdopendir(copy);
    if (folder == NULL) {
        close(copy);
        return;
    }
    size_t capacity = 0;
    free(threads->ids);
    threads->ids = NULL;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        pid_t id = (pid_t)strtol(entry->d_name, NULL, 10);
        uint64_t inner;
        size_t depth;
        if (id <= 0 || !innermost_id(threads, id, &inner, &depth)) {
            continue;
        }
        if (threads->id_count == capacity) {
            capacity = capacity > 0 ? capacity * 2 : 64;
            struct sl_thread_ids *ids = capacity <= SCAN_MAX ? realloc(threads->ids, capacity * sizeof *ids) : NULL;
            if (ids == NULL) {
                break;
            }
            threads->ids = ids;
        }
        threads->ids[threads->id_count++] = (struct sl_thread_ids){.inner = inner, .id = id};
    }
    closedir(folder);
}

static pid_t scanned_id(const struct sl_threads *threads, uint64_t inner)
{
    for (size_t i = 0; i < threads->id_count; i++) {
        /* Ids are used again, so what the scan said must still hold. */
        uint64_t now;
        size_t depth;
        if (threads->ids[i].inner == inner && innermost_id(threads, threads->ids[i].id, &now, &depth) && now == inner) {
            return threads->ids[i].id;
        }
    }
    return 0;
}

void sl_threads_listed(struct sl_threads *threads)
{
    threads->scanned = false;
}

pid_t sl_threads_id(struct sl_threads *threads, uint64_t inner)
{
    if (inner == 0 || inner > INT32_MAX) {
        return 0;
    }
    if (!threads->inner_namespace) {
        return (pid_t)inner;
    }
    pid_t id = scanned_id(threads, inner);
    if (id == 0 && !threads->scanned) {
        scan_ids(threads);
        threads->scanned = true;
        id = scanned_id(threads, inner);
    }
    return id;
}

static int keep_open(struct sl_threads *threads, pid_t id, const char *file)
{
    if (*threads->descriptors_left == 0) {
        return -1;
    }
    char name[FILE_NAME_MAX];
    snprintf(name, sizeof name, "%d/%s", (int)id, file);
    int descriptor = openat(threads->folder, name, O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) {
        (*threads->descriptors_left)--;
    }
    return descriptor;
}

bool sl_thread_open(struct sl_thread *thread, struct sl_threads *threads, pid_t id)
{
    char name[FILE_NAME_MAX];
    snprintf(name, sizeof name, "%d", (int)id);
    if (faccessat(threads->folder, name, F_OK, 0) != 0) {
        return false;
    }
    thread->id = id;
    thread->schedule = keep_open(threads, id, "schedstat");
    thread->call = keep_open(threads, id, "syscall");
    return true;
}

void sl_thread_close(struct sl_thread *thread, struct sl_threads *threads)
{
    if (thread->schedule >= 0) {
        close(thread->schedule);
        (*threads->descriptors_left)++;
    }
    if (thread->call >= 0) {
        close(thread->call);
        (*threads->descriptors_left)++;
    }
    thread->schedule = -1;
    thread->call = -1;
}

/* An unsigned decimal number; moves `text` behind it and the blanks after it. strtoull would look up the locale. */
static bool decimal(const char **text, uint64_t *number)
{
    const char *at = *text;
    if (*at < '0' || *at > '9') {
        return false;
    }
    uint64_t value = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        value = value * 10 + (uint64_t)(*at - '0');
    }
    while (*at == ' ') {
        at++;
    }
    *text = at;
    *number = value;
    return true;
}

/* The same for a number such as 0x7f. */
static bool hexadecimal(const char **text, uint64_t *number)
{
    const char *at = *text;
    if (at[0] != '0' || at[1] != 'x') {
        return false;
    }
    uint64_t value = 0;
    for (at += 2;; at++) {
        if (*at >= '0' && *at <= '9') {
            value = value << 4 | (uint64_t)(*at - '0');
        } else if (*at >= 'a' && *at <= 'f') {
            value = value << 4 | (uint64_t)(*at - 'a' + 10);
        } else {
            break;
        }
    }
    while (*at == ' ') {
        at++;
    }
    *text = at;
    *number = value;
    return true;
}

enum sl_thread_read sl_thread_runs(const struct sl_thread *thread, const struct sl_threads *threads,
                                   struct sl_thread_runs *runs)
{
    char text[CALL_TEXT_MAX];
    enum sl_thread_read result = read_file(threads, thread->schedule, thread->id, "schedstat", text, sizeof text);
    if (result != SL_THREAD_OK) {
        return result;
    }
    /* CPU time, time spent runnable, times put on a CPU (Documentation/scheduler/sched-stats.rst). A kernel without
     * the counters says zero for all three, which no thread that has run can have. */
    const char *at = text;
    uint64_t delay_ns;
    if (!decimal(&at, &runs->cpu_ns) || !decimal(&at, &delay_ns) || !decimal(&at, &runs->runs) || runs->runs == 0) {
        return SL_THREAD_UNKNOWN;
    }
    return SL_THREAD_OK;
}

bool sl_thread_older(const struct sl_thread *thread, const struct sl_threads *threads, uint64_t time_ns)
{
    char name[FILE_NAME_MAX];
    snprintf(name, sizeof name, "%d/stat", (int)thread->id);
    char line[SL_STAT_BYTES];
    long ticks_each_second = sysconf(_SC_CLK_TCK);
    if (ticks_each_second <= 0 || !sl_stat_read(threads->folder, name, line) ||
        sl_stat_field(line, SL_STAT_START_TICKS) == NULL) {
        return false;
    }
    uint64_t tick_ns = 1000000000 / (uint64_t)ticks_each_second;
    uint64_t ticks = sl_stat_number(line, SL_STAT_START_TICKS);
    /* It is told on a clock that does not stand still while the machine sleeps. */
    struct timespec boot;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    uint64_t boot_ns = (uint64_t)boot.tv_sec * 1000000000 + (uint64_t)boot.tv_nsec;
    uint64_t now_ns = sl_clock_now_ns();
    uint64_t ago_ns = now_ns > time_ns ? now_ns - time_ns : 0;
    return ticks < UINT64_MAX / tick_ns - 1 && (ticks + 1) * tick_ns + ago_ns <= boot_ns;
}

bool sl_thread_parse_call(const char *text, struct sl_thread_activity *activity)
{
    *activity = (struct sl_thread_activity){.call = -1};
    if (strncmp(text, "running", strlen("running")) == 0) {
        activity->on_cpu = true;
        return true;
    }
    if (text[0] == '-' && text[1] == '1') {
        return true;
    }
    uint64_t number;
    if (!decimal(&text, &number) || number > UINT16_MAX - 1 || !hexadecimal(&text, &activity->argument) ||
        !hexadecimal(&text, &activity->second)) {
        return false;
    }
    activity->call = (int32_t)number;
    return true;
}

/* The letter of its state. */
static enum sl_thread_read read_letter(const struct sl_thread *thread, const struct sl_threads *threads, char *letter)
{
    char text[CALL_TEXT_MAX];
    enum sl_thread_read result = read_file(threads, -1, thread->id, "stat", text, sizeof text);
    if (result != SL_THREAD_OK) {
        return result;
    }
    const char *field = sl_stat_field(text, SL_STAT_STATE);
    if (field == NULL) {
        return SL_THREAD_UNKNOWN;
    }
    *letter = *field;
    return SL_THREAD_OK;
}

/* Where the file syscall cannot be read: whether it waits, but not in what. */
static enum sl_thread_read activity_from_stat(const struct sl_thread *thread, const struct sl_threads *threads,
                                              struct sl_thread_activity *activity)
{
    char letter;
    enum sl_thread_read result = read_letter(thread, threads, &letter);
    if (result != SL_THREAD_OK) {
        return result;
    }
    *activity = (struct sl_thread_activity){.on_cpu = letter == 'R', .call = -1};
    return letter == 'Z' || letter == 'X' ? SL_THREAD_GONE : SL_THREAD_OK;
}

enum sl_thread_read sl_thread_activity(const struct sl_thread *thread, const struct sl_threads *threads,
                                       struct sl_thread_activity *activity)
{
    char text[CALL_TEXT_MAX];
    enum sl_thread_read result = read_file(threads, thread->call, thread->id, "syscall", text, sizeof text);
    if (result == SL_THREAD_OK) {
        return sl_thread_parse_call(text, activity) ? SL_THREAD_OK : SL_THREAD_UNKNOWN;
    }
    return activity_from_stat(thread, threads, activity);
}

enum sl_thread_stop sl_thread_stop(const struct sl_thread *thread, const struct sl_threads *threads)
{
    char letter;
    if (read_letter(thread, threads, &letter) != SL_THREAD_OK) {
        return SL_THREAD_GOES_ON;
    }
    return letter == 'T' ? SL_THREAD_STOPPED : letter == 't' ? SL_THREAD_TRACED : SL_THREAD_GOES_ON;
}

static void read_name(const struct sl_threads *threads, pid_t id, char name[SL_THREAD_NAME_MAX])
{
    char text[SL_THREAD_NAME_MAX + 1];
    name[0] = '\0';
    if (read_file(threads, -1, id, "comm", text, sizeof text) == SL_THREAD_OK) {
        size_t length = strcspn(text, "\n");
        length = length < SL_THREAD_NAME_MAX ? length : SL_THREAD_NAME_MAX - 1;
        memcpy(name, text, length);
        name[length] = '\0';
    }
}

void sl_thread_name(const struct sl_threads *threads, pid_t id, char name[SL_THREAD_NAME_MAX])
{
    name[0] = '\0';
    if (id == threads->pid) {
        return;
    }
    char process_name[SL_THREAD_NAME_MAX];
    read_name(threads, threads->pid, process_name);
    read_name(threads, id, name);
    if (strcmp(name, process_name) == 0) {
        name[0] = '\0';
    }
}
