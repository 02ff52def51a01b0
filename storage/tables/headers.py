"""What is made of the header of each stored instance after its acknowledgement."""

from sqlalchemy import Column, ForeignKey, LargeBinary, Table

from .columns import Exact, Key, metadata

# `digest`: of the object that was described; where the instance has another by now, the row says nothing of it.
# `document`: DICOM JSON, compressed by zlib. `frames`: as schemas.header.Frames lays them out.
instance_header = Table(
    "instance_header",
    metadata,
    Column("instance_id", Key, ForeignKey("instance.id"), primary_key=True),
    Column("digest", Exact, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("frames", LargeBinary, nullable=False),
)
