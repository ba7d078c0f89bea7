/* whole.h - what shares are shares of, and whether they are known. */
#ifndef SL_ANALYSIS_WHOLE_H
#define SL_ANALYSIS_WHOLE_H

#include "analysis/selection.h"

/* The selection's time, and the looks that it is known from: those that were taken in it, or fewer where shares are only as
 * certain as with those (sl_evenness). One look at least, so that a share's error can be told. */
struct sl_amount sl_whole(const struct sl_profile *profile, const struct sl_selection *selection);

/* Whether so many looks were late, more than a tenth of those that were taken, that their number says less of how sure shares
 * are than it seems to. */
bool sl_looks_late(const struct sl_profile *profile);

#endif
