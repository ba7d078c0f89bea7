/* The life of a profile outside the report page, where nobody frees one. */
#include "profile/trace_reader.h"

#include <stdlib.h>

void sl_profile_destroy(struct sl_profile *profile)
{
    if (profile == NULL) {
        return;
    }
    free((void *)profile->text);
    free((void *)profile->text_offsets);
    free((void *)profile->functions);
    free((void *)profile->stacks);
    free((void *)profile->processes);
    free((void *)profile->threads);
    free((void *)profile->runs);
    free(profile);
}
