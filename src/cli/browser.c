#include "cli/browser.h"

#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

bool sl_browser_expected(void)
{
    return (sl_variable_is_set("DISPLAY") || sl_variable_is_set("WAYLAND_DISPLAY")) && !sl_variable_is_set("CI") &&
           !sl_variable_is_set("SSH_CONNECTION");
}

/* In the grandchild, which belongs to nobody: it is not waited for, and Ctrl-C in the terminal is not for it. */
static void become_opener(const char *path)
{
    /* Not what we block and ignore while a program runs. */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    int nothing = open("/dev/null", O_RDWR);
    if (nothing >= 0) {
        dup2(nothing, STDIN_FILENO);
        dup2(nothing, STDOUT_FILENO);
        dup2(nothing, STDERR_FILENO);
    }
    execlp("xdg-open", "xdg-open", path, (char *)NULL);
    _exit(127);
}

bool sl_browser_open(const char *path)
{
    pid_t child = fork();
    if (child == 0) {
        if (setsid() >= 0 && fork() == 0) {
            become_opener(path);
        }
        _exit(0);
    }
    int status;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return child > 0;
}

char *sl_browser_file(struct sl_error *error)
{
    static const char name[] = "stacklapse-XXXXXX.html";
    const char *folder = sl_variable_is_set("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    char *path = NULL;
    if (asprintf(&path, "%s/%s", folder, name) < 0) {
        sl_error_memory(error);
        return NULL;
    }
    int descriptor = mkostemps(path, sizeof ".html" - 1, O_CLOEXEC);
    if (descriptor < 0) {
        sl_error_system(error, errno, "cannot make a file for the page in %s", folder);
        free(path);
        return NULL;
    }
    close(descriptor);
    return path;
}
