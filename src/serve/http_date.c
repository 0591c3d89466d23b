/* SPDX-License-Identifier: Apache-2.0 */
/* http_date.c - the time of day as HTTP writes it, of no locale */
#include "serve/http_date.h"

#include <string.h>

enum { DAYS_OF_400_YEARS = 146097 };

static void two_digits(char *at, unsigned v)
{
    at[0] = (char)('0' + v / 10 % 10);
    at[1] = (char)('0' + v % 10);
}

void tni_http_date(char out[TNI_HTTP_DATE], uint64_t epoch_s)
{
    static const char days[] = "ThuFriSatSunMonTueWed";
    static const char months[] = "MarAprMayJunJulAugSepOctNovDecJanFeb";
    const uint64_t last = 253402300799u; /* 9999-12-31 23:59:59 */
    if (epoch_s > last) epoch_s = last;
    const unsigned second = (unsigned)(epoch_s % 86400);
    /* Days since 0000-03-01: a year that begins in March ends with the day
     * that leap years add, and its months follow a line (153 days in five). */
    const unsigned day = (unsigned)(epoch_s / 86400);
    const unsigned z = day + 719468;
    const unsigned era = z / DAYS_OF_400_YEARS;
    const unsigned in_era = z % DAYS_OF_400_YEARS;
    const unsigned year_of_era =
        (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    const unsigned in_year =
        in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned month = (5 * in_year + 2) / 153; /* 0: March */
    const unsigned year = era * 400 + year_of_era + (month >= 10 ? 1 : 0);
    memcpy(out, "Thu, 01 Jan 1970 00:00:00 GMT", TNI_HTTP_DATE);
    memcpy(out, days + (size_t)3 * (day % 7), 3);
    two_digits(out + 5, in_year - (153 * month + 2) / 5 + 1);
    memcpy(out + 8, months + (size_t)3 * month, 3);
    two_digits(out + 12, year / 100);
    two_digits(out + 14, year % 100);
    two_digits(out + 17, second / 3600);
    two_digits(out + 20, second / 60 % 60);
    two_digits(out + 23, second % 60);
}
