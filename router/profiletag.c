#include "router/profiletag.h"

#include <string.h>

#include "common/body.h"
#include "common/codes.h"

#define PREFIX "Tag_Profile_IM_"
#define CUSTOM "Tag_Profile_Custom_"

enum { LOCATION_MOST = 16, CUSTOM_KEY_MOST = 8 };
enum kind { TEXT, NUMBER, CHOICE };

static const char *const genders[] = {"Gender_Type_Unknown", "Gender_Type_Female",
                                      "Gender_Type_Male", NULL};
static const char *const allows[] = {"AllowType_Type_NeedConfirm", "AllowType_Type_AllowAny",
                                     "AllowType_Type_DenyAny", NULL};
static const char *const forbids[] = {"AdminForbid_Type_None", "AdminForbid_Type_SendOut", NULL};

/* Every standard field. */
static const struct tag {
    const char *name;
    enum kind kind;
    size_t most; /* bytes of a text */
    const char *const *choices;
    bool admin_only;
} tags[] = {
    {PREFIX "Nick", TEXT, PROFILETAG_TEXT_MOST, NULL, false},
    {PREFIX "Gender", CHOICE, 0, genders, false},
    {PREFIX "BirthDay", NUMBER, 0, NULL, false},
    {PREFIX "Location", TEXT, LOCATION_MOST, NULL, false},
    {PREFIX "SelfSignature", TEXT, PROFILETAG_TEXT_MOST, NULL, false},
    {PREFIX "AllowType", CHOICE, 0, allows, false},
    {PREFIX "Language", NUMBER, 0, NULL, false},
    {PREFIX "Image", TEXT, PROFILETAG_TEXT_MOST, NULL, false},
    {PREFIX "MsgSettings", NUMBER, 0, NULL, false},
    {PREFIX "AdminForbidType", CHOICE, 0, forbids, true},
    {PREFIX "Level", NUMBER, 0, NULL, false},
    {PREFIX "Role", NUMBER, 0, NULL, false},
};

static const struct tag *find(const char *name)
{
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (strcmp(tags[i].name, name) == 0)
            return &tags[i];
    return NULL;
}

static uint32_t check_text(const Hy__Field *field, size_t most)
{
    if (field->num != 0)
        return HY_CODE_PROFILE_TYPE;
    if (field->str.len > most)
        return HY_CODE_PROFILE_TOO_LONG;
    return hy_utf8((const char *)field->str.data, field->str.len) ? HY_CODE_OK : HY_CODE_NOT_UTF8;
}

/* Callers of scripting languages send numbers as text. */
static uint32_t check_number(Hy__Field *field)
{
    uint64_t number = 0;

    for (size_t i = 0; i < field->str.len; i++) {
        uint8_t digit = (uint8_t)(field->str.data[i] - '0');

        if (digit > 9 || number > UINT32_MAX)
            return HY_CODE_PROFILE_TYPE;
        number = number * 10 + digit;
    }
    if (field->str.len > 0)
        field->num = number;
    field->str.len = 0;
    return field->num <= UINT32_MAX ? HY_CODE_OK : HY_CODE_PROFILE_VALUE;
}

static uint32_t check_choice(const Hy__Field *field, const char *const *choices)
{
    if (field->num != 0)
        return HY_CODE_PROFILE_TYPE;
    if (field->str.len == 0)
        return HY_CODE_OK; /* back to the default */
    for (; *choices != NULL; choices++)
        if (strlen(*choices) == field->str.len &&
            memcmp(*choices, field->str.data, field->str.len) == 0)
            return HY_CODE_OK;
    return HY_CODE_PROFILE_VALUE;
}

/* Tag_Profile_Custom_<key>, or in the old form with the app's number before the key. */
static bool is_custom(const char *name)
{
    const char *key = name + strlen(CUSTOM);
    size_t digits, letters = 0;

    if (strncmp(name, CUSTOM, strlen(CUSTOM)) != 0)
        return false;
    digits = strspn(key, "0123456789");
    if (digits > 0 && key[digits] == '_')
        key += digits + 1;
    while ((key[letters] >= 'a' && key[letters] <= 'z') ||
           (key[letters] >= 'A' && key[letters] <= 'Z'))
        letters++;
    return letters > 0 && letters <= CUSTOM_KEY_MOST && key[letters] == '\0';
}

/* A custom field is text, bytes or a number. */
static uint32_t check_custom(const Hy__Field *field)
{
    return field->str.len > PROFILETAG_TEXT_MOST ? HY_CODE_PROFILE_TOO_LONG : HY_CODE_OK;
}

uint32_t profiletag_check(Hy__Field *field, bool admin)
{
    const struct tag *tag = find(field->name);

    if (tag == NULL)
        return is_custom(field->name) ? check_custom(field) : (uint32_t)HY_CODE_PROFILE_NO_TAG;
    if (tag->admin_only && !admin)
        return HY_CODE_PROFILE_WRITE;
    switch (tag->kind) {
    case TEXT:
        return check_text(field, tag->most);
    case NUMBER:
        return check_number(field);
    case CHOICE:
        return check_choice(field, tag->choices);
    }
    return HY_CODE_PROFILE_NO_TAG;
}
