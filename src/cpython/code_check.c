#include "cpython/code_check.h"

#include "cpython/code_identity.h"
#include "cpython/words.h"

#include <string.h>

#define MATCHES_TO_TRUST 1000u
#define MATCHES_IN_LIFE 8u
#define LIFE_NS UINT64_C(1000000000)

size_t sl_code_check_pieces(const struct sl_layout *layout)
{
    return layout->code_version == 0 ? 3 : 1;
}

bool sl_code_check_add(struct sl_snapshot *snapshot, const struct sl_layout *layout, const struct sl_known_code *known)
{
    const struct sl_code_identity *identity = &known->identity;
    bool added = sl_snapshot_add(snapshot, known->address, layout->code_instructions) != SIZE_MAX;
    if (layout->code_version == 0) {
        added = added &&
                sl_snapshot_add(snapshot, identity->qualified_name, sl_code_identity_name_bytes(layout, identity)) !=
                    SIZE_MAX &&
                sl_snapshot_add(snapshot, identity->file, identity->file_bytes) != SIZE_MAX;
    }
    return added;
}

bool sl_code_check_passes(const struct sl_snapshot *snapshot, size_t first, const struct sl_layout *layout,
                          const struct sl_code_cache *cache, const struct sl_known_code *known)
{
    const uint8_t *header = sl_snapshot_copy(snapshot, first);
    if (sl_word(header + layout->object_type) != cache->code_type || !sl_object_in_use(header)) {
        return false;
    }
    struct sl_code_identity identity;
    sl_code_identity_take(&identity, layout, header);
    if (layout->code_version == 0) {
        uint8_t name[SL_IDENTITY_NAME_BYTES] = {0};
        const struct sl_snapshot_piece *name_piece = &snapshot->pieces[first + 1];
        const struct sl_snapshot_piece *file_piece = &snapshot->pieces[first + 2];
        if (name_piece->address != identity.qualified_name || file_piece->address != identity.file) {
            return false;
        }
        memcpy(name, snapshot->bytes + name_piece->at, name_piece->size);
        sl_code_identity_texts(&identity, name, snapshot->bytes + file_piece->at, file_piece->size);
    }
    return sl_code_identity_equal(&identity, &known->identity);
}

void sl_code_check_passed(struct sl_known_code *known, uint64_t now_ns)
{
    if (known->matches == 0) {
        known->met_ns = now_ns;
    }
    known->matches += known->matches < UINT32_MAX;
    known->lived_ns = now_ns - known->met_ns;
}

bool sl_code_trusted(const struct sl_code_cache *cache, const struct sl_known_code *known)
{
    bool long_lived = known->matches >= MATCHES_IN_LIFE && known->lived_ns >= LIFE_NS;
    return !known->short_lived && (long_lived || known->matches >= MATCHES_TO_TRUST) &&
           sl_code_cache_made_once(cache, known);
}
