#include <stdio.h>
#include <string.h>

#include "sdk/c/hongyan.h"

size_t hongyan_text_body(const char *text, size_t len, uint8_t *out, size_t size)
{
    /* Body{elems: [Elem{text: TextElem{text}}]}: three heads around the bytes, so that a text with
     * a NUL or with broken UTF-8 goes out as it is. */
    size_t lens[3] = {0};
    uint8_t head[3][6];
    size_t heads[3];
    size_t inner = len, at = 0;

    for (int i = 2; i >= 0; i--) {
        size_t n = 0;

        lens[i] = inner;
        head[i][n++] = 0x0a; /* field 1, bytes */
        for (size_t v = lens[i]; n < sizeof head[i]; v >>= 7) {
            head[i][n++] = (uint8_t)(v < 0x80 ? v : (v & 0x7f) | 0x80);
            if (v < 0x80)
                break;
        }
        heads[i] = n;
        inner += n;
    }
    if (inner > size || len > INT32_MAX)
        return 0;
    for (int i = 0; i < 3; i++) {
        memcpy(out + at, head[i], heads[i]);
        at += heads[i];
    }
    if (len > 0)
        memcpy(out + at, text, len);
    return at + len;
}

static const char *const shown[] = {
    [HY__ELEM__KIND_FACE] = "[face]",         [HY__ELEM__KIND_IMAGE] = "[image]",
    [HY__ELEM__KIND_SOUND] = "[sound]",       [HY__ELEM__KIND_FILE] = "[file]",
    [HY__ELEM__KIND_LOCATION] = "[location]", [HY__ELEM__KIND_CUSTOM] = "[custom]",
    [HY__ELEM__KIND_VIDEO] = "[video]",       [HY__ELEM__KIND_RELAY] = "[forwarded messages]",
    [HY__ELEM__KIND_TIP] = "[group notice]",
};

static const char *elem_text(const Hy__Elem *elem)
{
    size_t kind = (size_t)elem->kind_case;

    if (elem->kind_case == HY__ELEM__KIND_TEXT)
        return elem->text->text;
    return kind < sizeof shown / sizeof shown[0] && shown[kind] != NULL ? shown[kind] : "[?]";
}

size_t hongyan_body_text(const uint8_t *body, size_t len, char *out, size_t size)
{
    Hy__Body *decoded = hy__body__unpack(NULL, len, body);
    size_t at = 0;

    if (size == 0)
        goto done;
    out[0] = '\0';
    for (size_t i = 0; decoded != NULL && i < decoded->n_elems && at < size - 1; i++) {
        int n = snprintf(out + at, size - at, "%s", elem_text(decoded->elems[i]));

        if (n > 0)
            at += (size_t)n < size - at ? (size_t)n : size - at - 1;
    }

done:
    if (decoded != NULL)
        hy__body__free_unpacked(decoded, NULL);
    return at;
}
