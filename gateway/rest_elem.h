/* rest_elem - the plain fields of a message's elements, by tables (reference 4.1): how each is
 * called in JSON, what it is, where it lies. Pure. */

#ifndef GATEWAY_REST_ELEM_H
#define GATEWAY_REST_ELEM_H

#include <jansson.h>
#include <stddef.h>

#include "client.pb-c.h"
#include "gateway/rest_value.h"

enum rest_type { REST_TEXT, REST_BYTES, REST_I32, REST_U32, REST_U64, REST_NUMBER };

enum {
    REST_NEEDED = 1, /* must be there in a request */
    REST_SHOWN = 2,  /* given in answers even when empty or 0 */
};

struct rest_field {
    const char *name; /* spellings "A|B"; the first is written. NULL ends a table */
    enum rest_type type;
    unsigned how;
    size_t at; /* offset in the element's struct */
};

extern const struct rest_field rest_text_fields[], rest_face_fields[], rest_location_fields[],
    rest_custom_fields[], rest_sound_fields[], rest_image_fields[], rest_image_info_fields[],
    rest_file_fields[], rest_video_fields[], rest_relay_fields[];

/* Fill elem from content. Returns NULL, or the name of the field that is missing or wrong. */
const char *rest_fields_read(const struct rest_value *content, const struct rest_field *fields,
                             void *elem);

/* Put the fields of elem into content. fields NULL: there are none. */
void rest_fields_write(json_t *content, const struct rest_field *fields, const void *elem);

#endif
