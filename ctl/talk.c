#include "ctl/talk.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MAX_GATEWAYS = 64, TICKET_S = 86400 };

enum hy_err talk_open(struct hy_loop *loop, const struct cluster *cluster, const char *user,
                      size_t gateway, struct hongyan_config *config, struct hongyan_client **client)
{
    const char *addresses[MAX_GATEWAYS] = {NULL};
    char sig[HY_USERSIG_MAX];
    size_t n = cluster->gateways < MAX_GATEWAYS ? cluster->gateways : MAX_GATEWAYS;
    enum hy_err err = cluster_ticket(cluster, user, TICKET_S, sig);

    if (err != HY_OK)
        return err;
    if (gateway != SIZE_MAX) {
        n = 1; /* this one only */
        addresses[0] = config->tls ? cluster->tls[gateway % cluster->gateways]
                                   : cluster->tcp[gateway % cluster->gateways];
    }
    for (size_t i = 0; gateway == SIZE_MAX && i < n; i++)
        addresses[i] = config->tls ? cluster->tls[i] : cluster->tcp[i];
    if (addresses[0] == NULL)
        return HY_ECONFIG;
    config->addresses = addresses;
    config->address_count = n;
    config->sdkappid = cluster->app.sdkappid;
    config->identifier = user;
    config->usersig = sig;
    config->ca_file = json_string_value(json_object_get(cluster->json, "ca"));
    return hongyan_open(loop, config, client);
}

void talk_line(const Hy__Msg *msg, char *out, size_t size)
{
    char text[4096], clock[16];
    time_t at = (time_t)(msg->time_ms / 1000);
    struct tm tm;

    localtime_r(&at, &tm);
    strftime(clock, sizeof clock, "%H:%M", &tm);
    hongyan_body_text(msg->body.data, msg->body.len, text, sizeof text);
    snprintf(out, size, "[%s] %s: %s", clock, msg->nick[0] != '\0' ? msg->nick : msg->from, text);
}
