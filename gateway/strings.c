#include "gateway/strings.h"

#include <string.h>

#include "common/body.h"

static const void *member(const ProtobufCMessage *msg, unsigned offset)
{
    return (const char *)msg + offset;
}

/* Does a oneof have this field set? A field outside of one is always there. */
static bool chosen(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *field)
{
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0)
        return true;
    return *(const uint32_t *)member(msg, field->quantifier_offset) == field->id;
}

static bool value_ok(const ProtobufCFieldDescriptor *field, const void *value)
{
    if (value == NULL)
        return true;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return hy_utf8(value, strlen(value));
    return strings_ok(value);
}

static bool field_ok(const ProtobufCMessage *msg, const ProtobufCFieldDescriptor *field)
{
    const void *at = member(msg, field->offset);
    const void *const *list;
    size_t n;

    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return !chosen(msg, field) || value_ok(field, *(const void *const *)at);
    list = *(const void *const *const *)at;
    n = *(const size_t *)member(msg, field->quantifier_offset);
    for (size_t i = 0; i < n; i++)
        if (!value_ok(field, list[i]))
            return false;
    return true;
}

bool strings_ok(const ProtobufCMessage *msg)
{
    const ProtobufCMessageDescriptor *type = msg->descriptor;

    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];

        if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        if (!field_ok(msg, field))
            return false;
    }
    return true;
}

const ProtobufCMessage *strings_body(const Hy__Frame *frame)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(frame->base.descriptor, frame->body_case);

    return field == NULL ? NULL
                         : *(const ProtobufCMessage *const *)member(&frame->base, field->offset);
}
