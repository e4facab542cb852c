# The REST front, a library of its own: tests put a fake upstream behind it.
hy_library(hy_rest
    rest.c rest_account.c rest_body.c rest_call.c rest_elem.c rest_gather.c rest_group.c
    rest_group_joined.c rest_group_list.c rest_group_members.c rest_group_msg.c rest_group_read.c
    rest_group_show.c rest_group_write.c rest_head.c rest_http.c rest_json.c rest_openim.c rest_profile.c
    rest_roam.c rest_send.c rest_state.c rest_ticket.c rest_url.c rest_value.c span.c)
target_link_libraries(hy_rest PUBLIC hy_common)
