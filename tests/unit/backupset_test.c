/* The list of a backup's files, and checksums. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/backupset.h"
#include "common/crc32c.h"

static void crc32c_is_the_one_of_rfc_3720(void **state)
{
    uint8_t bytes[32], *odd = malloc(1001);
    uint32_t parts = 0;

    (void)state;
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(hy_crc32c(0, bytes, sizeof bytes), 0x8A9136AA);
    memset(bytes, 0xFF, sizeof bytes);
    assert_int_equal(hy_crc32c(0, bytes, sizeof bytes), 0x62A8AB43);
    for (int i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    assert_int_equal(hy_crc32c(0, bytes, sizeof bytes), 0x46DD794E);
    assert_int_equal(hy_crc32c(0, "123456789", 9), 0xE3069283);
    assert_non_null(odd);
    for (int i = 0; i < 1001; i++)
        odd[i] = (uint8_t)(i * 7);
    for (int i = 0; i < 1001; i += 13)
        parts = hy_crc32c(parts, odd + i, 13);
    assert_int_equal(parts, hy_crc32c(0, odd, 1001));
    free(odd);
}

static const char good[] =
    "1795705094\n42\n2\n"
    "shared_checksum/000019_sDC8VEEBPRSTN8OGX32M1_1412.sst crc32 3506441198\n"
    "private/2/CURRENT crc32 7\n";

static void a_list_is_read(void **state)
{
    struct hy_backup_set set;
    char name[64];

    (void)state;
    assert_int_equal(hy_backup_set_parse(good, sizeof good - 1, &set), HY_OK);
    assert_int_equal(set.time_s, 1795705094);
    assert_int_equal(set.sequence, 42);
    assert_int_equal(set.count, 2);
    assert_int_equal(set.files[0].crc, 3506441198);
    hy_backup_file_name(&set.files[0], name);
    assert_string_equal(name, "000019.sst");
    assert_true(hy_backup_file_table(&set.files[0]));
    hy_backup_file_name(&set.files[1], name);
    assert_string_equal(name, "CURRENT");
    assert_false(hy_backup_file_table(&set.files[1]));
    hy_backup_set_free(&set);
}

static void what_is_no_list_or_leads_elsewhere_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "1\n2\n",
        "1\n2\n1\n",
        "1\n2\n2\nprivate/1/A crc32 7\n",
        "1\n2\n99999999999\nprivate/1/A crc32 7\n",
        "1\n2\n1\nprivate/1/A crc32 7",
        "1\n2\n1\nprivate/1/A crc32 99999999999\n",
        "1\n2\n1\nprivate/1/A sha1 7\n",
        "1\n2\n1\nprivate/../../etc/passwd crc32 7\n",
        "1\n2\n1\n/etc/passwd crc32 7\n",
        "1\n2\n1\nprivate/ crc32 7\n",
        "x\n2\n0\n",
    };
    struct hy_backup_set set;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(hy_backup_set_parse(bad[i], strlen(bad[i]), &set), HY_EMALFORMED);
}

/* Every list cut short anywhere is refused. */
static void a_torn_list_is_refused(void **state)
{
    struct hy_backup_set set;

    (void)state;
    for (size_t len = 0; len < sizeof good - 1; len++)
        assert_int_equal(hy_backup_set_parse(good, len, &set), HY_EMALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_is_the_one_of_rfc_3720),
        cmocka_unit_test(a_list_is_read),
        cmocka_unit_test(what_is_no_list_or_leads_elsewhere_is_refused),
        cmocka_unit_test(a_torn_list_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
