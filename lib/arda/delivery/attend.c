/* SPDX-License-Identifier: ISC
 *
 * Which channels are attended. A daemon that takes deliveries of a channel says so now and then,
 * with a key that expires: so it is the clock of Redis that decides, and a daemon that was killed
 * needs nobody to notice. One that leaves a channel says why, for those who ask what deliveries
 * wait for.
 */
#include "arda/delivery/internal.h"

ARDA_SCRIPT(delivery_attend);

static const char *why_of(const struct arda_delivery_attendance *attendance,
                          enum arda_notify_channel channel)
{
    return attendance->why_left[channel] ? attendance->why_left[channel] : "";
}

int arda_delivery_attend(struct arda_bus *bus, const struct arda_delivery_attendance *attendance)
{
    static const enum arda_notify_channel channels[] = {ARDA_NOTIFY_EMAIL, ARDA_NOTIFY_WEBHOOK};
    char life[DELIVERY_MS_LEN];
    const char *argv[3 + 3 * sizeof channels / sizeof channels[0]] = {arda_bus_prefix(bus), life,
                                                                      attendance->name};
    int argc = 3;
    arda_delivery_ms(ARDA_DELIVERY_ATTENDED_MS, life);
    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++) {
        argv[argc++] = arda_notify_channel_name(channels[i]);
        argv[argc++] = attendance->channels & ARDA_NOTIFY_BIT(channels[i]) ? "1" : "0";
        argv[argc++] = why_of(attendance, channels[i]);
    }
    return arda_delivery_change(bus, &arda_delivery_attend_script, argc, argv, NULL, NULL);
}
