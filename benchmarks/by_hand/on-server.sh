# shellcheck shell=sh
# The half of the first team's steps that runs on the server, over one connection.
set -eu

say() { echo "== $1"; }

say "chmod -R"
chmod -R 755 /var/www/quality

if [ ! -d "$HOME/quality" ]; then
    say "git clone"
    git clone --quiet /srv/git/quality.git "$HOME/quality"
fi
say "git pull"
cd "$HOME/quality"
git pull --quiet

say "uv sync"
cd backend
uv sync --quiet

set -a
# shellcheck disable=SC1091 # on the server only
. "$HOME/quality.env"
set +a
say "migrate"
.venv/bin/python manage.py migrate --noinput
say "collectstatic"
.venv/bin/python manage.py collectstatic --noinput

if [ ! -e /etc/systemd/system/quality.service ]; then
    say "unit and nginx's file"
    sudo cp "$HOME/quality/server/quality.service" /etc/systemd/system/quality.service
    sudo systemctl daemon-reload
    sudo systemctl enable --quiet quality
    sudo cp "$HOME/quality/server/quality.nginx" /etc/nginx/sites-available/quality
    sudo ln -s /etc/nginx/sites-available/quality /etc/nginx/sites-enabled/quality
    sudo rm -f /etc/nginx/sites-enabled/default
fi
say "systemctl restart"
sudo systemctl restart quality
say "nginx reload"
sudo nginx -t -q
sudo systemctl reload nginx
