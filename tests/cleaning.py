"""A practice server as if nothing had ever been shipped to it."""

from __future__ import annotations

from inside import run_inside

# What shipper makes on a server, all apps of it: docs/architecture.md, "On the server".
REMOVE = """
import glob, os, shutil, subprocess

def clean_engine():
    # Without its command line, of which every call takes longer than all of this.
    import http.client, json, socket, urllib.parse

    class Engine(http.client.HTTPConnection):
        def connect(self):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect("/run/docker.sock")

    def ask(method, path, **query):
        engine = Engine("localhost")
        engine.request(method, path + "?" + urllib.parse.urlencode(query))
        answer = engine.getresponse()
        text = answer.read()
        engine.close()
        assert answer.status < 400, (method, path, text)
        return json.loads(text) if text.strip() else None

    for container in ask("GET", "/containers/json", all=1):
        ask("DELETE", "/containers/" + container["Id"], force=1)
    for volume in ask("GET", "/volumes")["Volumes"] or ():
        ask("DELETE", "/volumes/" + volume["Name"])
    for image in ask("GET", "/images/json", filters=json.dumps({"reference": ["gig", "music"]})):
        ask("DELETE", "/images/" + image["Id"], force=1)
    ask("POST", "/networks/prune")

apps = [name for name in os.listdir("/srv") if os.path.isdir(os.path.join("/srv", name))]
for app in apps:
    units = [app + "@*.service", app + "-proxy@*"]
    subprocess.run(["systemctl", "stop", *units], check=True)
    subprocess.run(["systemctl", "reset-failed", *units], stderr=subprocess.DEVNULL)
    names = [app + "@*", app + "-proxy@*", app + ".service"]
    found = [glob.glob("/etc/systemd/system/" + folder + name) for name in names for folder in ("", "*.wants/")]
    for unit in sum(found, []):
        os.remove(unit) if not os.path.isdir(unit) or os.path.islink(unit) else shutil.rmtree(unit)
    while os.path.ismount(os.path.join("/srv", app)):
        subprocess.run(["umount", os.path.join("/srv", app)], check=True)
    shutil.rmtree(os.path.join("/srv", app))
    shutil.rmtree(os.path.join("/run", app), ignore_errors=True)
    if subprocess.run(["id", app], capture_output=True).returncode == 0:
        subprocess.run(["userdel", app], check=True)
if subprocess.run(["systemctl", "is-active", "--quiet", "docker.service"]).returncode == 0:
    clean_engine()
for path in glob.glob("/etc/nginx/conf.d/shipper-*") + glob.glob("/etc/nginx/sites-*/shipper*"):
    os.remove(path)
shutil.rmtree("/etc/nginx/shipper", ignore_errors=True)
shutil.rmtree("/var/lib/shipper", ignore_errors=True)
"""
# systemd and nginx take note. A test may have left nginx stopped, or stopped too often for systemd's taste.
TAKE_NOTE = """
systemctl daemon-reload
systemctl reset-failed nginx.service
systemctl reload-or-restart nginx.service
"""


def clean(name: str) -> None:
    """Make a practice server what it was before anything was shipped to it."""
    code, output = run_inside(name, ["sh", "-ec", f'python3 -c "$1"\n{TAKE_NOTE}', "sh", REMOVE])
    assert code == 0, output
