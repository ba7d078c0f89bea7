#include "cli/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>

int sl_signals_receive(const int *numbers, size_t count, struct sl_error *error)
{
    sigset_t received;
    sigemptyset(&received);
    for (size_t i = 0; i < count; i++) {
        struct sigaction before;
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            sigaddset(&received, numbers[i]);
        }
    }
    sigprocmask(SIG_BLOCK, &received, NULL);
    int descriptor = signalfd(-1, &received, SFD_CLOEXEC | SFD_NONBLOCK);
    if (descriptor < 0) {
        sl_error_system(error, errno, "cannot receive signals");
    }
    return descriptor;
}
