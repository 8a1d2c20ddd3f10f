#!/bin/sh
# How the first team shipped, before it had a tool: the steps of its notes, in their order, as one script.
#
# SSH_CONFIG names a file that describes `server`; API_URL is the address that is baked into the site.
set -eu

say() { echo "== $1"; }

cd frontend
if [ ! -d node_modules ]; then
    say "npm ci"
    npm ci --no-audit --no-fund --silent
fi
say "npm run build"
NEXT_PUBLIC_API_URL="$API_URL" npm run build
cd ..
say "scp -r"
scp -q -r -F "$SSH_CONFIG" frontend/out server:/var/www/quality/
say "git push"
git push --quiet origin main
say "ssh"
ssh -F "$SSH_CONFIG" server sh -s <server/on-server.sh
