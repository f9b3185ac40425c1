/* The header stands alone, in C and in C++. */
#include "attache.h"

attache_status_t open_in_memory(attache_t **out);

attache_status_t open_in_memory(attache_t **out) {
    attache_open_options_t options = attache_open_options();
    options.path = attache_str(":memory:");
    return attache_open(&options, out, NULL);
}
