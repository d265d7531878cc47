"""Shell lines that set libpq's variables from a URL: arguments can be read by all users, these not.

`eval "$(libpq_environment.py)"`, with the URL in MODERATION_DATABASE_URL.
"""

import os
import shlex
from urllib.parse import parse_qsl, unquote, urlsplit

url = urlsplit(os.environ["MODERATION_DATABASE_URL"])
options = dict(parse_qsl(url.query))
found = {
    "PGHOST": options.get("host") or unquote(url.hostname or ""),
    "PGPORT": options.get("port") or str(url.port or ""),
    "PGUSER": options.get("user") or unquote(url.username or ""),
    "PGPASSWORD": options.get("password") or unquote(url.password or ""),
    "PGDATABASE": unquote(url.path.removeprefix("/")),
    "PGSSLMODE": options.get("sslmode", ""),
    "PGSSLROOTCERT": options.get("sslrootcert", ""),
}
for name, value in found.items():
    if value:
        print(f"export {name}={shlex.quote(value)}")
