"""`python -m portal_service`: one process of the portal, set up from the environment."""

import argparse

import uvicorn

from portal_service.app import create_app
from portal_service.settings import PortalSettings
from shared import logging


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    args = parser.parse_args()
    logging.configure()
    app = create_app(PortalSettings())  # type: ignore[call-arg]
    uvicorn.run(app, host=args.host, port=args.port, access_log=False, log_config=None)


if __name__ == "__main__":
    main()
