#include "cli/report_options.h"

const char *sl_report_option_given(const struct sl_options *options)
{
    const struct {
        bool given;
        const char *name;
    } all[] = {
        {options->output != NULL, "-o"},
        {options->renderer != NULL, "-r"},
        {options->mode != SL_MODE_WALL, "--mode"},
        {options->timeline, "--timeline"},
        {options->flat_by_total, "--flat-total"},
        {options->flat, "--flat"},
        {options->merge, "--merge"},
        {options->hide.count > 0, "--hide"},
        {options->show.count > 0, "--show"},
        {options->show_all, "--show-all"},
        {options->threshold >= 0, "--threshold"},
        {options->source != SL_SOURCE_APP, "--source"},
        {options->page_state != NULL, "--at"},
        {options->no_open, "--no-open"},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].given) {
            return all[i].name;
        }
    }
    return NULL;
}
