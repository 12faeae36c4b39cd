"""What does a fresh all-in-one contain? The demo's masters and contracts, once."""

from datetime import datetime
from io import StringIO

from contracts_service.imports import import_contracts, import_masters
from sqlalchemy import text

from madoguchi.demo import COLUMNS, demo_contracts, demo_masters
from shared.clock import jst_day
from shared.db import EVERY_DEALER, Database
