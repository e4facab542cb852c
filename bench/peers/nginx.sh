# nginx - a static page of about the size of a REST answer, in a scratch directory.
#
# To be sourced:  nginx_start DIR   sets nginx_url and nginx_pids (comma separated, workers only)
#                 nginx_stop DIR
# Needs nginx (Debian package nginx-light or nginx-core). Prints why and returns 1 when it does not start.

nginx_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# nginx_start DIR
nginx_start() {
    nginx_dir=$1
    nginx_listen=127.0.0.1:$(nginx_port) || return 1
    mkdir -p "$nginx_dir/www" "$nginx_dir/tmp" || return 1
    # 128 bytes: what sendmsg answers
    printf '%0128d' 0 >"$nginx_dir/www/page.json"
    cat >"$nginx_dir/nginx.conf" <<CONF
user $(id -un) $(id -gn);
worker_processes auto;
pid $nginx_dir/nginx.pid;
error_log $nginx_dir/error.log;
events {
    worker_connections 4096;
}
http {
    access_log off;
    sendfile on;
    tcp_nodelay on;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    open_file_cache max=16;
    default_type application/json;
    client_body_temp_path $nginx_dir/tmp/body;
    proxy_temp_path $nginx_dir/tmp/proxy;
    fastcgi_temp_path $nginx_dir/tmp/fastcgi;
    uwsgi_temp_path $nginx_dir/tmp/uwsgi;
    scgi_temp_path $nginx_dir/tmp/scgi;
    server {
        listen $nginx_listen reuseport backlog=4096;
        root $nginx_dir/www;
    }
}
CONF
    nginx -p "$nginx_dir" -c "$nginx_dir/nginx.conf" 2>"$nginx_dir/start.log" || {
        cat "$nginx_dir/start.log" >&2
        return 1
    }
    nginx_url=http://$nginx_listen/page.json
    nginx_pids=""
    # the master has bound the port and written its pid; its workers are its children
    while [ -z "$nginx_pids" ]; do
        nginx_pids=$(ps -o pid= --ppid "$(cat "$nginx_dir/nginx.pid")" | tr -d ' ' | paste -sd, -)
    done
}

# nginx_stop DIR
nginx_stop() {
    [ ! -f "$1/nginx.pid" ] || kill "$(cat "$1/nginx.pid")"
}
