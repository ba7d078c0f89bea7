#include "rendered.h"

#include <stdlib.h>

int rendered_set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->builder = builder_create();
    sl_output_memory(&fixture->output);
    builder_thread(fixture->builder, 0, "");
    *state = fixture;
    return 0;
}

int rendered_tear_down(void **state)
{
    struct fixture *fixture = *state;
    sl_output_abandon(&fixture->output);
    builder_destroy(fixture->builder);
    free(fixture);
    return 0;
}
