#include "gateway/rest_body.h"

#include <string.h>

#include "common/codes.h"
#include "gateway/rest_elem.h"
#include "gateway/rest_json.h"

typedef bool read_more_fn(const struct rest_value *content, struct hy_arena *arena, void *elem);
typedef void write_more_fn(json_t *content, const void *elem);

static read_more_fn read_image, read_relay;
static write_more_fn write_image, write_relay, write_tip;

/* Every element there is; what is not a plain field is read and written by the two functions. */
static const struct kind {
    const char *name;
    size_t size;
    const ProtobufCMessageDescriptor *descriptor;
    const struct rest_field *fields;
    read_more_fn *read_more;
    write_more_fn *write_more;
    Hy__Elem__KindCase kind;
    bool only_written;
} kinds[] = {
#define KIND(text, KIND_NAME, type, low, ...)                                                      \
    {                                                                                              \
        .name = text, .size = sizeof(type), .descriptor = &low##__descriptor,                      \
        .kind = HY__ELEM__KIND_##KIND_NAME, __VA_ARGS__                                            \
    }
    KIND("TIMTextElem", TEXT, Hy__TextElem, hy__text_elem, .fields = rest_text_fields),
    KIND("TIMFaceElem", FACE, Hy__FaceElem, hy__face_elem, .fields = rest_face_fields),
    KIND("TIMLocationElem", LOCATION, Hy__LocationElem, hy__location_elem,
         .fields = rest_location_fields),
    KIND("TIMCustomElem", CUSTOM, Hy__CustomElem, hy__custom_elem, .fields = rest_custom_fields),
    KIND("TIMSoundElem", SOUND, Hy__SoundElem, hy__sound_elem, .fields = rest_sound_fields),
    KIND("TIMImageElem", IMAGE, Hy__ImageElem, hy__image_elem, .fields = rest_image_fields,
         .read_more = read_image, .write_more = write_image),
    KIND("TIMFileElem", FILE, Hy__FileElem, hy__file_elem, .fields = rest_file_fields),
    KIND("TIMVideoFileElem", VIDEO, Hy__VideoElem, hy__video_elem, .fields = rest_video_fields),
    KIND("TIMRelayElem", RELAY, Hy__RelayElem, hy__relay_elem, .fields = rest_relay_fields,
         .read_more = read_relay, .write_more = write_relay),
    KIND("TIMGroupTipElem", TIP, Hy__TipElem, hy__tip_elem, .write_more = write_tip,
         .only_written = true),
#undef KIND
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* ---------------------------------------------------------------- reading */

static bool read_image(const struct rest_value *content, struct hy_arena *arena, void *elem)
{
    Hy__ImageElem *image = elem;
    const struct rest_value *infos = NULL;

    switch (rest_objects(content, "ImageInfoArray", arena, &infos)) {
    case REST_ABSENT:
        return true;
    case REST_BAD:
        return false;
    case REST_GOT:
        break;
    }
    image->n_infos = rest_count(infos);
    image->infos = hy_arena_zalloc(arena, (image->n_infos + 1) * sizeof(Hy__ImageInfo *));
    for (size_t i = 0; i < image->n_infos; i++) {
        Hy__ImageInfo *info = hy_arena_alloc(arena, sizeof *info);
        const struct rest_value *item = rest_at(infos, i);

        if (image->infos == NULL || info == NULL || !rest_is_object(item))
            return false;
        hy__image_info__init(info);
        if (rest_fields_read(item, rest_image_info_fields, info) != NULL)
            return false;
        image->infos[i] = info;
    }
    return true;
}

static bool read_relay(const struct rest_value *content, struct hy_arena *arena, void *elem)
{
    Hy__RelayElem *relay = elem;
    const struct rest_value *abstracts = NULL, *list = NULL;
    enum rest_got got = rest_array(content, "AbstractList", &abstracts);

    if (got == REST_BAD || (got == REST_GOT && !rest_texts(abstracts, arena, &relay->abstracts)))
        return false;
    relay->n_abstracts = rest_count(abstracts);
    got = rest_array(content, "MsgList", &list);
    if (got == REST_GOT)
        return rest_json_keep(list, arena, &relay->msg_list); /* nobody on the way looks into it */
    return got == REST_ABSENT;
}

static const struct kind *kind_named(const char *name)
{
    for (size_t i = 0; i < KINDS; i++)
        if (!kinds[i].only_written && strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

static uint32_t read_elem(const struct rest_value *json, struct hy_arena *arena, Hy__Elem *elem,
                          const char **why)
{
    char *type = NULL;
    const struct rest_value *content = rest_field(json, "MsgContent");
    const struct kind *kind;
    ProtobufCMessage *message;

    *why = "an element of MsgBody must be an object with MsgType and MsgContent";
    if (!rest_is_object(json) || rest_word(json, "MsgType", &type) != REST_GOT)
        return HY_CODE_REST_MSG_FORMAT;
    kind = kind_named(type);
    *why = NULL;
    if (kind == NULL)
        return HY_CODE_REST_NOT_MSG;
    *why = "MsgContent must be an object";
    if (!rest_is_object(content))
        return HY_CODE_REST_MSG_FORMAT;
    message = hy_arena_alloc(arena, kind->size);
    *why = "out of memory";
    if (message == NULL)
        return HY_CODE_REST_INTERNAL;
    kind->descriptor->message_init(message);
    *why = "a field of MsgContent is missing or has the wrong type";
    if (rest_fields_read(content, kind->fields, message) != NULL ||
        (kind->read_more != NULL && !kind->read_more(content, arena, message)))
        return HY_CODE_REST_MSG_FORMAT;
    hy__elem__init(elem);
    elem->kind_case = kind->kind;
    elem->text = (Hy__TextElem *)message; /* all members of the union are pointers */
    return HY_CODE_OK;
}

uint32_t rest_body_read(const struct rest_value *json, struct hy_arena *arena, Hy__Body **body,
                        const char **why)
{
    size_t count = rest_count(json);
    Hy__Body *out = hy_arena_alloc(arena, sizeof *out);
    Hy__Elem *elems = hy_arena_zalloc(arena, (count + 1) * sizeof *elems);
    Hy__Elem **list = hy_arena_zalloc(arena, (count + 1) * sizeof(Hy__Elem *));

    *why = "out of memory";
    if (out == NULL || elems == NULL || list == NULL)
        return HY_CODE_REST_INTERNAL;
    *why = NULL;
    if (json != NULL && !rest_is_array(json))
        return HY_CODE_REST_BODY_ARRAY;
    *why = "MsgBody is missing or empty; give at least one element";
    if (count == 0)
        return HY_CODE_REST_MSG_FORMAT;
    for (size_t i = 0; i < count; i++) {
        uint32_t code = read_elem(rest_at(json, i), arena, &elems[i], why);

        if (code != HY_CODE_OK)
            return code;
        list[i] = &elems[i];
    }
    hy__body__init(out);
    out->n_elems = count;
    out->elems = list;
    *body = out;
    return HY_CODE_OK;
}

/* ---------------------------------------------------------------- writing */

static void write_image(json_t *content, const void *elem)
{
    const Hy__ImageElem *image = elem;
    json_t *infos = json_array();

    for (size_t i = 0; i < image->n_infos; i++) {
        json_t *info = json_object();

        rest_fields_write(info, rest_image_info_fields, image->infos[i]);
        json_array_append_new(infos, info);
    }
    json_object_set_new(content, "ImageInfoArray", infos);
}

static void write_relay(json_t *content, const void *elem)
{
    const Hy__RelayElem *relay = elem;
    json_t *abstracts = json_array();
    json_t *list = relay->msg_list.len == 0 ? NULL
                                            : json_loadb((const char *)relay->msg_list.data,
                                                         relay->msg_list.len, JSON_ALLOW_NUL, NULL);

    for (size_t i = 0; i < relay->n_abstracts; i++)
        json_array_append_new(abstracts, rest_json_text(relay->abstracts[i]));
    json_object_set_new(content, "AbstractList", abstracts);
    if (list != NULL)
        json_object_set_new(content, "MsgList", list);
}

static void write_tip(json_t *content, const void *elem)
{
    const Hy__TipElem *tip = elem;
    json_t *members = json_array();

    for (size_t i = 0; i < tip->n_members; i++)
        json_array_append_new(members, rest_json_text(tip->members[i]->user));
    json_object_set_new(content, "OpType", json_integer(tip->type));
    json_object_set_new(content, "Operator_Account", rest_json_text(tip->operator_id));
    json_object_set_new(content, "MemberList", members);
}

static json_t *write_elem(const Hy__Elem *elem)
{
    for (size_t i = 0; i < KINDS; i++) {
        json_t *content, *json;

        if (kinds[i].kind != elem->kind_case)
            continue;
        content = json_object();
        rest_fields_write(content, kinds[i].fields, elem->text);
        if (kinds[i].write_more != NULL)
            kinds[i].write_more(content, elem->text);
        json = json_object();
        json_object_set_new(json, "MsgType", json_string(kinds[i].name));
        json_object_set_new(json, "MsgContent", content);
        return json;
    }
    return NULL;
}

json_t *rest_body_write(const uint8_t *bytes, size_t len, struct hy_arena *arena)
{
    const Hy__Body *body = hy__body__unpack(&arena->pb, len, bytes);
    json_t *list = json_array();

    for (size_t i = 0; body != NULL && i < body->n_elems; i++) {
        json_t *elem = write_elem(body->elems[i]);

        if (elem != NULL)
            json_array_append_new(list, elem);
    }
    return list;
}
