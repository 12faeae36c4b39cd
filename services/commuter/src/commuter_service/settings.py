"""Environment settings of the commuter service, each with the prefix COMMUTER_.

Where receipts are kept and how they are scanned. 乗換案内 has settings of its own
(adapters/route_providers.py).
"""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.settings import ServiceSettings


class ReceiptStoreSettings(BaseSettings):
    """Receipts are kept in a folder or in a bucket; without either none can be uploaded."""

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True)

    receipts_folder: Path | None = Field(None, description="a folder that is backed up")
    receipts_bucket: str | None = Field(None, description="a bucket of an S3-compatible store")
    receipts_endpoint: str | None = Field(
        None, description="https://store.example.jp; without it AWS itself"
    )
    receipts_region: str = "ap-northeast-1"
    receipts_access_key: SecretStr | None = None
    receipts_secret_key: SecretStr | None = None
    receipts_timeout_s: float = Field(
        30, gt=0, description="after which a store that does not answer counts as unavailable"
    )

    @model_validator(mode="after")
    def _one_store(self) -> Self:
        if self.receipts_folder and self.receipts_bucket:
            raise ValueError("set COMMUTER_RECEIPTS_FOLDER or COMMUTER_RECEIPTS_BUCKET, not both")
        if self.receipts_bucket and not (self.receipts_access_key and self.receipts_secret_key):
            raise ValueError(
                "COMMUTER_RECEIPTS_BUCKET needs COMMUTER_RECEIPTS_ACCESS_KEY and"
                " COMMUTER_RECEIPTS_SECRET_KEY"
            )
        return self


class CommuterSettings(ServiceSettings, ReceiptStoreSettings):
    """The service's own: where receipts are kept, and how they are scanned."""

    scan_clamd: str | None = Field(
        None, description="host:port of clamd, or the path of its socket; scans every receipt"
    )
    scan_command: str | None = Field(
        None,
        description="a program that reads a receipt from its standard input: 0 clean, 1 infected",
    )

    @model_validator(mode="after")
    def _one_scan(self) -> Self:
        if self.scan_clamd and self.scan_command:
            raise ValueError("set COMMUTER_SCAN_CLAMD or COMMUTER_SCAN_COMMAND, not both")
        return self
