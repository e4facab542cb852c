#include "gateway/rest_elem.h"

#include <string.h>

#include "gateway/rest_json.h"

#define TABLE(name) const struct rest_field name[]

#define AT(member) offsetof(Hy__TextElem, member)
TABLE(rest_text_fields) = {{"Text", REST_TEXT, REST_NEEDED | REST_SHOWN, AT(text)}, {0}};
#undef AT
#define AT(member) offsetof(Hy__FaceElem, member)
TABLE(rest_face_fields) = {{"Index", REST_I32, REST_NEEDED | REST_SHOWN, AT(index)},
                           {"Data", REST_BYTES, 0, AT(data)},
                           {0}};
#undef AT
#define AT(member) offsetof(Hy__LocationElem, member)
TABLE(rest_location_fields) = {{"Desc", REST_TEXT, REST_NEEDED | REST_SHOWN, AT(desc)},
                               {"Latitude", REST_NUMBER, REST_NEEDED | REST_SHOWN, AT(latitude)},
                               {"Longitude", REST_NUMBER, REST_NEEDED | REST_SHOWN, AT(longitude)},
                               {0}};
#undef AT
#define AT(member) offsetof(Hy__CustomElem, member)
TABLE(rest_custom_fields) = {{"Data", REST_BYTES, REST_SHOWN, AT(data)},
                             {"Desc", REST_TEXT, 0, AT(desc)},
                             {"Ext", REST_BYTES, 0, AT(ext)},
                             {"Sound", REST_TEXT, 0, AT(sound)},
                             {0}};
#undef AT
#define AT(member) offsetof(Hy__SoundElem, member)
TABLE(rest_sound_fields) = {{"Url", REST_TEXT, 0, AT(url)},
                            {"UUID", REST_TEXT, 0, AT(uuid)},
                            {"Size", REST_U64, REST_SHOWN, AT(size)},
                            {"Second", REST_U32, REST_SHOWN, AT(second)},
                            {"Download_Flag", REST_U32, 0, AT(download_flag)},
                            {0}};
#undef AT
#define AT(member) offsetof(Hy__ImageElem, member)
TABLE(rest_image_fields) = {{"UUID", REST_TEXT, REST_SHOWN, AT(uuid)},
                            {"ImageFormat", REST_U32, REST_SHOWN, AT(format)},
                            {0}};
#undef AT
#define AT(member) offsetof(Hy__ImageInfo, member)
TABLE(rest_image_info_fields) = {
    {"Type", REST_U32, REST_SHOWN, AT(type)},    {"Size", REST_U64, REST_SHOWN, AT(size)},
    {"Width", REST_U32, REST_SHOWN, AT(width)},  {"Height", REST_U32, REST_SHOWN, AT(height)},
    {"URL|Url", REST_TEXT, REST_SHOWN, AT(url)}, {0}};
#undef AT
#define AT(member) offsetof(Hy__FileElem, member)
TABLE(rest_file_fields) = {{"Url", REST_TEXT, 0, AT(url)},
                           {"UUID", REST_TEXT, 0, AT(uuid)},
                           {"FileSize", REST_U64, REST_SHOWN, AT(size)},
                           {"FileName", REST_TEXT, REST_SHOWN, AT(name)},
                           {"Download_Flag", REST_U32, 0, AT(download_flag)},
                           {0}};
#undef AT
#define AT(member) offsetof(Hy__VideoElem, member)
TABLE(rest_video_fields) = {{"VideoUrl", REST_TEXT, 0, AT(video_url)},
                            {"VideoUUID", REST_TEXT, 0, AT(video_uuid)},
                            {"VideoSize", REST_U64, REST_SHOWN, AT(video_size)},
                            {"VideoSecond", REST_U32, REST_SHOWN, AT(video_second)},
                            {"VideoFormat", REST_TEXT, 0, AT(video_format)},
                            {"VideoDownloadFlag", REST_U32, 0, AT(video_download_flag)},
                            {"ThumbUrl", REST_TEXT, 0, AT(thumb_url)},
                            {"ThumbUUID", REST_TEXT, 0, AT(thumb_uuid)},
                            {"ThumbSize", REST_U64, REST_SHOWN, AT(thumb_size)},
                            {"ThumbWidth", REST_U32, REST_SHOWN, AT(thumb_width)},
                            {"ThumbHeight", REST_U32, REST_SHOWN, AT(thumb_height)},
                            {"ThumbFormat", REST_TEXT, 0, AT(thumb_format)},
                            {"ThumbDownloadFlag", REST_U32, 0, AT(thumb_download_flag)},
                            {0}};
#undef AT
#define AT(member) offsetof(Hy__RelayElem, member)
TABLE(rest_relay_fields) = {{"Title", REST_TEXT, REST_SHOWN, AT(title)},
                            {"MsgNum", REST_U32, REST_SHOWN, AT(msg_num)},
                            {"CompatibleText", REST_TEXT, REST_SHOWN, AT(compatible_text)},
                            {"JsonMsgKey", REST_TEXT, 0, AT(json_msg_key)},
                            {"LayersOverLimit", REST_U32, 0, AT(layers_over_limit)},
                            {0}};
#undef AT

/* ---------------------------------------------------------------- reading */

static enum rest_got read_field(const struct rest_value *content, const struct rest_field *field,
                                void *elem)
{
    char *at = (char *)elem + field->at;
    enum rest_got got = REST_BAD;
    int64_t number = 0;

    switch (field->type) {
    case REST_TEXT:
        return rest_text(content, field->name, (char **)at);
    case REST_BYTES:
        return rest_bytes(content, field->name, (ProtobufCBinaryData *)at);
    case REST_NUMBER:
        return rest_number(content, field->name, (double *)at);
    case REST_I32:
        got = rest_int(content, field->name, INT32_MIN, INT32_MAX, &number);
        if (got == REST_GOT)
            *(int32_t *)at = (int32_t)number;
        break;
    case REST_U32:
        got = rest_int(content, field->name, 0, UINT32_MAX, &number);
        if (got == REST_GOT)
            *(uint32_t *)at = (uint32_t)number;
        break;
    case REST_U64:
        got = rest_int(content, field->name, 0, INT64_MAX, &number);
        if (got == REST_GOT)
            *(uint64_t *)at = (uint64_t)number;
        break;
    }
    return got;
}

const char *rest_fields_read(const struct rest_value *content, const struct rest_field *fields,
                             void *elem)
{
    for (const struct rest_field *f = fields; f->name != NULL; f++) {
        enum rest_got got = read_field(content, f, elem);

        if (got == REST_BAD || (got == REST_ABSENT && (f->how & REST_NEEDED) != 0))
            return f->name;
    }
    return NULL;
}

/* ---------------------------------------------------------------- writing */

static json_t *write_field(const struct rest_field *field, const void *elem)
{
    const char *at = (const char *)elem + field->at;
    const ProtobufCBinaryData *bytes = (const void *)at;
    const char *text = field->type == REST_TEXT ? *(char *const *)at : "";
    uint64_t number = 0;

    switch (field->type) {
    case REST_TEXT:
        return *text == '\0' && !(field->how & REST_SHOWN) ? NULL : rest_json_text(text);
    case REST_BYTES:
        return bytes->len == 0 && !(field->how & REST_SHOWN)
                   ? NULL
                   : rest_json_bytes(bytes->data, bytes->len);
    case REST_NUMBER:
        return json_real(*(const double *)at);
    case REST_I32:
        return json_integer(*(const int32_t *)at);
    case REST_U32:
        number = *(const uint32_t *)at;
        break;
    case REST_U64:
        number = *(const uint64_t *)at;
        break;
    }
    return number == 0 && !(field->how & REST_SHOWN) ? NULL : json_integer((json_int_t)number);
}

void rest_fields_write(json_t *content, const struct rest_field *fields, const void *elem)
{
    for (const struct rest_field *f = fields; f != NULL && f->name != NULL; f++) {
        json_t *value = write_field(f, elem);

        if (value != NULL)
            json_object_setn_new(content, f->name, strcspn(f->name, "|"), value);
    }
}
