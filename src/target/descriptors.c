#include "target/descriptors.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A system has at most some hundred thousand sockets; what comes behind so many is not looked at. */
#define SOCKETS_MAX 1000000

/* System calls whose first argument is the descriptor that they may wait for. */
static const uint16_t about_descriptor[] = {
    SYS_read,       SYS_write,      SYS_close,        SYS_ioctl,    SYS_pread64,  SYS_pwrite64,    SYS_readv,
    SYS_writev,     SYS_preadv,     SYS_pwritev,      SYS_fcntl,    SYS_flock,    SYS_fsync,       SYS_fdatasync,
    SYS_ftruncate,  SYS_getdents64, SYS_connect,      SYS_accept,   SYS_accept4,  SYS_sendto,      SYS_recvfrom,
    SYS_sendmsg,    SYS_recvmsg,    SYS_sendmmsg,     SYS_recvmmsg, SYS_sendfile, SYS_epoll_pwait, SYS_fallocate,
    SYS_syncfs,     SYS_fstat,      SYS_epoll_pwait2,
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
};

static bool is_poll(int32_t call)
{
#ifdef SYS_poll
    if (call == SYS_poll) {
        return true;
    }
#endif
    return call == SYS_ppoll;
}

int sl_descriptor_awaited(struct sl_process *process, const struct sl_thread_activity *activity, size_t *others)
{
    *others = 0;
    if (activity->on_cpu || activity->call < 0) {
        return -1;
    }
    if (is_poll(activity->call)) {
        struct pollfd first;
        if (activity->second == 0 || activity->second > INT32_MAX ||
            sl_process_read(process, activity->argument, &first, sizeof first) != SL_READ_OK) {
            return -1;
        }
        *others = (size_t)activity->second - 1;
        return first.fd;
    }
    for (size_t i = 0; i < sizeof about_descriptor / sizeof about_descriptor[0]; i++) {
        if (about_descriptor[i] == activity->call) {
            return activity->argument <= INT32_MAX ? (int)activity->argument : -1;
        }
    }
    return -1;
}

/* One end of a connection as /proc/net has it: 32-bit words in the machine's own order, and a port. */
struct end {
    int family;
    uint32_t words[4];
    unsigned port;
};

static bool parse_end(const char *text, struct end *end)
{
    size_t digits = strspn(text, "0123456789ABCDEFabcdef");
    if ((digits != 8 && digits != 32) || text[digits] != ':') {
        return false;
    }
    end->family = digits == 8 ? AF_INET : AF_INET6;
    for (size_t i = 0; i < digits / 8; i++) {
        char word[9] = "";
        memcpy(word, text + i * 8, 8);
        end->words[i] = (uint32_t)strtoul(word, NULL, 16);
    }
    end->port = (unsigned)strtoul(text + digits + 1, NULL, 16);
    return true;
}

static bool is_set(const struct end *end)
{
    return end->port != 0;
}

static void format_end(const struct end *end, char text[64])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char address[INET6_ADDRSTRLEN] = "";
    bool four = end->family == AF_INET;
    const void *bytes = end->words;
    if (!four && memcmp(end->words, mapped, sizeof mapped) == 0) {
        four = true;
        bytes = &end->words[3];
    }
    inet_ntop(four ? AF_INET : AF_INET6, bytes, address, sizeof address);
    snprintf(text, 64, four ? "%s:%u" : "[%s]:%u", address, end->port);
}

static FILE *open_table(const struct sl_process *process, const char *name)
{
    char path[32];
    snprintf(path, sizeof path, "net/%s", name);
    int descriptor = openat(process->folder, path, O_RDONLY | O_CLOEXEC);
    FILE *table = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
    if (descriptor >= 0 && table == NULL) {
        close(descriptor);
    }
    return table;
}

/* A line of net/tcp and its like: "sl: local remote state queues timer retransmits uid timeout inode ...". */
static bool describe_internet(const char *line, const char *kind, uint64_t inode, char text[SL_DESCRIPTOR_TEXT_MAX])
{
    char local_text[48];
    char remote_text[48];
    unsigned state;
    uint64_t line_inode;
    if (sscanf(line, " %*[^:]: %47s %47s %x %*s %*s %*s %*u %*u %" SCNu64, local_text, remote_text, &state,
               &line_inode) != 4 ||
        line_inode != inode) {
        return false;
    }
    struct end local;
    struct end remote;
    if (!parse_end(local_text, &local) || !parse_end(remote_text, &remote)) {
        return false;
    }
    /* include/net/tcp_states.h */
    enum { LISTENING = 10 };
    char address[64];
    if (is_set(&remote)) {
        format_end(&remote, address);
        snprintf(text, SL_DESCRIPTOR_TEXT_MAX, "%s %s", kind, address);
    } else {
        format_end(&local, address);
        snprintf(text, SL_DESCRIPTOR_TEXT_MAX, "%s %s%s", kind, state == LISTENING ? "listening on " : "at ", address);
    }
    return true;
}

/* A line of net/unix: "address: references protocol flags type state inode path". */
static bool describe_unix(const char *line, const char *kind, uint64_t inode, char text[SL_DESCRIPTOR_TEXT_MAX])
{
    uint64_t line_inode;
    int path_at = 0;
    if (sscanf(line, "%*[^:]: %*s %*s %*s %*s %*s %" SCNu64 " %n", &line_inode, &path_at) != 1 || line_inode != inode) {
        return false;
    }
    const char *path = path_at > 0 ? line + path_at : "";
    snprintf(text, SL_DESCRIPTOR_TEXT_MAX, "%s%s%.400s", kind, *path != '\0' ? " " : "", path);
    return true;
}

static const struct table {
    const char *name;
    const char *kind;
    bool (*describe)(const char *line, const char *kind, uint64_t inode, char text[SL_DESCRIPTOR_TEXT_MAX]);
} tables[] = {
    {"tcp", "socket", describe_internet},      {"tcp6", "socket", describe_internet},
    {"unix", "unix socket", describe_unix},    {"udp", "udp socket", describe_internet},
    {"udp6", "udp socket", describe_internet},
};

static void describe_socket(const struct sl_process *process, uint64_t inode, char text[SL_DESCRIPTOR_TEXT_MAX])
{
    snprintf(text, SL_DESCRIPTOR_TEXT_MAX, "socket");
    char *line = NULL;
    size_t capacity = 0;
    bool found = false;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0] && !found; i++) {
        FILE *table = open_table(process, tables[i].name);
        if (table == NULL) {
            continue;
        }
        ssize_t size;
        for (size_t lines = 0; !found && lines < SOCKETS_MAX && (size = getline(&line, &capacity, table)) > 0;
             lines++) {
            line[size - (line[size - 1] == '\n')] = '\0';
            found = tables[i].describe(line, tables[i].kind, inode, text);
        }
        fclose(table);
    }
    free(line);
}

void sl_descriptor_describe(const struct sl_process *process, int descriptor, char text[SL_DESCRIPTOR_TEXT_MAX])
{
    static const char anonymous[] = "anon_inode:";
    char name[32];
    char link[SL_DESCRIPTOR_TEXT_MAX];
    snprintf(name, sizeof name, "fd/%d", descriptor);
    ssize_t size = readlinkat(process->folder, name, link, sizeof link - 1);
    link[size > 0 ? size : 0] = '\0';
    uint64_t inode;
    if (sscanf(link, "socket:[%" SCNu64 "]", &inode) == 1) {
        describe_socket(process, inode, text);
    } else if (strncmp(link, "pipe:[", 6) == 0) {
        snprintf(text, SL_DESCRIPTOR_TEXT_MAX, "pipe");
    } else if (strncmp(link, anonymous, sizeof anonymous - 1) == 0) {
        const char *kind = link + sizeof anonymous - 1;
        size_t begin = strspn(kind, "[");
        snprintf(text, SL_DESCRIPTOR_TEXT_MAX, "%.*s", (int)strcspn(kind + begin, "]"), kind + begin);
    } else {
        snprintf(text, SL_DESCRIPTOR_TEXT_MAX, "%s", link);
    }
}
