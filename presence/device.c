#include "presence/device.h"

#include <stddef.h>
#include <string.h>

#include "client.pb-c.h"

enum kind { KIND_PC, KIND_ANDROID, KIND_IOS, KIND_WEB };

static const struct platform {
    const char *name;
    enum kind kind;
} platforms[] = {
    [HY__PLATFORM__PLATFORM_UNKNOWN] = {"unknown", KIND_PC},
    [HY__PLATFORM__PLATFORM_ANDROID] = {"android", KIND_ANDROID},
    [HY__PLATFORM__PLATFORM_IPHONE] = {"iphone", KIND_IOS},
    [HY__PLATFORM__PLATFORM_IPAD] = {"ipad", KIND_IOS},
    [HY__PLATFORM__PLATFORM_WINDOWS] = {"windows", KIND_PC},
    [HY__PLATFORM__PLATFORM_MAC] = {"mac", KIND_PC},
    [HY__PLATFORM__PLATFORM_WEB] = {"web", KIND_WEB},
    [HY__PLATFORM__PLATFORM_LINUX] = {"linux", KIND_PC},
    [HY__PLATFORM__PLATFORM_MINI_PROGRAM] = {"mini_program", KIND_WEB},
};

static const struct platform *platform_of(int platform)
{
    if (platform < 0 || (size_t)platform >= sizeof platforms / sizeof *platforms)
        platform = HY__PLATFORM__PLATFORM_UNKNOWN;
    return &platforms[platform];
}

bool device_mobile(int platform)
{
    enum kind kind = platform_of(platform)->kind;

    return kind == KIND_ANDROID || kind == KIND_IOS;
}

const char *device_platform_name(int platform)
{
    return platform_of(platform)->name;
}

static bool rivals(unsigned mode, int old, int fresh)
{
    switch (mode) {
    case 2:
        if (device_mobile(old) && device_mobile(fresh))
            return true;
        return platform_of(old)->kind == platform_of(fresh)->kind;
    case 3:
        return platform_of(old)->kind == platform_of(fresh)->kind;
    case 4:
        return true;
    default:
        return false;
    }
}

enum device_verdict device_judge(unsigned mode, const struct device *old,
                                 const struct device *fresh)
{
    if (old->platform == fresh->platform && strcmp(old->id, fresh->id) == 0)
        return DEVICE_SAME;
    return rivals(mode, old->platform, fresh->platform) ? DEVICE_OTHER : DEVICE_STAYS;
}
