/* random.h - the random numbers that instants are drawn with: splitmix64 (Steele, Lea, Flood, "Fast splittable
 * pseudorandom number generators", OOPSLA 2014). Statistically good and eight bytes small; no secret depends on it. */
#ifndef SL_SAMPLER_RANDOM_H
#define SL_SAMPLER_RANDOM_H

#include <stdint.h>

struct sl_random {
    uint64_t state; /* any value is a good seed */
};

#define SL_RANDOM_STEP UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t sl_random_next(struct sl_random *random)
{
    uint64_t value = random->state += SL_RANDOM_STEP;
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

/* Uniform in [0, limit); 0 when the limit is 0. */
static inline uint64_t sl_random_below(struct sl_random *random, uint64_t limit)
{
    return (uint64_t)((unsigned __int128)sl_random_next(random) * limit >> 64);
}

#endif
