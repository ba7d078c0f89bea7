/* first_word.c - stands in for an interpreter and tells when it was executed, so that what the command does before the
 * program starts can be measured without the interpreter's own start in it. */
#include <stdio.h>
#include <time.h>

int main(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("%lld\n", (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    return 0;
}
