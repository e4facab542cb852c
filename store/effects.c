/* effects - what other shards have to tell the indexes of users here. */

#include "store/handlers.h"
#include "store/index.h"

void effects_handle(struct core *core, const struct request *req)
{
    const Hy__EffectsReq *in = core_decode(core, req, &hy__effects_req__descriptor);
    Hy__EffectsRes res = HY__EFFECTS_RES__INIT;
    enum hy_err err = HY_OK;

    if (in == NULL)
        return;
    for (size_t i = 0; i < in->n_effects; i++)
        if (!core_needs(core, hy_slot_user(in->effects[i]->app, in->effects[i]->user))) {
            core_refuse(core, req, HY_CODE_UNAVAILABLE);
            return;
        }
    for (size_t i = 0; i < in->n_effects && err == HY_OK; i++) {
        err = index_apply(core, in->effects[i]);
        if (err == HY_EMALFORMED) /* it will not get better by being sent again */
            err = HY_OK;
    }
    if (err != HY_OK)
        core_broken(core, req, err);
    else
        core_answer(core, req, &res.base);
}
