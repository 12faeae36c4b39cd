"""`python -m portal_service`: one process of the portal, set up from the environment.

`python -m portal_service migrate` brings the portal's database to the newest version instead.
"""

import argparse
import asyncio
import sys

import uvloop

from portal_service.app import create_app
from portal_service.settings import NotForTheNetwork, PortalSettings
from shared import logging, migrate, tracing
from shared.graceful_shutdown import GracefulServer
from shared.signals import run_until_signalled
from shared.start_settings import WRONG_SETTINGS, or_exit


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", default="pages", choices=("pages", "migrate"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="stop when the parent process ends"
    )
    args = parser.parse_args()
    settings = or_exit("portal", PortalSettings)
    try:
        settings.check_for_the_network()
    except NotForTheNetwork as cause:
        sys.stderr.write(f"portal: {cause}\n")
        sys.exit(WRONG_SETTINGS)
    logging.configure(level=settings.log_level)
    if args.part == "migrate":
        urls = settings.database_url, settings.owner_database_url
        asyncio.run(migrate.upgrade_as_owner(*urls, "portal_service"))
        return
    tracing.start("portal", settings.otlp_endpoint)
    app = create_app(settings)
    server = GracefulServer(app, args.host, args.port, lifespan="on")
    uvloop.run(run_until_signalled(server.serve(), by_stdin=args.until_stdin_closes))
    tracing.stop()


if __name__ == "__main__":
    main()
