"""The settings, read once from the environment or a `.env` file. The README's table is compared with this class."""

import ipaddress
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.faults import InvalidPayload
from schemas.reach import networks


class Settings(BaseSettings):
    """Every name stands in the environment with the prefix `DXHUB_`."""

    model_config = SettingsConfigDict(
        env_prefix="DXHUB_", env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore"
    )

    data: Path = Field(Path("./dxhub-data"), description="Folder of the embedded database and objects")
    database_url: SecretStr = Field(
        SecretStr(""), description="`sqlite:///…` or `postgresql+psycopg://…`; empty: `sqlite:///{DATA}/hub.db`"
    )
    objects_url: SecretStr = Field(
        SecretStr(""),
        description="`file://…` or `s3://KEY:SECRET@host:port/bucket?secure=0`; empty: `file://{DATA}/objects`",
    )
    host: str = Field("127.0.0.1", description="Address on which the hub listens")
    allow_insecure: bool = Field(
        False, description="Listen beyond this machine although nothing is encrypted; the hub refuses otherwise"
    )
    http_port: int = Field(8080, ge=0, le=65535, description="Portal, FHIR, DICOMweb, uploads")
    dicom_port: int = Field(11112, ge=0, le=65535, description="DICOM: store, query, retrieve, commitment, MPPS")
    mllp_port: int = Field(2575, ge=0, le=65535, description="HL7 v2 over MLLP")
    dicom_tls_certificate: Path | None = Field(
        None, description="PEM file with the certificate of the DICOM door, and those up to its authority; TLS if set"
    )
    dicom_tls_key: Path | None = Field(None, description="PEM file with its private key, without a password")
    dicom_tls_client_ca: Path | None = Field(
        None, description="PEM file of the authorities whose certificates imaging senders must come with"
    )
    mllp_tls_certificate: Path | None = Field(
        None, description="PEM file with the certificate of the HL7 v2 door, and those up to its authority; TLS if set"
    )
    mllp_tls_key: Path | None = Field(None, description="PEM file with its private key, without a password")
    mllp_tls_client_ca: Path | None = Field(
        None, description="PEM file of the authorities whose certificates senders must come with"
    )
    mllp_memory_mb: int = Field(
        256, gt=0, description="Memory for unfinished HL7 v2 messages, in megabytes, in each process that takes them in"
    )
    tls_ca: Path | None = Field(
        None, description="PEM file of the authorities that we trust when we connect; empty: those of this machine"
    )
    tls_certificate: Path | None = Field(
        None, description="PEM file with the certificate that we show when a destination asks for one"
    )
    tls_key: Path | None = Field(None, description="PEM file with its private key, without a password")
    dicom_ae_title: str = Field("DXHUB", min_length=1, max_length=16, description="Our AE title")
    receivers: int = Field(
        0, ge=0, le=64, description="Processes that take DICOM and HL7 v2 in; 0: one a processor, at most 4"
    )
    study_quiet_s: int = Field(
        120, ge=1, le=86_400, description="A study is complete when nothing more of it has come for so many seconds"
    )
    image_retention_years: int = Field(
        0,
        ge=0,
        le=200,
        description="Years after which the images of a study are hidden, from its date or its last arrival, "
        "whichever is later; 0: never",
    )
    hook_networks: str = Field(
        "",
        description="Networks of its own in which the hub may call subscribed systems (`10.8.0.0/16, 127.0.0.1`); "
        "empty: only addresses open to the public",
    )
    notice_patience_h: int = Field(
        24, ge=1, le=720, description="Hours until a change to a reused result that nobody acknowledged is escalated"
    )
    repeated_within_days: int = Field(
        7, ge=1, le=90, description="An item examined again within so many days of being recognised saved nothing"
    )
    max_upload_mb: int = Field(2048, gt=0, description="Largest file in one upload, in megabytes")
    watch: Path | None = Field(
        None,
        description="Folder into which carts drop files, with a subfolder for each source, named as it is registered",
    )
    watch_source: str = Field("", description="Source of the files that lie in that folder itself; empty: refused")
    watch_quiet_s: int = Field(
        5, ge=1, le=3600, description="A dropped file is taken when it has not grown for so many seconds"
    )
    max_message_mb: int = Field(64, gt=0, description="Largest HL7 v2 message, in megabytes")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="`debug`, `info`, `warning` or `error`; never a patient's data"
    )

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        pairs = (
            (self.dicom_tls_certificate, self.dicom_tls_key),
            (self.mllp_tls_certificate, self.mllp_tls_key),
            (self.tls_certificate, self.tls_key),
        )
        for certificate, key in pairs:
            if (certificate is None) != (key is None):
                raise ValueError("a TLS certificate and its key are set together, or neither")
        for door, client_ca, own in (
            ("DICOM", self.dicom_tls_client_ca, self.dicom_tls_certificate),
            ("MLLP", self.mllp_tls_client_ca, self.mllp_tls_certificate),
        ):
            if client_ca and not own:
                raise ValueError(
                    f"senders' certificates are asked for over TLS alone: set DXHUB_{door}_TLS_CERTIFICATE"
                )
        return self

    @field_validator("hook_networks")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        networks(text)
        return text

    @model_validator(mode="after")
    def _defaults(self) -> Self:
        data = self.data.expanduser().resolve()
        self.data = data
        if not self.database_url.get_secret_value():
            self.database_url = SecretStr(f"sqlite:///{data / 'hub.db'}")
        if not self.objects_url.get_secret_value():
            self.objects_url = SecretStr(f"file://{data / 'objects'}")
        return self

    @property
    def dicom_encrypted(self) -> bool:
        """Whether the DICOM door speaks TLS."""
        return self.dicom_tls_certificate is not None

    @property
    def mllp_encrypted(self) -> bool:
        """Whether the HL7 v2 door speaks TLS."""
        return self.mllp_tls_certificate is not None

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the hub."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def read(**flags: Any) -> Settings:  # noqa: ANN401 - a setting is of any type
    """The settings, flags of the command line before the environment. Raises InvalidPayload that names the setting."""
    try:
        return Settings(**flags)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        # The value itself is not repeated: two of the settings hold secrets.
        where = f"DXHUB_{str(first['loc'][0]).upper()}" if first["loc"] else "DXHUB_…TLS…"
        raise InvalidPayload(first["msg"].removeprefix("Value error, "), where=where) from None
