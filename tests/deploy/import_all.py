"""Import every module of ours; prints those that cannot be. Runs in the image, without packages."""

import importlib
import pkgutil

SERVICES = ("contracts", "returns", "commuter", "notifier", "interchange", "portal")
PACKAGES = ("shared", "event_contracts", "fare_engine", *(f"{name}_service" for name in SERVICES))
LEFT_OUT = (".testing", ".migrations", "__main__")

for package in (*PACKAGES, "madoguchi.cli"):
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, f"{package}."):
        if not any(part in module.name for part in LEFT_OUT):
            try:
                importlib.import_module(module.name)
            except Exception as error:
                print(module.name, repr(error))
