/* threshold - see threshold.h. */

#include "bench/threshold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool threshold_read(const char *text, struct threshold *threshold)
{
    size_t len = strcspn(text, "<>");
    const char *at = text + len;
    char *end = NULL;

    if (len == 0 || len >= sizeof threshold->key || *at == '\0')
        return false;
    memcpy(threshold->key, text, len);
    threshold->key[len] = '\0';
    threshold->side = *at++ == '>' ? THRESHOLD_OVER : THRESHOLD_UNDER;
    threshold->or_equal = *at == '=';
    at += threshold->or_equal;
    threshold->value = strtod(at, &end);
    return end != at && *end == '\0' && isfinite(threshold->value);
}

bool threshold_hit(const struct threshold *threshold, const json_t *result, bool *known)
{
    const json_t *number = json_object_get(result, threshold->key);
    double value = json_number_value(number);

    *known = json_is_number(number);
    if (!*known)
        return false;
    if (threshold->or_equal && value == threshold->value)
        return true;
    return threshold->side == THRESHOLD_OVER ? value > threshold->value : value < threshold->value;
}
