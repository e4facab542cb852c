/* xmpp_link - a driver's side of an XMPP connection: SASL PLAIN, bind, presence, then messages
 * between full addresses, a room, or pages of the archive (XEP-0313). */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench/peers/load.h"
#include "bench/peers/xmpp.h"

#define HOST "localhost"
#define ROOM "room@conference." HOST

enum { SAY_MAX = 1024, PAGE_ROWS = 20 };

/* What the link waits for. */
enum step { FEATURES, REGISTERED, SIGNED_IN, FEATURES_AGAIN, BOUND, PRESENT, JOINED, ONLINE };

__attribute__((format(printf, 2, 3))) static void say(struct link *link, const char *format, ...)
{
    char text[SAY_MAX];
    va_list list;
    int len = 0;

    va_start(list, format);
    len = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    link_put(link, text, (size_t)len);
}

static void open_stream(struct link *link, enum step step)
{
    link->step = (uint8_t)step;
    say(link, "<?xml version='1.0'?><stream:stream to='" HOST "' version='1.0' "
              "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>");
}

static void greet(struct link *link)
{
    open_stream(link, FEATURES);
}

static void sign_in(struct link *link)
{
    char user[32], plain[128];

    snprintf(user, sizeof user, "u%u", link->index);
    xmpp_plain(user, user, plain, sizeof plain);
    link->step = SIGNED_IN;
    say(link, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%s</auth>", plain);
}

static void refuse(struct link *link, const struct xmpp_stanza *stanza)
{
    load_refused(link, stanza->whole.text, stanza->whole.len);
}

static void on_features(struct link *link, const struct xmpp_stanza *stanza)
{
    (void)stanza;
    if (link->worker->kind != LOAD_ACCOUNTS) {
        sign_in(link);
        return;
    }
    link->step = REGISTERED;
    say(link,
        "<iq type='set' id='r'><query xmlns='jabber:iq:register'><username>u%u</username>"
        "<password>u%u</password></query></iq>",
        link->index, link->index);
}

/* An account that exists already is one made by an earlier run. */
static void on_registered(struct link *link, const struct xmpp_stanza *stanza)
{
    if (xmpp_same(xmpp_attribute(stanza, "type"), "result") || xmpp_has(stanza, "<conflict"))
        load_online(link);
    else
        refuse(link, stanza);
}

static void on_signed_in(struct link *link, const struct xmpp_stanza *stanza)
{
    if (xmpp_is(stanza, "success"))
        open_stream(link, FEATURES_AGAIN);
    else
        refuse(link, stanza);
}

static void on_features_again(struct link *link, const struct xmpp_stanza *stanza)
{
    (void)stanza;
    link->step = BOUND;
    say(link, "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
              "<resource>b</resource></bind></iq>");
}

static void on_bound(struct link *link, const struct xmpp_stanza *stanza)
{
    if (!xmpp_same(xmpp_attribute(stanza, "type"), "result")) {
        refuse(link, stanza);
        return;
    }
    link->step = PRESENT;
    say(link, "<presence/>");
}

/* One's own presence comes back: others reach this link from now on. */
static void on_present(struct link *link, const struct xmpp_stanza *stanza)
{
    if (!xmpp_is(stanza, "presence"))
        return;
    if (link->worker->kind != LOAD_ROOM) {
        link->step = ONLINE;
        load_online(link);
        return;
    }
    link->step = JOINED;
    say(link,
        "<presence to='" ROOM "/u%u'><x xmlns='http://jabber.org/protocol/muc'>"
        "<history maxstanzas='0'/></x></presence>",
        link->index);
}

/* The subject is the last thing that a room tells who joins. */
static void on_joined(struct link *link, const struct xmpp_stanza *stanza)
{
    if (xmpp_same(xmpp_attribute(stanza, "type"), "error")) {
        refuse(link, stanza);
    } else if (xmpp_is(stanza, "message") && xmpp_has(stanza, "<subject")) {
        link->step = ONLINE;
        load_online(link);
    }
}

static void on_page_end(struct link *link, const struct xmpp_stanza *stanza)
{
    struct xmpp_slice first = xmpp_text(stanza, "<first");
    bool more = first.text != NULL && first.len < sizeof link->cursor &&
                !xmpp_has(stanza, "complete='true'");

    link->cursor[0] = '\0';
    if (more) {
        memcpy(link->cursor, first.text, first.len);
        link->cursor[first.len] = '\0';
    }
    load_page(link);
}

static void on_message(struct link *link, const struct xmpp_stanza *stanza)
{
    struct xmpp_slice body = xmpp_text(stanza, "<body");

    if (xmpp_same(xmpp_attribute(stanza, "type"), "error"))
        load_failed(link, stanza->whole.text, stanza->whole.len);
    else if (xmpp_has(stanza, "urn:xmpp:mam:2'") && xmpp_has(stanza, "<result"))
        load_row(link);
    else if (body.text != NULL)
        load_text(link, body.text, body.len);
}

static void on_online(struct link *link, const struct xmpp_stanza *stanza)
{
    if (xmpp_is(stanza, "message"))
        on_message(link, stanza);
    else if (xmpp_is(stanza, "iq") && xmpp_same(xmpp_attribute(stanza, "type"), "error"))
        load_failed(link, stanza->whole.text, stanza->whole.len);
    else if (xmpp_is(stanza, "iq") && xmpp_has(stanza, "<fin"))
        on_page_end(link, stanza);
}

static void (*const steps[])(struct link *, const struct xmpp_stanza *) = {
    [FEATURES] = on_features,   [REGISTERED] = on_registered,
    [SIGNED_IN] = on_signed_in, [FEATURES_AGAIN] = on_features_again,
    [BOUND] = on_bound,         [PRESENT] = on_present,
    [JOINED] = on_joined,       [ONLINE] = on_online,
};

static ssize_t take(struct link *link, const uint8_t *bytes, size_t len)
{
    size_t taken = 0;

    while (link->fd >= 0) {
        struct xmpp_stanza stanza;
        ssize_t size = xmpp_read((const char *)bytes + taken, len - taken, &stanza);

        if (size < 0)
            return -1;
        if (size == 0)
            break;
        if (xmpp_is(&stanza, "stream:error"))
            refuse(link, &stanza);
        else if (!stanza.opens)
            steps[link->step](link, &stanza);
        taken += (size_t)size;
    }
    return (ssize_t)taken;
}

static void send_text(struct link *link, uint32_t to, const char text[static STAMP_TEXT])
{
    if (to == TO_ROOM)
        say(link, "<message to='" ROOM "' type='groupchat'><body>%.*s</body></message>", STAMP_TEXT,
            text);
    else
        say(link, "<message to='u%u@" HOST "/b' type='chat'><body>%.*s</body></message>", to,
            STAMP_TEXT, text);
}

static void beat(struct link *link)
{
    say(link, " ");
}

static void page(struct link *link)
{
    say(link,
        "<iq type='set' id='p'><query xmlns='urn:xmpp:mam:2'>"
        "<set xmlns='http://jabber.org/protocol/rsm'><max>%d</max><before>%s</before></set>"
        "</query></iq>",
        PAGE_ROWS, link->cursor);
}

static void leave(struct link *link)
{
    say(link, "</stream:stream>");
}

const struct protocol xmpp_protocol = {.name = "xmpp",
                                       .acks = false,
                                       .greet = greet,
                                       .take = take,
                                       .send = send_text,
                                       .beat = beat,
                                       .page = page,
                                       .leave = leave};
